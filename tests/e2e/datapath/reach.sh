#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every container reaches every other, whatever it sends, from cold, and hears each broadcast once.
# (I6, I2) With PLAIN=1 the same tests run over the kernel's own mesh.
#
#   c11 c12          c21 c22          c31 c32
#     \ /              \ /              \ /
#    vxbr0            vxbr0            vxbr0
#   h1 192.0.2.1     h2 192.0.2.2     h3 192.0.2.3     ... h8
#      \_______________ sw _______________/
# also with: FASTPATH=on

ALL_TESTS="
	two_hosts
	two_hosts_started_from_the_other_side
	three_hosts
	eight_hosts
	ipv6_underlay
	mixed_underlay
	flood_arrives_once
	vlan_tagged
	fragmented
	odd_ethertype_both_ways
	unicast_goes_to_one_host
	bridge_address
	container_added_later
	restart_keeps_containers
"
# With the fast path forced, what it might change.
[ -z "${FASTPATH:-}" ] || ALL_TESTS="eight_hosts ipv6_underlay mixed_underlay vlan_tagged fragmented odd_ethertype_both_ways
	unicast_goes_to_one_host bridge_address restart_keeps_containers"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

two_hosts() {
	mesh 2
	mesh_up
	containers_each 2
	# Cold and from one side first: a wrong remote cannot hide behind learning.
	pings c11 "$(ip4_of c21)" 1
	reach_all c11 c12 c21 c22
}

two_hosts_started_from_the_other_side() {
	mesh 2
	mesh_up h2 h1
	containers_each 1
	pings c21 "$(ip4_of c11)" 1
	pings c21 "$(ip6_of c11)" 1
	reach_all c11 c21
}

three_hosts() {
	mesh 3
	mesh_up h3 h1 h2
	containers_each 2
	reach_all c11 c12 c21 c22 c31 c32
	forget_neighbours c11 c12 c21 c22 c31 c32
	reach_all c32 c31 c22 c21 c12 c11
}

eight_hosts() {
	mesh 8
	mesh_up
	containers_each 1
	reach_all c11 c21 c31 c41 c51 c61 c71 c81
	once_each c41 c11 c21 c31 c51 c61 c71 c81
}

ipv6_underlay() {
	FAMILIES=6
	mesh 3
	mesh_up
	containers_each 1
	reach_all c11 c21 c31
	once_each c21 c11 c31
}

mixed_underlay() {
	FAMILIES="46 46 6 46"
	mesh 4
	mesh_up
	containers_each 1
	capture four sw br0 ip and udp port 4789
	capture six sw br0 ip6 and udp port 4789
	reach_all c11 c21 c31 c41
	# h1-h2 have IPv4 both, h3 has only IPv6.
	quiet
	assert_eq 0 "$(captured four host "$(address4 h3)")" "IPv4 packets of h3"
	assert_eq 0 "$(captured six not host "$(address6 h3)")" "IPv6 packets between hosts that have IPv4"
	assert_ge 1 "$(captured four host "$(address4 h4)")" "IPv4 packets of h4"
}

# once_each FROM TO...: 23 broadcast, 31 multicast, 13 unknown unicast frames: each TO has each once.
once_each() {
	local from=$1 to
	shift
	for to in "$from" "$@"; do capture "once.$to" "$to" eth0 -Q in ether proto 0x88b5; done
	frames "$from" eth0 count=23 eth data text=broadcast
	frames "$from" eth0 count=31 eth dst=01:00:5e:01:02:03 data text=multicast
	frames "$from" eth0 count=13 eth dst=02:ff:ff:ff:ff:ff data text=unknown
	for to; do
		exactly 23 "once.$to" ether dst ff:ff:ff:ff:ff:ff
		exactly 31 "once.$to" ether dst 01:00:5e:01:02:03
		exactly 13 "once.$to" ether dst 02:ff:ff:ff:ff:ff
	done
	exactly 0 "once.$from"
}

flood_arrives_once() {
	mesh 3
	mesh_up
	containers_each 2
	once_each c11 c12 c21 c22 c31 c32
	once_each c32 c31 c11 c12 c21 c22
}

