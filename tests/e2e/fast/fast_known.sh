#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Known flows go past the bridge and the tunnel stack, and only what the kernel itself carried a moment
# ago does (I1): what it would stop, turn or shape is stopped, turned or shaped within two seconds.
#
#    c11        c21        c31
#     |          |          |
#   vxbr0 h1   vxbr0 h2   vxbr0 h3
#     |          |          |
#   --+----------+----------+--   sw, 192.0.2.0/24
# time limit: 300

ALL_TESTS="
	flows_go_fast
	off_is_off
	same_bytes_either_way
	bridge_rule_stops_it
	port_down_stops_it
	isolated_port_stops_it
	output_firewall_stops_it
	input_firewall_stops_it
	shaper_is_not_bypassed
	container_moves_to_another_host
	container_moves_to_another_port
	container_vanishes
	ecn_as_the_kernel
	bridge_stays_warm
	upgrade_loses_nothing
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$(dirname "$0")/../../lib/fast.sh"

flows_go_fast() {
	fast_mesh 2
	local address
	for address in "$(ip4_of c21)" "$(ip6_of c21)"; do
		on c11 ping -c 2 -i 0.1 "$address" >/dev/null
		background c21 iperf3 -s -1
		wait_for 5 listening c21 5201
		mark h2 h1
		on c11 iperf3 -c "$address" -t 2 >"$WORK/iperf"
		assert_ge 99 "$(share h2 h1)" "bulk TCP to $address"
	done
}

off_is_off() {
	FASTPATH=off fast_mesh 2
	background c21 iperf3 -s -1
	wait_for 5 listening c21 5201
	on c11 iperf3 -c "$(ip4_of c21)" -t 1 >"$WORK/iperf"
	assert_eq 0 "$(counter h2 h1 rx_fast_packets)" "fast"
}

# One UDP conversation of every size there is, checked byte by byte at the far end.
same_bytes_either_way() {
	fast_mesh 2
	background c21 "$PYTHON" -c "$ECHO"
	wait_for 5 ready_to_echo
	mark h2 h1
	on c11 "$PYTHON" - "$(ip4_of c21)" "$(ip6_of c21)" <<-'END' || fail "bytes differ"
		import hashlib, socket, sys
		for address in sys.argv[1:]:
		    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
		    s.settimeout(2)
		    for n in list(range(0, 1402)) + [1400] * 200:
		        data = (hashlib.sha256(b"%d" % n).digest() * 50)[:n]
		        s.sendto(data, (address, 7))
		        if s.recv(2000) != data:
		            sys.exit("%s %d" % (address, n))
	END
	assert_ge 90 "$(share h2 h1)" "fast"
}

bridge_rule_stops_it() {
	fast_mesh 2
	talk 20
	stops_within_two_seconds on h2 nft -f - <<-END
		table bridge t {
			chain c {
				type filter hook forward priority 0;
				udp dport 7 drop;
			}
		}
	END
	on h2 nft delete table bridge t
	comes_back
}

port_down_stops_it() {
	fast_mesh 2
	talk 20
	stops_within_two_seconds on h2 bridge link set dev c21 state 0
	on h2 bridge link set dev c21 state 3
	comes_back
}

isolated_port_stops_it() {
	fast_mesh 2
	talk 20
	stops_within_two_seconds on h2 bridge link set dev c21 isolated on
	on h2 bridge link set dev c21 isolated off
	comes_back
}

output_firewall_stops_it() {
	fast_mesh 2
	talk 20
	stops_within_two_seconds on h1 nft -f - <<-END
		table ip t {
			chain c {
				type filter hook output priority 0;
				udp dport 4789 drop;
			}
		}
	END
	on h1 nft delete table ip t
	comes_back
}

input_firewall_stops_it() {
	fast_mesh 2
	talk 20
	stops_within_two_seconds on h2 nft -f - <<-END
		table ip t {
			chain c {
				type filter hook input priority 0;
				udp dport 4789 drop;
			}
		}
	END
	on h2 nft delete table ip t
	comes_back
}

# A queue on the port is gone through: the fast path does not jump to the veth's other end.
shaper_is_not_bypassed() {
	fast_mesh 2
	on h2 tc qdisc add dev c21 root tbf rate 20mbit burst 32k latency 50ms ||
		skip "this kernel has no tbf"
	vx h2 up vxbr0
	background c21 iperf3 -s -1
	wait_for 5 listening c21 5201
	on c11 iperf3 -c "$(ip4_of c21)" -t 2 -J >"$WORK/iperf"
	assert_le 30 "$(jq '.end.sum_received.bits_per_second / 1000000 | floor' "$WORK/iperf")" "Mbit/s"
}

