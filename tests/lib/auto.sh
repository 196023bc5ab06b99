# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `fastpath: auto`: is it on, on which ports, and what does it say. After fast.sh.

# shellcheck disable=SC2034 # netns.sh reads it
FASTPATH=auto

auto_mesh() {
	calm_hosts 2
	mesh_up
	containers_each 1
	pings c11 "$(ip4_of c21)" 2
	assert_on h2
}

fastpath_of() {
	status_json "$1" | jq -r '.[0].fastpath'
}

is_on() { [ "$(fastpath_of "$1")" = on ]; }
is_off() { [ "$(fastpath_of "$1")" = off ]; }

why_of() { # HOST PORT
	status_json "$1" | jq -r --arg port "$2" '.[0].ports[] | select(.ifname == $port) | .why'
}

is_accelerated() { # HOST PORT
	status_json "$1" | jq -e --arg port "$2" \
		'.[0].ports[] | select(.ifname == $port) | .accelerated' >/dev/null
}

is_left_alone() { # HOST PORT
	! is_accelerated "$@"
}

assert_on() {
	assert_eq on "$(fastpath_of "$1")" "fast path of $1"
	vx "$1" up vxbr0 --dry-run || fail "up would change something"
}

# HOST WHY: it is off once `up` has looked, and says why for people and programs.
assert_off() {
	vx "$1" up vxbr0
	assert_eq off "$(fastpath_of "$1")" "fast path of $1"
	assert_eq "$2" "$(why_of "$1" c21)" "why"
	expect 0 vx "$1" status vxbr0
	case $OUT in *"  fast path  off: ${2:0:50}"*) ;; *) fail "status: $OUT" ;; esac
}

# is_limited: the conversation, to some forty answers a second.
is_limited() {
	[ "$(answers)" -le 40 ]
}