vlan_tagged() {
	mesh 3
	mesh_up
	containers_each 1
	capture c31 c31 eth0 -Q in vlan 7
	capture c21 c21 eth0 -Q in vlan 7
	# Broadcast in VLAN 7, the answer by unicast, the same addresses in VLAN 8.
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" vlan id=7 ip "src=$(ip4_of c11)" \
		dst=255.255.255.255 udp data text=broadcast
	exactly 23 c31
	exactly 23 c21
	capture c11 c11 eth0 -Q in vlan
	frames c31 eth0 count=31 eth "src=$(mac_of c31)" "dst=$(mac_of c11)" vlan id=7 \
		ip "src=$(ip4_of c31)" "dst=$(ip4_of c11)" udp data zeros=1400
	exactly 31 c11 vlan 7
	frames c31 eth0 count=7 eth "src=$(mac_of c31)" "dst=$(mac_of c11)" vlan id=8 prio=5 \
		ip "src=$(ip6_of c31)" "dst=$(ip6_of c11)" udp data zeros=3
	exactly 7 c11 vlan 8
	exactly 23 c21
}

fragmented() {
	mesh 3
	mesh_up
	containers_each 1
	# 8,000 bytes and 8 of ICMP: six IPv4 fragments of 1,424 or less, six of IPv6.
	capture c31 c31 eth0 -Q in 'ip[6:2] & 0x3fff != 0 or ip6 proto 44'
	pings c11 "$(ip4_of c31)" 23 -s 8000
	exactly $((23 * 6)) c31 ip
	pings c21 "$(ip6_of c31)" 13 -s 8000
	exactly $((13 * 6)) c31 ip6
	# The largest frame that fits crosses in one piece.
	pings c11 "$(ip4_of c21)" 7 -M 'do' -s 1422
	pings c11 "$(ip6_of c21)" 7 -M 'do' -s 1402
}

odd_ethertype_both_ways() {
	mesh 2
	mesh_up
	containers_each 1
	capture c21 c21 eth0 -Q in ether proto 0x88f7
	capture c11 c11 eth0 -Q in ether proto 0x88f7
	# First from the unknown, then to the known address.
	frames c11 eth0 count=3 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" type=0x88f7 data zeros=60
	exactly 3 c21
	frames c21 eth0 count=5 eth "src=$(mac_of c21)" "dst=$(mac_of c11)" type=0x88f7 data zeros=1400
	exactly 5 c11
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" type=0x88f7 data zeros=1
	exactly 26 c21
}

unicast_goes_to_one_host() {
	IPV6=0
	mesh 3
	mesh_up
	containers_each 1
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 1
	quiet
	capture all sw br0 udp port 4789
	pings c11 "$(ip4_of c21)" 23
	exactly 46 all
	exactly 23 all src "$(address4 h1)" and dst "$(address4 h2)"
	exactly 23 all src "$(address4 h2)" and dst "$(address4 h1)"
}

bridge_address() {
	[ -z "${PLAIN:-}" ] || skip "vxbpf's own"
	export PEER_MORE_h1=', bridge_address: [198.51.100.101/24, "2001:db8:1::101/64"]'
	export PEER_MORE_h2=', bridge_address: [198.51.100.102/24, "2001:db8:1::102/64"]'
	mesh 2
	mesh_up
	containers_each 1
	pings h1 198.51.100.102 23
	pings h2 2001:db8:1::101 23
	pings c11 198.51.100.102 23
	pings c21 2001:db8:1::101 23
	pings c11 198.51.100.101 23
	pings h1 "$(ip4_of c21)" 23
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	frames h1 vxbr0 count=23 eth data text=fromhost
	exactly 23 c21
}

container_added_later() {
	mesh 2
	mesh_up
	containers_each 1
	reach_all c11 c21
	container h2 c22
	pings c11 "$(ip4_of c22)" 23
	[ -n "${PLAIN:-}" ] || mesh_up
	pings c11 "$(ip4_of c22)" 23
	reach_all c11 c21 c22
}

restart_keeps_containers() {
	[ -z "${PLAIN:-}" ] || skip "vxbpf's own"
	mesh 2
	mesh_up
	containers_each 2
	vx h1 restart vxbr0
	assert_eq vxbr0 "$(ip -n h1 -j link show c11 | jq -r '.[0].master')" "c11's master"
	reach_all c11 c12 c21 c22
	once_each c11 c12 c21 c22
}

run_tests
