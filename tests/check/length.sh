#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# No file over 400 lines without a word at its head ("lines: why") about the reason.

ALL_TESTS="
	tree
	bad_sample
	reason_helps
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

too_long() {
	awk 'function told() { if (lines > 400 && !why) print file ": " lines " lines" }
		FNR == 1 { told(); why = 0; file = FILENAME }
		FNR <= 20 && /lines: / { why = 1 }
		{ lines = FNR }
		END { told() }' "$@"
}

tree() {
	local files
	mapfile -t files < <(sources '*.[ch]' '*.sh' '*.py' '*.awk' '*.def' Makefile run)
	clean too_long "${files[@]}"
}

bad_sample() {
	sample bad.c < <(printf 'int x;\n%.0s' {1..401})
	caught too_long "$SAMPLE"
}

reason_helps() {
	sample good.c < <(echo '/* lines: one table, never read in one go */' && printf 'int x;\n%.0s' {1..500})
	clean too_long "$SAMPLE"
}

run_tests
