#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a container attaches and detaches an XDP program at its end of the veth hundreds of times a second, by a
#            broken agent or on purpose; the host hears of each.
# Kernel: does not look at it.
# vxbpf: `watch` looks at that port five times a second, and the other ports stay fast. Each change made a look, which took
#        a third of a CPU.

ALL_TESTS="one_port_costs_little"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

one_port_costs_little() {
	local began looks
	auto_mesh
	container h2 c22
	watch h2 vxbr0
	settled h2
	talk 60
	wait_for 5 is_fast
	background c22 "$LIB/xdp.py" eth0 storm plain >"$WORK/storm"
	wait_for 5 grep -q attached "$WORK/storm"
	: >"$OUT_FILE"
	began=$SECONDS
	sleep 5 # flows and the lease last two seconds
	looks=$(passes)
	assert_ge 3 "$looks" "looks at the port while it changes"
	assert_le $((5 + 6 * (SECONDS - began + 1))) "$looks" "looks at the port in $((SECONDS - began)) s"
	wait_for 3 is_fast
	stop "$PID"
	settled h2
	is_accelerated h2 c22
}

run_tests
