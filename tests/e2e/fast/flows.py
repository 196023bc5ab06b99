#!/usr/bin/python3 -IS
# SPDX-License-Identifier: GPL-2.0
"""Two hundred flows of all sorts, eight frames each: sent, and looked for where they should arrive.

  flows.py send DEV DST         every flow's frames to that MAC, in rounds; 0.7 s pass after the fourth
  flows.py count                how many flows the fast path must take, how many it may, and all
  flows.py arrived PCAP DST     all that was sent and can pass a bridge, each flow in its order
  flows.py same PCAP PCAP       both hold the same frames, byte for byte, each flow in the same order

A flow has its own source MAC, 02:f1:00:00:xx:xx, and its name and the round in each frame. It is the
words of frame.py, `@` standing for the name; one line for all its frames or one for each of them.
MTU in the environment is the overlay's. Besides, pad=N fills up to N bytes with 0xee, and poke=OFFSET:HEX overwrites.
"""
import os
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import frame

ROUNDS = 8
V4 = "ip src=198.51.100.101 dst=198.51.100.102"
V6 = "ip src=2001:db8:1::101 dst=2001:db8:1::102"
BOTH = (("4", V4), ("6", V6))
MTU = int(os.environ.get("MTU", "1450"))
IP_HEADER = {"4": 20, "6": 40}


class Flow:
    def __init__(self, name, fast, words, passes):
        self.name, self.fast, self.words, self.passes = name, fast, words, passes

    def frame(self, number, sequence, dst):
        words = self.words if isinstance(self.words, str) else self.words[sequence]
        head = f"eth src=02:f1:00:00:{number >> 8:02x}:{number & 255:02x} dst={dst}"
        text = f"{self.name}.{sequence}"
        words = words.replace("ETH", head).replace("@", text).split()
        options, _, data = frame.parse(sorted(words, key=lambda w: w[:4] not in ("pad=", "poke", "cut=")))
        data += b"\xee" * (int(options.get("pad", "0")) - len(data))
        if "poke" in options:
            at, more = options["poke"].split(":")
            at, more = int(at), bytes.fromhex(more)
            data = data[:at] + more + data[at + len(more):]
        return data


FLOWS = []
FAST, SLOW, MAYBE = True, False, None


def flow(name, fast, words, passes=True):
    FLOWS.append(Flow(name, fast, words, passes))


def largest(v, headers, name):
    """Zeros that make it the largest IP packet there is."""
    return MTU - IP_HEADER[v] - headers - len(name) - 2


def udp_flows():
    for v, ip in BOTH:
        for tos in (0, 1, 2, 3, 0x20, 0xb8, 0xbb, 0xff):
            # Congestion that was marked before the tunnel is the kernel's to combine at its end.
            flow(f"udp{v}-tos{tos}", SLOW if tos & 3 == 3 else FAST, f"ETH {ip} tos={tos} udp data text=@")
        for size in (0, 1, 100, 511, 1000, 1300):
            flow(f"udp{v}-{size}", FAST, f"ETH {ip} udp data text=@ zeros={size}")
        flow(f"udp{v}-max", FAST, f"ETH {ip} udp data text=@ zeros={largest(v, 8, f'udp{v}-max')}")
        flow(f"udp{v}-over", SLOW, f"ETH {ip} udp data text=@ zeros={largest(v, 8, f'udp{v}-over') + 1}",
             passes=False)
        for ttl in (0, 1, 255):
            flow(f"udp{v}-ttl{ttl}", FAST, f"ETH {ip} ttl={ttl} udp data text=@")
        for port in (0, 53, 4789, 6081):
            flow(f"udp{v}-port{port}", FAST, f"ETH {ip} udp sport={port} dport={port} data text=@")
        flow(f"udp{v}-nosum", FAST, f"ETH {ip} udp sum=0 data text=@")
        flow(f"udp{v}-badsum", FAST, f"ETH {ip} udp data text=@ poke={'40' if v == '4' else '60'}:dead")
        for length in (0, 9, 400):
            flow(f"udp{v}-len{length}", MAYBE, f"ETH {ip} udp len={length} data text=@")
        for pad in (80, 200, 1000):  # behind the IP packet: Ethernet's own padding
            flow(f"udp{v}-pad{pad}", FAST, f"ETH {ip} udp data text=@ pad={pad}")
    flow("udp4-df", FAST, f"ETH {V4} df=1 id=0 udp data text=@")
    flow("udp4-evil", MAYBE, f"ETH {V4} udp data text=@ poke=20:8000")
    flow("udp4-badip", MAYBE, f"ETH {V4} udp data text=@ poke=24:dead")


