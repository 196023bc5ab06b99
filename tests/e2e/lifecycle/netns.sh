#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# One machine, several network namespaces: `ip netns exec` with its own short-lived mounts, and a BPF file
# system that more than one namespace uses.
#
#    c11          c21
#     |            |
#   vxbr0        vxbr0
#     h1 ____ sw ___ h2        as hosts of other tests they have a BPF file system each

ALL_TESTS="
	ip_netns_exec
	machine_without_a_bpffs
	one_bpffs_for_two_namespaces
	namespace_gone
	namespace_gone_with_filters
	filters_without_a_mark
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

machine_bpffs() {
	mount -t bpf bpf /sys/fs/bpf
	on_exit umount /sys/fs/bpf
}

# in_netns NAME ARGS...: vxbpf on the mesh's file, as an operator starts it there.
in_netns() {
	ip netns exec "$1" "$VXBPF" "${@:2}" "$WORK/etc/h1/vxbr0.yaml"
}

# alone NAME: a namespace that could be h1 as well, as it has the same address; nobody hears it.
alone() {
	netns "$1"
	ip -n "$1" link add eth0 type veth peer name eth1
	ip -n "$1" addr add "$(address4 h1)/24" dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" link set eth1 up
}

machine_pins() {
	find /sys/fs/bpf -mindepth 1 ! -name '*.debug'
}

ip_netns_exec() {
	machine_bpffs
	mesh 2
	mesh_up h2
	expect 0 in_netns h1 up
	containers_each 1
	expect 0 in_netns h1 up
	# The command is over, its mounts are gone, the programs are there.
	assert_match 'vx-h2 in tun_in' "$(hooks h1)" "hooks"
	reach_all c11 c21
	expect 0 in_netns h1 up --dry-run
	expect 0 in_netns h1 status --json
	assert_eq up "$(jq -r '.[0].state' <<<"$OUT")" "state"
	node s9
	frames s9 eth0 count=5 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip src=192.0.2.9 \
		"dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 \
		data text=stranger
	expect 0,3 in_netns h1 status --json
	assert_eq 5 "$(jq '.[0].drops.unknown_source' <<<"$OUT")" "strangers"
	expect 0 in_netns h1 down
	ip -n c11 link del eth0
	expect 0 in_netns h1 down
	assert_eq "" "$(hooks h1)" "programs left"
	assert_eq "" "$(machine_pins)" "pins left"
}

machine_without_a_bpffs() {
	mesh 2
	refused 1 'nsenter -t 1 -m mount -t bpf' in_netns h1 up
	refused 1 'nsenter -t 1 -m mount -t bpf' in_netns h1 down
	nothing_left h1
	# In the mount namespace of process 1 it stays, so it is mounted.
	expect 0 nsenter --net=/run/netns/h1 "$VXBPF" up "$WORK/etc/h1/vxbr0.yaml"
	assert_eq bpf "$(findmnt -n -o FSTYPE /sys/fs/bpf)" "/sys/fs/bpf"
	on_exit umount /sys/fs/bpf
	expect 0 in_netns h1 up --dry-run
	expect 0 in_netns h1 down
	assert_eq "" "$(machine_pins)" "pins left"
}

one_bpffs_for_two_namespaces() {
	machine_bpffs
	mesh 2
	for host in h1 h2; do
		expect 0 in_netns "$host" up
	done
	containers_each 1
	for host in h1 h2; do
		expect 0 in_netns "$host" up
	done
	for host in h1 h2; do
		expect 0 in_netns "$host" up --dry-run
	done
	reach_all c11 c21
	# Without a name each has its own, and neither sees the other's.
	mkdir -p "$WORK/nothing" && mount --bind "$WORK/nothing" /etc/vxbpf
	on_exit umount /etc/vxbpf
	for host in h1 h2; do
		expect 0 ip netns exec "$host" "$VXBPF" status --json
		assert_eq "vxbr0 $host" "$(jq -r '.[] | "\(.overlay) \(.local)"' <<<"$OUT")" "overlays on $host"
		expect 0 ip netns exec "$host" "$VXBPF" export --output -
		assert_ge 1 "$(grep -c "^vxbpf_peer_info{.*peer=\"h$((3 - $(number "$host")))\"" <<<"$OUT")" "peers of $host"
	done
	machine_pins | grep -v @ >"$WORK/pins"
	ip -n c21 link del eth0
	expect 0 ip netns exec h2 "$VXBPF" down
	nothing_of h2
	machine_pins >"$WORK/now"
	assert_same "$WORK/pins" "$WORK/now" "pins of h1"
	expect 0 in_netns h1 up --dry-run
	ip -n c11 link del eth0
	expect 0 in_netns h1 down
	assert_eq "" "$(machine_pins)" "pins left"
}

nothing_of() {
	assert_eq "" "$(hooks "$1")" "programs left on $1"
	assert_eq "" "$(ip -n "$1" -o link | grep -E 'vx-|vxbr0' || true)" "devices left on $1"
}

# What a namespace leaves in the file system when it goes is in nobody's way.
gone() {
	machine_bpffs
	mesh 2
	alone first
	in_netns first up
	assert_match 'vxbpf/vxbr0/peers' "$(machine_pins)" "pins"
	alone other
	ip netns del first
}

namespace_gone() {
	gone
	in_netns other up
	in_netns other down
	# The kernel takes its time to take a namespace away.
	wait_for 20 swept
	in_netns other up
	assert_eq "" "$(machine_pins | grep @ || true)" "pins aside"
	expect 0 in_netns other up --dry-run
	expect 0 in_netns other down
	nothing_of other
	assert_eq "" "$(machine_pins)" "pins left"
}

swept() {
	in_netns other down && [ -z "$(machine_pins)" ]
}

# Of filters nobody can tell whether they are still there.
namespace_gone_with_filters() {
	export VXBPF_NO_TCX=1
	gone
	machine_pins >"$WORK/pins"
	expect 0 in_netns other up
	expect 0 in_netns other up --dry-run
	expect 0 in_netns other down
	machine_pins >"$WORK/now"
	assert_same "$WORK/pins" "$WORK/now" "pins"
}

# A living tree may show neither a link nor a qdisc of ours: filters in those of others.
filters_without_a_mark() {
	export VXBPF_NO_TCX=1
	machine_bpffs
	mesh 2
	in_netns h1 up
	rmdir /sys/fs/bpf/vxbpf/vxbr0/qdiscs/*
	machine_pins >"$WORK/pins"
	alone other
	in_netns other down
	in_netns other up
	in_netns other down
	machine_pins >"$WORK/now"
	assert_same "$WORK/pins" "$WORK/now" "pins of h1"
}

run_tests
