#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `make install` brings the binary and every manual page; `make uninstall` removes exactly those.

ALL_TESTS="
	installs_binary_and_manual
	uninstalls_what_it_installed
	keeps_files_of_others
	forgotten_page_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

ROOT=$TAP_DIR/root

# target MAKEFILE TARGET: with a prefix below ROOT; without the flags and job server of an outer make.
target() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u V make -f "$1" BUILD="$BUILD" PREFIX=/usr DESTDIR="$ROOT" "$2" \
		>"$TAP_DIR/make" 2>&1 || fail "make $2: $(cat "$TAP_DIR/make")"
}

# Prints the files below ROOT.
files() {
	find "$ROOT" -type f -printf '%P\n' | sort
}

# left_behind MAKEFILE: files that remain of its `install` after its `uninstall`.
left_behind() {
	rm -rf "$ROOT"
	target Makefile install
	target "$1" uninstall
	files
}

need_binary() {
	[ -x "$BUILD/vxbpf" ] || skip "$BUILD/vxbpf is not built"
}

installs_binary_and_manual() {
	local page
	need_binary
	rm -rf "$ROOT"
	target Makefile install
	cmp "$BUILD/vxbpf" "$ROOT/usr/sbin/vxbpf" || fail "another binary"
	assert_ge 5 "$(find man -type f | wc -l)" "manual pages"
	for page in man/*; do
		cmp "$page" "$ROOT/usr/share/man/man${page##*.}/${page##*/}" || fail "$page is not installed"
	done
	assert_eq "$(find man -type f | wc -l)" "$(files | grep -vc '^usr/sbin/vxbpf$')" "files beside the binary"
}

uninstalls_what_it_installed() {
	need_binary
	assert_eq "" "$(left_behind Makefile)" "files left behind"
	target Makefile uninstall
}

keeps_files_of_others() {
	need_binary
	rm -rf "$ROOT"
	mkdir -p "$ROOT/usr/sbin" "$ROOT/usr/share/man/man8" "$ROOT/etc/vxbpf"
	touch "$ROOT/usr/sbin/vxbpf-local" "$ROOT/usr/share/man/man8/other.8" "$ROOT/etc/vxbpf/vxbr0.yaml"
	files >"$TAP_DIR/before"
	target Makefile install
	target Makefile uninstall
	files >"$TAP_DIR/after"
	assert_same "$TAP_DIR/before" "$TAP_DIR/after" "files of others"
}

forgotten_page_sample() {
	need_binary
	sample Makefile < <(sed '/^PAGES :=/s/\[578\]/[58]/' Makefile)
	! cmp -s Makefile "$SAMPLE" || fail "the sample is the Makefile"
	caught left_behind "$SAMPLE"
}

run_tests
