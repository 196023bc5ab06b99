#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Counters are exact to the packet and byte (I5), on both hosts, with GSO on and off; TCP is compared
# with what a capture on the container's own side says it must have been on the wire.
#
#     c11          c21          c31
#      |            |            |
#    vxbr0        vxbr0        vxbr0
#     h1 ____ sw ___ h2 ________ h3
# also with: FASTPATH=on

ALL_TESTS="
	icmp
	icmp_over_ipv6_underlay
	broadcast_is_bum_everywhere
	multicast_and_unknown_unicast
	largest_and_smallest_frame
	vlan_tagged_frames
	vlan_tagged_segments
	tcp_with_gso
	tcp_without_gso
	udp_with_segmentation
	flows_in_parallel
	oversize_is_counted_not_sent
	hosts_own_address
	monotonic_over_reload_and_up
	last_seen_and_state
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/counts.sh
. "$(dirname "$0")/../../lib/counts.sh"

IPV6=0
nothing_else() { # HOST PEER...
	while [ $# -gt 0 ]; do
		moved "$1" "$2" "0 0 0 0 0 0"
		shift 2
	done
}

icmp() {
	warm_mesh
	# 14 + 20 + 8 + 100 bytes each way
	on c11 ping -n -q -i 0.01 -c 23 -s 100 "$(ip4_of c21)"
	moved_both h1 h2 23 $((23 * 142)) 23 $((23 * 142))
	nothing_else h1 h3 h3 h1 h2 h3 h3 h2
	on c31 ping -n -q -i 0.01 -c 31 -s 0 "$(ip4_of c11)"
	moved_both h3 h1 31 $((31 * 42)) 31 $((31 * 42))
	drops_are h1 ""
}

icmp_over_ipv6_underlay() {
	FAMILIES=6
	warm_mesh
	on c11 ping -n -q -i 0.01 -c 23 -s 100 "$(ip4_of c21)"
	moved_both h1 h2 23 $((23 * 142)) 23 $((23 * 142))
	nothing_else h1 h3 h3 h1
}

broadcast_is_bum_everywhere() {
	local host
	warm_mesh
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" data zeros=86
	for host in h2 h3; do
		moved h1 "$host" "0 0 23 2300 0 23"
		moved "$host" h1 "23 2300 0 0 23 0"
	done
	nothing_else h2 h3 h3 h2
	exactly 46 underlay
}

multicast_and_unknown_unicast() {
	warm_mesh
	frames c21 eth0 count=31 eth "src=$(mac_of c21)" dst=01:00:5e:01:02:03 data zeros=46
	moved h2 h1 "0 0 31 1860 0 31"
	moved h1 h2 "31 1860 0 0 31 0"
	moved h2 h3 "0 0 31 1860 0 31"
	moved h3 h2 "31 1860 0 0 31 0"
	remember
	frames c21 eth0 count=13 eth "src=$(mac_of c21)" dst=02:ff:ff:ff:ff:ff data zeros=46
	moved h1 h2 "13 780 0 0 13 0"
	moved h3 h2 "13 780 0 0 13 0"
	moved h2 h1 "0 0 13 780 0 13"
	moved h2 h3 "0 0 13 780 0 13"
}

largest_and_smallest_frame() {
	warm_mesh
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" \
		ip "src=$(ip4_of c11)" dst=198.51.100.200 proto=253 data zeros=1430
	moved h1 h2 "0 0 23 $((23 * 1464)) 0 0"
	frames c11 eth0 count=7 eth "src=$(mac_of c11)" "dst=$(mac_of c21)"
	moved h1 h2 "0 0 30 $((23 * 1464 + 7 * 14)) 0 0"
	moved h2 h1 "30 $((23 * 1464 + 7 * 14)) 0 0 0 0"
	drops_are h1 ""
}

vlan_tagged_frames() {
	warm_mesh
	# The tag is four bytes of the inner frame, wherever the kernel keeps it.
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" vlan id=7 data zeros=82
	moved h1 h2 "0 0 23 2300 0 0"
	moved h2 h1 "23 2300 0 0 0 0"
}

tcp_with_gso() {
	warm_mesh
	tcp_counted 20M
	# It really was GSO: fewer packets in the capture than on the wire.
	assert_le $(($(counter h1 h2 tx_packets) / 2)) "$(captured sender src "$(ip4_of c11)")" "captured packets"
}

no_offloads() {
	on "$1" ethtool -K "$2" tso off gso off gro off tx off >/dev/null
}

tcp_without_gso() {
	warm_mesh
	no_offloads c11 eth0
	no_offloads c21 eth0
	no_offloads h1 c11
	no_offloads h2 c21
	no_offloads h1 vx-h2
	no_offloads h2 vx-h1
	tcp_counted 5M
	assert_eq 0 "$(captured sender src "$(ip4_of c11)" and greater 1465)" "packets larger than a segment"
}

udp_with_segmentation() {
	warm_mesh
	background c21 "$PYTHON" -IS -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 9))
