#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The kernel is the truth (I1): with all our programs gone, two hosts still carry traffic.
#
#    c11 c12      c21 c22
#      \ /          \ /
#     vxbr0        vxbr0
#      h1 ___ sw ___ h2
# also with: FASTPATH=on

ALL_TESTS="
	both_hosts_without_programs
	one_host_without_programs
	up_repairs_it
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

# A link nobody pins any more is gone, and its program with it.
unhook() {
	on "$1" rm -rf /sys/fs/bpf/vxbpf
	wait_for 5 no_programs "$1"
}

no_programs() {
	[ -z "$(hooks "$1")" ]
}

small_mesh() {
	mesh 2
	mesh_up
	containers_each 2
	mesh_up
	assert_ge 3 "$(hooks h1 | wc -l)" "programs on h1 to begin with"
}

both_hosts_without_programs() {
	small_mesh
	unhook h1
	unhook h2
	pings c11 "$(ip4_of c21)" 1
	reach_all c11 c12 c21 c22
	tcp c11 c21 5M
}

one_host_without_programs() {
	small_mesh
	unhook h2
	pings c21 "$(ip4_of c11)" 1
	reach_all c11 c12 c21 c22
}

up_repairs_it() {
	small_mesh
	unhook h1
	expect 3 vx h1 status
	expect 3 vx h1 up vxbr0 --dry-run
	expect 0 vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
	assert_ge 3 "$(hooks h1 | wc -l)" "programs on h1"
	reach_all c11 c12 c21 c22
	expect 0 vx h1 status
}

run_tests
