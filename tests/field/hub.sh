#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a sniffer (an IDS in a VM or container) sits on the bridge, and the bridge is made a hub for it by
#            `ageing_time 0` (bridge_ageing 0), or only one port by `bridge link set dev PORT learning off`.
# Kernel: frames for MACs that the bridge has not learned go to every port, so the sniffer sees them all.
# vxbpf: leaves such a bridge, or such a port, to the kernel with `fastpath: auto`, at once if `vxbpf watch` runs, and
#        says why; with the fast path the sniffer saw nothing.

ALL_TESTS="
	bridge_without_memory
	port_without_learning
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

sniffed_mesh() {
	auto_mesh
	container h1 c12
	on c12 ip link set eth0 promisc on
	watch h1 vxbr0
	settled h1
}

# sees TIMES: the sniffer, of each exchange of c11 and c21.
sees() {
	local before after
	capture sniffer c12 eth0 -Q in udp port 7
	talk 3
	before=$(grep -c . "$WORK/talk") after=$(captured sniffer)
	sleep 1
	before=$(($(grep -c . "$WORK/talk") - before))
	quiet
	after=$(($(captured sniffer) - after))
	assert_ge 50 $before "exchanges"
	assert_ge $((before * $1)) $after "frames that the sniffer saw of $before exchanges"
}

is_off() {
	[ "$(fastpath_of h1)" = off ]
}

bridge_without_memory() {
	sniffed_mesh
	ip -n h1 link set vxbr0 type bridge ageing_time 0
	wait_for 3 is_off
	expect 3 vx h1 check vxbr0
	assert_match 'fastpath: the fast path is off because the bridge floods every frame' "$OUT" "check"
	sees 2
}

port_without_learning() {
	sniffed_mesh
	on h1 bridge link set dev c11 learning off
	on h1 bridge fdb del "$(mac_of c11)" dev c11 master
	wait_for 3 is_left_alone h1 c11
	assert_match 'MAC learning is off' "$(why_of h1 c11)" "why"
	sees 1
}

run_tests
