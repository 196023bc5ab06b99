# SPDX-License-Identifier: GPL-2.0
"""Frames too large for the overlay, and the answers to them as the RFCs have them; SYNs with options.

big.py tell IF VICTIM DST_MAC 4|6 plain|vlan|options|tiny [COUNT]
	sends that frame (or COUNT of it) from IF and prints what comes back within a second: "ok" if it is, byte
	for byte, what ought to, "nothing" or what differs. VICTIM is the addresses' last number.
big.py silent IF DST_MAC
	sends what must not be answered, prints how many ICMP errors came back all the same.
big.py syn IF DST_MAC DST_IP SRC_IP OPTIONS...
	one SYN for each of OPTIONS (hex), to port 1000 and on.
"""

import socket
import struct
import sys
import time

MTU = 1450


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac_of(dev):
    with open("/sys/class/net/%s/address" % dev) as f:
        return bytes.fromhex(f.read().strip().replace(":", ""))


def ip4(src, dst, protocol, payload, options=b"", frag=0x4000, ttl=61, tos=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, 20 + len(options) + len(payload), 0x1234,
                       frag, ttl, protocol, 0, socket.inet_aton(src), socket.inet_aton(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(src, dst, protocol, payload, hops=61):
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops) + socket.inet_pton(
        socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + payload


def pseudo(six, src, dst, protocol, length):
    family = socket.AF_INET6 if six else socket.AF_INET
    return socket.inet_pton(family, src) + socket.inet_pton(family, dst) + struct.pack("!II", length, protocol)


def udp(six, src, dst, data):
    head = struct.pack("!HHHH", 7000, 7001, 8 + len(data), 0)
    check = checksum(pseudo(six, src, dst, 17, len(head + data)) + head + data)
    return head[:6] + struct.pack("!H", check or 0xFFFF) + data


def answer4(packet):
    """RFC 1191: type 3, code 4, the MTU in the last two bytes of the header; RFC 1812: 576 bytes at most."""
    icmp = struct.pack("!BBHHH", 3, 4, 0, 0, MTU) + packet[:548]
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0x4000, packet[8], 1, 0, packet[16:20], packet[12:16])
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + icmp


def answer6(packet):
    """RFC 4443 3.2: type 2, code 0, the MTU in 32 bits; 1280 bytes at most."""
    icmp = struct.pack("!BBHI", 2, 0, 0, MTU) + packet[:1232]
    check = checksum(packet[24:40] + packet[8:24] + struct.pack("!II", len(icmp), 58) + icmp)
    icmp = icmp[:2] + struct.pack("!H", check) + icmp[4:]
    return struct.pack("!IHBB", 6 << 28, len(icmp), 58, packet[7]) + packet[24:40] + packet[8:24] + icmp


def opened(dev):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((dev, 0))
    s.setsockopt(263, 8, 1)  # PACKET_AUXDATA: tags come beside the frame
    return s


def received(s, seconds):
    """Frames that came in, their tags where they belong."""
    end = time.time() + seconds
    while time.time() < end:
        s.settimeout(max(0.001, end - time.time()))
        try:
            frame, more, _, addr = s.recvmsg(65536, 256)
        except OSError:
            return
        if addr[2] == socket.PACKET_OUTGOING:
            continue
        for level, kind, data in more:
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
            if level == 263 and kind == 8 and status & 0x10:
                frame = frame[:12] + struct.pack("!HH", tpid if status & 0x40 else 0x8100, tci) + frame[12:]
        yield frame


def is_error(frame):
    at = 18 if frame[12:14] == b"\x81\x00" else 14
    return (frame[at - 2:at] == b"\x08\x00" and frame[at + 9] == 1 and frame[at + 20] in (3, 4, 5, 11, 12) or
            frame[at - 2:at] == b"\x86\xdd" and frame[at + 6] == 58 and frame[at + 40] < 128)


def addresses(six, mine, theirs):
    return ("2001:db8:1::%x" if six else "198.51.100.%d") % mine, ("2001:db8:1::%x" if six else "198.51.100.%d") % theirs


def tell(dev, mine, theirs, dst_mac, version, kind, count=1):
    six = version == "6"
    src, dst = addresses(six, int(mine), int(theirs))
    data = bytes(i & 0xFF for i in range(1400 if kind == "tiny" else 1430))
    payload, protocol = udp(six, src, dst, data), 17
    if kind == "options" and six:  # destination options, padding only
        payload, protocol = struct.pack("!BBBB4x", 17, 0, 1, 4) + payload, 60
    if six:
        packet = ip6(src, dst, protocol, payload)
    else:
        packet = ip4(src, dst, protocol, payload, b"\x94\x04\0\0\x01\x01\x01\0" if kind == "options" else b"")
    dst_mac = bytes.fromhex(dst_mac.replace(":", ""))
    tag = struct.pack("!HH", 0x8100, 0x2007) if kind == "vlan" else b""
    proto = b"\x86\xdd" if six else b"\x08\x00"
    s = opened(dev)
    for _ in range(int(count)):
        s.send(dst_mac + mac_of(dev) + tag + proto + packet)
    wanted = mac_of(dev) + dst_mac + tag + proto + (answer6 if six else answer4)(packet)
    at = 34 + len(tag) + (20 if six else 0)
    got = [f for f in received(s, 1) if is_error(f) and f[at:at + 2] == (b"\2\0" if six else b"\3\4")]
    if int(count) > 1:
        print(len(got))
    elif not got:
        print("nothing")
    elif len(got) == 1 and got[0] == wanted:
        print("ok")
    else:
        print("%d answers; wanted %s\n got %s" % (len(got), wanted.hex(), got[0].hex()))


def silent(dev, mine, theirs, dst_mac):
    own, dst_mac = mac_of(dev), bytes.fromhex(dst_mac.replace(":", ""))
    src, dst = addresses(False, int(mine), int(theirs))
    src6, dst6 = addresses(True, int(mine), int(theirs))
    data = bytes(1430)
    icmp = struct.pack("!BBHI", 3, 4, 0, 1000) + data
    icmp6 = struct.pack("!BBHI", 2, 0, 0, 1000) + data
    packets = [
        (b"\x08\x00", ip4(src, dst, 1, icmp)),
        (b"\x86\xdd", ip6(src6, dst6, 58, icmp6)),
        (b"\x08\x00", ip4(src, dst, 17, data + b"12345678", frag=0x2001)),
        (b"\x86\xdd", ip6(src6, dst6, 44, struct.pack("!BBHI", 17, 0, 0x9, 7) + data)),
        (b"\x08\x00", ip4("0.0.0.0", dst, 17, udp(False, src, dst, data))),
        (b"\x08\x00", ip4(src, "198.51.100.255", 17, udp(False, src, dst, data)), b"\xff" * 6),
        (b"\x08\x00", ip4(src, "233.252.0.1", 17, udp(False, src, dst, data)), bytes.fromhex("01005e7c0001")),
        (b"\x08\x00", ip4(src, "233.252.0.1", 17, udp(False, src, dst, data))),
        (b"\x86\xdd", ip6(src6, "ff0e::1", 17, udp(True, src6, dst6, data)), bytes.fromhex("333300000001")),
        (b"\x86\xdd", ip6("::", dst6, 17, udp(True, src6, dst6, data))),
        (b"\x88\xb5", bytes(1490)),
    ]
    s = opened(dev)
    for packet in packets:
        s.send((packet[2] if len(packet) > 2 else dst_mac) + own + packet[0] + packet[1])
    print(len(packets), len([f for f in received(s, 1) if is_error(f)]))


def syn(dev, mine, theirs, dst_mac, version, *all_options):
    six = version == "6"
    src, dst = addresses(six, int(mine), int(theirs))
    s = opened(dev)
    for n, text in enumerate(all_options):
        options = bytes.fromhex(text)
        words = 5 + (len(options) + 3) // 4
        head = struct.pack("!HHIIBBHHH", 999, 1000 + n, 1, 0, words << 4, 2, 65535, 0, 0) + options.ljust(words * 4 - 20, b"\0")
        check = checksum(pseudo(six, src, dst, 6, len(head)) + head)
        head = head[:16] + struct.pack("!H", check) + head[18:]
        packet = ip6(src, dst, 6, head) if six else ip4(src, dst, 6, head)
        s.send(bytes.fromhex(dst_mac.replace(":", "")) + mac_of(dev) + (b"\x86\xdd" if six else b"\x08\x00") + packet)


def seen(path, version):
    """The options of each SYN in a capture by port, and whether its checksum is right."""
    six = version == "6"
    at, found = 24, {}
    with open(path, "rb") as f:
        d = f.read()
    while at < len(d):
        n = struct.unpack("<I", d[at + 8:at + 12])[0]
        frame = d[at + 16:at + 16 + n]
        at += 16 + n
        tcp = frame[54 if six else 34:]
        src, dst = (frame[22:38], frame[38:54]) if six else (frame[26:30], frame[30:34])
        good = checksum(src + dst + struct.pack("!II", len(tcp), 6) + tcp) == 0
        found[struct.unpack("!H", tcp[2:4])[0]] = "%s %s" % (tcp[20:].hex(), "right" if good else "WRONG")
    for port in sorted(found):
        print(port, found[port])


{"tell": tell, "silent": silent, "syn": syn, "seen": seen}[sys.argv[1]](*sys.argv[2:])
