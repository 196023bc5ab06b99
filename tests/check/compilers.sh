#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# gcc and clang both build everything, tests included, without a warning, outside the tree.
# time limit: 900

ALL_TESTS="
	gcc_builds_everything
	clang_builds_everything
	installs_one_binary
	bad_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# makes ARGUMENT...: quietly, a short line for each thing made, and nothing new in the tree.
makes() {
	tree >"$TAP_DIR/before"
	# Nothing from the outer make: its own flags and job server.
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u V make "$@" >"$TAP_DIR/make" 2>&1 ||
		fail "$(grep -E 'error|Error|\*\*\*' "$TAP_DIR/make" | head -n 20)"
	! grep -vE '^  [A-Z]+( SAN)? +[^ ]+$' "$TAP_DIR/make" || fail "make $* is not quiet"
	assert_eq "" "$(tree | comm -13 "$TAP_DIR/before" -)" "new files in the tree"
}

tree() {
	find . -path ./.git -prune -o -path "./${BUILD:-build}" -prune -o -print | sort
}

builds() { # COMPILER
	makes -j "$(nproc)" CC="$1" BUILD="$TAP_DIR/$1" all programs
	[ -x "$TAP_DIR/$1/vxbpf" ] || fail "no binary"
}

gcc_builds_everything() {
	builds gcc
}

clang_builds_everything() {
	builds clang
}

# One file to copy to a host: the BPF object is inside.
installs_one_binary() {
	[ -e man/vxbpf.8 ] || skip "no man pages"
	makes BUILD="$TAP_DIR/gcc" PREFIX=/usr DESTDIR="$TAP_DIR/root" install
	[ -x "$TAP_DIR/root/usr/sbin/vxbpf" ] || fail "not installed below DESTDIR"
	rm -rf "$TAP_DIR/gcc"
	(cd / && "$TAP_DIR/root/usr/sbin/vxbpf" version)
}

# The flags that both are given see a shadowed variable.
bad_sample() {
	local flags compiler
	flags=$(printf 'include Makefile\nflags:\n\t@echo $(CPPFLAGS) $(CFLAGS)\n' |
		env -u MAKEFLAGS -u MAKELEVEL make -s -f - flags)
	sample bad.c <<-'C'
		int f(int x);
		int f(int x)
		{
			for (int i = 0; i < 2; i++) {
				int x = i;

				(void)x;
			}
			return x;
		}
	C
	for compiler in gcc clang; do
		# shellcheck disable=SC2086
		! eval "$compiler $flags -c -o /dev/null $SAMPLE" 2>"$TAP_DIR/compiler" ||
			fail "$compiler does not see a shadowed variable"
		assert_match 'shadow' "$(cat "$TAP_DIR/compiler")" "$compiler"
	done
}

run_tests
