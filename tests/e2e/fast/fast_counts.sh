#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Counters are exact (I5) while flows go now fast, now slow: as verdicts age, and as moves void them.
#
#   c11 c12      c21 c22      c31
#     \ /          \ /         |
#    vxbr0        vxbr0      vxbr0
#     h1 ____ sw ___ h2 _______ h3
# time limit: 300

ALL_TESTS="
	datagrams_as_verdicts_age
	datagrams_as_macs_move
	stream_as_macs_move
	stream_over_ipv6
	streams_both_ways
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$(dirname "$0")/../../lib/fast.sh"
# shellcheck source=tests/lib/counts.sh
. "$(dirname "$0")/../../lib/counts.sh"

IPV6=0

crossing_mesh() {
	warm_mesh
	container h1 c12
	container h2 c22
	quiet
	remember
	mark h2 h1
}

# What is known of a MAC is void once a new one with the same hash shows up; nobody outside knows the hash, but of
# a thousand new MACs one has it. These frames stay on their own port, and nobody counts them.
stir() { # WHERE DST_MAC
	background "$1" timeout 60 "$PYTHON" -IS -c '
import os, socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
dst = bytes.fromhex(sys.argv[1].replace(":", ""))
while True:
	for _ in range(40):
		s.send(dst + b"\2" + os.urandom(5) + b"\x88\xb5" + bytes(46))
	time.sleep(0.01)' "$2"
}

stirred() {
	# The bridge has to know where they live, so that it floods nothing.
	frames c12 eth0 eth "src=$(mac_of c12)" "dst=$(mac_of c11)" data zeros=46
	frames c22 eth0 eth "src=$(mac_of c22)" "dst=$(mac_of c21)" data zeros=46
	stir c12 "$(mac_of c11)"
	stir c22 "$(mac_of c21)"
}

datagrams() { # FROM TO COUNT SIZE
	on "$1" "$PYTHON" -IS "$LIB/frame.py" send eth0 "count=$3" gap=0.001 \
		eth "src=$(mac_of "$1")" "dst=$(mac_of "$2")" ip "src=$(ip4_of "$1")" dst=198.51.100.200 \
		udp data "zeros=$(($4 - 42))"
}

# Both paths were used: fast frames there are, and slow ones more than the flow's first.
crossed() { # SLOW_AT_LEAST
	local rx fast
	read -r rx fast <<<"$(received_fast h2 h1)"
	rx=$((rx - RX0)) fast=$((fast - FAST0))
	echo "# $fast of $rx fast"
	assert_ge 100 "$fast" "fast frames"
	assert_ge "$1" $((rx - fast)) "slow frames"
}

datagrams_as_verdicts_age() {
	crossing_mesh
	datagrams c11 c21 2003 142 &
	datagrams c21 c11 1009 1001
	wait $!
	moved_both h1 h2 2003 $((2003 * 142)) 1009 $((1009 * 1001))
	crossed 2
	drops_are h1 ""
}

datagrams_as_macs_move() {
	crossing_mesh
	stirred
	datagrams c11 c21 2003 142 &
	datagrams c21 c11 1009 1001
	wait $!
	moved_both h1 h2 2003 $((2003 * 142)) 1009 $((1009 * 1001))
	crossed 10
	drops_are h1 ""
}

# stream_counted BYTES OUTER: both counters say what the sender sent, and so does the wire between them.
stream_counted() {
	local wire
	tcp_counted "$1" -b 200M
	wire=$("$PYTHON" -IS "$LIB/frame.py" segments "$WORK/underlay.pcap" "skip=$2" \
		src="$(ip4_of c11)" dst="$(ip4_of c21)" mss="$MSS")
	moved h2 h1 "$wire $(numbers_moved h2 h1 | cut -d ' ' -f 3-)"
	echo "# on the wire: $wire"
}

stream_as_macs_move() {
	crossing_mesh
	stirred
	stream_counted 50M 50
	crossed 10
}

stream_over_ipv6() {
	FAMILIES=6 MSS=1390
	crossing_mesh
	ip -n c11 link set eth0 mtu 1430
	ip -n c21 link set eth0 mtu 1430
	stirred
	stream_counted 50M 70
	crossed 10
}

streams_both_ways() {
	crossing_mesh
	stirred
	tcp_counted 20M --bidir -P 4 -b 20M
	crossed 4
}

run_tests
