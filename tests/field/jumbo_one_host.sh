#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: jumbo frames are turned on at one host's NIC, while the other hosts and the switch stay at 1500.
# Kernel: its VXLAN devices keep the MTU they were made with.
# vxbpf: `mtu: auto` stays at 1450 and nothing is wrong; it used to report drift and `degraded` without a difference that
#        anybody could see, as only the sentence about the MTU had changed.

ALL_TESTS="one_at_9000"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

one_at_9000() {
	calm_mesh 2
	containers_each 1
	mesh_up
	ip -n h1 link set eth0 mtu 9000
	tcp c11 c21 10M
	tcp c21 c11 10M
	well h1
	well h2
	expect 0 vx h1 status vxbr0
	vx h1 up vxbr0
	well h1
	assert_eq 1450 "$(status_json h1 | jq '.[0].mtu')" "MTU"
	# A smaller one counts.
	ip -n h1 link set eth0 mtu 1400
	wrong h1 drift '.*mtu 1450 -> 1350'
}

run_tests
