#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Which programs sit at TC in this network namespace, tcx included (bpftool 7.1 cannot tell).

Prints `DEVICE in|out PROGRAM`, one a line. Only tcx: clsact filters are seen with tc(8).
`hold FOLDER` keeps everything pinned there open until it is killed, and says how many that is.
"""
import ctypes
import os
import platform
import signal
import socket
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
OBJ_GET, PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, PROG_QUERY = 7, 13, 15, 16
DIRECTIONS = {46: "in", 47: "out"}
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    attr = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    result = libc.syscall(BPF, command, attr, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result, attr.raw


def program_name(ident):
    fd, _ = bpf(PROG_GET_FD_BY_ID, struct.pack("=III", ident, 0, 0))
    info = ctypes.create_string_buffer(256)
    bpf(OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", fd, len(info), ctypes.addressof(info)))
    os.close(fd)
    return info.raw[64:80].rstrip(b"\0").decode()


def programs(ifindex, attach):
    ids = (ctypes.c_uint32 * 64)()
    attr = struct.pack("=IIIIQII", ifindex, attach, 0, 0, ctypes.addressof(ids), 64, 0)
    _, attr = bpf(PROG_QUERY, attr)
    return [program_name(ids[i]) for i in range(struct.unpack_from("=I", attr, 24)[0])]


def hold(folder):
    held = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            path = ctypes.create_string_buffer(os.path.join(parent, name).encode())
            bpf(OBJ_GET, struct.pack("=Q", ctypes.addressof(path)))
            held += 1
    print("held", held, flush=True)
    signal.pause()


if sys.argv[1:2] == ["hold"]:
    hold(sys.argv[2])
# Not by if_nameindex(), which ends in silence at a device that has hundreds of names.
with open("/proc/net/dev") as devices:
    names = [line.split(":")[0].strip() for line in devices if ":" in line]
for index, name in ((socket.if_nametoindex(name), name) for name in names):
    for kind, direction in DIRECTIONS.items():
        try:
            found = programs(index, kind)
        except OSError as error:
            if error.errno == 22:  # EINVAL: a kernel without tcx
                sys.exit(0)
            if error.errno == 19:  # ENODEV: gone meanwhile
                continue
            raise
        for program in found:
            print(name, direction, program)
