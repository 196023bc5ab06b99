#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vni: index`: hosts of ours in one mesh with hosts set up as vxlansetup.sh does it: VNI = place of
# the peer in the list without oneself, from 0, learning on; the two ends of a pair may disagree on it.
#
#     c11           c21          c31
#      |             |            |
#    vxbr0         vxbr0        vxbr0
#     h1 vxbpf      h2 script    h3 script: h1 sends to h3 with VNI 1, h3 to h1 with VNI 0

ALL_TESTS="
	one_host_of_ours
	two_hosts_of_ours
	all_hosts_of_ours
	ours_is_started_last
	stranger_is_dropped
	counters_go_by_address
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0

# What the script does, by ip: ebtables rules, bridge, then a device for each remote.
script_up() {
	local me=$1 remotes=() name i k
	for name in "${HOSTS[@]}"; do [ "$name" = "$me" ] || remotes+=("$name"); done
	for i in "${!remotes[@]}"; do
		for k in "${!remotes[@]}"; do
			[ "$i" = "$k" ] || on "$me" ebtables -A FORWARD -i "vxlan$i" -o "vxlan$k" -j DROP
		done
	done
	ip -n "$me" link add vxbr0 up type bridge
	for i in "${!remotes[@]}"; do
		ip -n "$me" link add "vxlan$i" type vxlan id "$i" dev eth0 dstport 4789 \
			remote "$(address4 "${remotes[i]}")" local "$(address4 "$me")"
		ip -n "$me" link set "vxlan$i" up master vxbr0
	done
}

# mixed OURS...: three hosts, these by vxbpf, the others by the script.
mixed() {
	local name
	mesh 3 "vni: index"
	for name in "${HOSTS[@]}"; do
		case " $* " in
		*" $name "*) vx "$name" up vxbr0 ;;
		*) script_up "$name" ;;
		esac
	done
	containers_each 1
}

all_ways() {
	local from to
	# One by one and cold, so that each pair is tried from either side first.
	for from in c11 c21 c31; do
		for to in c11 c21 c31; do
			[ "$from" != "$to" ] || continue
			forget_neighbours c11 c21 c31
			pings "$from" "$(ip4_of "$to")" 3
		done
	done
	reach_all c11 c21 c31
}

one_host_of_ours() {
	mixed h1
	assert_eq 0 "$(vni h1 h2)" "VNI of h2"
	assert_eq 1 "$(vni h1 h3)" "VNI of h3"
	all_ways
	drops_are h1 ""
}

two_hosts_of_ours() {
	mixed h1 h3
	assert_eq 1 "$(vni h3 h2)" "VNI of h2 at h3"
	all_ways
}

all_hosts_of_ours() {
	mixed h1 h2 h3
	all_ways
}

ours_is_started_last() {
	mesh 3 "vni: index"
	script_up h1
	script_up h2
	vx h3 up vxbr0
	containers_each 1
	all_ways
}

stranger_is_dropped() {
	mixed h1
	node s9
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	frames s9 eth0 count=23 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 s9)" \
		"dst=$(address4 h1)" udp vxlan vni=1 eth "dst=$(mac_of c11)" data text=forged
	drops_are h1 "unknown_source=23"
	exactly 0 c11
	# A peer may use any VNI of ours.
	frames s9 eth0 count=31 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 h2)" \
		"dst=$(address4 h1)" udp vxlan vni=1 eth "dst=$(mac_of c11)" data text=listed
	exactly 31 c11
	drops_are h1 "unknown_source=23"
}

counters_go_by_address() {
	local before
	mixed h1
	acquainted c11 c31
	pings c11 "$(ip4_of c31)" 3
	capture wire sw br0 udp port 4789
	quiet
	before=$(counter h1 h3 rx_packets)
	pings c11 "$(ip4_of c31)" 23
	exactly 46 wire
	assert_eq $((before + 23)) "$(counter h1 h3 rx_packets)" "received from h3, whatever VNI it used"
}

run_tests
