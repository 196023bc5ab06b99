#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf check` on what was dropped and on MACs in two places: who did it, and nothing once it is over.
#
#     c11          c21          c31
#      |            |            |
#    vxbr0        vxbr0        vxbr0      (a second cable: only in second_layer2_path)
#     h1 ____ sw ___ h2 ________ h3
#      |       |
#     sw2      s9: strangers; they forge what they like
#      |
#     s8

ALL_TESTS="
	strangers
	peer_with_another_pairs_vni
	forgery_by_a_workload
	second_layer2_path
	copy_of_a_container_at_home
	copies_at_two_peers
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

# over HOST: a few minutes from now it is not worth a word.
over() {
	expect 0 later "$1" "$VXBPF" check vxbr0
	assert_eq "vxbr0: nothing is wrong" "$OUT" "later"
}

# forge COUNT FROM SRC VNI: VXLAN to h1 from the stranger FROM, whoever SRC is.
forge() {
	frames "$2" eth0 count="$1" eth "dst=${TO_MAC:-$(underlay_mac h1)}" "src=$(underlay_mac "$2")" \
		ip "src=$3" "dst=$(address4 h1)" udp vxlan "vni=$4" \
		eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
}

guarded() {
	calm_mesh 3
	containers_each 1
	mesh_up
	node s9
	well h1
}

strangers() {
	guarded
	forge 23 s9 "$(address4 s9)" "$(vni h1 h2)"
	wrong h1 unknown_source '192\.0\.2\.9 sends VXLAN with our VNI [0-9]+ but is not a peer \(23 dropped, the last [0-9.]+ s ago\); add it to `peers:`, or find out what it is'
	about h1 unknown_source 192.0.2.9
	over h1
	frames s9 eth0 count=7 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 s9)" \
		"dst=$(address4 h1)" udp dport=4789 data text=garbage-without-any-flag-of-vxlan
	appears h1 malformed '192\.0\.2\.9 sends packets to UDP port 4789 that are not valid VXLAN \(7 dropped'
	assert_eq 2 "$(wc -l <<<"$OUT")" "verdicts"
	over h1
}

peer_with_another_pairs_vni() {
	guarded
	forge 23 s9 "$(address4 h2)" "$(vni h1 h3)"
	wrong h1 wrong_vni 'h2 \(192\.0\.2\.2\) sends VNI [0-9]+, which belongs to another pair \(23 dropped'
	about h1 wrong_vni h2
	over h1
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	netns s8
	plug s8 sw2
	TO_MAC=02:a1:00:00:00:01 forge 5 s8 "$(address4 h2)" "$(vni h1 h2)"
	appears h1 unguarded 'VXLAN for vx-h2 arrived on a device or address the guard does not cover \(5 dropped'
	about h1 unguarded vx-h2
	over h1
}

# n1 on another bridge of h1, which routes for it.
forgery_by_a_workload() {
	guarded
	routed_container
	well h1
	frames n1 eth0 count=23 eth dst=02:b1:00:00:00:01 ip "src=$(address4 h1)" "dst=$(address4 h2)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged
	wrong h1 nested 'a workload behind br1 sends VXLAN to h2 as if it were this host \(23 dropped'
	about h1 nested br1
	over h1
}

# gun C [MAC]: broadcasts from there, ten a second, with its MAC or another one.
gun() {
	background "$1" "$PYTHON" -IS "$LIB/frame.py" send eth0 count=1000000 gap=0.1 \
		eth "src=${2:-$(mac_of "$1")}" data text=gun
}

second_layer2_path() {
	guarded
	ip link add back netns h1 type veth peer name back netns h2
	ip -n h1 link set back addrgenmode none up master vxbr0
	ip -n h2 link set back addrgenmode none up master vxbr0
	mesh_up h1 h2
	gun c11
	appears h1 loop "a frame with MAC $(mac_of c11) of local port (c11|back) returned from h2 "
	about h1 loop h2
	stop "$PID"
	ip -n h1 link del back
	over h1
}

copy_of_a_container_at_home() {
	guarded
	ip -n c21 link set eth0 address "$(mac_of c11)"
	gun c11
	gun c21 "$(mac_of c11)"
	appears h1 mac_moves "$(mac_of c11) is in two places, (port c11 and peer h2|peer h2 and port c11)"
	appears h1 loop "a frame with MAC $(mac_of c11) of local port c11 returned from h2 "
	assert_eq 2 "$(wc -l <<<"$OUT")" "verdicts"
	about h1 mac_moves "$(mac_of c11)"
	over h1
}

copies_at_two_peers() {
	local pids=()
	guarded
	ip -n c31 link set eth0 address "$(mac_of c21)"
	gun c21
	pids+=("$PID")
	gun c31 "$(mac_of c21)"
	pids+=("$PID")
	appears h1 mac_moves "$(mac_of c21) is in two places, peer h[23] and peer h[23], and moved [0-9]+ times within [0-9.]+ s"
	assert_eq 1 "$(wc -l <<<"$OUT")" "verdicts"
	about h1 mac_moves "$(mac_of c21)"
	stop "${pids[0]}"
	goes h1
}

run_tests
