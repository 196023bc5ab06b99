#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Kernels before 6.6 have no tcx: the same mesh with clsact filters (VXBPF_NO_TCX=1).
#
#    c11          c21          c31
#     |            |            |
#   vxbr0        vxbr0        vxbr0
#    h1 ____ sw ___ h2 ________ h3      s9: a stranger on sw

ALL_TESTS="
	reach
	guard
	loop_without_isolation
	up_twice_changes_nothing
	clsact_of_others_stays
	down_leaves_no_qdisc
	killed_up
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0
export VXBPF_NO_TCX=1

filter_mesh() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	assert_eq "" "$(hooks h1)" "tcx programs"
	assert_match 'wire_in' "$(on h1 tc filter show dev eth0 ingress)" "filters of eth0"
	acquainted c11 c21
	acquainted c11 c31
	pings c11 "$(ip4_of c21)" 2
	pings c11 "$(ip4_of c31)" 2
}

reach() {
	filter_mesh
	forget_neighbours c11 c21 c31
	reach_all c11 c21 c31
	pings c11 "$(ip4_of c21)" 23 -s 8000
	tcp c11 c31 5M
}

forge() { # COUNT SRC VNI MAC
	frames s9 eth0 count="$1" eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" \
		ip "src=$2" "dst=$(address4 h1)" udp vxlan "vni=$3" \
		eth "dst=$4" src=02:ee:00:00:00:02 data text=forged
}

guard() {
	filter_mesh
	node s9
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	forge 23 "$(address4 s9)" "$(vni h1 h2)" "$(mac_of c11)"
	forge 13 "$(address4 h2)" "$(vni h1 h3)" "$(mac_of c11)"
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	frames s9 eth0 count=7 eth "dst=$(underlay_mac h1)" ip "src=$(address4 h2)" dst=192.0.2.101 \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" data text=forged
	drops_are h1 "unknown_source=23 wrong_vni=13 unguarded=7"
	exactly 0 c11
	forge 31 "$(address4 h2)" "$(vni h1 h2)" "$(mac_of c11)"
	exactly 31 c11
}

loop_without_isolation() {
	filter_mesh
	node s9
	on h1 bridge link set dev vx-h2 isolated off
	on h1 bridge link set dev vx-h3 isolated off
	capture c31 c31 eth0 -Q in ether proto 0x88b5
	forge 23 "$(address4 h2)" "$(vni h1 h2)" "$(mac_of c31)"
	drops_are h1 "loop=23"
	exactly 0 c31
}

up_twice_changes_nothing() {
	filter_mesh
	calls h1 up vxbr0
	assert_eq 0 "$(changing)" "calls that change something"
	on h1 tc filter del dev eth0 ingress
	expect 3 vx h1 up vxbr0 --dry-run
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
	reach_all c11 c21 c31
}

clsact_of_others_stays() {
	mesh 2
	on h1 tc qdisc add dev eth0 clsact
	on h1 tc filter add dev eth0 ingress pref 7 protocol ip u32 match u32 0 0
	snapshot h1 >"$WORK/before"
	mesh_up
	containers_each 1
	reach_all c11 c21
	assert_match 'pref 7 u32' "$(on h1 tc filter show dev eth0 ingress)" "the other filter"
	ip -n h1 link del c11
	mesh_down
	unchanged h1 "$WORK/before"
}

down_leaves_no_qdisc() {
	mesh 2
	snapshot h1 >"$WORK/before"
	mesh_up
	assert_match clsact "$(on h1 tc qdisc show dev eth0)" "qdiscs of eth0"
	mesh_down
	nothing_left h1
	unchanged h1 "$WORK/before"
}

killed_up() {
	local n
	mesh 2
	calls h1 up vxbr0
	vx h1 down vxbr0
	for n in $(points 6); do
		killed_at "$n" h1 up vxbr0
		vx h1 down vxbr0
		nothing_left h1
	done
	mesh_up
	containers_each 1
	reach_all c11 c21
}

run_tests
