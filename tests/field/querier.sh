#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a multicast querier anywhere in the mesh (a router VM, or `mcast_querier 1` on one host's bridge), and
# workloads that speak IGMPv2 or MLDv1.
# Kernel: the bridges begin to prune. Reports go to router ports only, and no tunnel passes them on to other tunnels, so
# multicast between the hosts without the querier ends where both have members: 0 of 20 frames.
# vxbpf: a bridge that it made does not snoop; on a bridge of others every tunnel is a multicast router port. All frames
# arrive, and both settings are checked and repaired.

ALL_TESTS="
	bridge_of_ours
	bridge_of_others
	drift
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

multicast() {
	on "$1" "$PYTHON" -IS "$HERE/querier.py" "${@:2}"
}

old_versions() { # in a container that is still to join anything
	on "$1" bash -c 'echo 2 >/proc/sys/net/ipv4/conf/all/force_igmp_version
		echo 1 >/proc/sys/net/ipv6/conf/all/force_mld_version'
}

# With a querier at h1, do h2 and h3 hear each other's groups?
all_arrive() {
	containers_each 1
	for name in c11 c21 c31; do
		ip -n "$name" addr add "fe80::$(number "$name")/64" dev eth0 nodad
		old_versions "$name"
	done
	multicast c11 query
	pause 1.5 # until then the bridges flood, and reports reach them all
	# A member beside the sender: of a group without any the bridge there knows nothing, and floods.
	background c21 "$PYTHON" -IS "$HERE/querier.py" member 239.1.1.1 >"$WORK/near"
	wait_for 5 grep -qs ready "$WORK/near"
	background c31 "$PYTHON" -IS "$HERE/querier.py" member 239.1.1.1 >"$WORK/member"
	wait_for 5 grep -qs ready "$WORK/member"
	pause 0.3
	multicast c21 send 239.1.1.1 20
	forget_neighbours c21 c31
	pings c21 "$(ip6_of c31)" 1
	pause 0.3
	stop "$PID"
	assert_eq 20 "$(tail -n 1 "$WORK/member")" "datagrams to a group"
}

bridge_of_ours() {
	mesh 3
	mesh_up
	all_arrive
}

bridge_of_others() {
	mesh 3
	for name in h1 h2 h3; do ip -n "$name" link add vxbr0 up mtu 1450 type bridge; done
	mesh_up
	all_arrive
	[ "$(ip -n h2 -d -j link show vxbr0 | jq '.[0].linkinfo.info_data.mcast_snooping')" -eq 1 ] ||
		fail "the setting of others was changed"
}

drift() {
	mesh 2
	mesh_up
	ip -n h1 link set vxbr0 type bridge mcast_snooping 1
	expect 3 vx h1 up vxbr0 --dry-run
	assert_match '~ bridge *vxbr0  mcast_all off -> on' "$OUT" "dry run"
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
	mesh_down
	ip -n h1 link add vxbr0 up mtu 1450 type bridge
	mesh_up
	ip -n h1 link set vx-h2 type bridge_slave mcast_router 1
	expect 3 vx h1 up vxbr0 --dry-run
	assert_match '~ member *vx-h2  mcast_all off -> on' "$OUT" "dry run"
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
}

run_tests
