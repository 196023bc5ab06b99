#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""A layer-3 underlay: one tun device in each given namespace, IP packets carried between them.

  tun.py DEV [trains] NETNS=ADDRESS[,ADDRESS...] ...     routes by destination address until it is killed

The devices have no Ethernet header (ARPHRD_NONE), as WireGuard's have none. A packet for an address
nobody has is dropped; sources are not looked at, so any of them may forge. With `trains` UDP packets of a flow that
come one after the other, as long as the first or the last one shorter, are handed over as one, as VPNs in user space
do for speed.
"""
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x4000, 0x40000000
NEEDS_CSUM, GSO_NONE, GSO_UDP_L4 = 1, 0, 5
HEADER = struct.Struct("=BBHHHH")  # flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
LONGEST = 40
libc = ctypes.CDLL(None, use_errno=True)


def open_tun(netns, dev, flags):
    with open("/run/netns/" + netns, "rb") as ns:
        if libc.setns(ns.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + netns)
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", dev.encode(), IFF_TUN | IFF_NO_PI | flags))
    return fd


def destination(packet):
    return packet[24:40] if packet[0] >> 4 == 6 else packet[16:20]


def is_udp(packet):
    if packet[0] >> 4 == 6:
        return packet[6] == 17
    return packet[0] == 0x45 and packet[9] == 17 and not struct.unpack_from("!H", packet, 6)[0] & 0x3FFF


def ip_length(packet):
    return 40 if packet[0] >> 4 == 6 else 20


def flow(packet):
    head = ip_length(packet)
    return (packet[8:40] if head == 40 else packet[12:20]) + packet[head:head + 4]


def sum16(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def joined(packets):
    """One packet of them, behind its virtio header."""
    first, head = packets[0], ip_length(packets[0])
    if len(packets) == 1:
        return bytes(HEADER.size) + first
    payload = b"".join(packet[head + 8:] for packet in packets)
    length = struct.pack("!H", 8 + len(payload))
    addresses = first[8:40] if head == 40 else first[12:20]
    check = struct.pack("!H", sum16(addresses + struct.pack("!HH", 17, 8 + len(payload))))
    if head == 40:
        ip = first[:4] + length + first[6:40]
    else:
        ip = first[:2] + struct.pack("!H", 28 + len(payload)) + first[4:10] + b"\0\0" + first[12:20]
        ip = ip[:10] + struct.pack("!H", sum16(ip) ^ 0xFFFF) + ip[12:]
    return (HEADER.pack(NEEDS_CSUM, GSO_UDP_L4, head + 8, len(first) - head - 8, head, 6)
            + ip + first[head:head + 4] + length + check + payload)


def trains(packets):
    train = []
    for packet in packets:
        if train and not (is_udp(packet) and is_udp(train[0]) and flow(packet) == flow(train[0])
                          and len(packet) <= len(train[0]) == len(train[-1]) and len(train) < LONGEST):
            yield joined(train)
            train = []
        train.append(packet)
    if train:
        yield joined(train)


def packets_of(fd, skip):
    while True:
        try:
            yield os.read(fd, 65546)[skip:]
        except BlockingIOError:
            return


def send(fd, packet):
    try:
        os.write(fd, packet)
    except OSError:  # the other end is down
        pass


def main(dev, *legs):
    routes, fds, coalesce = {}, [], legs[0] == "trains"
    for leg in legs[coalesce:]:
        netns, addresses = leg.split("=", 1)
        fd = open_tun(netns, dev, IFF_VNET_HDR if coalesce else 0)
        fds.append(fd)
        for address in addresses.split(","):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            routes[socket.inet_pton(family, address)] = fd
    while True:
        for fd in select.select(fds, [], [])[0]:
            out = {}
            if coalesce:
                time.sleep(0.002)  # some more may come
            for packet in packets_of(fd, HEADER.size if coalesce else 0):
                out.setdefault(routes.get(destination(packet)), []).append(packet)
            out.pop(None, None)
            for to, packets in out.items():
                for packet in trains(packets) if coalesce else packets:
                    send(to, packet)


main(*sys.argv[1:])
