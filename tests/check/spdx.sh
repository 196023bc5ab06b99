#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every source file says its licence in its first line, or in the second after `#!`.

ALL_TESTS="
	tree
	bad_sample
	empty_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

unlicensed() {
	awk 'FNR == 1 && /^#!/ { next }
		/SPDX-License-Identifier: [A-Z]/ { print FILENAME }
		{ nextfile }' "$@" | sort | comm -13 - <(printf '%s\n' "$@" | sort) |
		sed 's/$/: no SPDX-License-Identifier line at its head/'
}

tree() {
	local files
	mapfile -t files < <({ sources '*.[ch]' '*.def' '*.py' '*.awk' Makefile '*.8' '*.5' '*.service' && scripts; } | sort -u)
	clean unlicensed "${files[@]}"
}

bad_sample() {
	sample bad.c <<-'C'
		/* What it is for. */
		/* SPDX-License-Identifier: GPL-2.0 */
		int x;
	C
	caught unlicensed "$SAMPLE"
}

empty_sample() {
	sample empty.c </dev/null
	caught unlicensed "$SAMPLE"
}

run_tests
