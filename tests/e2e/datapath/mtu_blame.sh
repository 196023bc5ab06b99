#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Whom `status` blames for packets that are too large, and what it says before there are any.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2

ALL_TESTS="
	sender_is_named
	ends_of_a_veth_are_compared
	nothing_is_asked_by_up
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/mtu.sh
. "$LIB/mtu.sh"

IPV6=0

sender_is_named() {
	pair_on 1500
	says h1 'nothing is wrong'
	both_ends h1 c11 1500
	says h1 "! c11: the container's end has MTU 1500 and the overlay 1450; set the container's MTU to 1450"
	sized 23 1500 4
	drops_are h1 "oversize=23"
	says h1 "! c11 sent 23 frames of up to 1500 bytes, too large for the overlay; set the container's MTU to 1450"
	says_not h1 "the container's end has"
	assert_eq 23 "$(counter h1 h2 drops.oversize)" "oversize towards h2"
	assert_eq 23 "$(status_json h1 | jq '.[0].ports[] | select(.ifname == "c11").oversize')" "oversize of c11"
	# Advice, no drift.
	expect 0 vx h1 status vxbr0
	assert_eq up "$(status_json h1 | jq -r '.[0].state')" "state"
	ip -n c11 link set eth0 mtu 1450
	says h1 "! c11 sent 23 frames of up to 1500 bytes, too large for the overlay; the container's MTU is 1450 now"
}

# With only the container's end larger than the overlay the veth drops packets, in front of any program.
ends_of_a_veth_are_compared() {
	pair_on 1500
	ip -n c11 link set eth0 mtu 1500
	says h1 "! c11: the container's end has MTU 1500 and the overlay 1450; set the container's MTU to 1450"
	expect 0 vx h1 status vxbr0
	acquainted c11 c21
	on c11 "$PYTHON" -IS -c 'import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(23): sock.sendto(bytes(1472), (sys.argv[1], 9))' "$(ip4_of c21)"
	says h1 "! c11: the container's end has MTU 1500 and this end 1450, so 23 packets were dropped between them; set the container's MTU to 1450"
	drops_are h1 ""
	ip -n c11 link set eth0 mtu 1450
	says h1 'nothing is wrong'
	# An end in the host's own namespace, and one that is narrower than the overlay.
	ip -n h1 link add p12 mtu 1500 type veth peer name q12 mtu 1500
	ip -n h1 link set p12 master vxbr0 up
	mesh_up h1
	says h1 "! p12: the container's end has MTU 1500 and the overlay 1450; "
	ip -n h1 link set p12 mtu 1400
	ip -n h1 link set q12 mtu 1450
	says h1 "! p12: the container's end has MTU 1450 and this end only 1400, so larger packets are dropped between them; set both to 1450"
	ip -n h1 link set q12 mtu 1400
	says h1 'nothing is wrong'
}

# Containers' namespaces are looked into for `status` alone.
nothing_is_asked_by_up() {
	pair_on 1500
	calls h1 status vxbr0
	assert_ge 1 "$(grep -cE "IFLA_(IF|TARGET)_NETNSID" "$WORK/calls")" "look-ups by status"
	calls h1 up vxbr0
	assert_eq 0 "$(grep -cE "IFLA_(IF|TARGET)_NETNSID" "$WORK/calls" || true)" "look-ups by up"
}

run_tests
