#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: two VRRP routers (keepalived) in containers of two hosts are master at once for a while, because they did not
#            hear each other or a peer was slow: both send adverts with the same virtual MAC.
# Kernel: its bridges move the MAC to and fro, and every advert arrives.
# vxbpf: every advert arrives. `check` says that the MAC of that VRRP router is in two places, in the past tense once one
#        of them has stopped, and nothing after half a minute; it used to say for five minutes that frames return from the
#        other host.

ALL_TESTS="
	adverts_of_two_masters
	fast_adverts
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0
VMAC=00:00:5e:00:01:07

# adverts CONTAINER COUNT GAP: as VRRP version 3 has them, in the background. A master's are all alike but for their ID.
adverts() {
	background "$1" "$PYTHON" -IS "$LIB/frame.py" send eth0 count="$2" gap="$3" eth dst=01:00:5e:00:00:12 "src=$VMAC" \
		ip "src=$(ip4_of "$1")" dst=224.0.0.18 proto=112 ttl=255 id=1@ data hex=310764010064aabbc6336463
}

two_masters() {
	calm_mesh 2
	containers_each 1
	mesh_up
	capture c11 c11 eth0 -Q in ip proto 112
	capture c21 c21 eth0 -Q in ip proto 112
}

both_send() { # COUNT GAP
	adverts c11 "$1" "$2"
	FIRST=$PID
	adverts c21 "$1" "$2"
	wait "$PID" "$FIRST"
}

adverts_of_two_masters() {
	two_masters
	both_send 6 0.3
	wrong h1 mac_moves "$VMAC \(VRRP router 7\) is in two places, port c11 and peer h2; both were master at once, so check that VRRP adverts"
	about h1 mac_moves "$VMAC"
	exactly 6 c11
	exactly 6 c21
	# One of them gives way.
	adverts c11 100 0.3
	appears h1 mac_moves "$VMAC \(VRRP router 7\) was in two places, port c11 and peer h2, until [5-9]\.[0-9] s ago; both were master"
	stop "$PID"
	expect 0 later h1 "$VXBPF" check vxbr0
	assert_eq "vxbr0: nothing is wrong" "$OUT" "later"
}

# An advert every ten milliseconds, and from one of them each the same as the one before.
fast_adverts() {
	two_masters
	both_send 100 0.01
	exactly 100 c11
	exactly 100 c21
	adverts c11 100 0.01
	FIRST=$PID
	background c21 "$PYTHON" -IS "$LIB/frame.py" send eth0 count=100 gap=0.01 eth dst=01:00:5e:00:00:12 "src=$VMAC" \
		ip "src=$(ip4_of c21)" dst=224.0.0.18 proto=112 ttl=255 id=0 data hex=310764010064aabbc6336463
	wait "$PID" "$FIRST"
	exactly 200 c11
	exactly 200 c21
}

run_tests
