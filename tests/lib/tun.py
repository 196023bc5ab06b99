#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""A layer-3 underlay: one tun device in each given namespace, IP packets carried between them.

  tun.py DEV NETNS=ADDRESS[,ADDRESS...] ...     routes by destination address until it is killed

The devices have no Ethernet header (ARPHRD_NONE), as WireGuard's have none. A packet for an address
nobody has is dropped; sources are not looked at, so any of them may forge.
"""
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def open_tun(netns, dev):
    with open("/run/netns/" + netns, "rb") as ns:
        if libc.setns(ns.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + netns)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", dev.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def destination(packet):
    return packet[24:40] if packet[0] >> 4 == 6 else packet[16:20]


dev, routes, fds = sys.argv[1], {}, []
for leg in sys.argv[2:]:
    netns, addresses = leg.split("=", 1)
    fd = open_tun(netns, dev)
    fds.append(fd)
    for address in addresses.split(","):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        routes[socket.inet_pton(family, address)] = fd
while True:
    for fd in select.select(fds, [], [])[0]:
        packet = os.read(fd, 65536)
        out = routes.get(destination(packet))
        if out is not None:
            try:
                os.write(out, packet)
            except OSError:  # the other end is down
                pass
