#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf who`: where the overlay has seen a MAC or an IP address, and how often it moved.
#
#    c11 c12          c21           c31
#      \ /             |             |
#     vxbr0          vxbr0         vxbr0
#      h1              h2            h3

ALL_TESTS="
	mac_on_a_port
	mac_at_a_peer
	mac_of_the_host
	moves_and_flapping
	stale_entry
	by_vlan
	bridge_disagrees
	only_the_bridge_knows
	ip_by_neighbour
	ip_by_flow
	ip_of_the_host
	duplicate_address
	nobody_knows
	two_overlays
	for_programs
	names_of_any_bytes
	owner_without_a_place
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0

seen_mesh() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	reach_all c11 c21 c31
}

who() { # STATUS HOST WHAT [ARGS...]: in $WORK/said
	local status=0
	vx "$2" who "${@:3}" >"$WORK/said" 2>&1 || status=$?
	assert_eq "$1" "$status" "exit status, having said $(<"$WORK/said")"
}

says() { # REGEX...
	local regex
	for regex; do assert_match "$regex" "$(<"$WORK/said")" "what it says"; done
}

lines_are() {
	assert_eq "$1" "$(wc -l <"$WORK/said")" "lines of $(<"$WORK/said")"
}

# show MAC FROM: a frame of that source, from that container, to everybody.
show() {
	frames "$2" eth0 count=1 eth dst=ff:ff:ff:ff:ff:ff src="$1" "${@:3}" data text=hello
}

mac_on_a_port() {
	seen_mesh
	who 0 h1 "$(mac_of c11)"
	says "^$(mac_of c11) is at port c11 of this host, seen [0-9.]+ s ago$"
	who 0 h1 "$(mac_of c11 | tr 'a-f:' 'A-F-')" vxbr0
	says "port c11 of this host"
	lines_are 1
}

mac_at_a_peer() {
	seen_mesh
	who 0 h1 "$(mac_of c21)"
	says "^$(mac_of c21) is at h2 \(192\.0\.2\.2\), behind vx-h2, seen [0-9.]+ s ago$"
	who 0 h3 "$(mac_of c21)"
	says "is at h2 .*behind vx-h2"
	lines_are 1
}

mac_of_the_host() {
	local mac
	seen_mesh
	ip -n h1 addr add 198.51.100.101/24 dev vxbr0
	mac=$(ip -n h1 -j link show vxbr0 | jq -r '.[0].address')
	pings h1 "$(ip4_of c21)" 1
	who 0 h1 "$mac"
	says "is at this host, h1, on vxbr0 itself"
	lines_are 1
	who 0 h2 "$mac"
	says "is at h1 .*behind vx-h1"
}

moves_and_flapping() {
	local i
	seen_mesh
	show 02:ee:00:00:00:07 c11
	show 02:ee:00:00:00:07 c21
	who 0 h1 02:ee:00:00:00:07
	says "is at h2 .*, moved 1 time, [0-9.]+ s ago from port c11$"
	sleep 2.1 # longer than a loop is looked for
	for i in 1 2; do
		show 02:ee:00:00:00:08 c31
		show 02:ee:00:00:00:08 c21
	done
	who 0 h1 02:ee:00:00:00:08
	says "is at h2 .*, moved 3 times, last [0-9.]+ s ago from h3$"
	show 02:ee:00:00:00:08 c31
	who 0 h1 02:ee:00:00:00:08
	says "is at h3 .*, moved 4 times, last [0-9.]+ s ago from h2; still moving: 4 moves less than a minute apart"
}