def tcp_flows():
    for v, ip in BOTH:
        for flags in (0x10, 0x18, 0x38, 0x50, 0x90):
            flow(f"tcp{v}-{flags:02x}", FAST, f"ETH {ip} tcp flags={flags} data text=@")
        for flags in (0x02, 0x12, 0x11, 0x14, 0x04, 0x00):
            flow(f"tcp{v}-{flags:02x}", FAST if flags == 0 else SLOW,
                 f"ETH {ip} tcp flags={flags} data text=@")
        flow(f"tcp{v}-time", FAST, f"ETH {ip} tcp options=0101080a0000000100000002 data text=@")
        flow(f"tcp{v}-sack", FAST, f"ETH {ip} tcp options=0101050a0000000100000002 data text=@ zeros=700")
        flow(f"tcp{v}-max", FAST, f"ETH {ip} tcp data text=@ zeros={largest(v, 20, f'tcp{v}-max')}")
        flow(f"tcp{v}-badsum", FAST, f"ETH {ip} tcp data text=@ poke={'50' if v == '4' else '70'}:dead")
        flow(f"tcp{v}-badoff", MAYBE, f"ETH {ip} tcp data text=@ poke={'46' if v == '4' else '66'}:10")
        flow(f"tcp{v}-pad", FAST, f"ETH {ip} tcp data text=@ pad=90")


def other_ip_flows():
    for v, ip in BOTH:
        for kind in (0, 3, 8, 13) if v == "4" else (1, 128, 129, 135):
            flow(f"icmp{v}-{kind}", SLOW, f"ETH {ip} icmp type={kind} data text=@" if v == "4" or kind > 127
                 else f"ETH {ip} proto=58 data hex=01000000 text=@")
        for proto in (2, 4, 33, 41, 47, 50, 89, 112, 132, 136, 253):
            flow(f"proto{v}-{proto}", SLOW, f"ETH {ip} proto={proto} data hex=0000080000000000 text=@")
        for kind, at in (("udp", "udp"), ("tcp", "tcp")):
            flow(f"frag{v}-{kind}", SLOW, f"ETH {V4} mf=1 {at} data text=@ zeros=64" if v == "4" else
                 f"ETH {V6} proto=44 data hex={17 if kind == 'udp' else 6:02x}00000100000007 text=@ zeros=64")
    for offset in (8, 1400):
        flow(f"frag4-{offset}", SLOW, f"ETH {V4} proto=17 mf=1 frag={offset} data text=@ zeros=64")
    flow("frag4-last", SLOW, f"ETH {V4} proto=17 frag=800 data text=@ zeros=7")
    flow("frag6-last", SLOW, f"ETH {V6} proto=44 data hex=1100032000000007 text=@ zeros=7")
    for name, options in (("nop", "01010101"), ("rr", "0707040000000000"), ("alert", "94040000"),
                          ("ts", "4408050000000000"), ("lsr", "830704c6336405" "00"), ("end", "00" * 40)):
        flow(f"opt-{name}-udp", SLOW, f"ETH {V4} options={options} udp data text=@")
        flow(f"opt-{name}-tcp", SLOW, f"ETH {V4} options={options} tcp data text=@")
    for name, first, more in (("hop", 0, "1100010400000000"), ("dest", 60, "1100010400000000"),
                              ("route", 43, "1100040000000000"), ("auth", 51, "11020000000000010000000100000000"),
                              ("two", 0, "3c000104000000001100010400000000")):
        flow(f"ext-{name}", SLOW, f"ETH {V6} proto={first} data hex={more} udp sum=0 data text=@")
    flow("ext-none", SLOW, f"ETH {V6} proto=59 data text=@")
    flow("ip4-version", SLOW, f"ETH {V4} udp data text=@ poke=14:55")
    flow("ip4-short", SLOW, f"ETH {V4} udp data text=@ poke=14:44")
    flow("ip6-version", MAYBE, f"ETH {V6} udp data text=@ poke=14:50")
    flow("ip4-toolong", MAYBE, f"ETH {V4} len=900 udp data text=@")
    flow("ip4-tooshort", MAYBE, f"ETH {V4} len=21 udp data text=@")
    flow("ip6-toolong", MAYBE, f"ETH {V6} len=900 udp data text=@")
    flow("ip6-tooshort", MAYBE, f"ETH {V6} len=0 udp data text=@")


