#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a route or rule of type blackhole, unreachable or prohibit covers a peer: a VPN's kill switch, keepalived, or
#            a CNI that blackholes its block of addresses.
# Kernel: its VXLAN devices count the frames as errors of the carrier and say nothing.
# vxbpf: `check` names the type and how to find it; it used to advise adding a route, which does not help.

ALL_TESTS="types_are_named"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

forbidden() { # TYPE PEER
	says_so h1 no_route "peer $2: .*a route or rule of type $1 forbids it; find it with .ip rule." ||
		fail "$(cat "$WORK/check")"
}

types_are_named() {
	FAMILIES="46 46 6"
	calm_mesh 3
	well h1
	on h1 ip rule add to 192.0.2.2 prohibit
	forbidden prohibit h2
	on h1 ip rule del to 192.0.2.2 prohibit
	on h1 ip route add blackhole 192.0.2.2
	on h1 ip -6 route add unreachable 2001:db8::3
	forbidden blackhole h2
	forbidden unreachable h3
	on h1 ip route del blackhole 192.0.2.2
	on h1 ip -6 route del unreachable 2001:db8::3
	ip -n h1 link set eth0 down
	says_so h1 no_route 'peer h2: no route to 192\.0\.2\.2 now; add one' || fail "$(cat "$WORK/check")"
}

run_tests