# The map as it would be after ten minutes: entries cannot be made older otherwise.
stale_entry() {
	local seen
	seen_mesh
	seen=$(on h1 bpftool -j map lookup pinned /sys/fs/bpf/vxbpf/vxbr0/fdb key hex 02 c0 00 00 00 15 00 00 |
		jq -r '.value | join(" ")' | sed 's/0x//g')
	[ -n "$seen" ] || fail "no entry of c21"
	# seen_ns stands at byte 16: one second after boot.
	read -r -a bytes <<<"$seen"
	[ "$(cut -d. -f1 /proc/uptime)" -gt 400 ] || skip "this machine has not been up long enough"
	bytes=("${bytes[@]:0:16}" 00 ca 9a 3b 00 00 00 00 "${bytes[@]:24}")
	on h1 bpftool map update pinned /sys/fs/bpf/vxbpf/vxbr0/fdb key hex 02 c0 00 00 00 15 00 00 \
		value hex "${bytes[@]}"
	who 0 h1 "$(mac_of c21)"
	says "was at h2 .*, seen [0-9]+ (min|h|d) ago, longer ago than the bridge's ageing time"
}

by_vlan() {
	seen_mesh
	show 02:ee:00:00:00:09 c21 vlan id=7
	show 02:ee:00:00:00:09 c31
	who 0 h1 02:ee:00:00:00:09
	says "02:ee:00:00:00:09 in VLAN 7 is at h2" "02:ee:00:00:00:09 is at h3"
}

bridge_disagrees() {
	seen_mesh
	on h1 bridge fdb replace "$(mac_of c21)" dev vx-h3 master static
	who 0 h1 "$(mac_of c21)"
	says "is at h2 .*" "the bridge itself has it at h3 \(192\.0\.2\.3\), behind vx-h3"
	lines_are 2
}

only_the_bridge_knows() {
	seen_mesh
	on h1 bridge fdb add 02:ee:00:00:00:0a dev c11 master static
	who 0 h1 02:ee:00:00:00:0a
	says "no vxbpf program has seen it; the bridge has it at port c11 of this host"
}

ip_by_neighbour() {
	seen_mesh
	ip -n h1 addr add 198.51.100.101/24 dev vxbr0
	pings h1 "$(ip4_of c21)" 1
	who 0 h1 "$(ip4_of c21)"
	says "^$(ip4_of c21) has MAC $(mac_of c21), by this host's neighbour table" \
		"^$(mac_of c21) is at h2"
	lines_are 2
}

ip_by_flow() {
	FASTPATH=on seen_mesh
	tcp c11 c21 1M
	who 0 h1 "$(ip4_of c21)"
	says "^$(ip4_of c21) has MAC $(mac_of c21), by a flow [0-9.]+ s ago$" "is at h2"
	who 0 h1 "$(ip4_of c11)"
	says "has MAC $(mac_of c11), by a flow" "is at port c11 of this host"
}

ip_of_the_host() {
	seen_mesh
	ip -n h1 addr add 198.51.100.101/24 dev vxbr0
	who 0 h1 198.51.100.101
	says "198.51.100.101 has MAC .*, by this host's own configuration"
}

# Two containers with one address, both speaking.
duplicate_address() {
	FASTPATH=on seen_mesh
	ip -n h1 addr add 198.51.100.101/24 dev vxbr0
	tcp c11 c21 1M
	ip -n h1 neigh replace "$(ip4_of c21)" lladdr "$(mac_of c31)" dev vxbr0 nud reachable
	who 0 h1 "$(ip4_of c21)"
	says "has MAC $(mac_of c21), by a flow" "has MAC $(mac_of c31), by this host's neighbour table" \
		"2 MACs use $(ip4_of c21): the address is a duplicate" \
		"$(mac_of c21) is at h2" "$(mac_of c31) is at h3"
}

nobody_knows() {
	seen_mesh
	who 1 h1 02:ee:00:00:00:0b
	says "^vxbpf: 02:ee:00:00:00:0b: who: not found: neither vxbpf nor the bridge has seen a frame from it"
	who 1 h1 198.51.100.99
	says "^vxbpf: 198.51.100.99: who: not found: .*; ping it, then retry"
	who 1 h1 198.51.100.99 --json
	who 2 h1 02:ee:00:00:0b
	says "not a MAC or IP address"
	who 2 h1
	says "missing MAC or IP address"
	mesh_down
	who 1 h1 02:ee:00:00:00:0b
	says "no overlay is up here"
}

