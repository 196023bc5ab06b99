#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Only peers may speak (I4): whatever is no VXLAN of a pair, by that pair, is dropped and counted by
# the right reason, exactly; everything else passes untouched.
#
#    n1                c11 c12           c21            c31
#    | 203.0.113.9       \ /              |              |
#   br1 (masquerades)   vxbr0           vxbr0          vxbr0
#    \__________ h1 ______/               h2             h3
#        eth1 /    \ eth0                  |              |
#          sw2      \__________ sw ________/______________/
#           |                    |
#           s8                   s9: strangers; they forge what they like
# also with: FASTPATH=on

ALL_TESTS="
	stranger_is_dropped
	peer_with_another_pairs_vni
	vni_of_others_is_not_ours
	second_nic
	another_local_address
	garbage_is_malformed
	truncated_headers_do_no_harm
	fragments_of_a_stranger
	foreign_vxlan_on_our_port
	container_behind_masquerade
	container_routed_with_the_hosts_address
	container_routed_with_its_own_address
	container_through_the_overlay_to_a_peer
	container_through_the_overlay_to_its_host
	observe_counts_and_passes
	off_passes
	xdp_on_counts_once
	ipv6_stranger
	ipv6_forgery
"
# With the fast path forced, what it might change.
[ -z "${FASTPATH:-}" ] || ALL_TESTS="stranger_is_dropped peer_with_another_pairs_vni second_nic another_local_address
	garbage_is_malformed container_behind_masquerade container_through_the_overlay_to_a_peer
	observe_counts_and_passes xdp_on_counts_once ipv6_stranger"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0

guarded_mesh() { # [YAML LINE...]
	mesh 3 "$@"
	mesh_up
	containers_each 1
	container h1 c12
	node s9
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	capture c11 c11 eth0 -Q in ether proto 0x88b5
}

# forge COUNT FROM SRC DST VNI: VXLAN from the stranger FROM, whoever SRC is; inside, a frame to c11.
forge() {
	frames "$2" eth0 count="$1" eth "dst=${TO_MAC:-$(underlay_mac h1)}" "src=$(underlay_mac "$2")" \
		ip "src=$3" "dst=$4" udp vxlan "vni=$5" \
		eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
}

# The control: the same frame from the right address arrives.
honest() { # COUNT ARRIVED_BEFORE
	forge "$1" s9 "$(address4 h2)" "$(address4 h1)" "$(vni h1 h2)"
	exactly $(($1 + ${2:-0})) c11
}

stranger_is_dropped() {
	local before
	guarded_mesh
	before=$(counter h1 h2 rx_packets)
	forge 23 s9 "$(address4 s9)" "$(address4 h1)" "$(vni h1 h2)"
	forge 13 s9 "$(address4 s9)" "$(address4 h1)" "$(vni h1 h3)"
	drops_are h1 "unknown_source=36"
	exactly 0 c11
	assert_eq "$before" "$(counter h1 h2 rx_packets)" "rx_packets of h2"
	honest 31
	assert_eq $((before + 31)) "$(counter h1 h2 rx_packets)" "rx_packets of h2"
	drops_are h1 "unknown_source=36"
	reach_all c11 c12 c21 c31
}

peer_with_another_pairs_vni() {
	guarded_mesh
	forge 23 s9 "$(address4 h2)" "$(address4 h1)" "$(vni h1 h3)"
	drops_are h1 "wrong_vni=23"
	assert_eq 23 "$(counter h1 h2 drops.wrong_vni)" "wrong_vni of h2"
	exactly 0 c11
	honest 31
}

vni_of_others_is_not_ours() {
	guarded_mesh
	# No VNI of h1's: the kernel has nowhere to put it, and it is none of our business.
	forge 23 s9 "$(address4 h2)" "$(address4 h1)" "$(vni h2 h3)"
	forge 23 s9 "$(address4 s9)" "$(address4 h1)" 77
	honest 31
	drops_are h1 ""
}

