#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: the bridge gets an address in the underlay's own subnet, or in a part of it that holds the peers.
# Kernel: two routes for one subnet; the overlay works until the uplink flaps, or not at all: the host looks for its
#     peers inside of the overlay.
# vxbpf: refuses a `bridge_address` whose subnet holds the underlay address of any host, on every host, before
#     anything is changed: exit 2 means just that.

ALL_TESTS="
	same_subnet
	longer_prefix
	ipv6
	other_subnets_are_fine
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0

bad() { # ADDRESS PEER
	# shellcheck disable=SC2034 # read by peer_line
	PEER_MORE_h2=", bridge_address: [\"$1\"]"
	config vxbr0
	for host in h1 h2; do
		refused 2 "vxbr0\.yaml:3: peers\[1\]\.bridge_address.*the subnet of $1 holds .*, the address of $2" vx "$host" up vxbr0
		refused 2 "the subnet of $1 holds" vx "$host" up vxbr0 --dry-run
		nothing_left "$host"
	done
}

same_subnet() {
	hosts 2
	bad 192.0.2.99/24 h1
	bad 192.0.2.99/16 h1
}

longer_prefix() {
	hosts 2
	bad 192.0.2.4/29 h1
	bad 192.0.2.3/31 h2
}

ipv6() {
	FAMILIES=46
	hosts 2
	bad 2001:db8::99/64 h1
}

other_subnets_are_fine() {
	# shellcheck disable=SC2034 # read by peer_line
	PEER_MORE_h1=", bridge_address: [192.0.2.4/30, 203.0.113.1/24]"
	# shellcheck disable=SC2034
	PEER_MORE_h2=", bridge_address: [192.0.2.5/30, 203.0.113.2/24]"
	mesh 2
	mesh_up
	pings h1 203.0.113.2 2
	pings h1 192.0.2.5 2
	# The uplink flaps.
	ip -n h1 link set eth0 down
	ip -n h1 link set eth0 up
	wait_for 10 on h1 ping -c 1 -W 1 203.0.113.2
}

run_tests
