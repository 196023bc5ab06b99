# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What `vxbpf check` finds. After netns.sh.
#
#   well HOST                    nothing is wrong: exit 0
#   wrong HOST ID REGEX          exit 3, and this one verdict alone
#   appears HOST ID REGEX        sooner or later it is among what is wrong
#   goes HOST                    sooner or later nothing is wrong
#   about HOST ID WHAT           in its JSON, and in the problems of `status --json` if those have it
#   later HOST CMD...            the same as `on`, 400 seconds from now

calm_mesh() {
	calm_hosts "$@"
	mesh_up
}

well() {
	expect 0 vx "$1" check vxbr0
	assert_eq "vxbr0: nothing is wrong" "$OUT" "what check says on $1"
}

wrong() {
	expect 3 vx "$1" check vxbr0
	assert_match "^vxbr0: $2: $3" "$OUT" "what check says on $1"
	assert_eq 1 "$(wc -l <<<"$OUT")" "verdicts: $OUT"
}

says_so() {
	vx "$1" check vxbr0 >"$WORK/check" 2>&1 || true
	grep -E -- "^vxbr0: $2: $3" "$WORK/check" >/dev/null
}

appears() {
	eventually 20 says_so "$@" || fail "$1: no '$2: $3' in: $(cat "$WORK/check")"
	expect 3 vx "$1" check vxbr0
}

is_well() {
	vx "$1" check vxbr0 >"$WORK/check" 2>&1
}

goes() {
	eventually 20 is_well "$1" || fail "$1: still: $(cat "$WORK/check")"
}

about() {
	expect 3 vx "$1" check vxbr0 --json
	assert_eq "$3" "$(jq -r --arg id "$2" '.[0].verdicts[] | select(.id == $id) | .about' <<<"$OUT")" \
		"what $2 is about"
	assert_eq "$(jq -r --arg id "$2" '.[0].verdicts[] | select(.id == $id) | .id' <<<"$OUT")" "$2" "id"
}

# The programs' clock is that of the machine; what reads their times may live in another one.
later() {
	enter "$1"
	"${ENTER[@]}" unshare --time --monotonic 400 --fork "${@:2}"
}
