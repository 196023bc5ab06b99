#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""A virtual machine's cable: a tap in one namespace, another in a second one, and a program in between
that does what a hypervisor does with offloads on: super-packets and half-made checksums pass whole.

  guest.py NETNS=DEV NETNS=DEV    carries frames both ways until SIGTERM, then prints, for each
                                  direction, "FROM frames=N super=N partial=N bad=N"
What is not as virtio has it is counted as bad, said on stderr, and not passed on.
"""
import ctypes
import fcntl
import os
import select
import signal
import struct
import sys

TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, CLONE_NEWNET = 2, 0x1000, 0x4000, 0x40000000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
NEEDS_CSUM, DATA_VALID, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_ECN = 1, 2, 0, 1, 4, 0x80
HEADER = struct.Struct("=BBHHHH")  # flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
LARGEST = 1514
libc = ctypes.CDLL(None, use_errno=True)


def open_tap(netns, dev):
    with open("/run/netns/" + netns, "rb") as ns:
        if libc.setns(ns.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + netns)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", dev.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    return fd


def folded(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def layers(frame):
    """(protocol, where the transport header is, pseudo-header) or None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and not struct.unpack_from("!H", frame, 20)[0] & 0x3FFF:
        start, end = 14 + (frame[14] & 15) * 4, 14 + struct.unpack_from("!H", frame, 16)[0]
        return frame[23], start, end, frame[26:34] + struct.pack("!HH", frame[23], end - start)
    if kind == b"\x86\xdd":
        length = struct.unpack_from("!H", frame, 18)[0]
        return frame[20], 54, 54 + length, frame[22:54] + struct.pack("!II", length, frame[20])
    return None


def wrong(frame, flags, gso_type, hdr_len, gso_size, csum_start, csum_offset):
    """Why a guest's driver would not take this frame, or None."""
    where = layers(frame)
    gso = gso_type & ~GSO_ECN
    if where is None or where[0] not in (6, 17):
        return "super-packet of what is no TCP" if gso else None
    protocol, start, end, pseudo = where
    if gso:
        if gso != (GSO_TCPV4 if frame[12:14] == b"\x08\x00" else GSO_TCPV6) or protocol != 6:
            return "wrong gso_type %d" % gso_type
        headers = start + (frame[start + 12] >> 4) * 4
        if not flags & NEEDS_CSUM or not 500 < gso_size <= LARGEST - headers or hdr_len < headers:
            return "super-packet: flags %d gso_size %d hdr_len %d" % (flags, gso_size, hdr_len)
    elif len(frame) > LARGEST:
        return "%d bytes and no super-packet" % len(frame)
    if end > len(frame) or (end < len(frame) and len(frame) > 60):
        return "its length is %d, its header says %d" % (len(frame), end)
    if flags & NEEDS_CSUM:
        if (csum_start, csum_offset) != (start, 16 if protocol == 6 else 6):
            return "csum_start %d, offset %d; transport header at %d" % (csum_start, csum_offset, start)
        if struct.unpack_from("!H", frame, csum_start + csum_offset)[0] != folded(pseudo):
            return "the half-made checksum is not the pseudo-header's"
    elif not flags & DATA_VALID and folded(pseudo + frame[start:end]) != 0xFFFF:
        return "its checksum is wrong"
    return None


class Way:
    def __init__(self, name, source, target):
        self.name, self.source, self.target = name, source, target
        self.frames = self.super = self.partial = self.bad = 0

    def carry(self):
        data = os.read(self.source, 1 << 17)
        header, frame = HEADER.unpack_from(data), data[HEADER.size:]
        self.frames += 1
        self.super += header[1] != GSO_NONE
        self.partial += header[0] & NEEDS_CSUM
        why = wrong(frame, *header)
        if why:
            self.bad += 1
            print(self.name, why, header, frame[:80].hex(), file=sys.stderr, flush=True)
            return
        try:
            os.write(self.target, data)
        except OSError:  # the other end is down
            pass

    def __str__(self):
        return f"{self.name} frames={self.frames} super={self.super} partial={self.partial} bad={self.bad}"


ends = [leg.split("=") for leg in sys.argv[1:]]
if len(ends) != 2:
    sys.exit(__doc__)
fds = [open_tap(*end) for end in ends]
ways = {fds[0]: Way(ends[0][0], fds[0], fds[1]), fds[1]: Way(ends[1][0], fds[1], fds[0])}
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
while not stopped:
    for ready in select.select(fds, [], [], 0.2)[0]:
        ways[ready].carry()
for way in ways.values():
    print(way)
