#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: one host of the mesh is no vxbpf host: a plain kernel VXLAN device (or OVS, or a script) with the
#     pair's VNI. It carries traffic, but cannot answer probes.
# Kernel: carries traffic.
# vxbpf: carries traffic; `check` says that it is probably a plain VTEP, as information with exit 0. A peer that
#     answered probes before and no longer does is still `peer_one_way`, and where this host's own firewall drops the
#     port, that alone is said.

ALL_TESTS="
	plain_kernel_device
	known_peer_stops_answering
	own_firewall_is_said_first
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

plain_kernel_device() {
	calm_hosts 2
	mesh_up h1
	ip -n h2 link add vxbr0 up type bridge
	ip -n h2 link add vxlan0 mtu 1450 type vxlan id "$(vni h1 h2)" dstport 4789 local "$(address4 h2)" \
		remote "$(address4 h1)"
	ip -n h2 link set vxlan0 up master vxbr0
	containers_each 1
	mesh_up h1
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 7
	expect 0 vx h1 check vxbr0
	assert_match '^vxbr0: nothing is wrong' "$OUT" "what check says"
	assert_match 'vxbr0: peer_plain: h2: unicast arrives from it and goes to it, but it never answered a probe' \
		"$OUT" "what check says"
	expect 0 vx h1 check vxbr0 --json
	assert_eq "0 peer_plain h2" "$(jq -r '.[0] | "\(.verdicts | length) \(.information[0].id) \(.information[0].about)"' \
		<<<"$OUT")" "in JSON"
}

filter_input() { # HOST
	on "$1" nft -f - <<-N
		table inet others { chain input { type filter hook input priority 0; udp dport 4789 drop; }; }
	N
}

# Both know that vxbpf runs at the other end, and then a firewall drops what comes in on HOST.
well_until_filtered() { # HOST
	calm_mesh 2
	containers_each 1
	mesh_up
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 3
	well h1
	filter_input "$1"
	on c21 ping -c 1 -W 1 "$(ip4_of c11)" >/dev/null || true
}

known_peer_stops_answering() {
	well_until_filtered h2
	wrong h1 peer_one_way 'h2: we receive from it, but it does not seem to receive from us'
}

own_firewall_is_said_first() {
	well_until_filtered h1
	wrong h1 port_filtered 'chain input of table inet others drops packets from peers to UDP port 4789'
}

run_tests
