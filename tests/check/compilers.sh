#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# gcc and clang both build everything, tests included, without a warning, outside the tree.
# time limit: 900

ALL_TESTS="
	gcc_builds_everything
	clang_builds_everything
	installs_one_binary
	readme_names_the_libraries
	commands_install_what_they_need
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

# What is built already, by these rules and with gcc, is not built again.
gcc_builds_everything() {
	if grep -q 'GCC: (' "$BUILD/vxbpf" &&
		env -u MAKEFLAGS -u MAKELEVEL make -q CC=gcc BUILD="$BUILD" all programs; then
		return 0
	fi
	builds gcc
}

clang_builds_everything() {
	builds clang
}

# One file to copy to a host: the BPF object is inside.
installs_one_binary() {
	[ -e man/vxbpf.8 ] || skip "no man pages"
	makes CC=clang BUILD="$TAP_DIR/clang" PREFIX=/usr DESTDIR="$TAP_DIR/root" install
	[ -x "$TAP_DIR/root/usr/sbin/vxbpf" ] || fail "not installed below DESTDIR"
	rm -rf "$TAP_DIR/clang"
	(cd / && "$TAP_DIR/root/usr/sbin/vxbpf" version)
}

# sonames PACKAGE...: the libraries in them.
sonames() {
	dpkg -L "$@" | sed -n 's|.*/\(lib[^/]*\.so\.[0-9]*\)$|\1|p' | sort -u
}

# On another host the binary runs with these packages, what they depend on, and none of them for nothing.
readme_names_the_libraries() {
	local named brought package
	command -v dpkg >/dev/null || skip "no dpkg"
	read -r -a named <<<"$(sed -n 's/.*run-time libraries only: `apt install \(lib[^`]*\)`.*/\1/p' README.md)"
	assert_ge 1 "${#named[@]}" "packages in README.md"
	read -r -a brought <<<"$(dpkg-query -W -f '${Depends}, ' "${named[@]}" | sed 's/([^)]*)//g; s/,/ /g')"
	ldd "$TAP_DIR/root/usr/sbin/vxbpf" | sed -n 's|.* => .*/\(lib[^ ]*\) (.*|\1|p' | sort -u >"$TAP_DIR/needed"
	assert_ge 4 "$(wc -l <"$TAP_DIR/needed")" "libraries of vxbpf"
	assert_eq "" "$(sonames "${named[@]}" "${brought[@]}" | comm -23 "$TAP_DIR/needed" -)" "not in README.md"
	for package in "${named[@]}"; do
		[ -n "$(sonames "$package" | comm -12 "$TAP_DIR/needed" -)" ] || fail "no need of $package"
	done
}

# On a fresh machine each is the only command.
commands_install_what_they_need() {
	local target
	for target in demo test check; do
		env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -n BUILD="$TAP_DIR/none" "$target" >"$TAP_DIR/make"
		grep -n -m 1 apt-get "$TAP_DIR/make" >"$TAP_DIR/apt" || fail "make $target installs nothing"
		assert_le 10 "$(cut -d : -f 1 "$TAP_DIR/apt")" "line of make $target that installs"
	done
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