second_nic() {
	guarded_mesh
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	ip -n h1 addr add 203.0.113.1/24 dev eth1
	netns s8
	plug s8 sw2
	TO_MAC=02:a1:00:00:00:01 forge 23 s8 "$(address4 h2)" "$(address4 h1)" "$(vni h1 h2)"
	drops_are h1 "unguarded=23"
	exactly 0 c11
	TO_MAC=02:a1:00:00:00:01 forge 13 s8 "$(address4 h2)" 203.0.113.1 "$(vni h1 h2)"
	drops_are h1 "unguarded=36"
	exactly 0 c11
	honest 31
}

another_local_address() {
	guarded_mesh
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	forge 23 s9 "$(address4 h2)" 192.0.2.101 "$(vni h1 h2)"
	drops_are h1 "unguarded=23"
	exactly 0 c11
	honest 31
}

# raw_vxlan COUNT SRC VXLAN_LAYER_AND_MORE...
raw_vxlan() {
	frames s9 eth0 count="$1" eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" \
		ip "src=$2" "dst=$(address4 h1)" udp dport=4789 "${@:3}"
}

garbage_is_malformed() {
	guarded_mesh
	raw_vxlan 1 "$(address4 s9)"
	raw_vxlan 2 "$(address4 s9)" data text=7bytes.
	raw_vxlan 4 "$(address4 h2)" data text=some-longer-garbage-without-the-flag
	raw_vxlan 8 "$(address4 h2)" vxlan flags=0 "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" data text=noflag
	raw_vxlan 16 "$(address4 h2)" vxlan "vni=$(vni h1 h2)" data text=13bytesofeth.
	drops_are h1 "malformed=31"
	exactly 0 c11
	honest 31
}

truncated_headers_do_no_harm() {
	local length
	guarded_mesh
	for ((length = 14; length < 70; length++)); do
		frames s9 eth0 count=3 cut="$length" eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" \
			ip "src=$(address4 h2)" "dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" \
			eth "dst=$(mac_of c11)" data text=truncated
	done
	honest 31
	assert_eq 0 "$(drops h1 unknown_source)" unknown_source
	reach_all c11 c12 c21 c31
}

