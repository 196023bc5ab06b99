#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a path, or a peer with a plain VXLAN device, drops IPv6 UDP without checksum; and another VXLAN device on
#     the port has another `udp6zerocsumrx`.
# Kernel: sends checksums over IPv6 and takes none without; two devices with different settings cannot both be up.
# vxbpf: sends none by itself, and all with `udp_checksum: on`. A device of others whose socket settings differ is
#     refused by name before anything is changed.

ALL_TESTS="
	checksums_on
	index_mode
	other_socket
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0

checksums_on() {
	# shellcheck disable=SC2034
	FAMILIES=6
	mesh 2 "udp_checksum: on"
	mesh_up
	containers_each 1
	acquainted c11 c21
	# A path that drops what has none: the checksum is at 6 of UDP.
	on h2 nft 'add table ip6 path; add chain ip6 path in { type filter hook prerouting priority -300; }
		add rule ip6 path in udp checksum 0 drop'
	pings c11 "$(ip4_of c21)" 5
	vx h1 up vxbr0 --dry-run || true
	config vxbr0
	vx h1 reload vxbr0
	assert_match 'udp_checksum: .*run .vxbpf restart' "$(vx h1 check vxbr0 || true)" "check"
	pings c11 "$(ip4_of c21)" 2
}

index_mode() {
	mesh 2 "vni: index"
	mesh_up
	assert_match ' udpcsum ' "$(ip -n h1 -d link show vx-h2)" "vx-h2"
	expect 0 vx h1 up vxbr0 --dry-run
}

other_socket() {
	# shellcheck disable=SC2034
	FAMILIES=46
	mesh 2
	ip -n h1 link add vx9 up type vxlan id 9 dstport 4789 remote 192.0.2.9 udp6zerocsumrx
	refused 1 'vx9 has the socket of port 4789 with other settings \(udp6zerocsumrx\)' vx h1 up vxbr0
	ip -n h1 link set vx9 down
	vx h1 up vxbr0
	assert_match 'port_shared: VXLAN device vx9 has another mode' "$(vx h1 check vxbr0 || true)" "check"
}

run_tests
