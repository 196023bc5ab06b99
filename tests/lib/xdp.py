#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""xdp.py IFNAME netlink|link|storm plain|frags|generic: a wall against UDP over IPv4, attached to IFNAME until killed.

storm attaches and detaches it as often as it can. plain and frags are in driver mode, frags is for packets in several buffers as well. Says `attached` when it is.
"""
import ctypes
import os
import platform
import signal
import socket
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_LOAD, LINK_CREATE = 5, 28
PROG_TYPE_XDP, ATTACH_XDP, HAS_FRAGS = 6, 37, 1 << 5
SKB_MODE, DRV_MODE = 1 << 1, 1 << 2
RTM_SETLINK, REQUEST_ACK, NESTED = 19, 5, 1 << 15
IFLA_XDP, IFLA_XDP_FD, IFLA_XDP_FLAGS = 43, 1, 3
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    result = libc.syscall(BPF, command, ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128), 128)
    if result < 0:
        sys.exit(f"xdp.py: {os.strerror(ctypes.get_errno())}")
    return result


def op(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("=BBhi", code, src << 4 | dst, off, imm)


# Drops what has Ethertype 0x0800 and IP protocol 17, passes everything else.
WALL = b"".join([
    op(0x61, 2, 1, 4),               # r2 = data_end
    op(0x61, 1, 1, 0),               # r1 = data
    op(0xb7, 0, imm=2),              # r0 = XDP_PASS
    op(0xbf, 3, 1),                  # r3 = r1
    op(0x07, 3, imm=34),             # r3 += 34
    op(0x2d, 3, 2, 5),               # if r3 > r2 goto exit
    op(0x69, 4, 1, 12),              # r4 = Ethertype, as it stands in the frame
    op(0x55, 4, 0, 3, socket.htons(0x0800)),
    op(0x71, 4, 1, 23),              # r4 = protocol
    op(0x55, 4, 0, 1, 17),
    op(0xb7, 0, imm=1),              # r0 = XDP_DROP
    op(0x95),                        # exit
])


def load(frags):
    code, terms = ctypes.create_string_buffer(WALL, len(WALL)), ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack("=IIQQIIQII16sII", PROG_TYPE_XDP, len(WALL) // 8, ctypes.addressof(code),
                                      ctypes.addressof(terms), 0, 0, 0, 0, HAS_FRAGS if frags else 0, b"wall",
                                      0, ATTACH_XDP))


def set_link(ifindex, fd, flags):
    attrs = struct.pack("=HHiHHI", 8, IFLA_XDP_FD, fd, 8, IFLA_XDP_FLAGS, flags)
    body = struct.pack("=BxHiII", 0, 0, ifindex, 0, 0) + struct.pack("=HH", 4 + len(attrs), IFLA_XDP | NESTED) + attrs
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        route.send(struct.pack("=IHHII", 16 + len(body), RTM_SETLINK, REQUEST_ACK, 1, 0) + body)
        error = struct.unpack_from("=i", route.recv(4096), 16)[0]
    if error:
        sys.exit(f"xdp.py: {os.strerror(-error)}")


def storm(ifindex, fd, flags):
    while not signal.sigtimedwait([signal.SIGTERM], 0):
        set_link(ifindex, fd, flags)
        set_link(ifindex, -1, flags)


ifname, how, kind = sys.argv[1:]
index = socket.if_nametoindex(ifname)
mode = SKB_MODE if kind == "generic" else DRV_MODE
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
program = load(kind == "frags")
if how == "storm":
    print("attached", flush=True)
    storm(index, program, mode)
    sys.exit(0)
if how == "link":
    bpf(LINK_CREATE, struct.pack("=IIII", program, index, ATTACH_XDP, mode))  # ends with this process
else:
    set_link(index, program, mode)
print("attached", flush=True)
signal.sigwait([signal.SIGTERM])
if how == "netlink":
    set_link(index, -1, mode)
