#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `up` twice changes nothing, it repairs what others did, and `down` leaves nothing (I7; faults.sh and kills.sh have errors and
# kill -9 half way); a reload loses nothing of other peers (I9).
# time limit: 500
#
#     c11          c21          c31
#      |            |            |
#    vxbr0        vxbr0        vxbr0
#     h1 ____ sw ___ h2 ________ h3

ALL_TESTS="
	up_twice_changes_nothing
	dry_run_changes_nothing
	peer_added_and_removed_under_load
	settings_changed_under_load
	peer_moves_to_another_address
	tunnel_damaged_by_hand
	two_at_once
	down_detaches_at_once
	down_without_the_file
	down_keeps_the_bridge_of_others
	bridge_in_use_comes_back
	bound_to_an_underlay_device
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0

up_twice_changes_nothing() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	snapshot h1 >"$WORK/before"
	calls h1 up vxbr0
	assert_ge 1 "$(grep -c RTM_GETLINK "$WORK/calls")" "requests that only ask"
	assert_eq 0 "$(changing)" "calls that change something: $(grep -E 'RTM_(NEW|DEL|SET)|BPF_MAP_CREATE' "$WORK/calls" | cut -c 1-300 | head -n 3)"
	calls h1 reload vxbr0
	assert_eq 0 "$(changing)" "calls of reload that change something"
	unchanged h1 "$WORK/before"
	# The same count does see a change.
	ip -n h1 link set vx-h2 down
	calls h1 up vxbr0
	assert_ge 1 "$(changing)" "calls that repair"
	reach_all c11 c21 c31
}

dry_run_changes_nothing() {
	mesh 2
	snapshot h1 >"$WORK/before"
	expect 3 vx h1 up vxbr0 --dry-run
	assert_match 'vx-h2' "$OUT" "steps"
	echo "$OUT" >"$WORK/printed"
	unchanged h1 "$WORK/before"
	calls h1 up vxbr0 --dry-run || true
	assert_eq 0 "$(changing)" "changing calls of --dry-run"
	vx h1 up vxbr0 -v >"$WORK/applied"
	assert_same "$WORK/printed" "$WORK/applied" "steps printed and steps applied"
	mesh_up
	expect 0 vx h1 up vxbr0 --dry-run
	expect 0 vx h1 reload --dry-run vxbr0
	snapshot h1 >"$WORK/before"
	expect 3 vx h1 down vxbr0 --dry-run
	assert_match 'vx-h2' "$OUT" "steps"
	unchanged h1 "$WORK/before"
	mesh_down
	expect 0 vx h1 down vxbr0 --dry-run
	nothing_left h1
}

# None may be lost.
unloaded() {
	kill -INT "$LOAD"
	wait "$LOAD" || true
	assert_match ' 0% packet loss' "$(cat "$WORK/load")" "ping under reload"
	assert_ge 200 "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$WORK/load")" "pings"
}

peer_added_and_removed_under_load() {
	mesh 3
	mesh_up
	containers_each 1
	acquainted c11 c21
	reach_all c11 c21 c31
	load
	for _ in 1 2 3; do
		PEERS="h1 h2" config vxbr0
		vx h1 reload vxbr0
		vx h2 reload vxbr0
		unreachable c11 "$(ip4_of c31)"
		config vxbr0
		expect 3 vx h1 reload vxbr0 --dry-run
		vx h1 reload vxbr0
		vx h2 reload vxbr0
		forget_neighbours c11 c31
		pings c11 "$(ip4_of c31)" 1
	done
	unloaded
}

settings_changed_under_load() {
	mesh 3
	mesh_up
	containers_each 1
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	load
	for line in "guard: observe" "guard: off" "mtu: 1400" "mark: 0x20000000" "guard: enforce"; do
		config vxbr0 "$line"
		# Slowly: a program with the old setting beside one with the new one must not matter either.
		on h1 strace -f -qq -o /dev/null -e trace=bpf -e inject=bpf:delay_enter=1000 "$VXBPF" reload vxbr0
		vx h2 reload vxbr0
		expect 0 vx h1 up vxbr0 --dry-run
	done
	unloaded
}

