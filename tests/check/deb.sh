#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# debian/ says nothing else than the Makefile: one version, one list of packages to build with.

ALL_TESTS="
	version
	build_packages
	stray_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

version() {
	assert_eq "$(sed -n 's/^VERSION := //p' Makefile)" "$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)" "version"
}

# Packages of the Makefile's lists, continued lines and all.
listed() {
	sed -e ':a' -e '/\\$/N; s/\\\n//; ta' Makefile | sed -n 's/^\(DEB\|RUN\|BUILD\)_PACKAGES := //p' | xargs -n 1
}

not_listed() {
	local package
	sed -n '/^Build-Depends:/,/^[^ B]/s/^ \([a-z0-9.+-]*\),\?$/\1/p' "$1" | while read -r package; do
		listed | grep -x -- "$package" >/dev/null || echo "$1: $package is in none of the Makefile's lists"
	done
}

build_packages() {
	assert_ge 10 "$(listed | wc -l)" "packages in the Makefile"
	clean not_listed debian/control
}

stray_sample() {
	sample control <<-'C'
		Build-Depends: debhelper-compat (= 13),
		 clang,
		 some-other-dev
		Standards-Version: 4.6.2
	C
	caught not_listed "$SAMPLE"
}

run_tests
