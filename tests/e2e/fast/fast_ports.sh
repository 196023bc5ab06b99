#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every kind of port keeps what the kernel gives it when its flows are fast (I6): bulk data arrives
# intact and in large pieces, whoever is behind the port and whatever that one does with it.
#
#    c11        c21 ---- b21    b21: behind c21, which routes
#     |          |
#   vxbr0 h1   vxbr0 h2   vxbr0 h3
#     |          |          |
#   --+----------+----------+--   sw, 192.0.2.0/24
# time limit: 300

ALL_TESTS="
	large_pieces_at_both_ends
	steady_flows_are_fast
	datagram_super_packets
	container_that_routes
	container_that_routes_to_a_tap
	container_that_routes_back_into_the_overlay
	container_with_a_vxlan_of_its_own
	veth_of_the_same_namespace
	tap_with_offloads
	hosts_own_address
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fastports.sh
. "$LIB/fastports.sh"

FASTPATH=on
WARM=1000000 LITTLE=20000000 SOME=50000000 BULK=200000000

fast_mesh() { # HOSTS
	mesh "$1"
	mesh_up
	containers_each 1
	pings c11 "$(ip4_of c21)" 2
	pings c11 "$(ip6_of c21)" 2
}

large_pieces_at_both_ends() {
	local address
	fast_mesh 2
	for address in "$(ip4_of c21)" "$(ip6_of c21)"; do
		bulk c11 c21 "$address" "$WARM"
		mark h2 h1
		pieces c21 eth0
		sent_pieces h1 eth0
		bulk c11 c21 "$address" "$BULK"
		assert_ge 95 "$(share h2 h1)" "fast"
		assert_ge 8192 "$(sent_piece h1 eth0)" "bytes in a packet on h1's wire"
		assert_ge 8192 "$(piece c21)" "bytes in a packet c21 was given"
	done
}

# One verdict is good for 1.5 s: these need several.
steady_flows_are_fast() {
	local way address
	fast_mesh 2
	for address in "$(ip4_of c21)" "$(ip6_of c21)"; do
		talk c11 c21 "$address" 7
		mark h1 h2
		mark h2 h1
		talked c11 c21
		for way in rx tx; do
			assert_ge 99 "$(share h1 h2 "$way")" "h1's $way to $address"
			assert_ge 99 "$(share h2 h1 "$way")" "h2's $way to $address"
		done
	done
}

# QUIC's way of sending. The receiver's stack has to cut them up.
datagram_super_packets() {
	local address
	fast_mesh 2
	for address in "$(ip4_of c21)" "$(ip6_of c21)"; do
		mark h1 h2
		bursts c11 c21 "$address" 300
		assert_ge 90 "$(share h1 h2 tx)" "fast"
	done
}

# behind ROUTER NAME: another namespace, reached through container ROUTER.
behind() {
	local router=$1 name=$2
	netns "$name"
	ip link add back netns "$router" mtu 1450 type veth peer name eth0 netns "$name" mtu 1450
	between "$router" back "$name"
}

# between ROUTER IF NAME: addresses for both ends, and what it takes to route.
between() {
	ip -n "$1" addr add 203.0.113.1/24 dev "$2"
	ip -n "$1" addr add 2001:db8:2::1/64 dev "$2" nodad
	ip -n "$1" link set "$2" mtu 1450 up
	ip -n "$3" addr add 203.0.113.2/24 dev eth0
	ip -n "$3" addr add 2001:db8:2::2/64 dev eth0 nodad
	ip -n "$3" link set eth0 mtu 1450 up
	ip -n "$3" route add default via 203.0.113.1
	ip -n "$3" route add default via 2001:db8:2::1
	forwards "$1"
}

