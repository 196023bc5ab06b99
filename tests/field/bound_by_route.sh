#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: `underlay: eth1` while the main table's route to the peers is by eth0, of lower metric; or the way by eth1
#     is only known to a rule for that device (`oif eth1`), or to the VRF it is in; or several devices are allowed.
# Kernel: a VXLAN device that is bound to eth1 (`dev eth1`) looks its routes up with that device and works.
# vxbpf: looks routes up as the bound tunnels do. A list of devices allows each of them: all are guarded, and the
#     kernel's routes choose.

ALL_TESTS="
	lower_metric_elsewhere
	rule_for_the_device
	in_a_vrf
	list_of_devices
	others_are_refused
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/two_uplinks.sh
. "$LIB/two_uplinks.sh"

IPV6=0

flows_by() { # DEV: what h1 sends leaves by it, both ways arrive, and its guard is there alone
	assert_eq "$1 " "$(guarded h1)" "guarded devices of h1"
	capture wire h1 "$1" -Q out udp port 4789
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 7
	exactly 7 wire
	drops_are h1 ""
	drops_are h2 ""
}


lower_metric_elsewhere() {
	two_uplinks "underlay: eth1"
	for_both by eth0 10
	for_both by eth1 20
	mesh_up
	containers_each 1
	flows_by eth1
	vx h1 ping h2 -c 1
}

rule_for_the_device() {
	local host
	two_uplinks "underlay: eth1"
	for_both by eth0 10
	for host in h1 h2; do
		ip -n "$host" route add "$(address4 "$(other "$host")")" via "$(gateway "$(other "$host")" eth1)" dev eth1 table 77
		ip -n "$host" rule add oif eth1 lookup 77
	done
	mesh_up
	containers_each 1
	flows_by eth1
}

in_a_vrf() {
	local host
	netns probe
	ip -n probe link add red type vrf table 99 2>/dev/null || skip "this kernel has no VRF"
	two_uplinks "underlay: eth1"
	for_both by eth0 10
	for host in h1 h2; do
		ip -n "$host" addr del "$(address4 "$host")/24" dev eth0
		ip -n "$host" link add red up type vrf table 99
		ip -n "$host" link set eth1 master red
		ip -n "$host" addr add "$(address4 "$host")/32" dev eth1
		ip -n "$host" route add "$(address4 "$(other "$host")")" via "$(gateway "$(other "$host")" eth1)" dev eth1 table 99
	done
	mesh_up
	containers_each 1
	flows_by eth1
}

list_of_devices() {
	two_uplinks "underlay: [eth0, eth1]"
	for_both by eth0 10
	for_both by eth1 20
	mesh_up
	containers_each 1
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	for_both fails eth0
	pings c11 "$(ip4_of c21)" 2
	drops_are h1 ""
	vx h1 up vxbr0
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
}

others_are_refused() {
	two_uplinks "underlay: [eth1, lo]"
	for_both by eth0 10
	refused 2 'the route to 192.0.2.2 uses eth0, but .underlay:. allows only eth1, lo' vx h1 up vxbr0
	config vxbr0 "underlay: [eth1, nodev]"
	refused 2 'underlay nodev: device does not exist' vx h1 up vxbr0
	config vxbr0 "underlay: [eth1, eth1]"
	refused 2 'underlay.*eth1 appears twice' vx h1 up vxbr0
	config vxbr0 "underlay: []"
	refused 2 'underlay: must be a device name, or a list of 1 to 16 of them, not an empty list' vx h1 up vxbr0
	config vxbr0 "underlay: [eth1, {}]"
	refused 2 'underlay' vx h1 up vxbr0
	config vxbr0 'underlay: [eth1, "a/b"]'
	refused 2 'must be a device name' vx h1 up vxbr0
	config vxbr0 "underlay: eth1"
	refused 2 'allows only eth1' vx h1 up vxbr0
	nothing_left h1
}

run_tests
