#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# I1, more of it: what was fast stops, is shaped or turned within two seconds of whatever makes the
# kernel stop, shape or turn it, and is fast again after the undo.
#
#    c11        c21
#     |          |
#   vxbr0 h1   vxbr0 h2
#     |          |
#   --+----------+--   sw, 192.0.2.0/24 or 2001:db8::/64
# time limit: 400

ALL_TESTS="
	ebtables_rule_stops_it
	isolated_sender_stops_it
	locked_port_stops_it
	link_down_stops_it
	listening_tunnel_port_stops_it
	vlan_filtering_stops_it
	shaper_added_later_shapes_it
	output_firewall_stops_it_over_ipv6
	input_firewall_stops_it_over_ipv6
	policy_out_blocks_it
	policy_in_blocks_it
	blackhole_route_stops_it
	lost_address_stops_it
	route_to_another_device_turns_it
	new_mac_of_next_hop_is_followed
	xdp_in_the_container_stops_it
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$(dirname "$0")/../../lib/fast.sh"
# shellcheck source=tests/lib/watch.sh
. "$(dirname "$0")/../../lib/watch.sh"

talking_mesh() {
	fast_mesh 2
	talk 30
}

ebtables_rule_stops_it() {
	talking_mesh
	stops_within_two_seconds on h2 ebtables -A FORWARD -p ip --ip-proto udp --ip-dport 7 -j DROP
	on h2 ebtables -F FORWARD
	comes_back
}

# The tunnel's port is isolated, too, so these two do not see each other.
isolated_sender_stops_it() {
	talking_mesh
	stops_within_two_seconds on h1 bridge link set dev c11 isolated on
	on h1 bridge link set dev c11 isolated off
	comes_back
}

# A locked port takes frames only of MACs that the bridge knows there.
lock() {
	on h1 bridge link set dev c11 learning off locked on
	on h1 bridge fdb del "$(mac_of c11)" dev c11 master
}

locked_port_stops_it() {
	talking_mesh
	stops_within_two_seconds lock
	on h1 bridge link set dev c11 locked off learning on
	comes_back
}

link_down_stops_it() {
	talking_mesh
	stops_within_two_seconds ip -n h2 link set c21 down
	ip -n h2 link set c21 up
	comes_back
}

# Listening: neither learns nor forwards, and nobody but us ends that.
listening_tunnel_port_stops_it() {
	talking_mesh
	stops_within_two_seconds on h1 bridge link set dev vx-h2 state 1
	on h1 bridge link set dev vx-h2 state 3
	comes_back
}

vlan_filtering_stops_it() {
	talking_mesh
	on h2 ip link set vxbr0 type bridge vlan_filtering 1 || skip "this kernel's bridge knows no VLANs"
	wait_for 5 is_fast # its port is still in the untagged VLAN
	stops_within_two_seconds on h2 bridge vlan del dev c21 vid 1
	on h2 bridge vlan add dev c21 vid 1 pvid untagged
	comes_back
}

# The watcher sees the queue: from then on frames go through it.
shaper_added_later_shapes_it() {
	local queue=(dev c21 root tbf rate 8mbit burst 32k latency 50ms)
	fast_mesh 2
	on h2 tc qdisc add "${queue[@]}" || skip "this kernel has no tbf"
	on h2 tc qdisc del dev c21 root
	watch h2
	background c21 iperf3 -s
	wait_for 5 listening c21 5201
	background c11 iperf3 -c "$(ip4_of c21)" -t 60
	wait_for 5 is_fast
	assert_ge 50 "$(mbits)" "Mbit/s without a queue"
	on h2 tc qdisc add "${queue[@]}"
	sleep 2
	assert_le 15 "$(mbits)" "Mbit/s with the queue"
	on h2 tc qdisc del dev c21 root
	wait_for 5 is_fast
}

bytes_received() {
	ip -n c21 -s -j link show eth0 | jq '.[0].stats64.rx.bytes'
}

# mbits: what c21 receives now.
mbits() {
	local before
	before=$(bytes_received)
	sleep 1
	echo $((($(bytes_received) - before) * 8 / 1000000))
}

drop_outer() { # HOST HOOK
	on "$1" nft -f - <<-END
		table inet t {
			chain c {
				type filter hook $2 priority 0;
				udp dport 4789 drop;
			}
		}
	END
}

output_firewall_stops_it_over_ipv6() {
	FAMILIES=6
	talking_mesh
	stops_within_two_seconds drop_outer h1 output
	on h1 nft delete table inet t
	comes_back
}

