#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a container has a bridge of its own, with its eth0 and the taps of VMs as ports (KubeVirt, LXD in LXD, a
#            router container), or a VM's macvtap on its eth0.
# Kernel: carries it; large packets stay in one piece up to the VM.
# vxbpf: the same; the fast path hands single packets to the host's end of the veth, and leaves large ones to the kernel.
#        They had gone straight to the container's end, whose bridge passed them on with the mark of a tunnel, so that a
#        VM got one byte in six of what it got without the fast path. `status` says why, and `watch` notices within
#        five seconds that a bridge or macvtap came or went.

ALL_TESTS="
	vm_behind_it
	macvtap
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fastports.sh
. "$LIB/fastports.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

# The guest is g22, on a tap in c21, with offloads as virtio has them.
guest_in_container() {
	netns g22
	"$PYTHON" -IS "$LIB/guest.py" c21=tap22 g22=eth0 >"$WORK/guest" &
	GUEST=$!
	on_exit stop "$GUEST"
	wait_for 5 ip -n g22 link show eth0
	ip -n g22 link set eth0 address "$(mac_of g22)" mtu 1450 up
	ip -n g22 addr add "$(ip4_of g22)/24" dev eth0
}

bridge_in_container() {
	ip -n c21 -batch - <<-END
		link add br0 up type bridge
		link set eth0 master br0
		link set tap22 mtu 1450 master br0 up
	END
}

# door_is HOST IFNAME WANTED: how the fast path gets in there.
door_is() {
	[ "$(on "$1" bpftool -j map dump pinned /sys/fs/bpf/vxbpf/vxbr0/doors |
		jq --argjson i "$(ip -n "$1" -j link show "$2" | jq '.[0].ifindex')" -r \
			'.[] | .formatted // . | select(.key.ifindex == $i) | .value.door')" = "$3" ]
}

why() { # HOST IFNAME
	status_json "$1" | jq -r --arg port "$2" '.[0].ports[] | select(.ifname == $port) | .why'
}

vm_behind_it() {
	calm_hosts 2
	mesh_up
	containers_each 1
	guest_in_container
	watch h1 vxbr0
	watch h2 vxbr0
	door_is h2 c21 VX_DOOR_PEER || fail "the fast path does not go straight to the container"
	assert_eq "" "$(why h2 c21)" "why"
	bridge_in_container
	wait_for 8 door_is h2 c21 VX_DOOR_NEAR
	assert_eq "only to the host's end of the veth, because the other end has a bridge, macvlan or sniffer" "$(why h2 c21)" "why"
	pings c11 "$(ip4_of g22)" 5
	bulk c11 g22 "$(ip4_of g22)" 20000000
	talk c11 g22 "$(ip4_of g22)" 1.5
	mark h2 h1
	talked c11 g22
	assert_ge 90 "$(share h2 h1)" "fast"
	kill "$GUEST"
	wait "$GUEST"
	cat "$WORK/guest"
	assert_eq 2 "$(grep -c ' bad=0$' "$WORK/guest")" "directions without a bad frame"
	ip -n c21 link set eth0 nomaster
	wait_for 8 door_is h2 c21 VX_DOOR_PEER
}

macvtap() {
	calm_hosts 2
	mesh_up
	containers_each 1
	watch h2 vxbr0
	door_is h2 c21 VX_DOOR_PEER || fail "the fast path does not go straight to the container"
	ip -n c21 link add link eth0 name mvt0 type macvtap mode bridge || skip "this kernel has no macvtap"
	ip -n c21 link set mvt0 up
	wait_for 8 door_is h2 c21 VX_DOOR_NEAR
	right h2
}

run_tests
