#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What multicast needs of a machine, in the namespace it runs in, on eth0.

query            one IGMPv2 and one MLDv1 query, as a multicast router asks every two minutes
member GROUP     joins, says "ready", then prints how many datagrams came when told to stop
send GROUP N     N datagrams
"""
import signal
import socket
import struct
import sys

PORT = 5000


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def interface():
    return struct.pack("=4s4si", bytes(4), bytes(4), socket.if_nametoindex("eth0"))


def query():
    seconds = 1
    body = struct.pack("!BBH4s", 0x11, seconds * 10, 0, bytes(4))
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    igmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    igmp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface())
    igmp.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([0x94, 4, 0, 0]))
    igmp.sendto(body, ("224.0.0.1", 0))
    mld = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    index = socket.if_nametoindex("eth0")
    mld.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, bytes([0, 0, 5, 2, 0, 0, 1, 0]))
    mld.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
    mld.sendto(struct.pack("!BBHHH16s", 130, 0, 0, seconds * 1000, 0, bytes(16)), ("ff02::1", 0, 0, index))


def member(group):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((group, PORT))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                 socket.inet_aton(group) + interface()[4:])
    count = 0

    def tell(*_):
        print(count, flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, tell)
    print("ready", flush=True)
    while True:
        s.recv(100)
        count += 1


def send(group, n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface())
    for _ in range(int(n)):
        s.sendto(b"hello", (group, PORT))


{"query": query, "member": member, "send": send}[sys.argv[1]](*sys.argv[2:])
