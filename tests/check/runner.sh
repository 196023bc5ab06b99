#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The runner itself: what passes, what fails, what is skipped, and that nothing fails unseen.

ALL_TESTS="
	all_pass
	one_fails
	skips_are_counted_and_named
	cmocka_dialect
	dies_of_a_signal
	exits_badly_without_a_failed_test
	runs_out_of_time
	prints_no_plan
	breaks_its_plan
	bails_out
	program_not_built
	nothing_ran
	unknown_name
	output_only_on_failure
	runs_once_more_with
	side_by_side_but_alone
	folders_of_e2e
	every_test_file_is_run
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# A tree with nothing but the runner and one file of tests.
tree_with() { # NAME <<SCRIPT
	rm -rf "$TAP_DIR/tree"
	mkdir -p "$TAP_DIR/tree/tests/check" "$TAP_DIR/tree/tests/unit"
	cp tests/run "$TAP_DIR/tree/tests/run"
	cat >"$TAP_DIR/tree/tests/check/$1.sh"
}

# run_says STATUS LAST_LINE [ARGS...]
run_says() {
	local status=$1 last=$2
	shift 2
	expect "$status" env -u V BUILD=build JOBS="${JOBS_THERE:-1}" TIME_LIMIT=2 "$TAP_DIR/tree/tests/run" "$@"
	assert_eq "$last" "$(tail -n 1 <<<"$OUT")" "last line"
}

all_pass() {
	tree_with good <<-'S'
		echo 1..2
		echo ok 1 - this
		echo ok 2 - that
	S
	run_says 0 "2 passed, 0 failed, 0 skipped"
	assert_match '^\[check/good\] 2 passed$' "$OUT" "the file's line"
}

one_fails() {
	tree_with bad <<-'S'
		echo 1..2
		echo ok 1 - this
		echo not ok 2 - that
		echo '# why'
		exit 1
	S
	run_says 1 "1 passed, 1 failed, 0 skipped" check/bad
	assert_match '^FAILED: \[check/bad\] that$' "$OUT" "its name"
	assert_match '# why' "$OUT" "its output"
}

skips_are_counted_and_named() {
	tree_with skip <<-'S'
		echo 1..2
		echo ok 1 - this
		echo 'ok 2 - that # SKIP no moon'
	S
	run_says 0 "1 passed, 0 failed, 1 skipped"
	assert_match '^skipped: \[check/skip\] that # SKIP no moon$' "$OUT" "its name"
	tree_with skip <<<"echo '1..0 # SKIP needs root'"
	run_says 0 "0 passed, 0 failed, 1 skipped"
	assert_match 'needs root' "$OUT" "why"
}

# What cmocka 1.1.5 prints: a plan for each group, and `not ok` for a skipped test.
cmocka_dialect() {
	tree_with cmocka <<-'S'
		printf '%s\n' 1..2 'ok 1 - a' 'not ok 2 # SKIP b' '# ok - first' 1..11 \
			ok\ {1..10}' - c' 'ok 11 - d' '# ok - second'
	S
	run_says 0 "12 passed, 0 failed, 1 skipped"
	assert_match '^skipped: \[check/cmocka\] # SKIP b$' "$OUT" "the skipped one"
}

dies_of_a_signal() {
	tree_with dies <<-'S'
		echo 1..1
		echo ok 1 - this
		kill -SEGV $$
	S
	run_says 1 "1 passed, 1 failed, 0 skipped"
	assert_match 'died of signal 11' "$OUT" "why"
}

exits_badly_without_a_failed_test() {
	tree_with exits <<-'S'
		echo 1..1
		echo ok 1 - this
		exit 3
	S
	run_says 1 "1 passed, 1 failed, 0 skipped"
}

runs_out_of_time() {
	tree_with slow <<-'S'
		echo 1..1
		sleep 60
	S
	run_says 1 "0 passed, 1 failed, 0 skipped"
	tree_with slow <<-'S'
		# time limit: 1
		echo 1..1
		exec sleep 60
	S
	run_says 1 "0 passed, 1 failed, 0 skipped"
	assert_match 'within 1 s' "$OUT" "why"
}

prints_no_plan() {
	tree_with silent <<<'true'
	run_says 1 "0 passed, 1 failed, 0 skipped"
	tree_with silent <<<'echo ok 1 - this'
	run_says 1 "1 passed, 1 failed, 0 skipped"
}

breaks_its_plan() {
	tree_with short <<-'S'
		echo 1..3
		echo ok 1 - this
		echo ok 2 - that
	S
	run_says 1 "2 passed, 1 failed, 0 skipped"
	assert_match 'planned 3 tests, ran 2' "$OUT" "why"
}

bails_out() {
	tree_with bail <<-'S'
		echo 1..3
		echo 'Bail out! no binary'
		exit 1
	S
	run_says 1 "0 passed, 1 failed, 0 skipped"
	assert_match 'no binary' "$OUT" "why"
}

