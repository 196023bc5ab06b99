#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""IDs of the outer IPv4 headers in a pcap file, and datagrams that leave as one super-packet.

  ids.py repeated PCAP WINDOW        "PACKETS REPEATED": how many of them have an ID that one of the WINDOW packets
                                     before it had, each pair of addresses for itself
  ids.py burst ADDRESS PORT N SIZE   N super-packets of 40 datagrams of SIZE bytes each (UDP_SEGMENT)
  ids.py turns ADDRESS PORT N FLOWS  N datagrams of each of so many flows, in turn
  ids.py sink PORT                   takes all that
"""
import socket
import struct
import sys
import time

UDP_SEGMENT = 103


def repeated(path, window):
    last, count, total, again = {}, {}, 0, 0
    with open(path, "rb") as file:
        file.read(24)
        while len(head := file.read(16)) == 16:
            packet = file.read(struct.unpack("=IIII", head)[2])
            if packet[12:14] != b"\x08\x00":
                continue
            pair, ident = packet[26:34], packet[18:20]
            at = count.get(pair, 0)
            before = last.get((pair, ident))
            again += before is not None and at - before <= int(window)
            last[pair, ident], count[pair] = at, at + 1
            total += 1
    print(total, again)


def towards(address, port):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, int(port)))
    return sock


def burst(address, port, count, size):
    sock = towards(address, port)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, int(size))
    for _ in range(int(count)):
        sock.send(bytes(40 * int(size)))
        time.sleep(0.001)


def turns(address, port, count, flows):
    socks = [towards(address, port) for _ in range(int(flows))]
    for _ in range(int(count)):
        for sock in socks:
            sock.send(b"datagram")
        time.sleep(0.005)


def sink(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind(("::", int(port)))
    while True:
        sock.recv(70000)


{"repeated": repeated, "burst": burst, "turns": turns, "sink": sink}[sys.argv[1]](*sys.argv[2:])
