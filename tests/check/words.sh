#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Plain sentences: none of the words that read like a translation (tests/check/words.py lists them), in what
# the program says, its comments and its documentation.

ALL_TESTS="
	program
	documentation
	bad_samples
	good_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3

words() {
	"$PYTHON" -IS tests/check/words.py "$@"
}

program() {
	local files
	mapfile -t files < <(sources '*.[ch]' '*.def' | grep -E '^(user|bpf|include)/')
	clean words "${files[@]}"
}

documentation() {
	local files
	mapfile -t files < <(sources '*' | grep -E '^(man|docs|contrib)/|^(README|CHANGELOG|CONTRIBUTING)\.md$')
	clean words "${files[@]}"
}

# spoilt NAME TEXT: a file with this line in it.
spoilt() {
	sample "$1" <<<"$2"
	caught words "$SAMPLE"
}

bad_samples() {
	spoilt a.c 'const char *s = "is no whole number";'
	spoilt b.c '	why_set(why, -EINVAL, "so "
			"many probes");'
	spoilt c.h $'/* Replaces a file at\n * one go. */'
	spoilt d.h '/* Nothing. Of several the last. */'
	spoilt e.c '// What a key does'
	spoilt f.def 'VERDICT(X, "x", "nobody'"'"'s")'
	spoilt g.md 'It repairs whatever comes about.'
	spoilt h.md '- Who may speak: peers.'
	spoilt man/i.8 $'.Pp\nWhat was dropped counts.\n.El'
	spoilt j.yml 'description: by the kernel'"'"'s own way'
}

good_sample() {
	sample good.c <<-'C'
		/* There is no route. What now? It is no longer there, of course. */
		int came_about, shall_we;
		const char *s = "a number between 1 and 4";
	C
	clean words "$SAMPLE"
	sample good.md <<<'The default is 4: there is no limit, and packets arrive unfragmented.'
	clean words "$SAMPLE"
}

run_tests
