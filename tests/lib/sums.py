#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Right and wrong copies of packets in turn, and what an application gets of them.

  sums.py send DEV N GAP LAYER... [+ LAYER...]   N times each of these frames, in turn, GAP seconds between two
  sums.py serve PORT FILE                        UDP on all addresses; each datagram's text is a line in FILE
"""
import os
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import frame


def send(dev, count, gap, *words):
    frames, layers = [], []
    for word in [*words, "+"]:
        if word == "+":
            frames.append(frame.parse(layers)[2])
            layers = []
        else:
            layers.append(word)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((dev, 0))
    for _ in range(int(count)):
        for data in frames:
            sock.send(data)
            time.sleep(float(gap))


def serve(port, path):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    sock.bind(("::", int(port)))
    with open(path, "w", buffering=1, encoding="ascii") as out:
        while True:
            print(sock.recv(2000).decode("ascii", "replace"), file=out)


{"send": send, "serve": serve}[sys.argv[1]](*sys.argv[2:])
