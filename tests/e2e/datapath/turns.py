#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Small and large datagrams of one flow in turn, UDP without DF, and which of them arrived.

  turns.py serve ADDRESS PORT FILE                 a line in FILE for each datagram: ROUND SIZE
  turns.py send ADDRESS PORT ROUND N GAP SIZE...   N of each size (of IP packets) in turn
"""
import socket
import sys
import time

IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, DONT = 10, 23, 0


def udp(address):
    six = ":" in address
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    if six:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, DONT)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DONT)
    return sock, 48 if six else 28


def serve(address, port, path):
    sock, head = udp(address)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    sock.bind((address, int(port)))
    with open(path, "w", buffering=1, encoding="ascii") as out:
        while True:
            data = sock.recv(70000)
            print(data[:20].decode("ascii").split()[0], len(data) + head, file=out)


def send(address, port, name, count, gap, *sizes):
    sock, head = udp(address)
    sock.bind(("", 7000 + int(port)))
    sock.connect((address, int(port)))
    for _ in range(int(count)):
        for size in sizes:
            sock.send((name + " ").encode().ljust(int(size) - head, b"."))
            time.sleep(float(gap))


{"serve": serve, "send": send}[sys.argv[1]](*sys.argv[2:])
