# SPDX-License-Identifier: GPL-2.0
"""UDP of every size: does each arrive, or is its sender's socket told?

sizes.py echo PORT
	answers each datagram with its length and a sum of its bytes; on :: and 0.0.0.0 alike.
sizes.py ask ADDRESS PORT yes|no MTU SIZE...
	sends datagrams whose IP packets have these sizes, with DF or without, and prints what is wrong: one that
	neither arrives whole nor is refused with EMSGSIZE for being larger than MTU, which the socket must know
	then. At the end "N arrived, N refused".
sizes.py mixed ADDRESS PORT SECONDS SMALL LARGE
	one flow with datagrams of both sizes in turn; prints how many percent of the large ones of the second half
	were answered.
"""

import errno
import socket
import sys
import time
import zlib

IP_MTU, IP_MTU_DISCOVER, IPV6_MTU, IPV6_MTU_DISCOVER, DONT, DO = 14, 10, 24, 23, 0, 2
TRIES = 5


def echo(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(b"%d %d" % (len(data), zlib.crc32(data)), peer)


def one(sock, data, mtu_of):
    """What becomes of it: "arrived", ("refused", MTU) or None."""
    for _ in range(TRIES):
        try:
            sock.send(data)
            if sock.recv(100) == b"%d %d" % (len(data), zlib.crc32(data)):
                return "arrived"
        except TimeoutError:
            pass
        except OSError as e:
            if e.errno != errno.EMSGSIZE:
                raise
            return "refused", sock.getsockopt(*mtu_of)
    return None


def ask(address, port, df, mtu, sizes):
    six = ":" in address
    level, head = (socket.IPPROTO_IPV6, 48) if six else (socket.IPPROTO_IP, 28)
    mtu_of = (level, IPV6_MTU if six else IP_MTU)
    count = {"arrived": 0, "refused": 0}
    for size in sizes:
        with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.5)
            sock.setsockopt(level, IPV6_MTU_DISCOVER if six else IP_MTU_DISCOVER, DO if df else DONT)
            sock.connect((address, port))
            became = one(sock, bytes(i * 7 & 0xFF for i in range(size - head)), mtu_of)
        if became == ("refused", mtu) and df and size > mtu:
            count["refused"] += 1
        elif became == "arrived" and not (df and size > mtu):
            count["arrived"] += 1
        else:
            print("%d bytes to %s%s: %s" % (size, address, ", DF" if df else "", became))
    print("%d arrived, %d refused" % (count["arrived"], count["refused"]))


def mixed(address, port, seconds, small, large):
    six = ":" in address
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, port))
    start = time.time()
    sent = answered = 0
    while time.time() < start + seconds:
        counts = time.time() > start + seconds / 2
        for size in (small, small, large):
            # Answers that come late are another's.
            sock.setblocking(False)
            try:
                while True:
                    sock.recv(100)
            except OSError:
                pass
            sock.settimeout(0.2)
            data = bytes(size - (48 if six else 28))
            sent += counts and size == large
            try:
                sock.send(data)
                answered += sock.recv(100) == b"%d %d" % (len(data), zlib.crc32(data)) and counts and size == large
            except OSError:
                pass  # silence, or news of the path's MTU
            time.sleep(0.005)
    print(answered * 100 // sent)


if sys.argv[1] == "echo":
    echo(int(sys.argv[2]))
elif sys.argv[1] == "mixed":
    mixed(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
else:
    ask(sys.argv[2], int(sys.argv[3]), sys.argv[4] == "yes", int(sys.argv[5]), [int(s) for s in sys.argv[6:]])
