#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: an operator isolates a container's port (`bridge link set dev PORT isolated on`) after `up`, or on two hosts.
# Kernel: the port loses the other isolated ports of its bridge only; with the script's tunnels, which are not isolated, it
#         keeps all peers, isolated ports of other hosts included.
# vxbpf: the same from the next `up` on, or at once if `vxbpf watch` runs. `check` says that isolation ends at the host.

ALL_TESTS="
	keeps_its_peers
	both_ends_isolated
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

isolated() { # HOST PORT
	on "$1" bridge link set dev "$2" isolated on
}

keeps_its_peers() {
	calm_mesh 2
	containers_each 1
	mesh_up
	isolated h1 c11
	expect 3 vx h1 check vxbr0
	assert_match 'drift: ' "$OUT" "check, before up"
	vx h1 up vxbr0
	pings c11 "$(ip4_of c21)" 2
	watch h2 vxbr0
	settled h2
	isolated h2 c21
	wait_for 3 on c21 ping -q -c 1 -W 1 "$(ip4_of c11)"
}

both_ends_isolated() {
	calm_mesh 2
	containers_each 2
	mesh_up
	isolated h1 c11
	isolated h1 c12
	isolated h2 c21
	mesh_up
	reach_all c11 c21
	unreachable c11 "$(ip4_of c12)"
	expect 0 vx h1 check vxbr0
	assert_match 'isolated: c11 and more ports are isolated from the other isolated ports of this host only' "$OUT" "check"
}

run_tests
