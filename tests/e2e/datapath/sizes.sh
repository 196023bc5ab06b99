#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Containers at MTU 1500 and 9000 on an overlay of 1450, by sockets: a datagram of any size arrives, or its
# sender's socket learns the MTU; TCP works, too, where the veth itself drops what is too large.
# time limit: 200
# also with: FASTPATH=on

ALL_TESTS="
	sizes_at_1500
	sizes_at_9000
	torn_veth_has_tcp
	narrow_hop_of_ipv6
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/mtu.sh
. "$LIB/mtu.sh"

# IP packets: the least, the edges of the overlay's and the container's MTU, and of their fragments.
SIZES4="29 100 1000 1449 1450 1451 1454 1499 1500 1501 2880 2881 4000 7000 8999 9000"
SIZES6="49 100 1280 1449 1450 1451 1454 1499 1500 1501 2848 2849 4000 7000 8999 9000"

# sizes_at MTU: both ends of both veths.
sizes_at() {
	local fit4=0 fit6=0 size
	pair_on 1500
	both_ends h1 c11 "$1"
	both_ends h2 c21 "$1"
	background c21 "$PYTHON" -IS "$HERE/sizes.py" echo 7
	wait_for 10 on c21 bash -c 'ss -Hlun sport = 7 | grep . >/dev/null'
	for size in $SIZES4; do fit4=$((fit4 + (size <= 1450))); done
	for size in $SIZES6; do fit6=$((fit6 + (size <= 1450))); done
	asked no "$(ip4_of c21)" "16 arrived, 0 refused" "$SIZES4"
	asked yes "$(ip4_of c21)" "$fit4 arrived, $((16 - fit4)) refused" "$SIZES4"
	asked no "$(ip6_of c21)" "16 arrived, 0 refused" "$SIZES6"
	asked yes "$(ip6_of c21)" "$fit6 arrived, $((16 - fit6)) refused" "$SIZES6"
}

asked() { # yes|no ADDRESS ANSWER SIZES
	local said
	# shellcheck disable=SC2086
	said=$(on c11 "$PYTHON" -IS "$HERE/sizes.py" ask "$2" 7 "$1" 1450 $4)
	assert_eq "$3" "$said" "UDP to $2, DF $1"
}

sizes_at_1500() {
	sizes_at 1500
}

sizes_at_9000() {
	sizes_at 9000
}

# Only the container's end is at 1500: no program ever sees what is dropped between the two, so nobody can be
# told; but for the clamp TCP would hang. (Super-packets pass a veth whatever their segments' size.)
torn_veth_has_tcp() {
	local name
	pair_on 1500
	for name in c11 c21; do
		ip -n "$name" link set eth0 mtu 1500
		on "$name" ethtool -K eth0 tso off gso off
	done
	transfer c11 c21 "$(ip4_of c21)" || fail "IPv4: $(cat "$WORK/transfer")"
	transfer c21 c11 "$(ip6_of c11)" || fail "IPv6: $(cat "$WORK/transfer")"
	assert_eq "0" "$(ip -n h1 -j -s link show c11 | jq '.[0].stats64.rx.dropped')" "dropped by the veth"
}

# A router tells this host's kernel that the path takes less, so that cuts its packets in two. Small ones of the
# same flow go whole, and fast, and must not take the large ones with them.
narrow_hop_of_ipv6() {
	local percent
	FAMILIES=6
	pair_on 1500
	router_narrow 1400 6 2001:db8::2/128
	mesh_up h1
	background c21 "$PYTHON" -IS "$HERE/sizes.py" echo 7
	wait_for 10 on c21 bash -c 'ss -Hlun sport = 7 | grep . >/dev/null'
	percent=$(on c11 "$PYTHON" -IS "$HERE/sizes.py" mixed "$(ip4_of c21)" 7 8 100 1400)
	vx h1 status >&2 || true; on c11 ip route get "$(ip4_of c21)" >&2; on h1 ip -6 route get 2001:db8::2 >&2; on h1 ip -s link show vx-h2 >&2
	assert_ge 90 "$percent" "percent of the large ones answered"
}

run_tests
