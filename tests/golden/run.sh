#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What vxbpf would do, case by case: NAME.now (a kernel as text, see now.h) with NAME.yaml (or the
# config it names) must give NAME.plan. UPDATE=1 writes the .plan files: read `git diff` like code.

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/tap.sh
. "$HERE/../lib/tap.sh"
cd "$TOP" || exit 1

GOLDEN=$BUILD/tests/golden
case $GOLDEN in /*) ;; *) GOLDEN=$TOP/$GOLDEN ;; esac
[ -x "$GOLDEN" ] || bail_out "$GOLDEN is not built"

# same NAME: the plan of that case is the one on record.
same() {
	"$GOLDEN" "tests/golden/$1" >"$TAP_DIR/plan"
	if [ -n "${UPDATE:-}" ]; then
		cp "$TAP_DIR/plan" "tests/golden/$1.plan"
	fi
	assert_same "tests/golden/$1.plan" "$TAP_DIR/plan" "plan of $1"
}

# wrong LINE WHY: a case with this as its third line is refused for that reason.
wrong() {
	cp tests/golden/first-up.yaml "$TAP_DIR/wrong.yaml"
	printf 'link eth0 index 2\naddr eth0 192.0.2.1/24\n%s\n' "$1" >"$TAP_DIR/wrong.now"
	expect 2 "$GOLDEN" "$TAP_DIR/wrong"
	assert_match "^.*wrong.now:3: $2\$" "$ERR" "$1"
}

bad_lines_are_refused() {
	wrong 'frobnicate' 'cannot use: frobnicate'
	wrong 'down now' 'cannot use: down'
	wrong 'tc xdp' 'cannot use: tc'
	wrong 'link eth0 index 3' 'a link needs a name of its own'
	wrong 'link eth1' 'a link needs an index'
	wrong 'link eth1 index 3 colour red' 'link: cannot use: colour'
	wrong 'link eth1 index 3 master br9' 'link: cannot use: master'
	wrong 'link eth1 index three' 'link: cannot use: index'
	wrong 'addr eth7 192.0.2.3/24' 'addr LINK PREFIX .proto N.'
	wrong 'addr eth0 192.0.2.3/24 scope 3' 'addr: cannot use: scope'
	wrong 'route 192.0.2.2 via eth0' 'route ADDRESS.default dev LINK .dev LINK.... .mtu N.'
	wrong 'ipsec beta' 'ipsec ADDRESS'
	wrong 'now and then' 'now like wanted . now wanted by FILE.yaml'
	wrong 'forget tunnel vx-beta' 'nothing observed fits: vx-beta'
	wrong 'add gadget x' 'no such kind: gadget'
	wrong 'add hook vx-beta' 'DEVICE/ROOM is the key of a hook: vx-beta'
	wrong 'add tunnel vx-beta vni many' 'cannot use: vni'
	wrong 'add tunnel vx-beta learning 1' 'cannot use: learning'
	wrong 'build aa' 'cannot use: build'
}

every_plan_has_its_case() {
	local file
	for file in tests/golden/*.plan; do
		[ -e "${file%.plan}.now" ] || fail "$file: no ${file%.plan}.now"
	done
	for file in tests/golden/*.yaml; do
		[ -e "${file%.yaml}.now" ] || grep -qE "(config|by) ${file##*/}\$" tests/golden/*.now ||
			fail "$file: no case uses it"
	done
}

CASES_HERE=
for file in tests/golden/*.now; do
	name=${file##*/} name=${name%.now}
	eval "$name() { same $name; }"
	CASES_HERE+=" $name"
done
# shellcheck disable=SC2034 # read by run_tests
ALL_TESTS="bad_lines_are_refused $CASES_HERE every_plan_has_its_case"

run_tests
