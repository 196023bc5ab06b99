#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each script of tests/field says which situation it is, what the plain kernel does there and what vxbpf does, and
# docs/troubleshooting.md has a row for it.

ALL_TESTS="
	tree
	bad_samples
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

ROWS=docs/troubleshooting.md

breaches() {
	local heading file
	for heading in Situation Kernel vxbpf; do
		grep -L "^# $heading: [^ ]" "$@" | sed "s/\$/: no line \`# $heading: ...\`/"
	done
	for file; do
		[[ $(<"$ROWS") = *"](../tests/field/${file##*/})"* ]] || echo "$file: no row in $ROWS"
	done
}

tree() {
	local files
	mapfile -t files < <(sources '*.sh' | grep '^tests/field/')
	assert_ge 1 ${#files[@]} "scripts"
	clean breaches "${files[@]}"
}

bad_samples() {
	local wanted
	for wanted in Situation Kernel vxbpf row; do
		sample "$wanted.sh" < <(printf '# %s: something\n' Situation Kernel vxbpf | grep -v "# $wanted:")
		caught breaches "$SAMPLE"
	done
}

run_tests
