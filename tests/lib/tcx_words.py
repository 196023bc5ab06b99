#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Somebody else's program at a device's tcx, that passes all on.

  tcx_words.py IFNAME first|last NAME [out] [WORD...]

At its ingress, or egress; in front of those there, or behind them. Before it passes a frame on it does what
the words say: cb=0 (all five words of skb->cb are zero), index=N (tc_index), mark=N (or-ed to the mark).
count=FIELD[:BELOW] counts frames in which FIELD (tc_index, mark, tstamp) is not zero, and below that. With it, or
with `stay`, the program is there until SIGTERM; then the number is printed.
"""
import ctypes
import os
import platform
import signal
import socket
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
MAP_CREATE, MAP_LOOKUP, PROG_LOAD, PROG_ATTACH, LINK_CREATE, SCHED_CLS, ARRAY = 0, 1, 5, 8, 28, 3, 2
TCX = {"in": 46, "out": 47}
PLACES = {"first": 1 << 3, "last": 1 << 4}
# In struct __sk_buff: where, and how BPF loads it.
FIELDS = {"mark": (8, 0x61), "tc_index": (44, 0x61), "tstamp": (152, 0x79)}
CB, LOOKUP_ELEM = 48, 1
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    result = libc.syscall(BPF, command, ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128), 128)
    if result < 0:
        sys.exit(f"tcx_words.py: {os.strerror(ctypes.get_errno())}")
    return result


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("=BBhi", code, src << 4 | dst, off, imm)


def change(word, value):
    if word == "cb":
        return b"".join(insn(0x62, 6, off=CB + 4 * i) for i in range(5))  # *(u32 *)(r6 + off) = 0
    if word == "index":
        return insn(0xB7, 1, imm=value) + insn(0x63, 6, 1, 44)
    if word == "mark":
        return insn(0x61, 1, 6, 8) + insn(0x47, 1, imm=value) + insn(0x63, 6, 1, 8)
    sys.exit(__doc__)


def count(field, below, fd):
    off, load = FIELDS[field]
    add = (insn(0x62, 10, off=-4)  # *(u32 *)(r10 - 4) = 0: the key
           + insn(0xBF, 2, 10) + insn(0x07, 2, imm=-4)
           + insn(0x18, 1, 1, imm=fd) + insn(0)  # r1 = the map
           + insn(0x85, imm=LOOKUP_ELEM)
           + insn(0x15, 0, off=2)  # none: over the next two
           + insn(0xB7, 1, imm=1) + insn(0xDB, 0, 1))  # atomic add of 1
    test = insn(0x3D, 1, 2, len(add) // 8)  # not below: over it
    limit = struct.pack("=BBhIBBhI", 0x18, 2, 0, below & 0xFFFFFFFF, 0, 0, 0, below >> 32)  # r2 = below
    return insn(load, 1, 6, off) + limit + insn(0x15, 1, off=1 + len(add) // 8) + test + add


ifname, place, name = sys.argv[1:4]
words = sys.argv[4:]
way = "out" if "out" in words else "in"
code, counter = insn(0xBF, 6, 1), None  # r6 = the frame
for word in words:
    if word in ("out", "stay"):
        continue
    key, _, value = word.partition("=")
    if key == "count":
        field, _, below = value.partition(":")
        counter = bpf(MAP_CREATE, struct.pack("=IIIII", ARRAY, 4, 8, 1, 0))
        code += count(field, int(below or str(1 << 62), 0), counter)
    else:
        code += change(key, int(value, 0))
code += insn(0xB7, 0, imm=-1) + insn(0x95)  # r0 = -1 (on to the next program); exit
code = ctypes.create_string_buffer(code, len(code))
terms = ctypes.create_string_buffer(b"GPL")
fd = bpf(PROG_LOAD, struct.pack("=IIQQIIQII16s", SCHED_CLS, len(code) // 8, ctypes.addressof(code),
                                ctypes.addressof(terms), 0, 0, 0, 0, 0, name.encode()))
if counter is None and "stay" not in words:
    bpf(PROG_ATTACH, struct.pack("=IIII", socket.if_nametoindex(ifname), fd, TCX[way], PLACES[place]))
    sys.exit()
signal.signal(signal.SIGTERM, lambda *_: None)
link = bpf(LINK_CREATE, struct.pack("=IIII", fd, socket.if_nametoindex(ifname), TCX[way], PLACES[place]))
print("there", flush=True)
signal.pause()
if counter is not None:
    key, total = ctypes.c_uint32(0), ctypes.c_uint64(0)
    bpf(MAP_LOOKUP, struct.pack("=IIQQ", counter, 0, ctypes.addressof(key), ctypes.addressof(total)))
    print(total.value, flush=True)
