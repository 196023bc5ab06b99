#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a late `sysctl -p` (sysctl.d, a Kubernetes node's setup) sets net.bridge.bridge-nf-call-iptables while
#            the overlay is up, and iptables have rules that look at more than the flow. The kernel tells nobody.
# Kernel: from that moment on the rules see every bridged frame.
# vxbpf: `vxbpf watch` asks for these sysctls twice a second while `fastpath: auto` has the fast path on, and turns it
#        off; until then a flow that was fast could go past the rule for good.

ALL_TESTS="rules_hold_again"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

dropped() {
	on h1 iptables -nvxL FORWARD | awk '$3 == "DROP" { print $1 }'
}

rules_hold_again() {
	auto_mesh
	on h1 iptables -I FORWARD -p udp --dport 7 -m statistic --mode nth --every 2 --packet 0 -j DROP
	watch h1 vxbr0
	settled h1
	talk 20
	wait_for 5 is_fast
	on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=1
	wait_for 3 is_off h1
	grep -q 'fast path off: iptables filters bridged frames' "$OUT_FILE" || fail "watch does not say why"
	on h1 iptables -Z FORWARD
	mark h1 h2
	sleep 1
	assert_eq 0 "$(share h1 h2)" "per cent fast"
	assert_ge 50 "$(dropped)" "requests that the rule dropped"
}

run_tests
