#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""How many instructions the verifier went through for each pinned program.

  verified.py PIN...      prints: COUNT PROGRAM
"""
import ctypes
import os
import platform
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
OBJ_GET, OBJ_GET_INFO = 7, 15
INFO_SIZE, NAME, VERIFIED = 232, 64, 216  # struct bpf_prog_info
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    attr = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    result = libc.syscall(BPF, command, attr, 128)
    if result < 0:
        sys.exit(f"verified.py: {os.strerror(ctypes.get_errno())}")
    return result


for pin in sys.argv[1:]:
    path = ctypes.create_string_buffer(os.fsencode(pin))
    fd = bpf(OBJ_GET, struct.pack("=QII", ctypes.addressof(path), 0, 0))
    info = ctypes.create_string_buffer(INFO_SIZE)
    bpf(OBJ_GET_INFO, struct.pack("=IIQ", fd, INFO_SIZE, ctypes.addressof(info)))
    name = info.raw[NAME:NAME + 16].split(b"\0")[0].decode()
    print(struct.unpack_from("=I", info.raw, VERIFIED)[0], name)
