#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Several UDP packets may travel as one through the kernel (UDP_SEGMENT, a guest's virtio device): each VXLAN header
# in such a train is judged, not only the first (I4), and what is honest arrives and is counted exactly (I5, I6).
# Without this a peer speaks as another one, and a masqueraded guest as its host.
#
#    n1 203.0.113.9     c11             c21         c31
#    |                   |               |           |
#   br1 (masquerades)  vxbr0           vxbr0       vxbr0
#    \_______ h1 _______/                h2          h3
#               \__________ sw __________/___________/

ALL_TESTS="
	peer_speaks_as_another
	peer_speaks_as_another_over_ipv6
	honest_trains_arrive
	honest_trains_arrive_over_ipv6
	trains_of_strangers_are_counted
	guest_speaks_as_its_host
	guest_speaks_as_its_host_over_ipv6
	routed_guest_speaks_as_its_host
	own_tunnel_of_a_guest
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/trains.sh
. "$LIB/trains.sh"

IPV6=0

# h2 is not honest any more, and no guard of its own keeps it from that.
dishonest_peer() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	sed -i '1i guard: off' "$WORK/etc/h2/vxbr0.yaml"
	vx h2 reload vxbr0
	FORGED_VNI=$(vni h1 h3) TO=c11
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	capture wire sw h2-eth0 udp dst port 4789
}

# forges N PACKETS WHAT: N trains of so many packets, one of them forged.
forges() {
	before_drops h1
	by_socket h2 "$(end_of h2)" "$(end_of h1)" "$1"
	exactly 0 c11 ether src "$FORGED"
	counted_within h1 "$1" $(($1 * $2))
	echo "# $3: $(($(total_of_drops h1) - DROPS0)) counted"
}

speaks_as_another() {
	local mode own
	dishonest_peer
	own=$(vni h2 h1)
	train "$own:1" "$FORGED_VNI:1"
	forges 5 2 "the second of two"
	assert_ge 1 "$(captured wire greater 200)" "trains on the cable"
	train 77:1 "$FORGED_VNI:1"
	forges 5 2 "behind a foreign VNI"
	train "$own:39" "$FORGED_VNI:1"
	forges 3 40 "the last of forty"
	ZEROS=1300 train "$own:20" "$FORGED_VNI:1" "$own:10"
	forges 3 31 "one of many large ones"
	ZEROS=4 train "$own:60" "$FORGED_VNI:1"
	forges 3 61 "the last of sixty small ones"
	joined h2 off
	train "$own:1" "$FORGED_VNI:1"
	before_drops h1
	by_socket h2 "$(end_of h2)" "$(end_of h1)" 5
	exactly 0 c11 ether src "$FORGED"
	counted_within h1 5 5
	reach_all c11 c21 c31
}

peer_speaks_as_another() {
	speaks_as_another
}

peer_speaks_as_another_over_ipv6() {
	FAMILIES=6
	speaks_as_another
}

# foreign HOST OTHER: what comes from there with VNI 77 and is not ours arrives in a device of that name.
foreign() {
	local zero=()
	[ "$FAMILIES" = 4 ] || zero=(udp6zerocsumrx)
	ip -n "$1" link add foreign type vxlan id 77 dstport 4789 local "$(end_of "$1")" remote "$(end_of "$2")" "${zero[@]}"
	ip -n "$1" link set foreign up
}

# The control: all in a train are the pair's, or none of our business.
honest_trains() {
	local own packets bytes
	dishonest_peer
	own=$(vni h2 h1)
	packets=$(counter h1 h2 rx_packets)
	bytes=$(counter h1 h2 rx_bytes)
	train "$own:20"
	by_socket h2 "$(end_of h2)" "$(end_of h1)" 3
	exactly 60 c11
	# The last one shorter.
	train "$own:5"
	datagram "$own" "$HONEST" c11 20
	TRAIN+=(+ "${DATAGRAM[@]}")
	by_socket h2 "$(end_of h2)" "$(end_of h1)" 2
	exactly 72 c11
	assert_eq $((packets + 72)) "$(counter h1 h2 rx_packets)" "rx_packets of h2"
	assert_eq $((bytes + 70 * 74 + 2 * 34)) "$(counter h1 h2 rx_bytes)" "rx_bytes of h2"
	foreign h1 h2
	capture foreign h1 foreign -Q in ether proto 0x88b5
	train 77:20
	by_socket h2 "$(end_of h2)" "$(end_of h1)" 3
	exactly 60 foreign
	drops_are h1 ""
}

honest_trains_arrive() {
	honest_trains
}

honest_trains_arrive_over_ipv6() {
	FAMILIES=6
	honest_trains
}

# Every packet of a train that is dropped is counted, whether its maker has said how many they are or not.
trains_of_strangers_are_counted() {
	mesh 3
	mesh_up
	node s9
	TO=c11 FORGED_VNI=none
	train "$(vni h1 h2):20"
	by_socket s9 "$(address4 s9)" "$(address4 h1)" 3
	drops_are h1 "unknown_source=60"
	by_device s9 eth0 3 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 s9)" "dst=$(address4 h1)"
	drops_are h1 "unknown_source=120"
	train "$(vni h1 h2):1" "$(vni h1 h3):19"
	by_device s9 eth0 3 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 h2)" "dst=$(address4 h1)"
	drops_are h1 "unknown_source=120 wrong_vni=60"
}

