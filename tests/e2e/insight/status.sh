#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf status` says what is wrong, in words and in its exit status, and never more than is true.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2

ALL_TESTS="
	underlay_device_is_gone
	own_address_is_gone
	own_address_is_still_to_come
	names_of_any_bytes
	passed_is_not_dropped
	mark_is_lost_between_guard_and_tunnel
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

# said HOST STATUS STATE REGEX: exit status, state in the JSON, and one line of the text's sentences.
said() {
	expect "$2" vx "$1" status vxbr0
	assert_match "^vxbr0: $3( -|\$)" "$OUT" "title"
	assert_match "$4" "$(tr -s '\n ' ' ' <<<"$OUT")" "sentences"
	expect "$2" vx "$1" status vxbr0 --json
	assert_eq "$3" "$(jq -r '.[0].state' <<<"$OUT")" "state"
}

healthy_pair() { # [YAML LINE...]
	mesh 2 "$@"
	mesh_up
	containers_each 1
	mesh_up
	pings c11 "$(ip4_of c21)" 2
	said h1 0 up 'nothing is wrong'
}

underlay_device_is_gone() {
	healthy_pair "underlay: eth0"
	# The device comes back by another name: nothing can be planned.
	ip -n h1 link set eth0 down
	ip -n h1 link set eth0 name eth7
	ip -n h1 link set eth7 up
	said h1 3 degraded '! still runs with its previous config, because the config cannot be applied now: /etc/vxbpf/vxbr0.yaml:1: underlay eth0: device does not exist'
	ip -n h1 link set eth7 down
	ip -n h1 link set eth7 name eth0
	ip -n h1 link set eth0 up
	said h1 0 up 'nothing is wrong'
}

own_address_is_gone() {
	healthy_pair
	ip -n h1 addr del 192.0.2.1/24 dev eth0
	said h1 3 degraded '! no device has 192\.0\.2\.1 now, this host.s address in the mesh'
	address h1 eth0
	said h1 0 up 'nothing is wrong'
	# Down, too, it is said.
	vx h1 down vxbr0
	ip -n h1 addr del 192.0.2.1/24 dev eth0
	said h1 3 down '! not up, and the config cannot be applied now: '
}

# A host that waits for a floating address: said, guarded, and at work as soon as the address is there.
own_address_is_still_to_come() {
	local missing='local: this host is h1, but no device has its address 192\.0\.2\.1 now'
	mesh 2
	mesh_up h2
	sed -i '1i local: h1' "$WORK/etc/h1/vxbr0.yaml"
	ip -n h1 addr del 192.0.2.1/24 dev eth0
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	expect 0 vx h1 up vxbr0
	assert_match "^vxbpf: /etc/vxbpf/vxbr0.yaml:1: $missing" "$ERR" "what up says"
	containers_each 1
	mesh_up
	said h1 0 up "! /etc/vxbpf/vxbr0.yaml:1: $missing"
	assert_match '^eth0 in wire_in' "$(hooks h1)" "guard"
	unreachable c11 "$(ip4_of c21)"
	ip -n h1 addr add 192.0.2.1/24 dev eth0
	reach_all c11 c21
	said h1 0 up 'nothing is wrong'
	drops_are h1 ""
}

# harmless: standard output of the last command is UTF-8 and has no control characters but newlines.
harmless() {
	printf '%s' "$OUT$ERR" | iconv -f utf-8 -t utf-8 >/dev/null || fail "$1: no UTF-8: $OUT$ERR"
	[ -z "$(printf '%s' "$OUT$ERR" | tr -cd '\000-\011\013-\037\177')" ] || fail "$1: control characters: $OUT$ERR"
}

