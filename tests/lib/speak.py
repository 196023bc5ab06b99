#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""A process with an ordinary UDP socket. It needs no right for any of this.

  speak.py ADDRESS PORT HEX [count=N] [gap=SECONDS] [WORD...]     that payload, N times

  source=ADDRESS, sport=N   where the socket is bound
  six=1                     an IPv6 socket, for an IPv4 address, too
  connect=1                 connected, then send
  ttl=N                     TTL or hop limit
  nosum=1                   no UDP checksum
  zeros=N                   so many zeros behind the payload
  times=N,N,...             SO_TXTIME: what skb->tstamp is to be, one after the other; `random`: 32 bits
"""
import random
import socket
import struct
import sys
import time

IP_MTU_DISCOVER, UDP_NO_CHECK6_TX, SO_NO_CHECK, SO_TXTIME, CLOCK_MONOTONIC = 10, 101, 11, 61, 1

address, port, payload = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])
words = dict(word.split("=", 1) for word in sys.argv[4:])
payload += bytes(int(words.get("zeros", "0")))
six = ":" in address or "six" in words
if six and ":" not in address:
    address = "::ffff:" + address
sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
if not six:
    sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, 0)
if "ttl" in words:
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(words["ttl"]))
    if six:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, int(words["ttl"]))
if "nosum" in words:
    if six:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
    else:
        sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
if "source" in words or "sport" in words:
    sock.bind((words.get("source", "::" if six else "0.0.0.0"), int(words.get("sport", "0"))))
if "connect" in words:
    sock.connect((address, port))
times = words.get("times", "").split(",") if "times" in words else []
if times:
    sock.setsockopt(socket.SOL_SOCKET, SO_TXTIME, struct.pack("=iI", CLOCK_MONOTONIC, 0))
for n in range(int(words.get("count", "1"))):
    to = () if "connect" in words else (address, port)
    if times:
        at = times[n % len(times)]
        at = random.getrandbits(32) if at == "random" else int(at, 0)
        control = [(socket.SOL_SOCKET, SO_TXTIME, struct.pack("=Q", at))]
        sock.sendmsg([payload], control, 0, *([to] if to else []))
    elif to:
        sock.sendto(payload, to)
    else:
        sock.send(payload)
    time.sleep(float(words.get("gap", "0")))
