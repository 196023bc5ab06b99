#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""How many entries a pinned map has. (bpftool would print each one, with all its fields.)

  entries.py PIN
"""
import ctypes
import os
import platform
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
GET_NEXT_KEY, OBJ_GET, KEY_MAX = 4, 7, 64
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    attr = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    result = libc.syscall(BPF, command, attr, 128)
    return result if result >= 0 else -ctypes.get_errno()


path = ctypes.create_string_buffer(os.fsencode(sys.argv[1]))
fd = bpf(OBJ_GET, struct.pack("=QII", ctypes.addressof(path), 0, 0))
if fd < 0:
    sys.exit(f"{sys.argv[1]}: {os.strerror(-fd)}")
keys = [ctypes.create_string_buffer(KEY_MAX) for _ in range(2)]
seen, at = set(), 0
while bpf(GET_NEXT_KEY, struct.pack("=IIQQ", fd, 0, at, ctypes.addressof(keys[0]))) == 0:
    # An entry that goes meanwhile makes the kernel begin again.
    if keys[0].raw in seen:
        break
    seen.add(keys[0].raw)
    keys.reverse()
    at = ctypes.addressof(keys[1])
print(len(seen))
