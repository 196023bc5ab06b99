#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a sniffer (an IDS in a VM or container) sits on the bridge, and the bridge is made a hub for it by
#            `ageing_time 0` (bridge_ageing 0), or only one port by `bridge link set dev PORT learning off`; or it
#            listens on the bridge itself after `ip link set vxbr0 promisc on`.
# Kernel: frames for MACs that the bridge has not learned go to every port, and a promiscuous bridge gets a copy of all
#         frames, so the sniffer sees them all.
# vxbpf: leaves such a bridge, or such a port, to the kernel with `fastpath: auto`, at once if `vxbpf watch` runs, and
#        says why; with the fast path the sniffer saw nothing.

ALL_TESTS="sniffers_see_all"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

# sees TIMES WHERE IF: a sniffer there sees each exchange of c11 and c21 so many times.
sees() {
	local exchanges frames
	capture sniffer "$2" "$3" -Q in udp port 7
	exchanges=$(grep -c . "$WORK/talk")
	frames=$(captured sniffer)
	sleep 1
	exchanges=$(($(grep -c . "$WORK/talk") - exchanges))
	sleep 0.2
	frames=$(($(captured sniffer) - frames))
	assert_ge 50 "$exchanges" "exchanges"
	assert_ge $((exchanges * $1 * 9 / 10)) "$frames" "frames seen on $3 of $exchanges exchanges"
}

off_because() {
	wait_for 3 is_off h1
	expect 3 vx h1 check vxbr0
	assert_match "fastpath: the fast path is off because $1" "$OUT" "check"
}

sniffers_see_all() {
	auto_mesh
	container h1 c12
	on c12 ip link set eth0 promisc on
	watch h1 vxbr0
	talk 60
	wait_for 5 is_fast

	ip -n h1 link set vxbr0 type bridge ageing_time 0
	off_because 'the bridge floods every frame'
	sees 2 c12 eth0
	ip -n h1 link set vxbr0 type bridge ageing_time 30000
	wait_for 3 is_on h1

	ip -n h1 link set vxbr0 promisc on
	off_because 'the bridge is promiscuous'
	sees 2 h1 vxbr0
	ip -n h1 link set vxbr0 promisc off
	wait_for 3 is_on h1

	on h1 bridge link set dev c11 learning off
	on h1 bridge fdb del "$(mac_of c11)" dev c11 master
	wait_for 3 is_left_alone h1 c11
	assert_match 'MAC learning is off' "$(why_of h1 c11)" "why"
	sleep 2 # flows learned before last so long
	sees 1 c12 eth0
}

run_tests