peer_moves_to_another_address() {
	mesh 3
	mesh_up
	containers_each 1
	reach_all c11 c21 c31
	ip -n h3 addr del 192.0.2.3/24 dev eth0
	ip -n h3 addr add 192.0.2.33/24 dev eth0
	sed -i 's/192\.0\.2\.3 /192.0.2.33 /' "$WORK"/etc/*/vxbr0.yaml
	for host in h1 h2 h3; do
		expect 3 vx "$host" reload vxbr0 --dry-run
		vx "$host" reload vxbr0
		expect 0 vx "$host" reload vxbr0 --dry-run
	done
	forget_neighbours c11 c21 c31
	reach_all c11 c21 c31
}

# damage CMD...: `up` sees it, repairs it, and is content afterwards.
damage() {
	on h1 "$@"
	expect 3 vx h1 up vxbr0 --dry-run
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
}

tunnel_damaged_by_hand() {
	local pin flag
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	damage ip link del vx-h2
	damage ip link set vx-h2 nomaster
	damage ip link set vx-h2 down
	damage ip link set vx-h3 mtu 1400
	damage ip link set vxbr0 mtu 1400
	damage ip link set vxbr0 address 02:00:00:00:00:77
	damage sysctl -qw net.ipv6.conf.vxbr0.accept_ra=1
	damage bridge fdb del 00:00:00:00:00:00 dev vx-h2
	damage bridge fdb append 00:00:00:00:00:00 dst 192.0.2.77 dev vx-h2
	damage bridge fdb append 00:00:00:00:00:00 dst 192.0.2.2 port 4790 dev vx-h2
	damage sh -c 'bridge fdb del 00:00:00:00:00:00 dev vx-h2
		bridge fdb append 00:00:00:00:00:00 dst 192.0.2.77 dev vx-h2'
	damage bridge fdb add 02:00:00:00:00:99 dst 192.0.2.77 dev vx-h2 static self
	assert_eq "00:00:00:00:00:00 dst 192.0.2.2 self permanent" \
		"$(on h1 bridge fdb show dev vx-h2 | grep ' dst ' | sed 's/ $//')" "where vx-h2 sends"
	for flag in "isolated off" "learning off" "flood off" "mcast_flood off" "bcast_flood off" "locked on" \
		"hairpin on" "state 0" "state 1"; do
		# shellcheck disable=SC2086
		damage bridge link set dev vx-h2 $flag
	done
	for pin in $(on h1 find /sys/fs/bpf/vxbpf -path '*links*' -type f | sort | head -n 3); do
		damage rm "$pin"
	done
	damage rm -rf /sys/fs/bpf/vxbpf
	# A link that was detached behind its pin, while its device stays.
	for pin in $(on h1 find /sys/fs/bpf/vxbpf -path '*links*' -type f | sort); do
		damage bpftool link detach pinned "$pin"
	done
	reach_all c11 c21 c31
}

two_at_once() {
	local pids=() i
	mesh 2
	for i in 1 2 3 4; do
		vx h1 up vxbr0 >"$WORK/at_once.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || fail "$(cat "$WORK"/at_once.*)"; done
	expect 0 vx h1 up vxbr0 --dry-run
	mesh_up h2
	containers_each 1
	reach_all c11 c21
}

# Not when the kernel comes to it, or when somebody who looks at the links lets go of them.
down_detaches_at_once() {
	mesh 2 'xdp: on'
	mesh_up h1
	background h1 "$PYTHON" -IS "$LIB/hooks.py" hold /sys/fs/bpf/vxbpf/vxbr0/links >"$WORK/held"
	wait_for 10 grep -q 'held [4-9]' "$WORK/held"
	vx h1 down vxbr0
	nothing_left h1
}

down_without_the_file() {
	mesh 2
	mesh_up
	rm "$WORK"/etc/*/vxbr0.yaml
	expect 0,3 vx h1 status
	assert_match vx-h2 "$(vx h1 status vxbr0 --json || true)" "status without the file"
	vx h1 down vxbr0
	nothing_left h1
}

down_keeps_the_bridge_of_others() {
	mesh 2
	mesh_up
	containers_each 1
	ip -n h1 addr add 203.0.113.1/24 dev vxbr0
	expect 0 vx h1 down vxbr0
	assert_match '^vxbpf: vxbr0: the bridge stays because c11, 203.0.113.1/24 are still on it$' "$ERR" "what down says"
	assert_match 'c11' "$(ip -n h1 link show master vxbr0)" "ports of the bridge"
	assert_eq 1 "$(ip -n h1 -o link show master vxbr0 | wc -l)" "ports of the bridge"
	assert_eq "" "$(on h1 find /sys/fs/bpf -mindepth 1 ! -name '*.debug')" "pins"
	assert_eq "" "$(hooks h1)" "programs"
	mesh_up h1
	reach_all c11 c21
	ip -n h1 link del c11
	ip -n h1 addr del 203.0.113.1/24 dev vxbr0
	vx h1 down vxbr0
	nothing_left h1
}

bridge_in_use_comes_back() {
	local i
	mesh 2
	mesh_up
	containers_each 2
	for i in 1 2 3; do
		vx h1 restart vxbr0
		vx h2 stop vxbr0
		vx h2 start vxbr0
	done
	reach_all c11 c12 c21 c22
}

bound_to_an_underlay_device() {
	mesh 2 "underlay: eth0"
	mesh_up
	containers_each 1
	reach_all c11 c21
	assert_eq eth0 "$(on h1 ip -d -j link show vx-h2 | jq -r '.[0].linkinfo.info_data.link')" "lower device"
	# The bridge's MTU is set, though it had it from its tunnels: it does not follow a port.
	ip -n h1 link set c11 mtu 1400
	assert_eq 1450 "$(ip -n h1 -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge"
	ip -n h1 link set c11 mtu 1450
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	# Still bound after it was put right.
	damage bridge fdb del 00:00:00:00:00:00 dev vx-h2
	damage bridge fdb append 00:00:00:00:00:00 dst 192.0.2.2 via eth1 dev vx-h2
	assert_eq '00:00:00:00:00:00 dst 192.0.2.2 via eth0 self permanent' \
		"$(on h1 bridge fdb show dev vx-h2 | grep ' dst ' | sed 's/ $//')" "where vx-h2 sends"
	# Another way to the peer is never taken.
	ip -n h1 addr add 203.0.113.1/24 dev eth1
	ip -n h1 route add 192.0.2.2/32 dev eth1
	capture wire sw2 br0 udp port 4789
	pings c11 "$(ip4_of c21)" 23
	exactly 0 wire
}

run_tests
