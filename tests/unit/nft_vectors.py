#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes nft.vectors: unshare -n tests/unit/nft_vectors.py > tests/unit/nft.vectors

Rules as nft and ebtables put them into a kernel, and as that kernel tells them again by netlink; with
what nft_rule_test.c is to find they look at: "" is the flow alone. What this kernel has not got is left
out, and said on stderr.
"""
import socket
import struct
import subprocess
import sys

TABLE = """
table %s t {
	set seen { type ipv4_addr; flags dynamic; timeout 1m; }
	set known { type ipv4_addr . inet_service; }
	counter n { }
	quota q { over 1 mbytes }
	limit l { rate 5/second }
	chain other { }
	chain c { %s
		%s
	}
}
"""
HOOK = "type filter hook forward priority 0;"

FLOW = [
    "accept",
    "drop",
    "counter name n drop",
    "ip saddr 192.0.2.1 udp dport 7 counter drop",
    "ip daddr 192.0.2.0/24 tcp sport 80 accept",
    "ip saddr . udp dport @known drop",
    "ip saddr . ip daddr { 192.0.2.1 . 192.0.2.2 } drop",
    "ip6 saddr 2001:db8::/32 drop",
    "ip6 daddr fe00::/8 drop",
    "ip6 nexthdr udp drop",
    "ip protocol tcp drop",
    "ether type ip6 drop",
    "ether saddr 02:00:00:00:00:01 ether daddr 02:00:00:00:00:02 drop",
    "ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 drop",
    'iifname "c1" oifname != "c2" drop',
    'meta ibrname "vxbr0" meta obrname "vxbr0" accept',
    "vlan id 5 ip daddr 192.0.2.3 drop",
    "vlan id 5 ip protocol tcp drop",
    "meta pkttype broadcast drop",
    "meta mark 7 drop",
    "meta l4proto { tcp, udp } th dport 1-1024 drop",
    "meta protocol vmap { ip : jump other, arp : accept }",
    "jump other",
    "icmp type echo-request drop",
    "icmpv6 type nd-neighbor-solicit accept",
    "arp operation request accept",
    "arp saddr ip 192.0.2.1 drop",
    'log prefix "x" drop',
    "meta nftrace set 1",
]

MORE = [
    ("ip length > 1000 drop", "checks the packet length"),
    ("ip6 length > 1000 drop", "checks the packet length"),
    ("meta length > 1000 drop", "checks the packet length"),
    ("udp length 10 drop", "checks beyond the ports"),
    ("tcp flags syn drop", "checks TCP flags"),
    ("tcp dport 80 tcp flags & (syn | ack) == syn drop", "checks TCP flags"),
    ("tcp window 1 drop", "checks beyond the ports"),
    ("tcp option maxseg size 1-500 drop", "checks packet options"),
    ("ip dscp 3 drop", "checks the DSCP"),
    ("ip6 dscp 3 drop", "checks the DSCP or flow label"),
    ("ip ttl 1 drop", "checks the TTL"),
    ("ip6 hoplimit 1 drop", "checks the hop limit"),
    ("ip frag-off & 0x1fff != 0 drop", "checks fragments"),
    ("ip id 1 drop", "checks fragments"),
    ("vlan id 5 ip length > 1000 drop", "checks the packet length"),
    ("@nh,0,8 0x45 drop", "checks more than addresses"),
    ("@nh,192,32 1 drop", "checks more than addresses"),
    ("@th,32,16 1 drop", "checks beyond the ports"),
    ("@ll,112,8 1 drop", "checks beyond the Ethernet header"),
    ("limit rate 5/second accept", "uses a limit"),
    ("udp dport 7 limit rate over 10 mbytes/second drop", "uses a limit"),
    ("limit name l drop", "uses a limit"),
    ("quota over 1 mbytes drop", "uses a quota"),
    ("quota name q drop", "uses a quota"),
    ("numgen inc mod 2 0 drop", "generates numbers"),
    ("meta time > 1 drop", "checks the time"),
    ('meta hour "09:00"-"17:00" drop', "checks the time"),
    ("meta day 6 drop", "checks the time"),
    ("meta random < 5 drop", "uses a random number"),
    ("meta cpu 0 drop", "checks the CPU"),
    ("meta priority 1:2 drop", "checks the priority"),
    ("meta skuid 0 drop", "checks the sending program"),
    ("meta mark set 1", "changes the mark"),
    ("meta priority set 1:2", "changes frames"),
    ("meta pkttype set host", "changes frames"),
    ("ether daddr set 02:00:00:00:00:02 accept", "changes frames"),
    ("ip daddr set 192.0.2.9", "changes frames"),
    ("udp dport set 9", "changes frames"),
    ("add @seen { ip saddr }", "updates a set from packets"),
    ("update @seen { ip saddr limit rate 5/second } accept", "updates a set from packets"),
    ("queue num 1", "passes frames to a program"),
    ("meta mark set jhash ip saddr mod 2", "uses hash"),
]

# What this family has only with modules of its own.
INET = [
    ("reject", ""),
    ("ct state established accept", "uses connection tracking"),
    ("ct mark 1 drop", "uses connection tracking"),
    ("ct count 20 drop", "counts connections"),
    ("fib saddr . iif oif missing drop", "uses fib"),
    ("notrack", "uses notrack"),
    ("socket transparent 1 drop", "uses socket"),
]

EBTABLES = [
    ("-p IPv4 --ip-proto udp --ip-dport 7 -j DROP", ""),
    ("-p IPv4 --ip-src 192.0.2.1 -j DROP", ""),
    ("-p IPv6 --ip6-dst 2001:db8::1 -j DROP", ""),
    ("-p IPv4 --ip-tos 0x10 -j DROP", "checks the DSCP"),
    ("-p IPv6 --ip6-tclass 0x10 -j DROP", "checks the DSCP"),
    ("--pkttype-type multicast -j DROP", ""),
    ("--among-src 02:00:00:00:00:01 -j DROP", ""),
    ("--among-dst 02:00:00:00:00:01=192.0.2.1 -j DROP", ""),
    ("-p ARP --arp-op Request -j ACCEPT", ""),
    ("-p 802_1Q --vlan-id 5 -j ACCEPT", ""),
    ("-s 02:00:00:00:00:01 -i c1 -j DROP", ""),
    ("-s 02:00:00:00:00:01/ff:ff:ff:00:00:00 -o c+ -j DROP", ""),
    ("--logical-in vxbr0 -j ACCEPT", ""),
    ("-d BGA --stp-type config -j DROP", ""),
    ("-p LENGTH --802_3-type 0x80f3 -j DROP", ""),
    ("--mark 5 -j ACCEPT", ""),
    ("--log --log-prefix x -j CONTINUE", ""),
    ("--nflog-group 1 -j ACCEPT", ""),
    ("--limit 5/s -j ACCEPT", "uses a limit"),
    ("-j mark --mark-set 1 --mark-target ACCEPT", "uses the target mark"),
]

EBTABLES_NAT = [
    ("-d 02:00:00:00:00:01 -j dnat --to-dst 02:00:00:00:00:02", "uses the target dnat"),
    ("-p IPv4 -j redirect", "uses the target redirect"),
]


def run(*command, stdin=None):
    done = subprocess.run(command, input=stdin, text=True, capture_output=True)
    if done.returncode:
        print("left out:", *command, stdin or "", done.stderr, file=sys.stderr)
    return done.returncode == 0


def last_rule(family):
    """The last message of NFT_MSG_GETRULE's dump."""
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    s.send(struct.pack("=IHHII", 20, 10 << 8 | 7, 0x301, 1, 0) + struct.pack("BBH", family, 0, 0))
    found = None
    while True:
        data = s.recv(65536)
        while data:
            length, kind = struct.unpack("=IH", data[:6])
            if kind == 3:
                return found
            found, data = data[:length], data[(length + 3) & ~3 :]


def row(text, wanted, family=7):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    print('{ "%s", "%s", "%s" },' % (quoted, wanted, last_rule(family).hex()))


def nft(text, wanted, family, number):
    run("nft", "flush", "ruleset")
    if run("nft", "-f", "-", stdin=TABLE % (family, HOOK, text)):
        row(text, wanted, number)


def ebtables(table, chain, text, wanted):
    run("nft", "flush", "ruleset")
    if run("ebtables", "-t", table, "-A", chain, *text.split()):
        row("ebtables " + text, wanted)


print("/* Made by nft_vectors.py: rule, what it looks at besides the flow, message. */")
for text in FLOW:
    nft(text, "", "bridge", 7)
for text, wanted in MORE:
    nft(text, wanted, "bridge", 7)
for text, wanted in INET:
    nft(text, wanted, "inet", 1)
for text, wanted in EBTABLES:
    ebtables("filter", "FORWARD", text, wanted)
for text, wanted in EBTABLES_NAT:
    ebtables("nat", "PREROUTING", text, wanted)