# n1 behind h1, which routes for it.
guest_mesh() {
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
	routed_container
	FORGED_VNI=$(vni h1 h2) TO=c21
	if [ "$FAMILIES" = 6 ]; then
		on h1 bash -c 'echo 0 >/proc/sys/net/ipv6/conf/br1/disable_ipv6
			echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
		on n1 bash -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
		ip -n h1 addr add 2001:db8:2::1/64 dev br1 nodad
		ip -n n1 addr add 2001:db8:2::9/64 dev eth0 nodad
		ip -n n1 -6 route add default via 2001:db8:2::1
		GUEST=2001:db8:2::9
	else
		GUEST=203.0.113.9
	fi
	# What is not ours arrives here.
	foreign h2 h1
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	capture wire sw h1-eth0 udp dst port 4789
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	capture foreign h2 foreign -Q in ether proto 0x88b5
}

masqueraded() {
	on h1 nft -f - <<-'N'
		table inet workloads {
			chain post { type nat hook postrouting priority srcnat; oifname "eth0" ip saddr 203.0.113.0/24 masquerade
				oifname "eth0" ip6 saddr 2001:db8:2::/64 masquerade; }
		}
	N
	pings n1 "$(end_of h2)" 2
}

# refused N PACKETS WHAT CMD...: these N trains of PACKETS are refused at home.
refused_trains() {
	local nested
	nested=$(drops h1 nested)
	"${@:4}"
	exactly 0 c21
	counted() { [ "$(drops h1 nested)" -ge $((nested + $1)) ]; }
	eventually 2 counted "$1" || fail "$3: nested on h1 from $nested to $(drops h1 nested), wanted $1 more at least"
	assert_le $((nested + $1 * $2)) "$(drops h1 nested)" "nested, $3"
	drops_are h2 ""
}

guest_speaks() {
	local mode send=(by_socket n1 "$GUEST" "$(end_of h2)")
	for mode in off on; do
		joined h1 "$mode"
		train 77:1 "$FORGED_VNI:1"
		refused_trains 5 2 "behind a foreign VNI, GSO $mode" "${send[@]}" 5
		train "$FORGED_VNI:1" 77:1
		refused_trains 5 2 "in front of a foreign VNI, GSO $mode" "${send[@]}" 5
		train 77:39 "$FORGED_VNI:1"
		refused_trains 3 40 "the last of forty, GSO $mode" "${send[@]}" 3
		ZEROS=1300 train 77:20 "$FORGED_VNI:1" 77:10
		refused_trains 3 31 "one of many large ones, GSO $mode" "${send[@]}" 3
	done
	# What it sends to others, and with other VNIs, passes.
	quiet
	capture foreign h2 foreign -Q in ether proto 0x88b5
	for mode in off on; do
		joined h1 "$mode"
		train 77:20
		"${send[@]}" 3
	done
	exactly 120 foreign
	drops_are h2 ""
	pings c11 "$(ip4_of c21)" 23
}

guest_speaks_as_its_host() {
	guest_mesh
	masqueraded
	guest_speaks
}

guest_speaks_as_its_host_over_ipv6() {
	FAMILIES=6
	guest_mesh
	masqueraded
	guest_speaks
}

# Without masquerading, by a device of its own: the source is what it likes.
routed_guest_speaks_as_its_host() {
	local mode send
	guest_mesh
	on h1 bash -c 'for f in all br1; do echo 1 >/proc/sys/net/ipv4/conf/$f/accept_local; done'
	for mode in off on; do
		joined h1 "$mode"
		send=(eth dst=02:b1:00:00:00:01 src=02:ee:00:00:00:09 ip "src=$(address4 h1)" "dst=$(address4 h2)")
		train 77:1 "$FORGED_VNI:1"
		refused_trains 5 2 "behind a foreign VNI, GSO $mode" by_device n1 eth0 5 "${send[@]}"
		train 77:39 "$FORGED_VNI:1"
		refused_trains 3 40 "the last of forty, GSO $mode" by_device n1 eth0 3 "${send[@]}"
	done
}

# A tunnel of n1's own to h2, with super-packets inside. Without outer checksums: the kernel's NAT breaks those of
# packets whose inner one is not made yet.
own_tunnel_of_a_guest() {
	guest_mesh
	masqueraded
	ip -n h2 link del foreign
	ip -n n1 link add own type vxlan id 77 dstport 4789 srcport 4789 4790 noudpcsum \
		local 203.0.113.9 remote "$(address4 h2)"
	ip -n h2 link add own type vxlan id 77 dstport 4789 srcport 4789 4790 noudpcsum \
		local "$(address4 h2)" remote "$(address4 h1)"
	ip -n n1 addr add 203.0.113.129/25 dev own
	ip -n h2 addr add 203.0.113.130/25 dev own
	ip -n n1 link set own up
	ip -n h2 link set own up
	pings n1 203.0.113.130 23
	background h2 iperf3 -s -1 >"$WORK/server" 2>&1
	wait_for 5 on h2 bash -c 'ss -Hltn sport = 5201 | grep . >/dev/null'
	on n1 timeout 30 iperf3 -c 203.0.113.130 -n 20M >"$WORK/client" 2>&1 || fail "$(cat "$WORK/client")"
	assert_ge 10 "$(captured wire greater 5000)" "super-packets on the cable"
	drops_are h1 ""
	drops_are h2 ""
}

run_tests
