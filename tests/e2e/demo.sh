#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf demo` shows a mesh and leaves nothing behind, also when it is interrupted.
# time limit: 120

ALL_TESTS="
	demo_shows_a_mesh
	readme_shows_this_page
	demo_interrupted
	demo_twice_at_once
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

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

# page_of FILE: the page of `status` in it, whatever its numbers and how wide they are.
page_of() {
	sed -n '/^vxbr0: /,/or find out who that is/p' "$1" |
		sed -zE 's/\n {4}/ /g; s/[0-9.]+ ?([kMG]?B|k)?/N/g; s/ +/ /g'
}

# What the README shows is the page as it is, not as it once was.
readme_shows_this_page() {
	local fast='^  fast path  off: iptables'
	host h1
	vx h1 demo >"$WORK/demo"
	grep "$fast" "$TOP/README.md" >/dev/null || fail "no page in README.md"
	grep "$fast" "$WORK/demo" >/dev/null || skip "no iptables for bridged frames here: another page"
	page_of "$TOP/README.md" >"$WORK/readme.page"
	page_of "$WORK/demo" >"$WORK/demo.page"
	assert_ge 15 "$(wc -l <"$WORK/demo.page")" "lines"
	assert_same "$WORK/readme.page" "$WORK/demo.page" "the page in README.md"
}

demo_interrupted() {
	local pid
	remember
	enter h1
	setsid "${ENTER[@]}" "$VXBPF" demo >"$WORK/demo" 2>&1 &
	pid=$!
	on_exit stop "$pid"
	wait_for 10 test -s "$WORK/demo"
	kill -INT -- "-$pid"
	wait "$pid" || true
	nothing_behind
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
