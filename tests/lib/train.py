#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Trains: UDP datagrams to port 4789 that travel through the kernel as one packet (UDP_SEGMENT) until a device or a
socket takes them apart.

  train.py socket SRC DST N DATAGRAM [+ DATAGRAM]...        N times by an ordinary UDP socket
  train.py raw DEV N OUTER... - DATAGRAM [+ DATAGRAM]...    N times as a guest's virtio device hands it over, behind
                                                            OUTER: eth and ip layers
A DATAGRAM is layers as of frame.py; `+N` in front of one repeats it N times. All have the length of the
first; the last may be shorter.
"""
import errno
import os
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import frame

UDP_SEGMENT, SOL_PACKET, PACKET_VNET_HDR = 103, 263, 15
NEEDS_CSUM, GSO_UDP_L4 = 1, 5
GAP = 0.005


def datagrams(words):
    found, layers, times = [], [], 1
    for word in [*words, "+"]:
        if word[0] != "+":
            layers.append(word)
            continue
        if layers:
            found += [frame.parse(layers)[2]] * times
        layers, times = [], int(word[1:] or 1)
    size = len(found[0])
    if any(len(data) != size for data in found[:-1]) or len(found[-1]) > size:
        sys.exit("train.py: datagrams differ in length")
    return size, b"".join(found)


def pseudo_sum(outer, length):
    return frame.checksum(outer.pseudo(17, length)) ^ 0xFFFF


def by_socket(source, dest, count, *words):
    size, data = datagrams(words)
    sock = socket.socket(socket.AF_INET6 if ":" in dest else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
    sock.bind((source, 0))
    for _ in range(int(count)):
        sock.sendto(data, (dest, 4789))
        time.sleep(GAP)


def raw(dev, count, *words):
    middle = words.index("-")
    size, data = datagrams(words[middle + 1:])
    _, layers, packet = frame.parse([*words[:middle], "udp", "dport=4789", "sum=0", "data", "hex=" + data.hex()])
    at = len(packet) - len(data) - 8
    check = struct.pack("!H", pseudo_sum(layers[1], len(data) + 8))
    packet = packet[:at + 6] + check + packet[at + 8:]
    head = struct.pack("=BBHHHH", NEEDS_CSUM, GSO_UDP_L4, at + 8, size, at, 6)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.bind((dev, 0))
    for _ in range(int(count)):
        try:
            sock.send(head + packet)
        except OSError as e:
            sys.exit(4 if e.errno == errno.EINVAL else str(e))
        time.sleep(GAP)


{"socket": by_socket, "raw": raw}[sys.argv[1]](*sys.argv[2:])
