#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: frames are dropped as `unguarded`: somebody detached our program from the underlay, or the peer's packets come
#   by another device, or to another address of this host.
# Kernel: a plain VXLAN device takes them all, whoever sent them.
# vxbpf: drops them, and `check` names the device without a program, or the devices and addresses by which they can have
#   come, each with the one thing to do.

ALL_TESTS="
	program_missing
	another_device
	another_address
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

ready() {
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
}

# forge DEVICE MAC DST: as h2 would send it, from s9.
forge() {
	frames s9 "$1" count=7 eth "dst=$2" "src=$(underlay_mac s9)" ip "src=$(address4 h2)" "dst=$3" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=astray
}

program_missing() {
	ready
	[ -n "$(hooks h1)" ] || skip "this kernel has no tcx"
	on h1 bash -c 'rm /sys/fs/bpf/vxbpf/vxbr0/links/wire_in-*'
	on c11 ping -c 2 -W 1 -i 0.2 "$(ip4_of c21)" >/dev/null || true
	appears h1 unguarded 'VXLAN for vx-h2 passed eth0 unseen by the guard \(.*\), because vxbpf has no program there; run `vxbpf up`'
	says_so h1 drift '.*\+ hook eth0/wire_in' || fail "no drift: $(cat "$WORK/check")"
	vx h1 up vxbr0
	pings c11 "$(ip4_of c21)" 3
}

another_device() {
	ready
	node s9
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	plug s9 sw2 eth1 02:a1:00:00:00:09
	ip -n h1 addr add 203.0.113.1/24 dev eth1
	forge eth1 02:a1:00:00:00:01 "$(address4 h1)"
	drops_are h1 "unguarded=7"
	appears h1 unguarded 'VXLAN for vx-h2 arrived .* \(7 dropped, .*\), here only device eth1; let the peers send'
}

another_address() {
	ready
	node s9
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	forge eth0 "$(underlay_mac h1)" 192.0.2.101
	drops_are h1 "unguarded=7"
	appears h1 unguarded 'VXLAN for vx-h2 arrived .* \(7 dropped, .*\), here only address 192.0.2.101; let the peers send'
}

run_tests
