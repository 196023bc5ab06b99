#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# One machine, several network namespaces: `ip netns exec` with its own short-lived mounts, and a BPF file
# system that more than one namespace uses.
#
#    c11          c21
#     |            |
#   vxbr0        vxbr0
#     h1 ____ sw ___ h2        h2 has a BPF file system of its own, h1 and `other` use the machine's

ALL_TESTS="
	ip_netns_exec
	machine_without_a_bpffs
	name_taken_in_another_namespace
	namespace_gone
	namespace_gone_with_filters
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

machine_bpffs() {
	mount -t bpf bpf /sys/fs/bpf
	on_exit umount /sys/fs/bpf
}

# in_netns NAME ARGS...: vxbpf on h1's file, as an operator starts it there.
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

# Whatever of ours is in the namespace `other`.
in_other() {
	on other "$PYTHON" -IS "$LIB/hooks.py"
	ip -n other -o link | grep -E 'vx-|vxbr0' || true
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

name_taken_in_another_namespace() {
	machine_bpffs
	mesh 2
	mesh_up h2
	in_netns h1 up
	containers_each 1
	in_netns h1 up
	alone other
	machine_pins >"$WORK/pins"
	for verb in up reload down restart; do
		refused 1 'another network namespace' in_netns other "$verb"
	done
	expect 3 in_netns other status
	assert_match 'another network namespace' "$OUT" "status there"
	# Without a name it is none of its business.
	mkdir -p "$WORK/nothing" && mount --bind "$WORK/nothing" /etc/vxbpf
	on_exit umount /etc/vxbpf
	expect 0 ip netns exec other "$VXBPF" down
	expect 0 ip netns exec other "$VXBPF" status --json
	assert_eq 0 "$(jq length <<<"$OUT")" "overlays there"
	assert_eq "" "$(in_other)" "left by those who were refused"
	machine_pins >"$WORK/now"
	assert_same "$WORK/pins" "$WORK/now" "pins"
	expect 0 in_netns h1 up --dry-run
	reach_all c11 c21
	# Another name is free.
	cp "$WORK/etc/h1/vxbr0.yaml" "$WORK/spare.yaml"
	expect 0 ip netns exec other "$VXBPF" up "$WORK/spare.yaml"
	expect 0 ip netns exec other "$VXBPF" status --json
	assert_eq spare "$(jq -r '.[].overlay' <<<"$OUT")" "overlays there"
	reach_all c11 c21
	expect 0 ip netns exec other "$VXBPF" down
	expect 0 in_netns h1 up --dry-run
}

# What a namespace leaves in the file system when it goes is in nobody's way.
gone() {
	machine_bpffs
	mesh 2
	alone first
	in_netns first up
	alone other
	ip netns del first
}

namespace_gone() {
	gone
	wait_for 20 in_netns other up # the kernel takes its time to take the other one away
	expect 0 in_netns other up --dry-run
	expect 0 in_netns other down
	assert_eq "" "$(in_other)" "left"
	assert_eq "" "$(machine_pins)" "pins left"
}

# A filter's namespace cannot be asked for, so it is said how to go on.
namespace_gone_with_filters() {
	export VXBPF_NO_TCX=1
	gone
	refused 1 'rm -r /proc/1/root/sys/fs/bpf/vxbpf/vxbr0' in_netns other up
	rm -r /proc/1/root/sys/fs/bpf/vxbpf/vxbr0
	expect 0 in_netns other up
	expect 0 in_netns other down
	assert_eq "" "$(machine_pins)" "pins left"
}

run_tests
