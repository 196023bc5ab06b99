#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a workload sends unicast to a MAC that no host shows, for instance a machine that was removed, to which a
# permanent neighbour entry still leads.
# Kernel: floods the frame to every host; nothing is said of the peers.
# vxbpf: the same. A peer that gets only such copies owes no answer: it stays idle, the overlay up, `vxbpf_peer_up` 1.

ALL_TESTS="
	idle_peers_stay_idle
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0

idle_peers_stay_idle() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	ip -n c11 neigh replace 198.51.100.99 lladdr 02:c0:00:00:00:99 dev eth0 nud permanent
	capture flood c31 eth0 ether dst 02:c0:00:00:00:99
	unreachable c11 198.51.100.99
	exactly 3 flood
	[ -z "${PLAIN:-}" ] || return 0
	for peer in h2 h3; do assert_eq never "$(counter h1 "$peer" state)" "state of $peer"; done
	assert_eq up "$(status_json h1 | jq -r '.[0].state')" "state of the overlay"
	expect 0 vx h1 export
	assert_match '^vxbpf_peer_up\{overlay="vxbr0",peer="h3"\} 1$' "$OUT" "metric"
}

run_tests