time.sleep(100)'
	wait_for 5 on c21 bash -c 'ss -Hlun sport = 9 | grep . >/dev/null'
	# One write of 23 datagrams of 100 bytes: a UDP GSO packet.
	on c11 "$PYTHON" -IS -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(17, 103, 100)
s.sendto(bytes(2300), (sys.argv[1], 9))' "$(ip4_of c21)"
	moved h1 h2 "0 0 23 $((23 * 142)) 0 0"
	moved h2 h1 "23 $((23 * 142)) 0 0 0 0"
}

# The same in a VLAN: each segment has the tag that the kernel keeps beside all of them.
vlan_tagged_segments() {
	local frame
	warm_mesh
	frame=$("$PYTHON" -IS "$LIB/frame.py" hex eth "src=$(mac_of c11)" "dst=$(mac_of c21)" vlan id=7 \
		ip "src=$(ip4_of c11)" "dst=$(ip4_of c21)" udp data zeros=2300)
	on c11 "$PYTHON" -IS -c '
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.setsockopt(263, 15, 1) # PACKET_VNET_HDR: checksum to do at 38 + 6, UDP in segments of 100
s.bind(("eth0", 0))
s.send(struct.pack("=BBHHHH", 1, 5, 46, 100, 38, 6) + bytes.fromhex(sys.argv[1]))' "$frame"
	moved h1 h2 "0 0 23 $((23 * 146)) 0 0"
	moved h2 h1 "23 $((23 * 146)) 0 0 0 0"
}

flows_in_parallel() {
	warm_mesh
	tcp_counted 20M -P 8
}

oversize_is_counted_not_sent() {
	warm_mesh
	ip -n h1 link set c11 mtu 1500
	ip -n c11 link set eth0 mtu 1500
	capture c21 c21 eth0 -Q in ip proto 253
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" \
		ip "src=$(ip4_of c11)" dst=198.51.100.200 proto=253 data zeros=1431
	drops_are h1 "oversize=23"
	assert_eq 23 "$(counter h1 h2 drops.oversize)" "oversize towards h2"
	assert_eq 23 "$(status_json h1 | jq '.[0].ports[] | select(.ifname == "c11").oversize')" "oversize of c11"
	nothing_else h1 h2 h2 h1
	frames c11 eth0 count=31 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" \
		ip "src=$(ip4_of c11)" dst=198.51.100.200 proto=253 data zeros=1430
	exactly 31 c21
	drops_are h1 "oversize=23"
}

hosts_own_address() {
	export PEER_MORE_h1=', bridge_address: [198.51.100.101/24]'
	local mac
	warm_mesh
	mac=$(ip -n h1 -j link show vxbr0 | jq -r '.[0].address')
	ip -n c21 neigh replace 198.51.100.101 lladdr "$mac" dev eth0
	ip -n h1 neigh replace "$(ip4_of c21)" lladdr "$(mac_of c21)" dev vxbr0
	on h1 ping -n -q -c 2 -i 0.01 "$(ip4_of c21)"
	quiet
	remember
	on h1 ping -n -q -i 0.01 -c 23 -s 100 "$(ip4_of c21)"
	moved_both h1 h2 23 $((23 * 142)) 23 $((23 * 142))
}

monotonic_over_reload_and_up() {
	local before
	warm_mesh
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" data zeros=86
	moved h1 h2 "0 0 23 2300 0 0"
	before=$(numbers h1 h2)
	vx h1 up vxbr0
	assert_eq "$before" "$(numbers h1 h2)" "counters after up"
	config vxbr0 "guard: observe"
	vx h1 reload vxbr0
	vx h2 reload vxbr0
	assert_eq "$before" "$(numbers h1 h2)" "counters after reload"
	config vxbr0
	vx h1 reload vxbr0
	frames c11 eth0 count=31 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" data zeros=86
	moved h1 h2 "0 0 54 5400 0 0"
	moved h2 h1 "54 5400 0 0 0 0"
}

last_seen_and_state() {
	mesh 3
	mesh_up h1 h2
	container h1 c11
	container h2 c21
	assert_eq never "$(counter h1 h3 state)" "state of h3 before any traffic"
	on c11 ping -n -q -c 1 "$(ip4_of c21)"
	assert_eq up "$(counter h1 h2 state)" "state of h2"
	assert_eq up "$(counter h2 h1 state)" "state of h1"
	assert_le 5000 "$(counter h1 h2 last_seen_ms)" "last_seen_ms of h2"
}

run_tests
