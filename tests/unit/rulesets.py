#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes rulesets.vectors: unshare -n tests/unit/rulesets.py > tests/unit/rulesets.vectors

Whole rulesets as Docker, ufw, firewalld, Incus and libvirt write them, as this kernel tells them again by
netlink, and what rulesets_test.c is to find: of a bridged frame ("bridge") the rule that tells two frames of a
flow apart; of a packet ("INPUT" from eth0 to UDP port 4789, "FORWARD" from vxbr0 to vxbr0) the chain that
drops it, with "policy" if that is its policy; "" is none.
"""
import socket
import struct
import subprocess
import sys

DOCKER = """*filter
:INPUT ACCEPT
:FORWARD DROP
:OUTPUT ACCEPT
:DOCKER -
:DOCKER-ISOLATION-STAGE-1 -
:DOCKER-ISOLATION-STAGE-2 -
:DOCKER-USER -
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
%s-A DOCKER-USER -j RETURN
COMMIT
"""

UFW = """*filter
:INPUT DROP
:FORWARD DROP
:OUTPUT ACCEPT
:ufw-before-input -
:ufw-after-input -
:ufw-user-input -
:ufw-not-local -
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp --dport 5353 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j LOG
-A ufw-not-local -j DROP
-A ufw-after-input -p udp --dport 137 -j DROP
-A ufw-user-input -p tcp --dport 22 -j ACCEPT
%sCOMMIT
"""

FIREWALLD = """table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_INPUT_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT_ZONES {
		iifname "eth0" goto filter_IN_public
		goto filter_IN_public
	}
	chain filter_IN_public {
		jump filter_IN_public_deny
		jump filter_IN_public_allow
		meta l4proto { icmp, ipv6-icmp } accept
	}
	chain filter_IN_public_deny { }
	chain filter_IN_public_allow {
		tcp dport 22 ct state new accept
		%s
	}
}
"""

INCUS = """table bridge incus {
	chain in.c1.eth0 {
		type filter hook input priority filter; policy accept;
		iifname "veth1" ether saddr != 02:c0:00:00:00:01 drop
		iifname "veth1" arp saddr ether != 02:c0:00:00:00:01 drop
		iifname "veth1" arp saddr ip != 198.51.100.1 drop
		iifname "veth1" icmpv6 type 136 @nh,528,48 != 0x02c000000001 drop
	}
	chain fwd.c1.eth0 {
		type filter hook forward priority filter; policy accept;
		iifname "veth1" ether saddr != 02:c0:00:00:00:01 drop
		iifname "veth1" ip saddr != 198.51.100.1 drop
		iifname "veth1" ether type ip6 ip6 saddr != 2001:db8:1::1 drop
	}
}
"""

LIBVIRT = """*nat
:PREROUTING ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
:libvirt-I-vnet0 ACCEPT
:I-vnet0-mac ACCEPT
:I-vnet0-ipv4-ip ACCEPT
:I-vnet0-arp-mac ACCEPT
-A PREROUTING -i vnet0 -j libvirt-I-vnet0
-A libvirt-I-vnet0 -j I-vnet0-mac
-A libvirt-I-vnet0 -p IPv4 -j I-vnet0-ipv4-ip
-A libvirt-I-vnet0 -p ARP -j I-vnet0-arp-mac
-A I-vnet0-mac -s 02:c0:00:00:00:01 -j RETURN
-A I-vnet0-mac -j DROP
-A I-vnet0-ipv4-ip -p IPv4 --ip-src 0.0.0.0 --ip-proto udp -j RETURN
-A I-vnet0-ipv4-ip -p IPv4 --ip-src 198.51.100.1 -j RETURN
-A I-vnet0-ipv4-ip -j DROP
-A I-vnet0-arp-mac -p ARP --arp-mac-src 02:c0:00:00:00:01 -j RETURN
-A I-vnet0-arp-mac -j DROP
"""

STORM = """table bridge storm {
	chain forward {
		type filter hook forward priority 0; policy %s;
		ether type arp limit rate 100/second accept
		%s
	}
}
"""

OPEN = "-A DOCKER-USER -i vxbr0 -o vxbr0 -j ACCEPT\n"
PORT = "-A ufw-user-input -p udp --dport 4789 -j ACCEPT\n"

LONG = "a" * 64

MAPS = """table bridge t {
	chain x { limit rate 5/second accept
	}
	chain ports { iifname vmap { "a" : %s x }
	}
	chain forward { type filter hook forward priority 0; policy drop
		%s
		accept
	}
}
"""

PORTS = """table inet t {
	set s { type inet_service; flags dynamic; %s }
	chain in { type filter hook input priority 0
		%s
	}
}
"""

ROWS = [
    ("a map that jumps", ["nft", "-f", "-"], MAPS % ("jump", "jump ports"), "bridge", ""),
    ("a map that goes", ["nft", "-f", "-"], MAPS % ("goto", 'iifname vmap { "a" : goto x }'), "bridge",
     "bridge rule in table t, chain x uses a limit"),
    ("TCP options removed", ["nft", "-f", "-"],
     "table bridge t { chain f { type filter hook forward priority 0; reset tcp option timestamp; }; }",
     "bridge", "bridge rule in table t, chain f checks packet options"),
    ("TCP options written", ["nft", "-f", "-"],
     "table bridge t { chain f { type filter hook forward priority 0; tcp option maxseg size set 1300; }; }",
     "bridge", "bridge rule in table t, chain f checks packet options"),
    ("a limit in an element", ["nft", "-f", "-"], """table bridge t {
	set s { type ether_addr; flags dynamic; elements = { 02:00:00:00:00:01 limit rate 5/second } }
	chain f { type filter hook forward priority 0; ether saddr @s drop
	}
}""", "bridge", "bridge rule in table t, set s is changed by packets"),
    ("a limit in the port's element", ["nft", "-f", "-"],
     PORTS % ("elements = { 4789 limit rate over 500/second }", "udp dport @s drop"), "INPUT", ""),
    ("a set whose elements go with time", ["nft", "-f", "-"],
     "table inet t { set s { type inet_service; timeout 1h; elements = { 4789 }; }; "
     "chain in { type filter hook input priority 0; udp dport @s drop; }; }", "INPUT", ""),
    ("a set that rules fill", ["nft", "-f", "-"],
     PORTS % ("timeout 1m;", "udp dport 4789 add @s { udp dport }\n\t\tudp dport != @s drop"), "INPUT", ""),
    ("no connection to have a status", ["nft", "-f", "-"], """table inet t {
	chain pre { type filter hook prerouting priority raw; udp dport 4789 notrack
	}
	chain in { type filter hook input priority 0; udp dport 4789 ct status ! dnat drop
	}
}""", "INPUT", ""),
    ("long names", ["nft", "-f", "-"], """table bridge t {
	chain %s1 { accept
	}
	chain %s2 { limit rate 5/second drop
	}
	chain f { type filter hook forward priority 0
		iifname "a" jump %s1
		iifname "b" jump %s2
	}
}""" % (LONG, LONG, LONG, LONG), "bridge",
     "bridge rule in table t, chain aaaaaaaaaaaaaaa uses a limit"),
    ("docker", ["iptables-restore"], DOCKER % "", "FORWARD", "FORWARD policy"),
    ("docker, opened", ["iptables-restore"], DOCKER % OPEN, "FORWARD", ""),
    ("docker", ["iptables-restore"], DOCKER % "", "INPUT", ""),
    ("ufw", ["iptables-restore"], UFW % "", "INPUT", "INPUT policy"),
    ("ufw, opened", ["iptables-restore"], UFW % PORT, "INPUT", ""),
    ("firewalld", ["nft", "-f", "-"], FIREWALLD % "", "INPUT", "filter_INPUT"),
    ("firewalld, opened", ["nft", "-f", "-"], FIREWALLD % "udp dport 4789 accept", "INPUT", ""),
    ("incus", ["nft", "-f", "-"], INCUS, "bridge",
     "bridge rule in table incus, chain in.c1.eth0 checks more than addresses"),
    ("libvirt", ["ebtables-restore"], LIBVIRT, "bridge", ""),
    ("a limit on ARP", ["nft", "-f", "-"], STORM % ("accept", ""), "bridge", ""),
    ("a limit on ARP, the rest dropped", ["nft", "-f", "-"], STORM % ("accept", "ether type arp drop"),
     "bridge", "bridge rule in table storm, chain forward uses a limit"),
]

FAMILIES = {"bridge": [7], "INPUT": [2, 1], "FORWARD": [2, 1]}


def dump(kind, family, attributes=b""):
    """The messages that answer NFT_MSG_GET*."""
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    body = struct.pack("BBH", family, 0, 0) + attributes
    s.send(struct.pack("=IHHII", 16 + len(body), 10 << 8 | kind, 0x301, 1, 0) + body)
    found = b""
    while True:
        data = s.recv(1 << 18)
        while data:
            length, answer = struct.unpack("=IH", data[:6])
            if answer == 3:
                return found
            found, data = found + data[:length], data[(length + 3) & ~3 :]


def names(messages, first):
    """Table and name in the messages of sets."""
    while messages:
        length = struct.unpack("=I", messages[:4])[0]
        at, texts = 20, {}
        while at + 4 <= length:
            size, kind = struct.unpack("=HH", messages[at : at + 4])
            texts[kind & 0x3FFF] = messages[at + 4 : at + size]
            at += (size + 3) & ~3
        yield texts[first], texts[first + 1]
        messages = messages[length:]


def attribute(kind, text):
    return struct.pack("=HH", 4 + len(text), kind) + text + bytes(-len(text) % 4)


def whole(family):
    sets = dump(10, family)
    messages = dump(1, family) + dump(4, family) + sets + dump(7, family)
    for table, name in names(sets, 1):
        messages += dump(13, family, attribute(1, table) + attribute(2, name))
    return messages


print("/* Made by rulesets.py: ruleset, packet, what becomes of it, messages. */")
for what, command, text, packet, wanted in ROWS:
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    if done.returncode:
        print("left out:", what, done.stderr, file=sys.stderr)
        continue
    hexed = b"".join(whole(family) for family in FAMILIES[packet]).hex()
    print('{ "%s", "%s", "%s", "%s" },' % (what, packet, wanted, hexed))
