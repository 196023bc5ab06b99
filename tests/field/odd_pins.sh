#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: what is pinned below /sys/fs/bpf/vxbpf is not what this build pins: another build, a tool that restored
#   pins from a copy, or a damaged map.
# Kernel: nothing of it concerns the kernel's tunnels; they carry traffic.
# vxbpf: no command reads a map before type, sizes and flags are known to be its own; `up` replaces what does not fit,
#   and `down` removes all of it.

ALL_TESTS="
	other_shapes
	text_without_end
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0
PIN=/sys/fs/bpf/vxbpf/vxbr0

# survives COMMAND...: ends by itself, with an exit status of ours and in words.
survives() {
	expect 0,1,2,3 vx h1 "$@"
	[ "$STATUS" -eq 0 ] || [ -n "$OUT$ERR" ] || fail "$*: says nothing"
}

# Every command is content with it, and then `up` and `down` are.
reads_it() {
	survives status
	survives status --json
	survives check vxbr0
	survives export
	survives who 02:c0:00:00:00:0b
	survives ping h2 -c 1
	survives top -n 1
	survives up vxbr0 --dry-run
	survives down vxbr0 --dry-run
	pings c11 "$(ip4_of c21)" 2
}

# odd MAP TYPE KEY VALUE ENTRIES
odd() {
	on h1 rm "$PIN/$1"
	on h1 bpftool map create "$PIN/$1" type "$2" key "$3" value "$4" entries "$5" name "$1"
}

with_odd() {
	odd "$@"
	reads_it
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
	odd "$@"
	vx h1 down vxbr0
	assert_eq "" "$(on h1 find /sys/fs/bpf -mindepth 1 ! -name '*.debug')" "pins after $*"
	vx h1 up vxbr0
	pings c11 "$(ip4_of c21)" 2
}

other_shapes() {
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
	pings c11 "$(ip4_of c21)" 2
	with_odd peers hash 200 8 2048
	with_odd overlay percpu_array 4 704 1
	with_odd fdb percpu_hash 8 40 65536
	with_odd counters array 4 8 16
	# Something that is no map at all.
	on h1 rm "$PIN/peers"
	on h1 mkdir "$PIN/peers"
	survives status
	survives check vxbr0
	survives export
}

text_without_end() {
	local bytes
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
	bytes=$(printf '65 %.0s' {1..704})
	# shellcheck disable=SC2086
	on h1 bpftool map update pinned "$PIN/overlay" key 0 0 0 0 value $bytes
	reads_it
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
	vx h1 down vxbr0
	ip -n h1 link del c11
	vx h1 down vxbr0
	nothing_left h1
}

run_tests
