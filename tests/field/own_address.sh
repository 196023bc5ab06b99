#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: the underlay's address goes while the overlay is up: DHCP gives another one, networkd or netplan removes
#            and adds it again, or IPv6 duplicate address detection fails (dadfailed), as after a clone of a VM.
# Kernel: its VXLAN devices send nothing as long as the address is not there, and go on once it is back.
# vxbpf: the same, and `check` names the address, what the underlay has now, and what to do; it used to blame the
#        config, or a firewall on the path.

ALL_TESTS="
	another_address
	duplicate_address
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

another_address() {
	calm_mesh 2
	containers_each 1
	mesh_up
	pings c11 "$(ip4_of c21)" 2
	ip -n h1 addr flush dev eth0
	wrong h1 own_address 'no device has 192\.0\.2\.1 now.*, if this host has a new address, change the address of h1'
	about h1 own_address 192.0.2.1
	unreachable c11 "$(ip4_of c21)"
	ip -n h1 addr add 192.0.2.77/24 dev eth0
	says_so h1 own_address '.*a new address \(eth0 has 192\.0\.2\.77\), change' || fail "$(cat "$WORK/check")"
	! says_so h1 config . || fail "the config is blamed: $(cat "$WORK/check")"
	expect 3 vx h1 status vxbr0
	assert_match 'no device has 192\.0\.2\.1 now' "$OUT" "status"
	expect 1 vx h1 ping h2 -c 1
	assert_match "h2: ping: no device has this host's address 192\.0\.2\.1 now" "$ERR" "ping"
	ip -n h1 addr add 192.0.2.1/24 dev eth0
	pings c11 "$(ip4_of c21)" 2
	well h1
}

duplicate_address() {
	FAMILIES=6
	calm_mesh 2
	node s9
	ip -n h1 addr del 2001:db8::1/64 dev eth0
	ip -n s9 addr add 2001:db8::1/64 dev eth0 nodad
	on h1 bash -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_dad
		echo 1 >/proc/sys/net/ipv6/conf/eth0/dad_transmits'
	ip -n h1 addr add 2001:db8::1/64 dev eth0
	wait_for 5 on h1 bash -c 'ip -6 addr show dev eth0 dadfailed | grep dadfailed'
	appears h1 own_address 'another machine on the network of eth0 has this host.s address 2001:db8::1 too'
	about h1 own_address 2001:db8::1
	expect 1 vx h1 ping h2 -c 1
	assert_match "h2: ping: another machine has this host's address 2001:db8::1 too" "$ERR" "ping"
	ip -n s9 addr del 2001:db8::1/64 dev eth0
	ip -n h1 addr del 2001:db8::1/64 dev eth0
	ip -n h1 addr add 2001:db8::1/64 dev eth0
	wait_for 5 on h1 bash -c '! ip -6 addr show dev eth0 tentative | grep .'
	ip -n h2 neigh flush all # it may believe the other machine for 45 seconds more
	goes h1
}

run_tests