def ethernet_flows():
    for kind in (0x0000, 0x002e, 0x0842, 0x22f0, 0x6558, 0x8847, 0x8863, 0x8864, 0x88b5, 0x88cc, 0x88f7):
        flow(f"type-{kind:04x}", SLOW, f"ETH type={kind} data hex=aaaa03000000 text=@ zeros=30")
    flow("short", SLOW, "ETH type=0x88b5 data text=@ cut=20")
    for v, ip in BOTH:
        for tag in (0, 1, 5, 4094):
            flow(f"vlan{v}-{tag}", SLOW, f"ETH vlan id={tag} {ip} udp data text=@")
        flow(f"vlan{v}-prio", SLOW, f"ETH vlan id=5 prio=7 {ip} udp data text=@")
        flow(f"qinq{v}", SLOW, f"ETH type=0x88a8 vlan id=9 vlan id=5 {ip} udp data text=@")
        flow(f"tags{v}", SLOW, f"ETH vlan id=9 vlan id=5 vlan id=3 {ip} tcp data text=@")
        flow(f"vxlan{v}", FAST, f"ETH {ip} udp dport=4789 vxlan vni=9 eth {ip} udp data text=@")
        flow(f"gre{v}", SLOW, f"ETH {ip} proto=47 data hex=00006558 eth {ip} tcp data text=@")
    flow("vlan-arp", SLOW, "ETH vlan id=5 arp spa=198.51.100.101 tpa=198.51.100.102 data text=@")
    flow("qinq-max", SLOW, f"ETH type=0x88a8 vlan id=9 vlan id=5 {V4} udp data text=@ zeros=1300")
    flow("arp-unicast", SLOW, "ETH arp spa=198.51.100.101 tpa=198.51.100.102 data text=@")
    flow("arp-reply", SLOW, "ETH arp op=2 spa=198.51.100.101 tpa=198.51.100.102 data text=@")
    flow("arp-ask", SLOW, "ETH dst=ff:ff:ff:ff:ff:ff arp spa=198.51.100.101 tpa=198.51.100.102 data text=@")
    for name, dst in (("all", "ff:ff:ff:ff:ff:ff"), ("ip4", "01:00:5e:01:02:03"), ("ip6", "33:33:00:01:02:03"),
                      ("odd", "03:00:00:00:00:09")):
        for v, ip in BOTH:
            flow(f"group{v}-{name}", SLOW, f"ETH dst={dst} {ip} udp data text=@")
    # For the bridge next door and nobody behind it.
    flow("lldp", SLOW, "ETH dst=01:80:c2:00:00:0e type=0x88cc data text=@ zeros=40", passes=False)


