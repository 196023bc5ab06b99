#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Somebody else's programs at tcx.

tcx.py IFNAME first|last NAME                   at the ingress, leaves all to the next one
tcx.py IFNAME first|last NAME in|out next|pass  leaves all to the next one, or has the last word; counts
tcx.py pin NAME next|pass                       not attached but pinned, as NAME_prog
tcx.py count NAME                               what that one has seen
"""
import ctypes
import os
import platform
import socket
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
MAP_CREATE, MAP_LOOKUP, PROG_LOAD, OBJ_PIN, OBJ_GET, PROG_ATTACH = 0, 1, 5, 6, 7, 8
ARRAY, SCHED_CLS = 2, 3
PLACES = {"first": 1 << 3, "last": 1 << 4}
WAYS = {"in": 46, "out": 47}
VERDICTS = {"next": -1, "pass": 0}
PINNED = "/sys/fs/bpf/"
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    result = libc.syscall(BPF, command, ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128), 128)
    if result < 0:
        sys.exit(f"tcx.py: {os.strerror(ctypes.get_errno())}")
    return result


def instruction(code, registers, offset=0, value=0):
    return struct.pack("=BBhi", code, registers, offset, value)


def counting(name):
    """One more in a map of one number, pinned by that name."""
    path = ctypes.create_string_buffer((PINNED + name).encode())
    fd = bpf(MAP_CREATE, struct.pack("=IIII", ARRAY, 4, 8, 1))
    bpf(OBJ_PIN, struct.pack("=QI", ctypes.addressof(path), fd))
    # r1 = the number's address; r2 = 1; atomic: *r1 += r2
    return (instruction(0x18, 0x21, value=fd) + instruction(0, 0) + instruction(0xB7, 0x02, value=1)
            + instruction(0xDB, 0x21))


def count(name):
    path = ctypes.create_string_buffer((PINNED + name).encode())
    key, value = ctypes.c_uint32(0), ctypes.c_uint64(0)
    fd = bpf(OBJ_GET, struct.pack("=Q", ctypes.addressof(path)))
    bpf(MAP_LOOKUP, struct.pack("=IIQQQ", fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
    print(value.value)


def load(name, verdict, counts):
    # ...; r0 = the verdict; exit
    text = (counting(name) if counts else b"") + instruction(0xB7, 0, value=VERDICTS[verdict]) + instruction(0x95, 0)
    code = ctypes.create_string_buffer(text, len(text))
    terms = ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack("=IIQQIIQII16s", SCHED_CLS, len(text) // 8, ctypes.addressof(code),
                                      ctypes.addressof(terms), 0, 0, 0, 0, 0, name.encode()))


def pin(name, verdict):
    path = ctypes.create_string_buffer((PINNED + name + "_prog").encode())
    bpf(OBJ_PIN, struct.pack("=QI", ctypes.addressof(path), load(name, verdict, True)))


def attach(ifname, place, name, way="in", verdict="next", counts=True):
    bpf(PROG_ATTACH, struct.pack("=IIII", socket.if_nametoindex(ifname), load(name, verdict, counts), WAYS[way],
                                 PLACES[place]))


if sys.argv[1] in ("count", "pin"):
    {"count": count, "pin": pin}[sys.argv[1]](*sys.argv[2:])
else:
    attach(*sys.argv[1:], counts=len(sys.argv) > 4)
