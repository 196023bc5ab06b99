#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a container's end of its veth moves into the host's own namespace while traffic runs, as when the container
#            ends with its veth kept, or somebody debugs it.
# Kernel: goes on as soon as the end is up there with its address.
# vxbpf: the same if `vxbpf watch` runs: the host's end loses its carrier by the move, and that news says where the other
#        end is now. The fast path delivered into the other namespace and lost every frame.

ALL_TESTS="moved_into_the_host"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

plan_is_empty() {
	[ -z "$(vx h1 up vxbr0 --dry-run)" ]
}

moved_into_the_host() {
	auto_mesh
	watch h1 vxbr0
	talk 60
	wait_for 5 is_fast
	named c11
	ip -n c11 link set eth0 netns h1 name moved
	ip -n h1 addr add "$(ip4_of c11)/24" dev moved
	wait_for 3 plan_is_empty
	ip -n h1 link set moved up
	wait_for 3 on c21 ping -q -c 1 -W 1 "$(ip4_of c11)"
	pings c21 "$(ip4_of c11)" 20
	wait_for 3 plan_is_empty
}

run_tests
