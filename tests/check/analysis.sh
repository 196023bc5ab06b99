#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# cppcheck and clang's analyzer find nothing in user/. Chosen are the checks that find mistakes, not
# the ones that have a taste. Leaks are left to ASan in the unit tests: neither tool knows the cleanup
# attributes this code frees by.
# time limit: 900

ALL_TESTS="
	cppcheck_on_the_tree
	cppcheck_on_a_bad_sample
	clang_tidy_on_the_tree
	clang_tidy_on_a_bad_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

DEFINES=(-D_GNU_SOURCE '-DVXBPF_VERSION="0"' -Iinclude -Iuser "-I$BUILD")
CHECKS='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,
	-clang-analyzer-unix.Malloc,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-sizeof-expression,
	-bugprone-reserved-identifier,
	-bugprone-assignment-in-if-condition,-bugprone-macro-parentheses,-bugprone-narrowing-conversions,
	-bugprone-implicit-widening-of-multiplication-result,-bugprone-branch-clone,
	misc-redundant-expression,misc-misplaced-const,cert-env33-c'
# States looked at for each function. Clang's own bound (225000) takes many times as long; NODES=225000 asks for it.
BOUND=(-Xclang -analyzer-config -Xclang "max-nodes=${NODES:-20000}")

cppchecked() {
	cppcheck --quiet --std=c11 -D__x86_64__ --enable=warning,performance,portability --inline-suppr \
		--suppress='*:*skel.h' --suppress=unknownMacro --suppress=memleak \
		--suppress=ctuuninitvar --suppress=ctunullpointer \
		"${DEFINES[@]}" "$@" 2>&1 | grep -E '(error|warning|performance|portability):'
}

tidied() {
	printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' \
		clang-tidy --quiet --checks="${CHECKS//[$'\n\t']/}" '{}' -- -std=gnu11 "${BOUND[@]}" "${DEFINES[@]}" 2>/dev/null |
		grep -E '(error|warning):' | grep -v 'skel\.h:'
}

user_sources() {
	sources '*.c' | grep '^user/'
}

cppcheck_on_the_tree() {
	local files
	mapfile -t files < <(user_sources)
	clean cppchecked "${files[@]}"
}

cppcheck_on_a_bad_sample() {
	sample bad.c <<-'C'
		#include <stdlib.h>
		int f(void)
		{
			int *p = malloc(sizeof(*p));

			int a[2] = { 1, 2 };

			return p ? a[2] : *p;
		}
	C
	caught cppchecked "$SAMPLE"
}

clang_tidy_on_the_tree() {
	local files
	[ -e "$BUILD/vxbpf.skel.h" ] || fail "$BUILD/vxbpf.skel.h is not built"
	mapfile -t files < <(user_sources)
	clean tidied "${files[@]}"
}

clang_tidy_on_a_bad_sample() {
	sample bad.c <<-'C'
		#include <string.h>
		int f(const char *s);
		int f(const char *s)
		{
			char *p = NULL;

			if (!s)
				return *p;
			return strcmp(s, "a") == 2;
		}
	C
	caught tidied "$SAMPLE"
}

run_tests
