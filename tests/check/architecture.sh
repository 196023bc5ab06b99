#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Only x86_64 is supported: the build ends at once for any other processor, and everything says so.

ALL_TESTS="
	build_refuses
	header_refuses
	cleaning_is_allowed
	package_and_readme_say_so
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# A compiler for arm64; whatever else it is asked to do is written down.
compiler() {
	sample gcc-for-arm <<-'S'
		#!/bin/sh
		[ "$1" != -dumpmachine ] || { echo aarch64-linux-gnu; exit; }
		echo "$@" >>"$0.asked"
		exit 1
	S
	chmod +x "$SAMPLE"
}

# expect_make STATUS GOAL: with that compiler.
expect_make() {
	expect "$1" env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make CC="$SAMPLE" BUILD="$TAP_DIR/build" "$2"
}

build_refuses() {
	local goal
	compiler
	for goal in all deps programs install test; do
		expect_make 2 "$goal"
		assert_eq 1 "$(wc -l <<<"$OUT$ERR")" "lines of make $goal"
		assert_match 'vxbpf supports x86_64 only, and .*gcc-for-arm builds for aarch64-linux-gnu' "$ERR" "make $goal"
	done
	[ ! -e "$SAMPLE.asked" ] || fail "the compiler was asked for more: $(cat "$SAMPLE.asked")"
	[ ! -e "$TAP_DIR/build" ] || fail "something was built"
}

# Without the Makefile.
header_refuses() {
	sample user.c <<-'C'
		#include <vxbpf/abi.h>
	C
	gcc -Iinclude -fsyntax-only "$SAMPLE"
	expect 1 gcc -Iinclude -fsyntax-only -U__x86_64__ -D__aarch64__ "$SAMPLE"
	assert_match 'error: #error vxbpf supports x86_64 only' "$ERR" "gcc"
}

cleaning_is_allowed() {
	compiler
	expect_make 0 clean
}

package_and_readme_say_so() {
	assert_eq amd64 "$(sed -n 's/^Architecture: //p' debian/control)" "debian/control"
	grep -q 'on x86_64 (Debian: amd64)' README.md || fail "README.md names no architecture"
}

run_tests
