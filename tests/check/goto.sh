#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# No goto in user/ and bpf/: cleanup attributes and small functions instead.

ALL_TESTS="
	tree
	bad_sample
	words_are_free
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

gotos() {
	grep -HnE '^[^"/*]*\bgoto[[:space:]]+[A-Za-z_]\w*[[:space:]]*;' "$@"
}

tree() {
	local files
	mapfile -t files < <(c_sources | grep -E '^(user|bpf|include)/')
	clean gotos "${files[@]}"
}

bad_sample() {
	sample bad.c <<-'C'
		int f(int x)
		{
			if (x)
				goto out;
		out:
			return x;
		}
	C
	caught gotos "$SAMPLE"
}

words_are_free() {
	sample good.c <<-'C'
		/* There is no goto here; */
		const char *s = "goto out;";
	C
	clean gotos "$SAMPLE"
}

run_tests
