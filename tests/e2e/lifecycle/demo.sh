#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf demo` shows a mesh and leaves nothing behind, also when it is interrupted.
# time limit: 120

ALL_TESTS="
	demo_shows_a_mesh
	readme_shows_this_page
	demo_interrupted
	demo_killed
	demo_twice_at_once
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

processes() {
	ps -e -o comm= | sort | grep -vE '^(ps|sort|grep|bash)$' || true
}

remember() {
	host h1
	snapshot h1 >"$WORK/before"
	processes >"$WORK/processes"
	left_files >"$WORK/files"
}

left_files() {
	on h1 bash -c 'ls -d /run/netns/* /tmp/*vxbpf* /run/*vxbpf*' 2>/dev/null || true
}

nothing_behind() {
	unchanged h1 "$WORK/before"
	wait_for 5 same_processes
	assert_eq "" "$(comm -13 "$WORK/files" <(left_files))" "namespaces and files left behind"
}

same_processes() {
	[ "$(processes)" = "$(cat "$WORK/processes")" ]
}

demo_shows_a_mesh() {
	remember
	SECONDS=0
	expect 0 vx h1 demo
	assert_le 15 "$SECONDS" "seconds"
	assert_match 'unknown_source|refused|dropped' "$OUT" "the spoofed packet"
	assert_match '([0-9]+) of \1 answered' "$OUT" "pings"
	assert_match '2 sent, 2 answered' "$OUT" "probes"
	nothing_behind
}

# page_of FILE: the page of `status` in it, whatever its numbers, how wide they are, and the kernel's hooks.
page_of() {
	sed -n '/^vxbr0: up - /,/or find out what it is/p' "$1" |
		sed -zE 's/\n {4}/ /g; s/[0-9.]+ ?([kMG]?B|k)?/N/g; s/ +/ /g; s/\((tcx|clsact), /(hooks, /'
}

# What the README shows is the page as it is, not as it once was, whether or not this machine's iptables
# look at bridged frames.
readme_shows_this_page() {
	local name
	host h1
	vx h1 demo >"$WORK/demo"
	for name in "$TOP/README.md" "$WORK/demo"; do
		page_of "$name" >"$WORK/${name##*/}.page"
		assert_match 'fast path on: ' "$(cat "$WORK/${name##*/}.page")" "the fast path in $name"
		assert_ge 15 "$(wc -l <"$WORK/${name##*/}.page")" "lines"
	done
	assert_same "$WORK/README.md.page" "$WORK/demo.page" "the page in README.md"
}

# cut_short SIGNAL [-]: a demo in the middle of its work gets it; with `-` its whole process group.
cut_short() {
	local pid
	remember
	enter h1
	setsid "${ENTER[@]}" "$VXBPF" demo >"$WORK/demo" 2>&1 &
	pid=$!
	on_exit stop "$pid"
	wait_for 20 grep -q 'of 24 answered' "$WORK/demo"
	assert_ge 9 "$(processes | grep -c '^sleep$')" "processes of the demo"
	kill "-$1" -- "${2:-}$pid"
	wait "$pid" || true
	nothing_behind
	! grep '^Works' "$WORK/demo" || fail "the demo went on"
}

# As ctrl-C does.
demo_interrupted() {
	cut_short INT -
	assert_match '^Interrupted; everything is removed\.$' "$(tail -n 1 "$WORK/demo")" "last line"
}

demo_killed() {
	cut_short KILL
	expect 0 vx h1 demo
}

demo_twice_at_once() {
	local first second
	remember
	vx h1 demo >"$WORK/demo1" 2>&1 &
	first=$!
	vx h1 demo >"$WORK/demo2" 2>&1 &
	second=$!
	wait "$first" || fail "first demo: $(cat "$WORK/demo1")"
	wait "$second" || fail "second demo: $(cat "$WORK/demo2")"
	nothing_behind
}

run_tests
