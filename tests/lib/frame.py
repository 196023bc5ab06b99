#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Raw frames for tests: built from words, sent quickly, and pcap files read back.

  frame.py send DEV [count=N] [gap=SECONDS] [cut=N] [once=1] LAYER...
                                                 N copies, cut to the first N bytes; in each `@` is its
                                                 number, from 0, and `%` that number's last digit; with
                                                 once=1 one that is dropped on this host is not repeated
  frame.py hex [cut=N] LAYER...                  the same frame as text
  frame.py segments PCAP src=IP dst=IP mss=N [skip=BYTES]
                                                 "packets bytes" a TCP direction has on the wire, GSO
                                                 packets counted as their segments; the first bytes
                                                 of each are a tunnel's
A layer is its name and its fields; what is left out is filled in from the neighbours:
  eth dst= src= type=    vlan id= prio= type=       arp op= sha= spa= tha= tpa=
  ip src= dst= proto= ttl= tos= id= df= mf= frag= hsum= options=HEX (IPv4 or IPv6 by its addresses)
  udp sport= dport= sum= len=    icmp type= code= id= seq=    vxlan vni= flags= group=
  tcp sport= dport= seq= ack= flags= sum= options=HEX    data text= zeros= hex=
For instance a spoofed VXLAN packet:
  frame.py send eth0 count=23 eth dst=... ip src=192.0.2.1 dst=192.0.2.2 udp dport=4789 \\
      vxlan vni=7 eth dst=... data text=hello
