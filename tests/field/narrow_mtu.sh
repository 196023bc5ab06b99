#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: the underlay's MTU is, or becomes, so small (1280 and less) that tunnels and bridge have less than the
#     1280 bytes which IPv6 needs; or the kernel has no IPv6 at all.
# Kernel: carries IPv4; a device of less than 1280 bytes has no IPv6, and a request about IPv6 is refused there.
# vxbpf: carries IPv4, follows the MTU in both directions and makes no IPv6 address on a tunnel. An IPv6
#     `bridge_address` is refused, with the reason, before anything is changed.

ALL_TESTS="
	narrow_from_the_start
	narrower_and_back
	restarted
	bridge_of_others
	inner_ipv6_is_refused
	disabled_ipv6_is_refused
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

bound() { mesh 2 "underlay: eth0"; }

narrow() { # MTU
	local host
	for host in h1 h2; do ip -n "$host" link set eth0 mtu "$1"; done
}

# Up, as the config has it, nothing more to do, without IPv6 addresses on tunnels; frames pass.
right() { # MTU
	local host
	for host in h1 h2; do
		expect 0 vx "$host" up vxbr0 --dry-run
		assert_eq "" "$OUT" "steps to do on $host"
		assert_eq "$1" "$(status_json "$host" | jq '.[0].mtu')" "MTU"
		assert_eq "" "$(ip -n "$host" -6 -o address show | grep ' vx-' || true)" "addresses of tunnels"
		assert_eq 0 "$(on "$host" cat /proc/sys/net/ipv6/conf/vxbr0/accept_ra 2>/dev/null || echo 0)" "accept_ra"
	done
	pings c11 "$(ip4_of c21)" 2
}

narrow_from_the_start() {
	bound
	narrow 1280
	mesh_up
	containers_each 1
	mesh_up
	right 1230
}

narrower_and_back() {
	bound
	mesh_up
	containers_each 1
	mesh_up
	right 1450
	narrow 1280
	vx h1 reload vxbr0
	vx h2 reload vxbr0
	right 1230
	narrow 1500
	vx h1 reload vxbr0
	vx h2 reload vxbr0
	right 1450
	pings c11 "$(ip6_of c21)" 2
}

restarted() {
	bound
	mesh_up
	containers_each 1
	narrow 1270
	vx h1 restart vxbr0
	vx h2 restart vxbr0
	right 1220
}

bridge_of_others() {
	local host
	mesh 2
	for host in h1 h2; do ip -n "$host" link add vxbr0 mtu 1230 up type bridge; done
	narrow 1280
	mesh_up
	containers_each 1
	for host in h1 h2; do ip -n "$host" link set vxbr0 mtu 1230; done
	mesh_up
	right 1230
}

inner_ipv6_is_refused() {
	# shellcheck disable=SC2034 # read by peer_line
	PEER_MORE_h1=', bridge_address: [203.0.113.1/24, "2001:db8:2::1/64"]'
	bound
	snapshot h1 >"$WORK/before"
	vx h1 up vxbr0
	on h1 ip -6 -o address show dev vxbr0 | grep 2001:db8:2::1 >/dev/null
	narrow 1280
	refused 2 'bridge_address: 2001:db8:2::1/64 cannot be set on vxbr0: IPv6 needs an MTU of at least 1280' \
		vx h1 reload vxbr0
	refused 2 'IPv6 needs an MTU of at least 1280' vx h1 restart vxbr0
	assert_match vx-h2 "$(ip -n h1 -o link)" "the overlay is still up"
	vx h1 down vxbr0
	narrow 1500
	vx h1 up vxbr0
	vx h1 down vxbr0
	ip -n h1 link add vxbr0 mtu 1230 up type bridge
	refused 2 'IPv6 needs an MTU of at least 1280 and its MTU is 1230' vx h1 up vxbr0
	nothing_left_but_the_bridge
}

nothing_left_but_the_bridge() {
	ip -n h1 link del vxbr0
	nothing_left h1
}

disabled_ipv6_is_refused() {
	# shellcheck disable=SC2034 # read by peer_line
	PEER_MORE_h1=', bridge_address: ["2001:db8:2::1/64"]'
	bound
	on h1 sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	refused 2 'cannot be set on vxbr0: IPv6 is disabled there' vx h1 up vxbr0
	nothing_left h1
	on h1 sysctl -qw net.ipv6.conf.default.disable_ipv6=0
	vx h1 up vxbr0
	pings h1 2001:db8:2::1 1
}

run_tests