fragments_of_a_stranger() {
	local whole part
	guarded_mesh
	# One VXLAN packet in two IP fragments: UDP, VXLAN and Ethernet header in the first.
	whole=$("$PYTHON" -IS "$LIB/frame.py" hex ip "src=$(address4 s9)" "dst=$(address4 h1)" udp sum=0 \
		vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data zeros=50)
	whole=${whole:40}
	for part in "mf=1 hex=${whole:0:64}" "frag=32 hex=${whole:64}"; do
		frames s9 eth0 count=1 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" \
			ip "src=$(address4 s9)" "dst=$(address4 h1)" proto=17 "${part%% *}" data "${part##* }"
	done
	exactly 0 c11
	honest 31
	assert_eq 1 $(($(drops h1 unknown_source) + $(drops h1 unguarded))) "fragmented packets refused"
}

foreign_vxlan_on_our_port() {
	local node
	guarded_mesh
	ip -n h1 link add foreign type vxlan id 77 dstport 4789 local "$(address4 h1)" remote "$(address4 s9)"
	ip -n s9 link add foreign type vxlan id 77 dstport 4789 local "$(address4 s9)" remote "$(address4 h1)"
	ip -n h1 link add foreign2 type vxlan id 78 dstport 4789 local "$(address4 h1)" remote "$(address4 h2)"
	ip -n h2 link add foreign2 type vxlan id 78 dstport 4789 local "$(address4 h2)" remote "$(address4 h1)"
	ip -n h1 addr add 203.0.113.101/25 dev foreign
	ip -n s9 addr add 203.0.113.109/25 dev foreign
	ip -n h1 addr add 203.0.113.201/25 dev foreign2
	ip -n h2 addr add 203.0.113.202/25 dev foreign2
	for node in h1 s9; do ip -n "$node" link set foreign up; done
	for node in h1 h2; do ip -n "$node" link set foreign2 up; done
	pings h1 203.0.113.109 23
	pings s9 203.0.113.101 23
	pings h1 203.0.113.202 23
	pings h2 203.0.113.201 23
	drops_are h1 ""
	drops_are h2 ""
	honest 31
}

# Another bridge on h1, with a container n1 that the host routes for, and h2 knows the way.
another_bridge() {
	routed_container
	ip -n h2 route add 203.0.113.0/24 via "$(address4 h1)"
	pings n1 "$(address4 h2)" 2
	capture wire sw h1-eth0 udp and src "$(address4 h1)" or src 203.0.113.9
	capture c21 c21 eth0 -Q in ether proto 0x88b5
}

# workload COUNT SRC VNI [FIELD...]: VXLAN to h2 made by n1.
workload() {
	frames n1 eth0 count="$1" eth dst=02:b1:00:00:00:01 ip "src=$2" "dst=$(address4 h2)" \
		udp "${@:4}" vxlan "vni=$3" eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged
}

forged_by_workload() { # SRC
	workload 23 "$1" "$(vni h1 h2)"
	drops_are h1 "nested=23"
	exactly 0 c21
	exactly 0 wire udp dst port 4789
	# Another port and another VNI are the workload's own business.
	workload 31 "$1" "$(vni h1 h2)" dport=4790
	exactly 31 wire udp dst port 4790
	workload 13 "$1" 77
	exactly 13 wire udp dst port 4789
	drops_are h1 "nested=23"
	drops_are h2 ""
	exactly 0 c21
	# The host's own way to the same peer stands open.
	pings c11 "$(ip4_of c21)" 23
}

container_behind_masquerade() {
	guarded_mesh
	another_bridge
	on h1 nft -f - <<-'N'
		table ip workloads {
			chain post { type nat hook postrouting priority srcnat; oifname "eth0" ip saddr 203.0.113.0/24 masquerade; }
		}
	N
	forged_by_workload 203.0.113.9
}

container_routed_with_the_hosts_address() {
	guarded_mesh
	another_bridge
	forged_by_workload "$(address4 h1)"
}

# refused_once N: of these, none went by as ours; each was counted once, here or at the peer.
refused_once() {
	reads_so() { [ $(($(drops h1 nested) + $(drops h2 unknown_source))) -eq "$1" ]; }
	eventually 3 reads_so "$1" || fail "nested on h1: $(drops h1 nested)," \
		"unknown_source on h2: $(drops h2 unknown_source), wanted $1 together"
	exactly 0 c21
}

container_routed_with_its_own_address() {
	guarded_mesh
	another_bridge
	workload 23 203.0.113.9 "$(vni h1 h2)"
	refused_once 23
	workload 31 203.0.113.9 "$(vni h1 h2)" dport=4790
	exactly 31 wire udp dst port 4790
	refused_once 23
}

# The host has an address on the overlay and routes for it.
routing_bridge() {
	export PEER_MORE_h1=', bridge_address: [198.51.100.101/24]'
	guarded_mesh
	on h1 bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		for f in all vxbr0; do cd /proc/sys/net/ipv4/conf/$f; echo 0 >rp_filter; echo 1 >accept_local; done'
	ip -n h2 route add 198.51.100.0/24 via "$(address4 h1)"
	ip -n c12 route add default via 198.51.100.101
	ROUTER=$(ip -n h1 -j link show vxbr0 | jq -r '.[0].address')
	pings c12 "$(address4 h2)" 2
}

# through_the_overlay COUNT SRC DST MAC: c12 hands its host VXLAN to route; inside, a frame to MAC.
through_the_overlay() {
	frames c12 eth0 count="$1" eth "dst=$ROUTER" "src=$(mac_of c12)" ip "src=$2" "dst=$3" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$4" src=02:ee:00:00:00:02 data text=forged
}

container_through_the_overlay_to_a_peer() {
	routing_bridge
	capture wire sw h1-eth0 udp and src "$(address4 h1)" and 'ether[62:2] = 0x88b5'
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	through_the_overlay 23 "$(address4 h1)" "$(address4 h2)" "$(mac_of c21)"
	drops_are h1 "nested=23"
	exactly 0 wire
	exactly 0 c21
	through_the_overlay 13 "$(ip4_of c12)" "$(address4 h2)" "$(mac_of c21)"
	refused_once 36
}

container_through_the_overlay_to_its_host() {
	routing_bridge
	through_the_overlay 23 "$(address4 h2)" "$(address4 h1)" "$(mac_of c11)"
	drops_are h1 "unguarded=23"
	exactly 0 c11
	honest 31
}

observe_counts_and_passes() {
	guarded_mesh "guard: observe"
	forge 23 s9 "$(address4 s9)" "$(address4 h1)" "$(vni h1 h2)"
	exactly 23 c11
	forge 13 s9 "$(address4 h2)" "$(address4 h1)" "$(vni h1 h3)"
	exactly 36 c11
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	forge 7 s9 "$(address4 h2)" 192.0.2.101 "$(vni h1 h2)"
	exactly 43 c11
	drops_are h1 "unknown_source=23 wrong_vni=13 unguarded=7"
	honest 31 43
}

off_passes() {
	guarded_mesh "guard: off"
	forge 23 s9 "$(address4 s9)" "$(address4 h1)" "$(vni h1 h2)"
	exactly 23 c11
	drops_are h1 ""
	honest 31 23
}

xdp_on_counts_once() {
	guarded_mesh "xdp: on"
	assert_match 'prog/xdp' "$(ip -n h1 -d link show eth0)" "eth0 of h1"
	forge 23 s9 "$(address4 s9)" "$(address4 h1)" "$(vni h1 h2)"
	forge 13 s9 "$(address4 h2)" "$(address4 h1)" "$(vni h1 h3)"
	raw_vxlan 7 "$(address4 s9)" data text=7bytes.
	drops_are h1 "unknown_source=23 wrong_vni=13 malformed=7"
	exactly 0 c11
	honest 31
	drops_are h1 "unknown_source=23 wrong_vni=13 malformed=7"
	reach_all c11 c12 c21 c31
	mesh_down
	assert_eq "" "$(ip -n h1 -d link show eth0 | grep prog/xdp || true)" "XDP after down"
}

ipv6_mesh() {
	FAMILIES=6
	guarded_mesh
}

ipv6_stranger() {
	ipv6_mesh
	forge 23 s9 "$(address6 s9)" "$(address6 h1)" "$(vni h1 h2)"
	forge 13 s9 "$(address6 h2)" "$(address6 h1)" "$(vni h1 h3)"
	ip -n h1 addr add 2001:db8::101/64 dev eth0 nodad
	forge 7 s9 "$(address6 h2)" 2001:db8::101 "$(vni h1 h2)"
	drops_are h1 "unknown_source=23 wrong_vni=13 unguarded=7"
	exactly 0 c11
	forge 31 s9 "$(address6 h2)" "$(address6 h1)" "$(vni h1 h2)"
	exactly 31 c11
}

ipv6_forgery() {
	ipv6_mesh
	ip -n h1 link add br1 address 02:b1:00:00:00:01 type bridge
	netns n1
	ip link add n1 netns h1 type veth peer name eth0 netns n1
	ip -n h1 link set n1 master br1 up
	on h1 bash -c 'echo 0 >/proc/sys/net/ipv6/conf/br1/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	ip -n h1 link set br1 up
	ip -n h1 addr add 2001:db8:2::1/64 dev br1 nodad
	ip -n n1 link set eth0 up
	capture wire sw h1-eth0 udp and src 2001:db8:2::9
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	frames n1 eth0 count=31 eth dst=02:b1:00:00:00:01 ip src=2001:db8:2::9 "dst=$(address6 h2)" \
		udp dport=4790 data text=control
	exactly 31 wire udp port 4790
	frames n1 eth0 count=23 eth dst=02:b1:00:00:00:01 ip "src=$(address6 h1)" "dst=$(address6 h2)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c21)" data text=forged
	drops_are h1 "nested=23"
	frames n1 eth0 count=13 eth dst=02:b1:00:00:00:01 ip src=2001:db8:2::9 "dst=$(address6 h2)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c21)" data text=forged
	refused_once 36
}

run_tests