forwards() {
	on "$1" bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# takes_no_advice NAME: it keeps sending by its router, whatever shorter way the router knows.
takes_no_advice() {
	on "$1" bash -c 'for f in /proc/sys/net/ipv[46]/conf/{all,eth0}/accept_redirects; do echo 0 >$f; done'
}

container_that_routes() {
	local to
	fast_mesh 2
	behind c21 b21
	ip -n c11 route add 203.0.113.0/24 via "$(ip4_of c21)"
	ip -n c11 route add 2001:db8:2::/64 via "$(ip6_of c21)"
	for to in 203.0.113.2 2001:db8:2::2; do
		pings c11 "$to" 2
		bulk c11 b21 "$to" "$WARM"
		pieces b21 eth0
		bulk c11 b21 "$to" "$BULK"
		assert_ge 8192 "$(piece b21)" "bytes in a packet b21 was given"
		talk c11 b21 "$to" 2
		mark h2 h1
		talked c11 b21
		assert_ge 90 "$(share h2 h1)" "fast"
	done
	for to in "$(ip4_of c11)" "$(ip6_of c11)"; do
		mark h1 h2
		pieces c11 eth0
		bulk b21 c11 "$to" "$BULK"
		assert_ge 90 "$(share h1 h2)" "fast"
		assert_ge 8192 "$(piece c11)" "bytes in a packet c11 was given"
	done
	bursts c11 b21 203.0.113.2 100
	bursts c11 b21 2001:db8:2::2 100
	bursts b21 c11 "$(ip4_of c11)" 100
}

# As c21 does that has a virtual machine or a VPN behind it.
container_that_routes_to_a_tap() {
	local guest
	fast_mesh 2
	netns g22
	"$PYTHON" -IS "$LIB/guest.py" c21=tap22 g22=eth0 >"$WORK/guest" &
	guest=$!
	on_exit stop "$guest"
	wait_for 5 ip -n g22 link show eth0
	between c21 tap22 g22
	ip -n c11 route add 203.0.113.0/24 via "$(ip4_of c21)"
	ip -n c11 route add 2001:db8:2::/64 via "$(ip6_of c21)"
	bulk c11 g22 203.0.113.2 "$WARM"
	# What was learned before c21 was known to route is good for 1.5 seconds.
	sleep 1.5
	bulk c11 g22 203.0.113.2 "$SOME"
	bulk c11 g22 2001:db8:2::2 "$SOME"
	bulk g22 c11 "$(ip4_of c11)" "$SOME"
	bulk g22 c11 "$(ip6_of c11)" "$SOME"
	bursts c11 g22 203.0.113.2 20
	kill "$guest"
	wait "$guest"
	whole_frames
}

# c21 sends what comes from c11 on to c31: each super-packet is opened and wrapped again.
container_that_routes_back_into_the_overlay() {
	local to
	fast_mesh 3
	forwards c21
	takes_no_advice c11
	takes_no_advice c31
	ip -n c21 addr add 203.0.113.1/24 dev eth0
	ip -n c21 addr add 2001:db8:2::1/64 dev eth0 nodad
	ip -n c31 addr flush dev eth0
	ip -n c31 addr add 203.0.113.2/24 dev eth0
	ip -n c31 addr add 2001:db8:2::2/64 dev eth0 nodad
	ip -n c31 route add default via 203.0.113.1
	ip -n c31 route add default via 2001:db8:2::1
	ip -n c11 route add 203.0.113.0/24 via "$(ip4_of c21)"
	ip -n c11 route add 2001:db8:2::/64 via "$(ip6_of c21)"
	for to in 203.0.113.2 2001:db8:2::2; do
		pings c11 "$to" 2
		bulk c11 c31 "$to" "$WARM"
		sleep 1.5
		mark h2 h3
		mark h3 h2
		pieces c31 eth0
		bulk c11 c31 "$to" "$BULK"
		assert_ge 90 "$(share h2 h3 tx)" "fast from h2"
		assert_ge 90 "$(share h3 h2)" "fast to h3"
		assert_ge 8192 "$(piece c31)" "bytes in a packet c31 was given"
		drops_are h2 ""
	done
	for to in "$(ip4_of c11)" "$(ip6_of c11)"; do
		mark h1 h2
		pieces c11 eth0
		bulk c31 c11 "$to" "$BULK"
		assert_ge 90 "$(share h1 h2)" "fast"
		assert_ge 8192 "$(piece c11)" "bytes in a packet c11 was given"
	done
	bursts c11 c31 203.0.113.2 100
	bursts c11 c31 2001:db8:2::2 100
}

# The kernel's tunnel of the host and that of the container have nothing to do with each other.
container_with_a_vxlan_of_its_own() {
	local port to
	fast_mesh 2
	for port in 4789 8472; do
		own_vxlan c11 c21 "$port"
		own_vxlan c21 c11 "$port"
		for to in 203.0.113.21 2001:db8:2::21; do
			pings c11 "$to" 23
			mark h2 h1
			talk c11 c21 "$to" 2
			talked c11 c21
			assert_ge 90 "$(share h2 h1)" "fast"
			bulk c11 c21 "$to" "$LITTLE"
			bursts c11 c21 "$to" 20
		done
		bulk c21 c11 203.0.113.11 "$LITTLE"
		bulk c21 c11 2001:db8:2::11 "$LITTLE"
		drops_are h1 ""
		drops_are h2 ""
		ip -n c11 link del own
		ip -n c21 link del own
	done
}

own_vxlan() { # NAME OTHER PORT
	ip -n "$1" link add own mtu 1380 type vxlan id 23 dstport "$3" local "$(ip4_of "$1")" remote "$(ip4_of "$2")"
	ip -n "$1" addr add "203.0.113.$(number "$1")/24" dev own
	ip -n "$1" addr add "2001:db8:2::$(number "$1")/64" dev own nodad
	ip -n "$1" link set own up
}

# door HOST IFNAME: how the fast path gets in there.
door() {
	on "$1" bpftool -j map dump pinned /sys/fs/bpf/vxbpf/vxbr0/doors |
		jq --argjson i "$(ip -n "$1" -j link show "$2" | jq '.[0].ifindex')" -r \
			'.[] | .formatted // . | select(.key.ifindex == $i) | .value.door'
}

# redirect_peer would drop what is for this one.
veth_of_the_same_namespace() {
	local to
	fast_mesh 2
	ip -n h2 link add p22 mtu 1450 type veth peer name q22 mtu 1450
	# Else the bridge answers for the address, too, and the flow is the host's own.
	on h2 bash -c 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore'
	ip -n h2 link set p22 master vxbr0 addrgenmode none up
	ip -n h2 addr add 198.51.100.22/24 dev q22
	ip -n h2 addr add 2001:db8:1::22/64 dev q22 nodad
	ip -n h2 link set q22 up
	vx h2 up vxbr0
	assert_eq VX_DOOR_NEAR "$(door h2 p22)" "door"
	assert_eq VX_DOOR_PEER "$(door h2 c21)" "door"
	for to in 198.51.100.22 2001:db8:1::22; do
		talk c11 h2 "$to" 2
		mark h2 h1
		talked c11 h2
		assert_ge 90 "$(share h2 h1)" "fast"
		assert_ge 90 "$(share h2 h1 tx)" "fast"
		bulk c11 h2 "$to" "$SOME"
		bursts c11 h2 "$to" 20
	done
	bulk h2 c11 "$(ip4_of c11)" "$SOME"
	bulk h2 c11 "$(ip6_of c11)" "$SOME"
}

whole_frames() {
	local line
	cat "$WORK/guest"
	assert_eq 2 "$(grep -c ' partial=[1-9][0-9]* bad=0$' "$WORK/guest")" "directions without a bad frame"
	# 100 MB each way: cut up, few of them would be left.
	while read -r line; do
		assert_ge 1000 "$line" "super-packets"
	done < <(sed 's/.* super=\([0-9]*\).*/\1/' "$WORK/guest")
}

# A guest with offloads on: what its driver is handed must be as virtio has it (see guest.py).
tap_with_offloads() {
	local to guest
	fast_mesh 2
	netns g22
	"$PYTHON" -IS "$LIB/guest.py" h2=tap22 g22=eth0 >"$WORK/guest" &
	guest=$!
	on_exit stop "$guest"
	wait_for 5 ip -n g22 link show eth0
	ip -n h2 link set tap22 mtu 1450 addrgenmode none
	ip -n h2 link set tap22 master vxbr0 up
	ip -n g22 link set eth0 address "$(mac_of g22)" mtu 1450 up
	ip -n g22 addr add "$(ip4_of g22)/24" dev eth0
	ip -n g22 addr add "$(ip6_of g22)/64" dev eth0 nodad
	vx h2 up vxbr0
	assert_eq VX_DOOR_PORT "$(door h2 tap22)" "door"
	for to in "$(ip4_of g22)" "$(ip6_of g22)"; do
		pings c11 "$to" 5
		talk c11 g22 "$to" 2
		mark h2 h1
		talked c11 g22
		assert_ge 90 "$(share h2 h1)" "fast"
		assert_ge 90 "$(share h2 h1 tx)" "fast"
		bulk c11 g22 "$to" "$SOME"
		bursts c11 g22 "$to" 20
	done
	mark h1 h2
	bulk g22 c11 "$(ip4_of c11)" "$SOME"
	bulk g22 c11 "$(ip6_of c11)" "$SOME"
	assert_ge 90 "$(share h1 h2)" "fast from the guest"
	kill "$guest"
	wait "$guest"
	whole_frames
}

# Whichever way they go, none is lost and each is counted once.
hosts_own_address() {
	local to host
	export PEER_MORE_h1=', bridge_address: [198.51.100.101/24, "2001:db8:1::101/64"]'
	export PEER_MORE_h2=', bridge_address: [198.51.100.102/24, "2001:db8:1::102/64"]'
	fast_mesh 2
	own_addresses_known
	for to in 198.51.100.102 2001:db8:1::102; do
		mark h1 h2
		mark h2 h1
		talk c11 h2 "$to" -2000
		talked c11 h2
		for host in "h1 h2" "h2 h1"; do
			# shellcheck disable=SC2086
			since_mark $host
			assert_eq "2000 2000" "$((RX - RX_BUM)) $((TX - TX_BUM))" "received and sent by $host"
		done
		bulk c11 h2 "$to" "$SOME"
		bursts c11 h2 "$to" 20
	done
	for to in 198.51.100.102 2001:db8:1::102; do
		talk h1 h2 "$to" 2
		talked h1 h2
		bulk h1 h2 "$to" "$SOME"
	done
	bulk h2 c11 "$(ip4_of c11)" "$SOME"
	bulk h2 c11 "$(ip6_of c11)" "$SOME"
	mark h1 h2
	mark h2 h1
	bulk c11 h2 198.51.100.102 "$SOME"
	since_mark h1 h2
	host="$TX $RX"
	since_mark h2 h1
	assert_eq "$host" "$RX $TX" "what h2 received and sent, and h1 sent and received"
	drops_are h1 ""
	drops_are h2 ""
}

# For good, so that nobody asks in between.
own_addresses_known() {
	local mac
	acquainted c11 c21
	mac=$(ip -n h2 -j link show vxbr0 | jq -r '.[0].address')
	ip -n c11 neigh replace 198.51.100.102 lladdr "$mac" dev eth0 nud permanent
	ip -n c11 neigh replace 2001:db8:1::102 lladdr "$mac" dev eth0 nud permanent
	ip -n h2 neigh replace "$(ip4_of c11)" lladdr "$(mac_of c11)" dev vxbr0 nud permanent
	ip -n h2 neigh replace "$(ip6_of c11)" lladdr "$(mac_of c11)" dev vxbr0 nud permanent
}

run_tests
