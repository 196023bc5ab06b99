#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's verifier takes every program with room to spare, whatever the config says: a kernel gives up
# after 1,000,000 instructions, older ones need more of them, and every `up` waits for it.

ALL_TESTS="
	as_it_comes
	all_on
	all_off
	observes_over_ipv6
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

ROOM=250000

taken_with_room() {
	local count name
	on h1 bash -c 'exec "$0" -IS "$1" /sys/fs/bpf/vxbpf/vxbr0/programs/*/*' "$PYTHON" "$HERE/verified.py" >"$WORK/counts"
	assert_ge 9 "$(wc -l <"$WORK/counts")" "programs"
	while read -r count name; do
		echo "$name: $count"
		assert_ge 2 "$count" "instructions of $name"
		assert_le "$ROOM" "$count" "instructions of $name"
	done <"$WORK/counts"
}

as_it_comes() {
	mesh 2
	mesh_up h1
	taken_with_room
}

all_on() {
	FAMILIES=46
	mesh 2 "fastpath: on" "guard: enforce" "clamp_mss: true"
	mesh_up h1
	taken_with_room
}

all_off() {
	mesh 2 "fastpath: off" "guard: off" "clamp_mss: false"
	mesh_up h1
	taken_with_room
}

observes_over_ipv6() {
	FAMILIES=6
	mesh 2 "guard: observe"
	mesh_up h1
	taken_with_room
}

run_tests