two_overlays() {
	seen_mesh
	config vxbr1 'port: 4790'
	vx h1 up vxbr1
	who 0 h1 "$(mac_of c21)"
	says "^vxbr0: $(mac_of c21) is at h2"
	lines_are 1
	who 0 h1 "$(mac_of c21)" vxbr0
	says "^$(mac_of c21) is at h2"
	who 1 h1 "$(mac_of c21)" vxbr1
}

for_programs() {
	seen_mesh
	show 02:ee:00:00:00:07 c11
	show 02:ee:00:00:00:07 c21
	vx h1 who 02:ee:00:00:00:07 --json >"$WORK/json"
	assert_eq '["vxbr0","peer","h2","192.0.2.2","vx-h2",0,false,1,"port c11",1,"vx-h2",false]' \
		"$(jq -c '.[0] | [.overlay, .place, .peer, .address, .ifname, .vlan, .stale, .moves, .moved_from,
			.moves_in_a_row, .bridge.ifname, .bridge.permanent]' "$WORK/json")" "JSON"
	assert_eq '["address","bridge","ifname","ip","ip_from","mac","moved_from","moved_ms","moves","moves_in_a_row","overlay","peer","place","seen_ms","stale","vlan"]' \
		"$(jq -c '.[0] | keys' "$WORK/json")" "keys"
	ip -n h1 addr add 198.51.100.101/24 dev vxbr0
	assert_eq '["host","vxbr0","own"]' \
		"$(vx h1 who 198.51.100.101 --json | jq -c '.[0] | [.place, .ifname, .ip_from]')" "the host"
}

# Nothing that a terminal obeys, and nothing that JSON does not escape.
names_of_any_bytes() {
	local port=$'p\x1b[2J' mac=02:ee:00:00:00:0c
	seen_mesh
	ip -n h1 link set c11 down
	ip -n h1 link set c11 name "$port"
	ip -n h1 link set "$port" up
	show "$mac" c11
	who 0 h1 "$mac"
	says 'is at port p.x1b\[2J of this host'
	show "$mac" c21
	who 0 h1 "$mac"
	says 'ago from port p.x1b\[2J$'
	if grep $'\x1b' "$WORK/said"; then fail "an escape character"; fi
	assert_eq '"port p\u001b[2J"' "$(vx h1 who "$mac" --json | jq -c '.[0].moved_from')" "JSON"
	on h1 bridge fdb add 02:ee:00:00:00:0a dev "$port" master static
	who 0 h1 02:ee:00:00:00:0a
	says 'the bridge has it at port p.x1b\[2J of this host'
	if grep $'\x1b' "$WORK/said"; then fail "an escape character"; fi
}

owner_without_a_place() {
	mesh 1
	mesh_up
	ip -n h1 neigh replace 198.51.100.77 lladdr 02:ee:00:00:00:0d dev vxbr0 nud permanent
	who 0 h1 198.51.100.77
	says "^198.51.100.77 has MAC 02:ee:00:00:00:0d, by this host's neighbour table$"
	lines_are 1
	vx h1 who 198.51.100.77 --json >"$WORK/json"
	assert_eq '["vxbr0","02:ee:00:00:00:0d","","","198.51.100.77","neighbour",-1,null]' \
		"$(jq -c '.[] | [.overlay, .mac, .place, .ifname, .ip, .ip_from, .seen_ms, .bridge]' "$WORK/json")" "JSON"
	assert_eq '["address","bridge","ifname","ip","ip_from","mac","moved_from","moved_ms","moves","moves_in_a_row","overlay","peer","place","seen_ms","stale","vlan"]' \
		"$(jq -c '.[] | keys' "$WORK/json")" "keys"
}

run_tests
