#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: hosts have two uplinks and asymmetric routes: what a peer sends arrives by the one that the own route to it
#     does not use. rp_filter is 0 or 2 (loose), or 1 (strict).
# Kernel: takes packets by any device, except with rp_filter 1, which drops them without a word.
# vxbpf: guards every device by which a route of any metric, table or rule leads to a peer. With rp_filter 1 `check`
#     names device, peer and remedy. With the guard off or on observe, frames that come by a device which is not guarded
#     are counted as received, too.

ALL_TESTS="
	by_the_other_one
	in_another_table
	devices_that_come_later
	strict_rp_filter
	without_the_guard
	others_are_left_alone
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/two_uplinks.sh
. "$LIB/two_uplinks.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

# Of the same two routes each host prefers another one.
asymmetric() {
	by h1 eth0 10
	by h1 eth1 20
	by h2 eth0 20
	by h2 eth1 10
}

arrive() { # by eth1 at h1 and by eth0 at h2
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 1
	capture there h2 eth0 -Q in udp port 4789
	capture back h1 eth1 -Q in udp port 4789
	pings c11 "$(ip4_of c21)" 4
	exactly 4 there
	exactly 4 back
}

by_the_other_one() {
	two_uplinks
	asymmetric
	mesh_up
	containers_each 1
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	arrive
	drops_are h1 ""
	drops_are h2 ""
	mesh_up
	well h1
	# Still no stranger gets in by it.
	netns s8
	plug s8 sw2
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	frames s8 eth0 count=7 eth dst=02:a1:00:00:00:01 src=02:ee:00:00:00:01 ip src=198.51.102.8 "dst=$(address4 h1)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
	drops_are h1 "unknown_source=7"
	exactly 0 c11
}

in_another_table() {
	two_uplinks
	by h1 eth0 10
	by h2 eth1 10
	ip -n h1 route add "$(address4 h2)" via "$(gateway h2 eth1)" dev eth1 table 77
	ip -n h1 rule add from "$(address4 h1)" oif eth1 lookup 77
	mesh_up
	containers_each 1
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	drops_are h1 ""
}

devices_that_come_later() {
	two_uplinks
	ip -n h1 link set eth1 down
	by h1 eth0 10
	mesh_up
	watch h1 vxbr0
	assert_eq "eth0 " "$(guarded h1)" "guarded devices of h1"
	ip -n h1 link set eth1 up
	by h1 eth1 20
	settled h1
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	unwatch TERM 0
}

strict_rp_filter() {
	two_uplinks
	asymmetric
	mesh_up
	containers_each 1
	mesh_up
	# A next hop that is not known yet stays so: ARP from an address that has another way back is dropped, too, uncounted.
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	on h1 sysctl -qw net.ipv4.conf.eth1.rp_filter=1
	appears h1 rp_filter "eth1 has rp_filter 1, so the kernel drops what h2 sends by it, as the route to 192.0.2.2 uses eth0"
	on h1 sysctl -qw net.ipv4.conf.eth1.rp_filter=2
	pings c11 "$(ip4_of c21)" 2
	on h1 sysctl -qw net.ipv4.conf.all.rp_filter=1
	goes h1
}

# No route to the peer leads by eth1, so it is not guarded.
without_the_guard() {
	local guard received
	two_uplinks "guard: off"
	by h1 eth0 10
	by h2 eth1 10
	mesh_up
	containers_each 1
	acquainted c11 c21
	for guard in off observe; do
		config vxbr0 "guard: $guard"
		vx h1 reload vxbr0
		assert_eq "eth0 " "$(guarded h1)" "guarded devices of h1"
		pings c11 "$(ip4_of c21)" 1
		quiet
		received=$(counter h1 h2 rx_packets)
		pings c11 "$(ip4_of c21)" 23
		assert_eq $((received + 23)) "$(counter h1 h2 rx_packets)" "received with the guard on $guard"
		assert_eq up "$(status_json h1 | jq -r '.[0].peers[0].state')" "state of h2 with the guard on $guard"
	done
	frames_of_strangers
}

# By eth0, which is guarded: seen there, and nobody's.
frames_of_strangers() {
	local received
	config vxbr0 "guard: off"
	vx h1 reload vxbr0
	node s9
	received=$(counter h1 h2 rx_packets)
	frames s9 eth0 count=7 eth "dst=$(underlay_mac h1)" src=02:ee:00:00:00:01 ip "src=$(address4 s9)" "dst=$(address4 h1)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
	assert_eq "$received" "$(counter h1 h2 rx_packets)" "received from h2"
}

# A bridge of others, its ports and a veth, without addresses: no way to a peer.
others_are_left_alone() {
	mesh 2
	ip -n h1 -batch - <<-END
		link add br7 up type bridge
		link add p7 up type veth peer name q7
		link set q7 up master br7
		link add p8 up type veth peer name q8
		link set q8 up
		route add default via 192.0.2.2 metric 5
		route add default dev p7 metric 9
		addr add 203.0.113.7/24 dev q8
	END
	mesh_up
	assert_eq "eth0 in wire_in eth0 out wire_out" "$(hooks h1 | grep wire | sort | tr '\n' ' ' | sed 's/ $//')" "wire rooms"
}

run_tests