def changing_flows():
    """One and the same known flow, in which something odd comes along."""
    for v, ip in BOTH:
        u, t = f"ETH {ip} udp data text=@", f"ETH {ip} tcp data text=@"
        # From the 6th byte before the destination on: mind the lengths.
        odd = f"ETH {V4} options=01010101 udp data text=@" if v == "4" else \
            f"ETH {V6} proto=60 data hex=1100010400000000 udp sum=0 data text=@"
        part = f"ETH {V4} mf=1 udp data text=@ zeros=64" if v == "4" else \
            f"ETH {V6} proto=44 data hex=1100000100000007 udp sum=0 data text=@ zeros=64"
        flow(f"mix{v}-shape", MAYBE, [u, u, part, odd, u, odd, part, u])
        flow(f"mix{v}-tags", MAYBE, [u, u, f"ETH vlan id=5 {ip} udp data text=@", u,
                                     f"ETH vlan id=0 {ip} udp data text=@",
                                     f"ETH type=0x88a8 vlan id=5 {ip} udp data text=@", u, u])
        flow(f"mix{v}-ecn", MAYBE, [f"ETH {ip} tos={n} udp data text=@" for n in (0, 3, 1, 3, 2, 0x23, 0, 1)])
        most = largest(v, 8, f"mix{v}-size")
        flow(f"mix{v}-size", MAYBE, [u.replace("@", f"@ zeros={n}") for n in (0, 1300, 0, 1, most, 2, 1000, 9)])
        flow(f"mix{v}-state", MAYBE, [t.replace("tcp", f"tcp flags={n}")
                                      for n in (2, 0x10, 0x10, 0x18, 0x12, 0x10, 0x11, 4)])
        flow(f"mix{v}-pad", MAYBE, [u, u + " pad=90", u, u + " pad=400", u + " pad=64", u, u, u + " pad=90"])


def read_pcap(path):
    frames = []
    with open(path, "rb") as file:
        file.read(24)
        while len(head := file.read(16)) == 16:
            size, whole = struct.unpack("=IIII", head)[2:]
            data = file.read(size)
            if size != whole:
                sys.exit(f"{path}: a frame was cut from {whole} to {size} bytes")
            if data[6:10] == b"\x02\xf1\0\0":
                frames.append(data)
    return frames


def by_flow(frames):
    flows = {}
    for data in frames:
        flows.setdefault(struct.unpack("!H", data[10:12])[0], []).append(data)
    return flows


def compare(wanted, got):
    """Ends with the first differences."""
    bad = []
    for number, one in enumerate(FLOWS):
        a, b = wanted.get(number, []), got.get(number, [])
        if a != b:
            what = "out of order" if sorted(a) == sorted(b) else "other bytes"
            bad.append(f"{one.name}: wanted {len(a)} frames, got {len(b)}; {what if len(a) == len(b) else ''}\n"
                       + "".join(f"  {x.hex()}\n  {y.hex()}\n" for x, y in zip(a, b) if x != y)[:4000])
    if bad:
        sys.exit("\n".join(bad[:20]) + f"\n{len(bad)} of {len(FLOWS)} flows differ")


def send(dev, dst):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((dev, 0))
    rounds = [[f.frame(i, n, dst) for i, f in enumerate(FLOWS)] for n in range(ROUNDS)]
    for n, frames in enumerate(rounds):
        for data in frames:
            sock.send(data)
        time.sleep(0.7 if n == ROUNDS // 2 - 1 else 0.02)


def main(command, *args):
    for some in (udp_flows, tcp_flows, other_ip_flows, ethernet_flows, changing_flows):
        some()
    if command == "send":
        send(*args)
    elif command == "count":
        print(sum(f.fast is FAST for f in FLOWS), sum(f.fast is MAYBE for f in FLOWS), len(FLOWS))
    elif command == "arrived":
        compare({i: [f.frame(i, n, args[1]) for n in range(ROUNDS)]
                 for i, f in enumerate(FLOWS) if f.passes}, by_flow(read_pcap(args[0])))
    else:
        compare(by_flow(read_pcap(args[0])), by_flow(read_pcap(args[1])))


main(*sys.argv[1:])
