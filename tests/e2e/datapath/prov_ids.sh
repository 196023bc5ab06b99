#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The ID of the outer IPv4 header does not come again among the packets to one peer (I6), whichever flows, containers
# and CPUs they come from. Without this a receiver whose path has a narrow hop puts the pieces of two packets together.
#
#   c11 c12 c13       c21 c22 c23
#      \ | /             \ | /
#     vxbr0 h1         vxbr0 h2
#       |                 |
#     --+------- sw ------+--   eth0 of h1 makes the segments: each is seen on the cable

ALL_TESTS="
	one_stream
	one_flow_of_datagrams
	many_flows_of_many_containers
	hosts_own_and_containers
	many_flows_without_super_packets
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$(dirname "$0")/../../lib/fast.sh"

WINDOW=4000

id_mesh() { # CONTAINERS
	local i
	export PEER_MORE_h1=', bridge_address: [198.51.100.201/24]'
	mesh 2
	mesh_up
	containers_each "$1"
	mesh_up
	on h1 ethtool -K eth0 tso off gso off tx-udp-segmentation off
	for ((i = 1; i <= $1; i++)); do
		background "c2$i" "$PYTHON" -IS "$LIB/ids.py" sink 9
		wait_for 5 on "c2$i" bash -c 'ss -Hlun sport = 9 | grep . >/dev/null'
		acquainted "c1$i" "c2$i"
		pings "c1$i" "$(ip4_of "c2$i")" 2
	done
	PIDS=()
	SNAP=60 capture wire sw h1-eth0 udp and src "$(address4 h1)"
	mark h2 h1
}

# sends CPU CMD...: that, on that CPU, beside the others.
sends() {
	background "$2" taskset -c "$(($1 % $(nproc)))" "${@:3}" >"$WORK/sender.${#PIDS[@]}" 2>&1
	PIDS+=("$PID")
}

sent() {
	local pid
	for pid in "${PIDS[@]}"; do wait "$pid" || fail "a sender failed: $(cat "$WORK"/sender.*)"; done
}

# stream CPU NAME ADDRESS PORT BYTES: TCP from NAME to c2x at ADDRESS. What is still in the buffers at the end, up to
# some megabytes, iperf3 throws away.
stream() {
	background "$6" iperf3 -s -1 -p "$4" >"$WORK/server.$4" 2>&1
	wait_for 5 listening "$6" "$4"
	sends "$1" "$2" iperf3 -c "$3" -p "$4" -n "$5"
}

datagrams() { # CPU NAME ADDRESS PORT BURSTS SIZE
	sends "$1" "$2" "$PYTHON" -IS "$LIB/ids.py" burst "$3" "$4" "$5" "$6"
}

# never_again LEAST_PACKETS. Those that go the slow way have the kernel's own IDs, which may meet ours once each, from
# either side.
never_again() {
	local packets again rx fast
	sent
	quiet
	stop "$(<"$WORK/wire.tcpdump")"
	read -r packets again <<<"$("$PYTHON" -IS "$LIB/ids.py" repeated "$WORK/wire.pcap" "$WINDOW")"
	read -r rx fast <<<"$(received_fast h2 h1)"
	rx=$((rx - RX0)) fast=$((fast - FAST0))
	echo "# $again of $packets packets had an ID of the $WINDOW packets before them; $fast of $rx were fast"
	assert_ge "$1" "$packets" "packets on the cable"
	assert_ge $((rx * 80 / 100)) "$fast" "fast ones"
	assert_le $((2 * (rx - fast))) "$again" "IDs that came again"
}

one_stream() {
	id_mesh 1
	stream 0 c11 "$(ip4_of c21)" 5201 24M c21
	never_again 8000
}

one_flow_of_datagrams() {
	id_mesh 1
	datagrams 0 c11 "$(ip4_of c21)" 9 200 1000
	never_again 7000
}

many_flows_of_many_containers() {
	local i
	id_mesh 3
	for i in 1 2 3; do
		stream "$i" "c1$i" "$(ip4_of "c2$i")" "520$i" 12M "c2$i"
		datagrams $((i + 1)) "c1$i" "$(ip6_of "c2$i")" 9 100 700
	done
	never_again 20000
}

# The host is a port, too.
hosts_own_and_containers() {
	id_mesh 1
	stream 0 h1 "$(ip4_of c21)" 5202 12M c21
	stream 1 c11 "$(ip4_of c21)" 5201 12M c21
	never_again 5000
}

# A packet at a time.
many_flows_without_super_packets() {
	local i
	id_mesh 2
	for i in 0 1; do
		sends "$i" c11 "$PYTHON" -IS "$LIB/ids.py" turns "$(ip4_of c21)" 9 40 50
		sends "$i" c12 "$PYTHON" -IS "$LIB/ids.py" turns "$(ip4_of c22)" 9 40 50
	done
	never_again 8000
}

run_tests
