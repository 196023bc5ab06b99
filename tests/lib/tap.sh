# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a test script is made of: cases run one by one, each in its own shell with its own clean-up,
# reported as TAP. A script sets ALL_TESTS, defines these functions and ends with `run_tests`.
#
# A case fails at the first command that fails (set -e), or by an assert. Its output and the last
# commands before the end are shown if it failed, or with V=1. CASES="a b" runs only those cases.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
export TOP BUILD
TAP_DIR=$(mktemp -d) || exit 1
TAP_SKIP=77
ON_EXIT=()

# on_exit CMD...: do this when the case (or, outside one, the script) ends; last in, first out.
on_exit() {
	local command
	printf -v command '%q ' "$@"
	ON_EXIT+=("$command")
}

run_on_exit() {
	local i
	{ set +x; } 2>/dev/null
	trap - ERR
	set +e
	for ((i = ${#ON_EXIT[@]} - 1; i >= 0; i--)); do eval "${ON_EXIT[i]}"; done
	ON_EXIT=()
}

fail() {
	local depth=0
	{ set +x; } 2>/dev/null
	{
		echo "failed: $*"
		while caller $depth; do depth=$((depth + 1)); done | sed 's/^/  at line /' | grep -v /tap.sh
	} >&2
	exit 1
}

skip() {
	echo "$*" >"$TAP_DIR/skip"
	exit $TAP_SKIP
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

bail_out() {
	echo "Bail out! $*"
	exit 1
}

assert_eq() { # WANTED GOT WHAT...
	[ "$1" = "$2" ] || fail "${*:3}: wanted '$1', got '$2'"
}

assert_ge() { # AT_LEAST GOT WHAT...
	[ "$2" -ge "$1" ] || fail "${*:3}: wanted at least $1, got $2"
}

assert_le() { # AT_MOST GOT WHAT...
	[ "$2" -le "$1" ] || fail "${*:3}: wanted at most $1, got $2"
}

assert_match() { # REGEX TEXT WHAT...
	grep -Eqi -- "$1" <<<"$2" || fail "${*:3}: no '$1' in: $2"
}

assert_same() { # FILE_WANTED FILE_GOT WHAT...
	diff -u "$1" "$2" || fail "${*:3}: differs"
}

# content VARIABLE FILE: what is in it, without NULs and the newlines at its end.
content() {
	local part text=
	while IFS= read -r -d '' part; do text+=$part; done <"$2"
	text+=$part
	while [[ $text == *$'\n' ]]; do text=${text%$'\n'}; done
	printf -v "$1" %s "$text"
}

# expect STATUS[,STATUS] CMD...: runs it, fails on another exit status; leaves STATUS, OUT and ERR.
expect() {
	local wanted=$1
	shift
	STATUS=0
	"$@" >"$TAP_DIR/out" 2>"$TAP_DIR/err" || STATUS=$?
	content OUT "$TAP_DIR/out"
	content ERR "$TAP_DIR/err"
	case ",$wanted," in
	*",$STATUS,"*) ;;
	*) fail "$*: wanted exit status $wanted, got $STATUS; stdout: $OUT; stderr: $ERR" ;;
	esac
}

# refused STATUS[,STATUS] REGEX CMD...: fails as it should, with one line on stderr that says so.
refused() {
	local wanted=$1 regex=$2
	shift 2
	expect "$wanted" "$@"
	assert_eq 1 "$(wc -l <"$TAP_DIR/err")" "lines on stderr of $* ($ERR)"
	assert_match '^vxbpf: ' "$ERR" "$*"
	assert_match "$regex" "$ERR" "$*"
}

# pause SECONDS: as sleep, without a process.
exec {NOTHING}<> <(:)
pause() {
	read -r -t "$1" -u "$NOTHING" || true
}

# rest N: before the Nth try of something; what takes long is tried less often, as each try takes CPU from what it waits for.
rest() {
	if [ "$1" -lt 5 ]; then pause 0.05; elif [ "$1" -lt 15 ]; then pause 0.1; else pause 0.25; fi
}

# wait_for SECONDS CMD...: polls until CMD succeeds; the test fails if it never does. SLOW=N: N times as long.
wait_for() {
	local seconds=$1 end tries=0
	shift
	end=$((SECONDS + seconds * ${SLOW:-1} + 1))
	{ local tracing=$- && set +x; } 2>/dev/null
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "not within $seconds s: $*"
		rest $((++tries))
	done
	case $tracing in *x*) set -x ;; esac
}

case_failed_at() {
	{ set +x; } 2>/dev/null
	echo "failed: $3 (status $1, ${BASH_SOURCE[1]##*/} line $2)" >&2
}

run_case() {
	ON_EXIT=()
	trap 'run_on_exit' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	set -Eeuo pipefail
	trap 'case_failed_at $? $LINENO "$BASH_COMMAND"' ERR
	exec 9>"$TAP_DIR/trace"
	BASH_XTRACEFD=9
	PS4='+ ${BASH_SOURCE##*/}:${LINENO}: '
	set -x
	"$1"
}

run_tests() {
	local names=() name n=0 status bad=0
	read -r -d '' -a names <<<"${CASES:-$ALL_TESTS}"
	echo "1..${#names[@]}"
	for name in "${names[@]}"; do
		n=$((n + 1))
		rm -f "$TAP_DIR/skip"
		(run_case "$name") >"$TAP_DIR/log" 2>&1
		status=$?
		case $status in
		0) echo "ok $n - $name" ;;
		"$TAP_SKIP") echo "ok $n - $name # SKIP $(cat "$TAP_DIR/skip")" ;;
		*)
			echo "not ok $n - $name"
			bad=1
			;;
		esac
		if [ $status -ne 0 ] && [ $status -ne "$TAP_SKIP" ] || [ -n "${V:-}" ]; then
			sed 's/^/# /' "$TAP_DIR/log"
			grep -a '^+' "$TAP_DIR/trace" | cut -c 1-300 | tail -n 15 | sed 's/^/# /'
		fi
		case $status in 130 | 143) exit $status ;; esac
	done
	exit $bad
}

# The script's own end: whatever was set up outside cases.
script_ends() {
	run_on_exit
	rm -rf "$TAP_DIR"
}
trap script_ends EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
