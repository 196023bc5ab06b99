#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A route with several next hops: the guard stands on every device it may leave by (I4), and frames
# pass whichever of them they take.
#
#     c11                      c21
#      |                        |
#    vxbr0                    vxbr0
#     h1 --eth0-- sw --eth0--- h2
#      \---eth1-- sw2 --eth1--/
#                  |
#                  s8: a stranger

ALL_TESTS="
	several_next_hops
	several_next_hops_ipv6
	next_hop_objects
	next_hop_objects_by_number_only
	bound_to_one_of_them
	next_hops_are_followed
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"
# shellcheck source=tests/lib/two_uplinks.sh
. "$LIB/two_uplinks.sh"

IPV6=0

two_cables() { # [YAML LINE...]
	mesh 2 "$@"
	second_cables
	netns s8
	plug s8 sw2
}

own() { if [ "$FAMILIES" = 6 ]; then address6 "$1"; else address4 "$1"; fi; }
hop() { echo "nexthop via $(gateway "$1" "$2") dev $2"; }

by_both() { # FROM TO
	# shellcheck disable=SC2046
	ip -n "$1" route replace "$(own "$2")" src "$(own "$1")" $(hop "$2" eth0) $(hop "$2" eth1)
}

by_one() { # FROM TO DEV
	ip -n "$1" route replace "$(own "$2")" src "$(own "$1")" via "$(gateway "$2" "$3")" dev "$3"
}

guarded() { # HOST: the devices with a guard in both directions
	hooks "$1" | sed -n 's/^\(eth[0-9]*\) in wire_in$/\1/p; s/^\(eth[0-9]*\) out wire_out$/\1/p' | sort | uniq -d |
		tr '\n' ' '
}

# forge COUNT SRC: VXLAN from the stranger on the second switch; inside, a frame to c11.
forge() {
	frames s8 eth0 count="$1" eth dst=02:a1:00:00:00:01 src=02:ee:00:00:00:01 ip "src=$2" "dst=$(own h1)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
}

# Whichever of them the two take: h1 takes the frames by either, and no other's by any.
both_are_guarded() {
	local way back
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	assert_eq "eth0,eth1" "$(status_json h1 | jq -r '[.[0].underlay[].ifname] | sort | join(",")')" "underlay"
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	for way in eth0 eth1; do
		for back in eth0 eth1; do
			ip -n h1 route del "$(own h2)"
			ip -n h2 route del "$(own h1)"
			by_one h1 h2 "$way"
			by_one h2 h1 "$back"
			capture there h1 "$way" -Q out udp port 4789
			capture back h1 "$back" -Q in udp port 4789
			pings c11 "$(ip4_of c21)" 23
			exactly 23 there
			exactly 23 back
		done
	done
	drops_are h1 ""
	drops_are h2 ""
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	forge 23 "$(gateway h2 eth1)"
	drops_are h1 "unknown_source=23"
	exactly 0 c11
	forge 31 "$(own h2)"
	exactly 31 c11
}

several_next_hops() {
	two_cables
	by_both h1 h2
	by_both h2 h1
	mesh_up
	containers_each 1
	both_are_guarded
}

several_next_hops_ipv6() {
	FAMILIES=6
	several_next_hops
}

group() { # FROM TO
	ip -n "$1" nexthop add id 7 via "$(gateway "$2" eth0)" dev eth0
	ip -n "$1" nexthop add id 8 via "$(gateway "$2" eth1)" dev eth1
	ip -n "$1" nexthop add id 9 group 7/8
	ip -n "$1" route replace "$(own "$2")" src "$(own "$1")" nhid 9
}

next_hop_objects() {
	two_cables
	group h1 h2
	group h2 h1
	mesh_up
	containers_each 1
	both_are_guarded
}

next_hop_objects_by_number_only() {
	two_cables
	on h1 sysctl -qw net.ipv4.nexthop_compat_mode=0
	group h1 h2
	group h2 h1
	mesh_up
	containers_each 1
	both_are_guarded
}

# With `underlay:` that device it is and no other, if it is among them.
bound_to_one_of_them() {
	two_cables "underlay: eth1"
	by_both h1 h2
	by_both h2 h1
	mesh_up
	containers_each 1
	assert_eq "eth1 " "$(guarded h1)" "guarded devices of h1"
	capture wire sw br0 udp port 4789
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 23
	exactly 0 wire
}

next_hops_are_followed() {
	two_cables
	group h1 h2
	mesh_up
	watch h1 vxbr0
	settled h1
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	ip -n h1 nexthop replace id 9 group 7
	settled h1
	assert_eq "eth0 " "$(guarded h1)" "guarded devices of h1"
	ip -n h1 nexthop replace id 9 group 7/8
	settled h1
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	by_both h1 h2
	settled h1
	assert_eq "eth0 eth1 " "$(guarded h1)" "guarded devices of h1"
	unwatch TERM 0
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

run_tests