# The same MAC and address, now behind h3: reached there from its first frame on.
container_moves_to_another_host() {
	fast_mesh 3
	talk 20
	ip -n h2 link del c21
	ip link add c21 netns h3 mtu 1450 type veth \
		peer name eth0 netns c21 mtu 1450 address "$(mac_of c21)"
	ip -n c21 link set eth0 up
	ip -n h3 link set c21 addrgenmode none up
	ip -n h3 link set c21 master vxbr0
	ip -n c21 addr add "$(ip4_of c21)/24" dev eth0
	on c21 ping -c 1 -W 2 "$(ip4_of c11)" >/dev/null || fail "its first packet was not answered"
	wait_for 2 is_talking || fail "the conversation did not follow"
}

container_moves_to_another_port() {
	fast_mesh 2
	talk 20
	ip -n h2 link del c21
	ip link add other netns h2 mtu 1450 type veth \
		peer name eth0 netns c21 mtu 1450 address "$(mac_of c21)"
	ip -n c21 link set eth0 up
	ip -n h2 link set other addrgenmode none up
	ip -n h2 link set other master vxbr0
	ip -n c21 addr add "$(ip4_of c21)/24" dev eth0
	on c21 ping -c 1 -W 2 "$(ip4_of c11)" >/dev/null || fail "its first packet was not answered"
	wait_for 2 is_talking || fail "the conversation did not follow"
}

# One that goes costs nobody else a packet.
container_vanishes() {
	mesh 2
	mesh_up
	containers_each 2
	talk 10
	background c12 ping -q -i 0.002 -w 5 "$(ip4_of c22)"
	sleep 0.5
	mark h2 h1
	local before now
	before=$(wc -l <"$WORK/talk")
	ip -n h2 link del c22
	sleep 1.5
	now=$(wc -l <"$WORK/talk")
	assert_ge 300 $((now - before)) "answers meanwhile"
}

# What the kernel does with congestion marks (RFC 6040) happens to fast flows, too.
ecn_as_the_kernel() {
	local mode tos
	fast_mesh 2
	background c21 "$PYTHON" -c "$ECHO"
	wait_for 5 ready_to_echo
	for mode in off on; do
		for tos in h1 h2; do
			sed -i "s/^fastpath: .*/fastpath: $mode/" "$WORK/etc/$tos/vxbr0.yaml"
			vx "$tos" reload vxbr0
		done
		capture outer sw br0 udp port 4789 and dst host "$(address4 h2)"
		for tos in 0 1 2 3 184 185; do
			on c11 "$PYTHON" - "$(ip4_of c21)" "$tos" <<-'END'
				import socket, sys
				s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
				s.bind(("", 7777)); s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(sys.argv[2]))
				s.settimeout(1)
				for i in range(5):
				    s.sendto(b"tos", (sys.argv[1], 7)); s.recv(100)
			END
		done
		quiet
		capture_end outer
		# Outer TOS, TTL and flags of each UDP packet inside.
		"$PYTHON" - "$WORK/outer.pcap" >"$WORK/$mode.outer" <<-'END'
			import struct, sys
			d = open(sys.argv[1], "rb").read()
			at, seen = 24, []
			while at < len(d):
			    n = struct.unpack("<I", d[at + 8:at + 12])[0]
			    p = d[at + 16:at + 16 + n]
			    at += 16 + n
			    if p[62:64] == b"\x08\x00" and p[73] == 17:
			        seen.append((p[15], p[22], p[20] & 0xe0, "for inner", p[65]))
			print("\n".join(map(str, sorted(seen))))
		END
	done
	assert_ge 20 "$(counter h2 h1 rx_fast_packets)" "fast"
	assert_same "$WORK/off.outer" "$WORK/on.outer" "outer TOS, TTL and DF, slow and fast"
}

# Fast frames teach the bridge nothing, so some of each flow must keep going its way.
bridge_stays_warm() {
	fast_mesh 2
	on h1 ip link set vxbr0 type bridge ageing_time 300
	on h2 ip link set vxbr0 type bridge ageing_time 300
	talk 12
	mark h1 h2
	sleep 5
	assert_ge 90 "$(share h1 h2)" "fast"
	on h2 bridge fdb show br vxbr0 | grep "$(mac_of c11) .*vx-h1" || fail "h2's bridge forgot c11"
	on h1 bridge fdb show br vxbr0 | grep "$(mac_of c21) .*vx-h2" || fail "h1's bridge forgot c21"
}

# New programs, old flows: nothing is lost and nothing is dropped.
upgrade_loses_nothing() {
	fast_mesh 2
	background c11 ping -f -c 3000 -i 0.001 "$(ip4_of c21)"
	talk 10
	local host before
	before=$(wc -l <"$WORK/talk")
	for host in h1 h2; do
		sed -i '1i mtu: 1400' "$WORK/etc/$host/vxbr0.yaml"
		vx "$host" reload vxbr0
	done
	sleep 1
	assert_ge 300 $(($(wc -l <"$WORK/talk") - before)) "answers meanwhile"
	drops_are h1 ""
	drops_are h2 ""
}

run_tests
