#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# C is formatted as .clang-format says.

ALL_TESTS="
	tree
	bad_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

misformatted() {
	clang-format --style=file:.clang-format --dry-run -Werror "$@" 2>&1 | grep 'error:'
}

tree() {
	local files
	mapfile -t files < <(c_sources)
	clean misformatted "${files[@]}"
}

bad_sample() {
	sample bad.c <<-'C'
		int main( void ) {
		    return 0; }
	C
	caught misformatted "$SAMPLE"
}

run_tests
