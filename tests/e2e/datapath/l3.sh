#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A layer-3 underlay, without Ethernet headers (as WireGuard is): works, is counted and guarded.
#
#     c11          c21          c31
#      |            |            |
#    vxbr0        vxbr0        vxbr0
#      h1           h2           h3          s9: a stranger
#   wg0 192.0.2.1 wg0 192.0.2.2 wg0 192.0.2.3   | wg0 192.0.2.9
#      \______ tun.py: routes IP _______________/

ALL_TESTS="
	reach
	counted
	guarded
	ipv6
	down_leaves_nothing
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/l3.sh
. "$LIB/l3.sh"

IPV6=0

reach() {
	l3_mesh
	reach_all c11 c21 c31
	[ -n "${PLAIN:-}" ] || assert_eq 1370 "$(status_json h1 | jq '.[0].mtu')" "MTU"
	[ -n "${PLAIN:-}" ] || vx h1 ping h3 -c 2 -s 1370
	pings c11 "$(ip4_of c31)" 7 -s 8000
	tcp c11 c21 2M
}

counted() {
	local before received bytes
	l3_mesh
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	capture wire h1 wg0 udp port 4789
	quiet
	before=$(counter h1 h2 tx_packets)
	received=$(counter h2 h1 rx_packets)
	bytes=$(counter h2 h1 rx_bytes)
	pings c11 "$(ip4_of c21)" 23
	exactly 46 wire
	assert_eq $((before + 23)) "$(counter h1 h2 tx_packets)" "sent to h2"
	assert_eq $((received + 23)) "$(counter h2 h1 rx_packets)" "received from h1"
	assert_eq $((bytes + 23 * 98)) "$(counter h2 h1 rx_bytes)" "bytes received from h1"
}

forge() { # COUNT SRC DST VNI
	frames s9 wg0 count="$1" ip "src=$2" "dst=$3" udp vxlan "vni=$4" \
		eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
}

guarded() {
	l3_mesh
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	forge 23 "$(address4 s9)" "$(address4 h1)" "$(vni h1 h2)"
	forge 13 "$(address4 h2)" "$(address4 h1)" "$(vni h1 h3)"
	drops_are h1 "unknown_source=23 wrong_vni=13"
	exactly 0 c11
	forge 31 "$(address4 h2)" "$(address4 h1)" "$(vni h1 h2)"
	exactly 31 c11
}

ipv6() {
	FAMILIES=6
	l3_mesh
	reach_all c11 c21 c31
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	forge 23 "$(address6 s9)" "$(address6 h1)" "$(vni h1 h2)"
	drops_are h1 "unknown_source=23"
	forge 31 "$(address6 h2)" "$(address6 h1)" "$(vni h1 h2)"
	exactly 31 c11
}

down_leaves_nothing() {
	l3_mesh
	ip -n h1 link del c11
	vx h1 down vxbr0
	nothing_left h1
}

run_tests
