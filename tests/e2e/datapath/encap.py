#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""A socket that hands the kernel ESP in UDP, as an IKE daemon's does: encap.py [PORT] until it is ended."""
import signal
import socket
import sys

UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2

port = int(sys.argv[1]) if len(sys.argv) > 1 else 4500
sockets = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
    sock.bind((address, port))
    sockets.append(sock)
print("open", flush=True)
signal.pause()
