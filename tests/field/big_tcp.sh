#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: containers or VMs use BIG TCP (gso_max_size, gso_ipv4_max_size above 65536): one packet of the kernel is
#   larger than 16 bits can say, and over IPv6 it carries a jumbo payload option until it is cut into segments.
# Kernel: its VXLAN device cuts the packet into segments; nothing is lost.
# vxbpf: the same: the size of a segment is what counts, such packets go by the kernel's path, and the counters are exact.

ALL_TESTS="
	ipv6
	ipv4
	counted
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"

BIG=196608

# The ip of Debian 12 sets it for IPv6 only: IFLA_GSO_IPV4_MAX_SIZE is 63, IFLA_GRO_IPV4_MAX_SIZE 64.
IPV4_TOO='import socket, struct, sys
attrs = b"".join(struct.pack("=HHI", 8, kind, int(sys.argv[2])) for kind in (63, 64))
body = struct.pack("=BxHiII", 0, 0, socket.if_nametoindex(sys.argv[1]), 0, 0) + attrs
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
s.send(struct.pack("=IHHII", 16 + len(body), 16, 5, 1, 0) + body)
sys.exit(struct.unpack_from("=i", s.recv(4096), 16)[0] != 0)'

big() {
	local place
	for place in "h1 c11" "c11 eth0" "h2 c21" "c21 eth0" "$@"; do
		{
			ip -n "${place% *}" link set "${place#* }" gso_max_size "$BIG" gro_max_size "$BIG" &&
				on "${place% *}" "$PYTHON" -IS -c "$IPV4_TOO" "${place#* }" "$BIG"
		} || skip "this kernel has no BIG TCP"
	done
}

# Longer than an IP header can say: what the container hands to its port.
giants() { # at least N in the capture `c11`
	assert_ge "$1" "$(captured c11 greater 66000)" "packets above 66,000 bytes"
}

transfer() { # ADDRESS
	SNAP=100 capture c11 h1 c11 greater 66000
	tcp_to "$1" 300M
	giants 20
	echo "$(jq .end.sum_sent.retransmits "$WORK/iperf3") retransmissions"
	assert_le 2000 "$(jq .end.sum_sent.retransmits "$WORK/iperf3")" "segments sent again"
	drops_are h1 ""
	drops_are h2 ""
}

tcp_to() { # ADDRESS BYTES
	background c21 iperf3 -s -1 -B "$1" >"$WORK/iperf3.server" 2>&1
	wait_for 5 on c21 bash -c 'ss -Hltn sport = 5201 | grep . >/dev/null'
	on c11 timeout 60 iperf3 -J -c "$1" -n "$2" >"$WORK/iperf3" 2>&1 || fail "iperf3: $(cat "$WORK/iperf3")"
}

big_mesh() {
	fast_mesh 2
	big "$@"
	acquainted c11 c21
}

ipv6() {
	big_mesh
	transfer "$(ip6_of c21)"
}

# The underlay's devices take them, too, so that none is cut on the way out.
ipv4() {
	big_mesh "h1 eth0" "h2 eth0" "sw h1-eth0" "sw h2-eth0"
	transfer "$(ip4_of c21)"
}

# Sent and received are the same, in packets and in bytes.
counted() {
	local to
	IPV6=0
	big_mesh
	# IPv6 between the containers alone: what bridges report by themselves may be sent before there is a peer.
	for to in c11 c21; do
		on "$to" bash -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
		ip -n "$to" addr add "$(ip6_of "$to")/64" dev eth0 nodad
	done
	for to in "$(ip6_of c21)" "$(ip4_of c21)"; do
		tcp_to "$to" 50M
		eventually 5 same_both_ways || fail "$to: h1: $(numbers h1 h2); h2: $(numbers h2 h1)"
	done
}

numbers() {
	status_json "$1" | jq -r --arg peer "$2" '.[0].peers[] | select(.name == $peer) |
		"\(.tx_packets) \(.tx_bytes) \(.rx_packets) \(.rx_bytes)"'
}

same_both_ways() {
	local tp tb rp rb
	read -r tp tb rp rb <<<"$(numbers h1 h2)"
	[ "$(numbers h2 h1)" = "$rp $rb $tp $tb" ]
}

run_tests