input_firewall_stops_it_over_ipv6() {
	FAMILIES=6
	talking_mesh
	stops_within_two_seconds drop_outer h2 input
	on h2 nft delete table inet t
	comes_back
}

policy_out_blocks_it() {
	talking_mesh
	stops_within_two_seconds ip -n h1 xfrm policy add src 192.0.2.1 dst 192.0.2.2 \
		proto udp dport 4789 dir out action block
	ip -n h1 xfrm policy flush
	comes_back
}

policy_in_blocks_it() {
	talking_mesh
	stops_within_two_seconds ip -n h2 xfrm policy add src 192.0.2.1 dst 192.0.2.2 \
		proto udp dport 4789 dir in action block
	ip -n h2 xfrm policy flush
	comes_back
}

blackhole_route_stops_it() {
	talking_mesh
	stops_within_two_seconds ip -n h1 route add blackhole 192.0.2.2/32
	ip -n h1 route del blackhole 192.0.2.2/32
	comes_back
}

lost_address_stops_it() {
	talking_mesh
	stops_within_two_seconds ip -n h2 addr del 192.0.2.2/24 dev eth0
	ip -n h2 addr add 192.0.2.2/24 dev eth0
	comes_back
}

# Two cables between h1 and h2, both in use from the start: as one would take to a third host. When the
# routes move to the second, so does the traffic, without a loss; nothing of it stays on the first.
route_to_another_device_turns_it() {
	hosts 2
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	plug h2 sw2 eth1 02:a1:00:00:00:02
	on h1 ip route add 192.0.2.3/32 dev eth1
	on h2 ip route add 192.0.2.3/32 dev eth1
	PEERS="h1 h2 h3" config vxbr0
	mesh_up
	containers_each 1
	pings c11 "$(ip4_of c21)" 2
	talk 30
	wire_is sw sw2
	ip -n h1 route add 192.0.2.2/32 dev eth1 src 192.0.2.1
	ip -n h2 route add 192.0.2.1/32 dev eth1 src 192.0.2.2
	sleep 2
	wire_is sw2 sw
	ip -n h1 route del 192.0.2.2/32
	ip -n h2 route del 192.0.2.1/32
	sleep 2
	wire_is sw sw2
	drops_are h1 ""
	drops_are h2 ""
}

# wire_is USED UNUSED: the conversation goes on, fast, over that switch alone.
wire_is() {
	capture used "$1" br0 udp port 4789
	capture unused "$2" br0 udp port 4789
	is_talking || fail "not followed within two seconds"
	wait_for 5 is_fast
	assert_eq 0 "$(captured unused)" "packets on $2"
	assert_ge 100 "$(captured used)" "packets on $1"
}

# The other end of the wire is replaced: its new MAC is in the fast frames once the kernel has it.
new_mac_of_next_hop_is_followed() {
	talking_mesh
	wait_for 5 is_fast
	ip -n h2 link set eth0 address 02:a0:00:00:0f:02
	# Its first ARP request tells h1.
	ip -n h2 neigh flush all
	pings h2 192.0.2.1 1
	ip -n h1 neigh show to 192.0.2.2 | grep 02:a0:00:00:0f:02 || fail "h1 has not heard"
	sleep 2
	capture old sw h2-eth0 ether dst 02:a0:00:00:00:02
	capture new sw h2-eth0 ether dst 02:a0:00:00:0f:02 and udp port 4789
	is_talking || fail "not followed within two seconds"
	wait_for 5 is_fast
	assert_eq 0 "$(captured old)" "packets to the old MAC"
	assert_ge 100 "$(captured new)" "packets to the new MAC"
}

# A container's own firewall, in front of all else on its end of the veth. Nobody else sees it; that there is
# one shows at the host's end, and then frames go in the way that passes it.
drop_by_xdp() {
	on c21 ip link set dev eth0 xdpdrv obj "$WORK/wall.o" sec xdp
}

xdp_in_the_container_stops_it() {
	printf '%s\n' '__attribute__((section("xdp"), used)) int wall(void *ctx) { return 1; }' |
		clang -O2 -target bpf -c -x c - -o "$WORK/wall.o"
	talking_mesh
	watch h2
	stops_within_two_seconds drop_by_xdp
	on c21 ip link set dev eth0 xdpdrv off
	comes_back
	unwatch TERM 0
}

run_tests
