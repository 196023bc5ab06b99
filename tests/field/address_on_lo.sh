#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a routed host has its address on lo, and the route to the peers names the link's own address as source (`src`).
# Kernel: the tunnel sends from the address that it is bound to; containers reach each other.
# vxbpf: the same, and `check` finds nothing: a tunnel never uses the source of the route.

ALL_TESTS="
	source_of_the_link
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

source_of_the_link() {
	calm_hosts 2
	ip -n h1 -batch - <<-END
		addr del 192.0.2.1/24 dev eth0
		addr add 192.0.2.1/32 dev lo
		addr add 203.0.113.1/24 dev eth0
		route add 192.0.2.0/24 dev eth0 src 203.0.113.1
	END
	mesh_up
	containers_each 1
	mesh_up
	reach_all c11 c21
	well h1
	well h2
	# Where the address is on another NIC the same route is worth a word.
	ip -n h1 -batch - <<-END
		addr del 192.0.2.1/32 dev lo
		link add eth7 type bridge
		link set eth7 up
		addr add 192.0.2.1/32 dev eth7
	END
	appears h1 route 'h2: the route to 192\.0\.2\.2 uses'
}

run_tests
