#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a shaper (LXD's limits, `tc ... ingress` in a boot script) has put the old `ingress` qdisc, or a clsact with a
#   shared block, on the underlay device, on a container's port or on the bridge; Linux before 6.6 has no tcx.
# Kernel: a plain VXLAN device needs nothing at ingress or egress; everything is delivered.
# vxbpf: with tcx it works beside them. Without, such an underlay is refused before anything is changed, naming the qdisc and
#   what to do. A port is hooked where there is room and works by the slow path; the bridge is named in `up` and `check`.
# also with: VXBPF_NO_TCX=1

ALL_TESTS="
	underlay
	shared_block
	port
	bridge
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

filters() {
	on h1 tc filter show dev "$1" parent ffff:
}

# Nothing of ours is there, and theirs is as it was.
untouched() {
	assert_eq "" "$(on h1 ip -br link show type vxlan)" "tunnels"
	assert_eq "" "$(filters eth0)" "filters on eth0"
	expect 0 on h1 test ! -e /sys/fs/bpf/vxbpf
}

works() {
	pings c11 "$(ip4_of c21)" 5
	drops_are h1 ""
}

underlay() {
	mesh 2
	on h1 tc qdisc add dev eth0 handle ffff: ingress
	if [ -z "${VXBPF_NO_TCX:-}" ]; then
		mesh_up
		containers_each 1
		acquainted c11 c21
		works
		return
	fi
	expect 1 vx h1 up vxbr0
	assert_match '^vxbpf: eth0: cannot guard it: its ingress qdisc .*tc qdisc del dev eth0 ingress' "$ERR" "what up says"
	untouched
	on h1 tc qdisc del dev eth0 ingress
	on h1 tc qdisc add dev eth0 clsact
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	works
	expect 0 vx h1 up vxbr0 --dry-run
	vx h1 down
	assert_match 'clsact' "$(on h1 tc qdisc show dev eth0)" "their qdisc"
}

shared_block() {
	mesh 2
	[ -n "${VXBPF_NO_TCX:-}" ] || skip "with tcx it is like any other"
	on h1 tc qdisc add dev eth0 ingress_block 7 clsact
	expect 1 vx h1 up vxbr0
	assert_match '^vxbpf: eth0: cannot guard it: its ingress filters are in tc block 7, which devices share' "$ERR" "up"
	untouched
	on h1 tc qdisc del dev eth0 clsact
	on h1 tc qdisc add dev eth0 egress_block 8 clsact
	expect 1 vx h1 up vxbr0
	assert_match '^vxbpf: eth0: cannot guard it: its egress filters are in tc block 8' "$ERR" "up"
	untouched
}

# As LXD sets limits.egress, without a limit that loses anything here.
port() {
	mesh 2
	mesh_up
	containers_each 1
	acquainted c11 c21
	on h1 tc qdisc add dev c11 handle ffff: ingress
	expect 0 vx h1 up vxbr0
	assert_eq "" "$ERR" "what up says"
	expect 0 vx h1 up vxbr0 --dry-run
	assert_eq "" "$OUT" "steps"
	assert_eq true "$(status_json h1 | jq '.[0].ports[] | select(.ifname == "c11") | .hooked')" "hooked"
	assert_eq "" "$(filters c11 | grep port_out || true)" "port_out at ingress"
	works
	on h1 tc filter add dev c11 parent ffff: protocol all pref 1 u32 match u32 0 0 flowid :1
	expect 0 vx h1 up vxbr0
	works
	assert_eq up "$(status_json h1 | jq -r '.[0].state')" "state"
	vx h1 down
	assert_match '^qdisc ingress' "$(on h1 tc qdisc show dev c11 ingress)" "their qdisc"
	assert_eq 1 "$(filters c11 | grep -c 'u32 chain 0 fh .*flowid')" "their filter"
	assert_eq "" "$(filters c11 | grep port_ || true)" "filters of ours"
}

bridge() {
	mesh 2
	[ -n "${VXBPF_NO_TCX:-}" ] || skip "with tcx it is like any other"
	on h1 ip link add vxbr0 type bridge
	on h1 ip link set vxbr0 up
	on h1 tc qdisc add dev vxbr0 handle ffff: ingress
	expect 0 vx h1 up vxbr0
	assert_match 'vxbr0: has no vxbpf program, because its ingress qdisc leaves no place' "$ERR" "what up says"
	expect 0 vx h1 up vxbr0 --dry-run
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	appears h1 unhooked "vxbr0: has no vxbpf program, because its ingress qdisc"
	assert_eq 1 "$(jq '[.[].problems[] | select(.id == "unhooked")] | length' <(status_json h1))" "sentences"
	works
}

run_tests