# The kernel takes any byte in a name but a slash, a colon and white space.
names_of_any_bytes() {
	local port=$'p\x1b[2J\xff\x9b31m' euro=$'p\xe2\x82\xac'
	mesh 2
	watch h1 vxbr0
	settled h1
	ip -n h1 link add "$port" type veth peer name port
	ip -n h1 link add "$euro" type veth peer name other
	expect 0,3 vx h1 up vxbr0 --dry-run
	ip -n h1 link set "$port" master vxbr0 up
	ip -n h1 link set "$euro" master vxbr0 up
	settled h1
	expect 0 vx h1 status vxbr0
	harmless status
	assert_match 'p.x1b.2J.xff.x9b31m' "$OUT" "the port's name"
	assert_match "$euro" "$OUT" "the other port's name"
	expect 0 vx h1 status vxbr0 --json
	harmless "status --json"
	on h1 "$VXBPF" status vxbr0 --json | "$PYTHON" -IS -c 'import json, sys
names = [p["ifname"] for p in json.loads(sys.stdin.buffer.read().decode())[0]["ports"]]
assert names[1:] == ["p\x1b[2J\ufffd\ufffd31m", "p\u20ac"], names'
	unwatch TERM 0
	OUT=$(<"$OUT_FILE") ERR=$(<"$ERR_FILE")
	harmless "watch -v"
	assert_match '. hook +p.x1b' "$OUT" "what watch -v does"
	# Words of others on standard error, too.
	ip -n h1 link set "$port" nomaster
	ip -n h1 link set "$port" alias "vxbpf:other:h9"
	ip -n h1 link set "$port" master vxbr0
	refused 1 'p.x1b.2J.xff.x9b31m on it is a tunnel of another overlay' vx h1 up vxbr0
	harmless "up"
	expect 3 vx h1 status vxbr0
	harmless status
	refused 2 'x1b' vx h1 $'\x1b[2J'
	harmless usage
}

# What the guard lets through is not called dropped, also not once it has stopped looking.
passed_is_not_dropped() {
	local mode
	mesh 2 "guard: observe"
	mesh_up
	containers_each 1
	mesh_up
	node s9
	frames s9 eth0 count=23 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 s9)" \
		"dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" data text=forged
	drops_are h1 "unknown_source=23"
	for mode in observe off; do
		config vxbr0 "guard: $mode"
		vx h1 reload vxbr0
		said h1 0 up '23 counted, the last [^ ]+ s ago; the guard allows such packets'
		expect 0 vx h1 status vxbr0
		assert_eq "" "$(grep dropped <<<"$OUT" || true)" "what was dropped with guard: $mode"
		assert_match 'counted +unknown_source 23 \(no peer\)' "$OUT" "what was counted"
	done
	config vxbr0
	vx h1 reload vxbr0
	said h1 0 up 'unknown_source 23'
}

# As wg-quick does it: the whole mark of packets on their way in is set anew.
mark_is_lost_between_guard_and_tunnel() {
	local lost='! frames of peers pass the guard but reach vx-h2 without its mark \([0-9]+ dropped, .*\), because a firewall rule changes the mark; see mark: in vxbpf.yaml\(5\)'
	healthy_pair
	acquainted c11 c21
	# A stranger behind another device is something else, also while the peer itself is heard.
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	netns s8
	plug s8 sw2
	background c11 ping -n -q -i 0.1 "$(ip4_of c21)" >/dev/null
	frames s8 eth0 count=5 eth dst=02:a1:00:00:00:01 "src=$(underlay_mac s8)" ip "src=$(address4 h2)" \
		"dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" data text=forged
	drops_are h1 "unguarded=5"
	said h1 0 up '! VXLAN for vx-h2 arrived on a device or address the guard does not cover \(5 dropped'
	on h1 nft -f - <<-'N'
		table inet others {
			chain pre { type filter hook prerouting priority -150; meta l4proto udp meta mark set ct mark; }
		}
	N
	says_so() { vx h1 status vxbr0 | tr -s '\n ' ' ' | grep -E -- "$lost" >/dev/null; }
	wait_for 30 says_so
	on h1 nft delete table inet others
	pings c11 "$(ip4_of c21)" 5
	frames s8 eth0 eth dst=02:a1:00:00:00:01 "src=$(underlay_mac s8)" ip "src=$(address4 h2)" \
		"dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" data text=forged
	expect 0,3 vx h1 status vxbr0
	assert_match 'VXLAN for vx-h2 arrived on a device' "$(tr -s '\n ' ' ' <<<"$OUT")" "once the rule is gone"
}

run_tests
