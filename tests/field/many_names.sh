#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a device of the host has hundreds of alternative names (a local user with CAP_NET_ADMIN, or a tool gone wrong);
#   the kernel's message about it is larger than 32 KB.
# Kernel: `ip link` lists every device.
# vxbpf: it sees every device, too; ports after that device are hooked, and `down` removes every tunnel. A name that
#   is taken is said, and nothing is changed.

ALL_TESTS="
	one_message_over_32_kilobytes
	more_than_64_kilobytes
	taken_name_behind_many
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0

# names N: of a device that stands before all others of h1.
names() {
	local i batch=
	for ((i = 0; i < $1; i++)); do
		printf -v batch '%slink property add dev lo altname %s%0123d\n' "$batch" "lo-" "$i"
	done
	ip -n h1 -batch - <<<"$batch"
}

works_with_names() { # N
	mesh 2
	names "$1"
	assert_ge $((120 * $1)) "$(ip -n h1 link show dev lo | wc -c)" "bytes of names"
	mesh_up
	containers_each 1
	mesh_up
	reach_all c11 c21
	assert_match 'c11 in port_in' "$(hooks h1)" "programs at the port"
	ip -n h1 link del vx-h2
	expect 3 vx h1 up vxbr0 --dry-run
	vx h1 up vxbr0
	assert_match 'vx-h2 out tun_out' "$(hooks h1)" "programs at the tunnel"
	reach_all c11 c21
	vx h1 status vxbr0 >/dev/null
	vx h1 export >/dev/null
	expect 0,3 vx h1 check vxbr0
	ip -n h1 link del c11
	vx h1 down vxbr0
	nothing_left h1
}

one_message_over_32_kilobytes() { works_with_names 255; }

more_than_64_kilobytes() { works_with_names 490; }

taken_name_behind_many() {
	local i batch=
	mesh 2
	ip -n h1 link add other type dummy 2>/dev/null || ip -n h1 link add other type bridge
	for ((i = 0; i < 40; i++)); do batch+="link property add dev other altname filler-$i"$'\n'; done
	ip -n h1 -batch - <<<"$batch"
	ip -n h1 link property add dev other altname vxbr0
	snapshot h1 >"$WORK/before"
	refused 1 'vxbr0: cannot make the bridge: another device already has this name.*`ip link show vxbr0`' vx h1 up vxbr0
	unchanged h1 "$WORK/before"
}

run_tests
