#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Data that must arrive as it was sent, and says so by its hash.

  bulk.py serve PORT            one TCP connection; prints "BYTES SHA256" of what came
  bulk.py send ADDRESS PORT N   N bytes that look random; prints the same of what went
  bulk.py datagrams-serve PORT  UDP: answers each burst; ends and prints when told so
  bulk.py datagrams ADDRESS PORT BURSTS SIZE
                                bursts of 20 datagrams of SIZE, each burst one UDP_SEGMENT
                                super-packet, the next one when all 20 have come; prints bursts sent twice
  bulk.py flows DEV SRC DST SRC_MAC DST_MAC N
                                one UDP datagram of each of N flows, port by port, 20 a millisecond
  bulk.py echo PORT             UDP: sends back whatever comes
  bulk.py pingpong ADDRESS PORT SECONDS|-N [GAP]
                                one datagram at a time for that long, or N of them; prints
                                "SENT LOST" at the end and on SIGTERM, and a dot when it has begun
"""
import hashlib
import random
import signal
import socket
import struct
import sys
import time

UDP_SEGMENT = 103
PER_BURST = 20
PATIENCE = 3  # seconds for an answer: on a busy machine it may take long, and then it is not lost


def listener(kind, port):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", port))
    return sock


def towards(kind, address, port):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.connect((address, port))
    return sock


def serve(port):
    sock = listener(socket.SOCK_STREAM, int(port))
    sock.listen()
    sock.settimeout(60)
    peer = sock.accept()[0]
    peer.settimeout(60)
    total, sha = 0, hashlib.sha256()
    while data := peer.recv(1 << 20):
        total += len(data)
        sha.update(data)
    print(total, sha.hexdigest())


def send(address, port, size):
    sock, left, sha = towards(socket.SOCK_STREAM, address, int(port)), int(size), hashlib.sha256()
    sock.settimeout(60)
    block = random.Random(1).randbytes((1 << 20) + 4099)
    at = 0
    while left:
        piece = block[at:at + min(left, 1 << 19)]
        at = (at + 4093) % (1 << 19)
        sock.sendall(piece)
        sha.update(piece)
        left -= len(piece)
    sock.shutdown(socket.SHUT_WR)
    sock.recv(1)  # until the other side has read it all
    print(size, sha.hexdigest())


def datagram(burst, i, size):
    return (b"%08d %02d " % (burst, i) + hashlib.sha256(b"%d %d" % (burst, i)).digest() * 50)[:size]


def datagrams_serve(port):
    sock, seen = listener(socket.SOCK_DGRAM, int(port)), {}
    sock.settimeout(60)
    while True:
        data, source = sock.recvfrom(65536)
        if data == b"end":
            break
        burst, i = int(data[:8]), int(data[9:11])
        if data != datagram(burst, i, len(data)):
            sys.exit("datagram %d of burst %d came damaged" % (i, burst))
        seen.setdefault(burst, set()).add(i)
        if len(seen[burst]) == PER_BURST:
            sock.sendto(b"%d" % burst, source)


def datagrams(address, port, bursts, size):
    sock, again = towards(socket.SOCK_DGRAM, address, int(port)), 0
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, int(size))
    sock.settimeout(PATIENCE)
    for burst in range(int(bursts)):
        data = b"".join(datagram(burst, i, int(size)) for i in range(PER_BURST))
        for _ in range(10):
            sock.send(data)
            try:
                while int(sock.recv(100)) != burst:
                    pass
                break
            except socket.timeout:
                again += 1
        else:
            sys.exit("burst %d never arrived" % burst)
    sock.send(b"end")
    print(again)


def flows(dev, source, dest, source_mac, dest_mac, n):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((dev, 0))
    head = bytes.fromhex((dest_mac + source_mac).replace(":", "")) + b"\x08\x00"
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 36, 1, 0, 64, 17, 0) + socket.inet_aton(source) + socket.inet_aton(dest)
    total = sum(struct.unpack("!10H", ip))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", total ^ 0xFFFF) + ip[12:]
    for i in range(int(n)):
        ports = struct.pack("!HH", 1024 + i % 60000, 9000 + i // 60000)
        sock.send(head + ip + ports + struct.pack("!HH", 16, 0) + bytes(8))
        if i % 20 == 0:
            time.sleep(0.001)


def echo(port):
    sock = listener(socket.SOCK_DGRAM, int(port))
    while True:
        data, source = sock.recvfrom(2000)
        sock.sendto(data, source)


def pingpong(address, port, limit, gap="0"):
    sock, sent, lost, stopped = towards(socket.SOCK_DGRAM, address, int(port)), 0, 0, []
    nonce = b"%d" % random.SystemRandom().getrandbits(64)
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    sock.settimeout(PATIENCE)
    end = time.monotonic() + float(limit)
    while not stopped and (sent < -int(limit) if float(limit) < 0 else time.monotonic() < end):
        word = b"%d of %s" % (sent, nonce)
        sock.send(word)
        try:
            while (answer := sock.recv(100)) != word:
                if not answer.endswith(nonce):
                    sys.exit("an answer to somebody else")
        except socket.timeout:
            lost += 1
        if sent == 0:
            print(".", flush=True)
        sent += 1
        time.sleep(float(gap))
    print(sent, lost)


if len(sys.argv) < 3 or sys.argv[1].replace("-", "_") not in globals():
    sys.exit(__doc__)
globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