program_not_built() {
	tree_with good <<-'S'
		echo 1..1
		echo ok 1 - this
	S
	touch "$TAP_DIR/tree/tests/unit/thing_test.c"
	run_says 1 "1 passed, 1 failed, 0 skipped"
	assert_match 'unit/thing_test.*not built' "$OUT" "why"
	run_says 1 "0 passed, 1 failed, 0 skipped" check/gone
}

nothing_ran() {
	tree_with good <<<'true'
	rm "$TAP_DIR/tree/tests/check/good.sh"
	run_says 1 "0 passed, 1 failed, 0 skipped"
	run_says 1 "0 passed, 1 failed, 0 skipped" e2e
}

unknown_name() {
	tree_with good <<<'true'
	expect 2 "$TAP_DIR/tree/tests/run" everything
	assert_match usage "$ERR" "stderr"
}

output_only_on_failure() {
	tree_with loud <<-'S'
		echo 1..1
		echo '# a lot of noise'
		echo ok 1 - this
	S
	run_says 0 "1 passed, 0 failed, 0 skipped"
	! grep -q noise <<<"$OUT" || fail "noise of a passed test"
	expect 0 env V=1 "$TAP_DIR/tree/tests/run"
	assert_match noise "$OUT" "with V=1"
}

runs_once_more_with() {
	tree_with twice <<-'S'
		# also with: A=1 B=2
		echo 1..1
		echo "ok 1 - ${A:-}${B:-}"
		[ "${A:-}${B:-}" != 12 ] || exit 1
	S
	run_says 1 "2 passed, 1 failed, 0 skipped"
	assert_match '^FAILED: \[check/twice A=1 B=2\] exit status 1' "$OUT" "the second run's name"
}

# A script that forgot its run_tests, or a case nobody lists, would test nothing.
# one LINE: a script that says when it begins and ends.
one() {
	cat <<-S
		$2
		echo 1..1
		echo "begin $1" >>"$TAP_DIR/times"
		sleep 1
		echo "end $1" >>"$TAP_DIR/times"
		echo ok 1 - $1
	S
}

side_by_side_but_alone() {
	local name
	tree_with first < <(one first "")
	for name in second third; do
		one "$name" "$([ "$name" = second ] || echo "# alone: it is shy")" >"$TAP_DIR/tree/tests/check/$name.sh"
	done
	rm -f "$TAP_DIR/times"
	JOBS_THERE=3 run_says 0 "3 passed, 0 failed, 0 skipped"
	assert_eq "begin begin end end begin end" "$(cut -d ' ' -f 1 "$TAP_DIR/times" | paste -s -d ' ')" "order"
	assert_eq "end third" "$(tail -n 1 "$TAP_DIR/times")" "the one that runs alone"
}

# Scripts of e2e are in folders: named with theirs or without, or all of a folder.
folders_of_e2e() {
	local name
	tree_with elsewhere <<<'exit 1'
	mkdir -p "$TAP_DIR/tree/tests/e2e/near" "$TAP_DIR/tree/tests/e2e/far"
	for name in near/one near/two far/three; do
		printf 'echo 1..1\necho ok 1 - it\n' >"$TAP_DIR/tree/tests/e2e/$name.sh"
	done
	run_says 0 "3 passed, 0 failed, 0 skipped" e2e
	run_says 0 "2 passed, 0 failed, 0 skipped" e2e/near
	run_says 0 "1 passed, 0 failed, 0 skipped" e2e/three
	assert_match '^\[e2e/far/three\] 1 passed$' "$OUT" "its line"
	run_says 0 "1 passed, 0 failed, 0 skipped" tests/e2e/near/two.sh
	run_says 1 "0 passed, 1 failed, 0 skipped" e2e/four
}

# unheard FILE...: what `run_tests` at its end would not run.
unheard() {
	awk 'function told() {
			if (!file) return
			if (last != "run_tests") print file " does not end with run_tests"
			for (name in wanted) if (!(name in defined)) print file ": no function " name
			if (!named) print file " has no ALL_TESTS"
		}
		FNR == 1 { told(); split("", wanted); split("", defined); named = 0; file = FILENAME }
		/^ALL_TESTS=".*"$/ { named = 1; split(substr($0, 12), names, "[\" ]+"); for (i in names) if (names[i]) wanted[names[i]] }
		/^ALL_TESTS="[^"]*$/ { listed = named = 1; next }
		/^"/ { listed = 0 }
		listed { wanted[$1] }
		/^[a-z0-9_]+\(\) [{(]/ { name = $1; sub("[(].*", "", name); defined[name] }
		{ last = $0 }
		END { told() }' "$@"
}

every_test_file_is_run() {
	local broken files
	mapfile -t files < <(sources '*.sh' | grep -E '^tests/(check|e2e|field|faults)/')
	assert_ge 80 ${#files[@]} "files"
	clean unheard "${files[@]}"
	for broken in 's/^two() {/too() {/' '$d' 's/^ALL_TESTS=/TESTS=/'; do
		sample broken.sh < <(printf '%s\n' 'ALL_TESTS="' one two '"' 'one() {' 'two() {' run_tests | sed "$broken")
		caught unheard "$SAMPLE"
	done
}

run_tests
