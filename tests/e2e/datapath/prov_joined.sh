#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Packets that were joined on their way, by a VPN in user space or as one datagram burst of a container, arrive all and
# are counted one by one (I5, I6), and a forged one among them does not hide (I4). Without this such an underlay loses
# packets, miscounts them, or lets a peer speak as another one.
#
#     c11          c21          c31
#      |            |            |
#    vxbr0        vxbr0        vxbr0
#      h1           h2           h3          s9 plays h2
#     wg0          wg0          wg0           | wg0
#      \______ tun.py: joins and routes _______/

ALL_TESTS="
	vpn_that_joins_packets
	vpn_that_joins_packets_over_ipv6
	forged_packets_joined_by_a_vpn
	super_packets_of_containers_arrive
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/l3.sh
. "$LIB/l3.sh"
# shellcheck source=tests/lib/trains.sh
. "$LIB/trains.sh"

IPV6=0
TRAINS=1

# Ten frames of the same length make a train, then a shorter one.
vpn_joins() {
	local packets bytes i
	l3_mesh
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	capture joined h2 wg0 'greater 500'
	packets=$(counter h2 h1 rx_packets)
	bytes=$(counter h2 h1 rx_bytes)
	frames c11 eth0 count=200 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" data zeros=86
	frames c11 eth0 count=1 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" data zeros=46
	exactly 201 c21
	assert_ge 3 "$(captured joined)" "trains"
	assert_eq $((packets + 201)) "$(counter h2 h1 rx_packets)" "rx_packets of h1"
	assert_eq $((bytes + 200 * 100 + 60)) "$(counter h2 h1 rx_bytes)" "rx_bytes of h1"
	drops_are h2 ""
	tcp c11 c21 2M
	pings c11 "$(ip4_of c21)" 7 -s 8000
	reach_all c11 c21 c31
}

vpn_that_joins_packets() {
	vpn_joins
}

vpn_that_joins_packets_over_ipv6() {
	FAMILIES=6
	vpn_joins
}

# A peer behind the VPN: what it sends apart arrives in one piece.
forged_packets_joined_by_a_vpn() {
	l3_mesh
	FORGED_VNI=$(vni h1 h3) TO=c11
	ip -n s9 addr add "$(address4 h2)/32" dev wg0
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	capture joined h1 wg0 'greater 150'
	train "$(vni h1 h2):1" "$FORGED_VNI:1"
	before_drops h1
	by_socket s9 "$(address4 h2)" "$(address4 h1)" 10
	exactly 0 c11 ether src "$FORGED"
	assert_ge 3 "$(captured joined)" "trains"
	counted_within h1 $((20 - $(captured c11))) 20
}

# Datagrams of a container that the overlay carries as one packet look much like a train, and are none.
super_packets_of_containers_arrive() {
	local size wanted=0
	IPV6=1
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	background c21 "$PYTHON" -IS "$LIB/sums.py" serve 7 "$WORK/got"
	wait_for 5 on c21 bash -c 'ss -Hlun sport = 7 | grep . >/dev/null'
	arrived() { [ "$(wc -l <"$WORK/got")" -eq "$wanted" ]; }
	for size in 1 2 20 100 400; do
		on c11 "$PYTHON" -IS "$LIB/ids.py" burst "$(ip4_of c21)" 7 3 "$size" 64
		on c11 "$PYTHON" -IS "$LIB/ids.py" burst "$(ip6_of c21)" 7 3 "$size" 64
		wanted=$((wanted + 2 * 3 * 64))
		eventually 2 arrived || fail "datagrams of $size bytes: $(wc -l <"$WORK/got") of $wanted arrived in all"
		drops_are h2 ""
	done
	# As many as this kernel takes.
	for size in 1 20 100; do
		on c11 "$PYTHON" -IS "$LIB/ids.py" burst "$(ip4_of c21)" 7 3 "$size" 128 || break
		wanted=$((wanted + 3 * 128))
		eventually 2 arrived || fail "128 datagrams of $size bytes: $(wc -l <"$WORK/got") of $wanted arrived in all"
		drops_are h2 ""
	done
}

run_tests
