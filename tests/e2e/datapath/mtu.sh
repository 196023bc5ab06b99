#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The MTU: where it comes from, and that nothing larger enters a tunnel (I3).
#
#     c11          c21          c31
#      |            |            |
#    vxbr0        vxbr0        vxbr0
#     h1 ____ sw ___ h2 _________ h3     h1 and h3 may have a second cable: eth1 -- sw2

# time limit: 600
ALL_TESTS="
	narrow_underlay
	ipv6_underlay
	mixed_underlay
	large_underlay
	jumbo_by_the_file
	what_cannot_fit_is_refused
	two_path_mtus
	several_next_hops
	route_with_mtu
	router_announces_mtu
	route_changes_under_watch
	edges
	edges_without_hooks
	neighbours_on_the_bridge_send_what_they_like
	bulk_tcp_is_not_oversize
	merged_by_a_router_is_not_oversize
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"
# shellcheck source=tests/lib/mtu.sh
. "$LIB/mtu.sh"

IPV6=0

# As `status` says it, and as it is.
mtu_is() { # HOST MTU [WHY]
	assert_eq "$2" "$(status_json "$1" | jq '.[0].mtu')" "MTU in the JSON of $1"
	assert_eq "$2" "$(on "$1" ip -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge of $1"
	[ $# -lt 3 ] || says "$1" " mtu +$2 \($3\) guard"
}

OURS="udp port 4789 or (ip and ip[6:2] & 0x3fff != 0) or (ip6 and ip6[6] = 44)"

# edge MTU 4|6 [LAYER...]: up to the MTU they arrive; one more byte, and they are counted and on no wire.
edge() {
	local lost sent
	lost=$(drops h1 oversize)
	capture c21 c21 eth0 -Q in udp port 9 or vlan
	capture wire h1 eth0 -Q out "$OURS"
	sized 23 $(($1 - 1)) "${@:2}"
	sized 23 "$1" "${@:2}"
	exactly 46 c21
	# What is tagged may be in two pieces on the wire.
	sent=$(captured wire)
	[ $# -gt 2 ] || assert_eq 46 "$sent" "packets on the wire"
	sized 23 $(($1 + 1)) "${@:2}"
	drops_are h1 "oversize=$((lost + 23))"
	exactly 46 c21
	exactly "$sent" wire
}

edges_at() { # MTU
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	edge "$1" 4
	edge "$1" 6
}

all_edges_at() { # MTU
	edges_at "$1"
	edge "$1" 4 vlan id=5
	edge "$1" 6 vlan id=5
}

narrow_underlay() {
	pair_on 1400
	mtu_is h1 1350 'auto: 1400 \(MTU of eth0 to h2\) less 50 for VXLAN over IPv4'
	mtu_is h2 1350
	both_ends h1 c11 1500
	both_ends h2 c21 1500
	edges_at 1350
}

ipv6_underlay() {
	FAMILIES=6
	pair_on 1500
	mtu_is h1 1430 'auto: 1500 less 70 for VXLAN over IPv6'
	both_ends h1 c11 1500
	both_ends h2 c21 1500
	edges_at 1430
}

# h1 and h2 talk over IPv4; but h3 cannot, and all three have one MTU.
mixed_underlay() {
	local name
	FAMILIES="46 46 6"
	mesh 3
	mesh_up
	for name in h1 h2 h3; do mtu_is "$name" 1430 'auto: 1500 less 70 for VXLAN over IPv6'; done
}

large_underlay() {
	pair_on 9000
	mtu_is h1 1450 'auto: 1500 \(paths carry 9000; set `mtu:` to use more\) less 50 for VXLAN over IPv4'
	both_ends h1 c11 9000
	both_ends h2 c21 9000
	edges_at 1450
}

jumbo_by_the_file() {
	pair_on 9000
	config vxbr0 "mtu: 8950"
	for name in h1 h2; do vx "$name" reload vxbr0; done
	mtu_is h1 8950 'set by .mtu:. in the file'
	both_ends h1 c11 9000
	both_ends h2 c21 9000
	edges_at 8950
	both_ends h1 c11 8950
	both_ends h2 c21 8950
	tcp c11 c21 20M
	pings c11 "$(ip4_of c21)" 23 -M "do" -s 8922
}

what_cannot_fit_is_refused() {
	mesh 2 "port: 4790" "mtu: 1451"
	refused 2 '/etc/vxbpf/vxbr0.yaml:2: mtu: 1451 \+ 50 for VXLAN = 1501 does not fit the path to h2, which carries 1500 \(MTU of eth0\); the maximum is 1450' \
		vx h1 up vxbr0
	nothing_left h1
	config vxbr0 "mtu: 1450"
	mesh_up h1
	# What was met once is no longer: said, and the overlay runs on.
	ip -n h1 route add 192.0.2.2/32 dev eth0 mtu lock 1300
	refused 2 'mtu: 1450 \+ 50 for VXLAN = 1500 .*carries 1300 \(mtu of the route\); the maximum is 1250' vx h1 reload vxbr0
	says h1 '! still runs with its previous config, because the config cannot be applied now: .*vxbr0.yaml:1: mtu: '
}

second_cables() { # MTU
	local name
	switch sw2
	for name in "${HOSTS[@]}"; do
		plug "$name" sw2 eth1 "02:a1:00:00:00:0$(number "$name")"
		ip -n "$name" addr add "203.0.113.$(number "$name")/24" dev eth1
	done
	cable "$1" eth1 sw2
}

two_path_mtus() {
	mesh 3
	second_cables 1420
	ip -n h1 route add 192.0.2.3/32 dev eth1 src 192.0.2.1
	ip -n h3 route add 192.0.2.1/32 dev eth1 src 192.0.2.3
	mesh_up
	mtu_is h1 1370 'auto: 1420 \(MTU of eth1 to h3\) less 50 for VXLAN over IPv4'
	mtu_is h3 1370
	mtu_is h2 1450
	containers_each 1
	pings c11 "$(ip4_of c31)" 5 -s 1342
}

several_next_hops() {
	mesh 2
	second_cables 1440
	ip -n h1 route replace 192.0.2.2 src 192.0.2.1 nexthop via 192.0.2.2 dev eth0 nexthop via 203.0.113.2 dev eth1
	mesh_up
	mtu_is h1 1390 'auto: 1440 \(MTU of eth1 to h2\) less 50 for VXLAN over IPv4'
	ip -n h1 route replace 192.0.2.2 src 192.0.2.1 mtu 1410 nexthop via 192.0.2.2 dev eth0 \
		nexthop via 203.0.113.2 dev eth1
	vx h1 up vxbr0
	mtu_is h1 1360 'auto: 1410 \(mtu of the route to h2\) less 50 for VXLAN over IPv4'
}

route_with_mtu() {
	local words
	for words in "mtu 1300" "mtu lock 1300"; do
		mesh 2
		# shellcheck disable=SC2086
		for name in h1 h2; do ip -n $name route add 192.0.2.0/24 dev eth0 metric 1 $words; done
		for name in h1 h2; do ip -n "$name" route del 192.0.2.0/24 dev eth0 metric 0; done
		mesh_up
		mtu_is h1 1250 'auto: 1300 \(mtu of the route to h2\) less 50 for VXLAN over IPv4; too small for inner IPv6'
		mtu_is h2 1250
		containers_each 1
		both_ends h1 c11 1500
		both_ends h2 c21 1500
		edges_at 1250
		run_on_exit
		HOSTS=()
	done
}

# IPv6 has an MTU of its own on each device, which routers may lower.
router_announces_mtu() {
	FAMILIES=6
	mesh 2
	node s9
	on h1 sysctl -qw net.ipv6.conf.eth0.accept_ra=1
	watch h1 vxbr0
	settled h1
	mtu_is h1 1430
	frames s9 eth0 eth dst=33:33:00:00:00:01 "src=$(underlay_mac s9)" ip src=fe80::9 dst=ff02::1 ttl=255 \
		icmp type=134 code=0 id=0x4000 seq=0 data hex=000000000000000005010000000005aa
	wait_for 5 bridge_has h1 1380
	settled h1
	mtu_is h1 1380 'auto: 1450 \(MTU of eth0 to h2\) less 70 for VXLAN over IPv6'
}

bridge_has() { # HOST MTU
	[ "$(on "$1" ip -j link show vxbr0 | jq '.[0].mtu')" -eq "$2" ]
}

# The bridge and the programs follow at once, and nothing of what fits is lost.
route_changes_under_watch() {
	local size lost=0
	mesh 2
	ip -n h1 route add 192.0.2.2/32 dev eth0 mtu 1400
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	watch h1 vxbr0
	settled h1
	mtu_is h1 1350
	PING=(-i 0.002)
	load
	for size in 1300 1420 1350; do
		ip -n h1 route change 192.0.2.2/32 dev eth0 mtu "$size"
		wait_for 3 bridge_has h1 $((size - 50))
		settled h1
		mtu_is h1 $((size - 50)) "auto: $size .mtu of the route to h2. .*"
		sized 23 $((size - 50)) 4
		drops_are h1 "$([ "$lost" -eq 0 ] || echo "oversize=$lost")"
		sized 23 $((size - 49)) 4
		lost=$((lost + 23))
		drops_are h1 "oversize=$lost"
	done
	ip -n h1 route del 192.0.2.2/32 dev eth0
	wait_for 3 bridge_has h1 1450
	ip -n h1 link set eth0 mtu 1440
	wait_for 3 bridge_has h1 1390
	settled h1
	unloaded 0
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

edges() {
	pair_on 1500
	both_ends h1 c11 9000
	both_ends h2 c21 9000
	all_edges_at 1450
	assert_eq 92 "$(counter h1 h2 drops.oversize)" "oversize towards h2"
}

# A port that joined later: the tunnel's own program watches over it.
edges_without_hooks() {
	mesh 2
	mesh_up
	containers_each 1
	both_ends h1 c11 9000
	both_ends h2 c21 9000
	all_edges_at 1450
	says h1 'c11 sent 92 frames of up to 1451 bytes'
}

neighbours_on_the_bridge_send_what_they_like() {
	pair_on 1500
	container h1 c12
	both_ends h1 c11 9000
	both_ends h1 c12 9000
	mesh_up h1
	acquainted c11 c12
	pings c11 "$(ip4_of c12)" 2 # what goes to a MAC nobody knows yet is flooded
	pings c11 "$(ip4_of c12)" 23 -M "do" -s 8972
	tcp c11 c12 20M
	drops_are h1 ""
}

# merged NAME HOST PORT: a capture of super-packets that come in there.
merged() {
	SNAP=96 capture "$1" "$2" "$3" -Q in greater 3000
}

bulk_tcp_is_not_oversize() {
	pair_on 1500
	merged out h1 c11
	merged back h2 c21
	tcp c11 c21 100M
	tcp c11 c21 100M -R
	assert_ge 1000 "$(captured out)" "super-packets from c11"
	assert_ge 1000 "$(captured back)" "super-packets from c21"
	drops_are h1 ""
	drops_are h2 ""
}

# c11 routes for x1, which sends one packet at a time; what c11 has merged it sends on as one.
merged_by_a_router_is_not_oversize() {
	pair_on 1500
	netns x1
	ip link add in netns c11 mtu 1450 type veth peer name eth0 mtu 1450 netns x1
	ip -n c11 addr add 203.0.113.1/24 dev in
	ip -n x1 addr add 203.0.113.2/24 dev eth0
	ip -n c11 link set in up
	ip -n x1 link set eth0 up
	ip -n x1 route add default via 203.0.113.1
	ip -n c21 route add 203.0.113.0/24 via "$(ip4_of c11)"
	on c11 sysctl -qw net.ipv4.ip_forward=1
	on x1 ethtool -K eth0 tso off gso off >/dev/null
	on c11 ethtool -K in gro on >/dev/null
	merged out h1 c11
	tcp x1 c21 50M
	tcp x1 c21 50M -R
	assert_ge 100 "$(captured out)" "super-packets from c11"
	drops_are h1 ""
	drops_are h2 ""
}

run_tests