"""
import socket
import struct
import sys
import time

ETH = {"ip4": 0x0800, "ip6": 0x86DD, "arp": 0x0806, "vlan": 0x8100}
PROTO = {"udp": 17, "tcp": 6, "icmp": 1, "icmp6": 58, "ip4": 4, "ip6": 41}


def number(text):
    return int(text, 0)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Layer:
    def __init__(self, name):
        self.name = name
        self.fields = {}

    def kind(self):
        if self.name == "ip":
            return "ip6" if ":" in self.fields["dst"] else "ip4"
        if self.name == "icmp" and number(self.fields.get("type", "8")) >= 128:
            return "icmp6"
        return self.name

    def num(self, field, default):
        return number(self.fields.get(field, str(default)))

    def pseudo(self, proto, length):
        src, dst = ip(self.fields["src"]), ip(self.fields["dst"])
        if len(src) == 4:
            return src + dst + struct.pack("!BBH", 0, proto, length)
        return src + dst + struct.pack("!II", length, proto)


def build_eth(layer, above, below, payload):
    default = ETH.get(above.kind() if above else "", 0x88B5)
    return (mac(layer.fields.get("dst", "ff:ff:ff:ff:ff:ff"))
            + mac(layer.fields.get("src", "02:ee:00:00:00:01"))
            + struct.pack("!H", layer.num("type", default)) + payload)


def build_vlan(layer, above, below, payload):
    default = ETH.get(above.kind() if above else "", 0x88B5)
    tci = layer.num("prio", 0) << 13 | layer.num("id", 1)
    return struct.pack("!HH", tci, layer.num("type", default)) + payload


def build_arp(layer, above, below, payload):
    get = layer.fields.get
    return (struct.pack("!HHBBH", 1, 0x0800, 6, 4, layer.num("op", 1))
            + mac(get("sha", "02:ee:00:00:00:01")) + ip(get("spa", "0.0.0.0"))
            + mac(get("tha", "00:00:00:00:00:00")) + ip(get("tpa", "0.0.0.0")) + payload)


def build_ip(layer, above, below, payload):
    src, dst = ip(layer.fields["src"]), ip(layer.fields["dst"])
    proto = layer.num("proto", PROTO.get(above.kind() if above else "", 253))
    ttl, tos = layer.num("ttl", 64), layer.num("tos", 0)
    if len(src) == 16:
        first = 6 << 28 | tos << 20
        return struct.pack("!IHBB", first, layer.num("len", len(payload)), proto, ttl) + src + dst + payload
    frag = layer.num("df", 0) << 14 | layer.num("mf", 0) << 13 | layer.num("frag", 0) >> 3
    options = bytes.fromhex(layer.fields.get("options", ""))
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, tos, layer.num("len", size + len(payload)),
                       layer.num("id", 1), frag, ttl, proto, 0) + src + dst + options
    return head[:10] + struct.pack("!H", layer.num("hsum", checksum(head))) + head[12:] + payload


def build_udp(layer, above, below, payload):
    length = layer.num("len", 8 + len(payload))
    default = 4789 if above and above.name == "vxlan" else 9
    head = struct.pack("!HHHH", layer.num("sport", 50000), layer.num("dport", default), length, 0)
    if layer.fields.get("sum") == "0" or below is None:
        return head + payload
    total = checksum(below.pseudo(17, length) + head + payload) or 0xFFFF
    total = layer.num("sum", total)
    return head[:6] + struct.pack("!H", total) + payload


def build_tcp(layer, above, below, payload):
    options = bytes.fromhex(layer.fields.get("options", ""))
    head = struct.pack("!HHIIBBHHH", layer.num("sport", 50000), layer.num("dport", 9),
                       layer.num("seq", 1), layer.num("ack", 1), (20 + len(options)) // 4 << 4,
                       layer.num("flags", 0x10), 1000, 0, 0) + options
    total = layer.num("sum", checksum(below.pseudo(6, len(head) + len(payload)) + head + payload))
    return head[:16] + struct.pack("!H", total) + head[18:] + payload


def build_icmp(layer, above, below, payload):
    six = layer.kind() == "icmp6"
    body = struct.pack("!BBHHH", layer.num("type", 8), layer.num("code", 0), 0,
                       layer.num("id", 1), layer.num("seq", 1)) + payload
    cover = below.pseudo(58, len(body)) + body if six else body
    return body[:2] + struct.pack("!H", checksum(cover)) + body[4:]


def build_vxlan(layer, above, below, payload):
    return struct.pack("!BBHI", layer.num("flags", 8), 0, layer.num("group", 0),
                       layer.num("vni", 0) << 8) + payload


def build_data(layer, above, below, payload):
    return (layer.fields.get("text", "").encode() + bytes.fromhex(layer.fields.get("hex", ""))
            + bytes(layer.num("zeros", 0)) + payload)


def parse(words):
    options, layers = {}, []
    for word in words:
        if "=" not in word:
            if "build_" + word not in globals():
                sys.exit(f"frame.py: no such layer: {word}")
            layers.append(Layer(word))
        else:
            key, value = word.split("=", 1)
            (layers[-1].fields if layers else options)[key] = value
    if not layers:
        sys.exit(__doc__)
    frame = b""
    for i in range(len(layers) - 1, -1, -1):
        above = layers[i + 1] if i + 1 < len(layers) else None
        below = layers[i - 1] if i else None
        frame = globals()["build_" + layers[i].name](layers[i], above, below, frame)
    return options, layers, frame[:number(options.get("cut", "100000"))]


def numbered(words, n):
    return [word.replace("@", str(n)).replace("%", str(n % 10)) for word in words]


def send(dev, words):
    options, layers, frame = parse(numbered(words, 0))
    differ = numbered(words, 0) != words
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    # A layer-3 device has no Ethernet header from which to take the protocol.
    sock.bind((dev, 0 if layers[0].name == "eth" else ETH[layers[0].kind()]))
    count, gap, sent = number(options.get("count", "1")), float(options.get("gap", "0")), 0
    while sent < count:
        try:
            sock.send(frame)
        except OSError as error:
            if error.errno != 105:  # ENOBUFS: the device's queue is full, or somebody has dropped it
                raise
            if "once" not in options:
                continue
        sent += 1
        if differ:
            frame = parse(numbered(words, sent))[2]
        if gap:
            time.sleep(gap)


def tcp_segments(packet, src, dst, mss):
    """(segments, bytes) of one captured Ethernet frame, (0, 0) if it is not of this direction."""
    kind = struct.unpack_from("!H", packet, 12)[0]
    if kind != 0x0800 or packet[23] != 6 or packet[26:30] != src or packet[30:34] != dst:
        return 0, 0
    ip_header = (packet[14] & 15) * 4
    total = struct.unpack_from("!H", packet, 16)[0]
    tcp_header = (packet[14 + ip_header + 12] >> 4) * 4
    payload = total - ip_header - tcp_header
    # Options take room from the maximum: an MSS of 1410 carries 1398 bytes beside timestamps.
    full = mss - (tcp_header - 20)
    count = max(1, -(-payload // full))
    return count, payload + count * (14 + ip_header + tcp_header)


def segments(path, words):
    options = dict(word.split("=", 1) for word in words)
    src, dst, mss = ip(options["src"]), ip(options["dst"]), number(options["mss"])
    packets = size = 0
    with open(path, "rb") as file:
        file.read(24)
        while len(head := file.read(16)) == 16:
            packet = file.read(struct.unpack("=IIII", head)[2])[number(options.get("skip", "0")):]
            more = tcp_segments(packet, src, dst, mss)
            packets, size = packets + more[0], size + more[1]
    print(packets, size)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3:])
    elif sys.argv[1] == "hex":
        print(parse(sys.argv[2:])[2].hex())
    elif sys.argv[1] == "segments":
        segments(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
