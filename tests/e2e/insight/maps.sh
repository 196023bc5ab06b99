#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The pinned maps as a person finds them with bpftool, and docs/maps.md, which says how to read them.
#
#    c11          c21          c31
#     |            |            |
#   vxbr0        vxbr0        vxbr0
#    h1 ____ sw ___ h2 _________ h3
#             |
#             s9: a stranger

ALL_TESTS="
	every_map_reads_well
	every_map_is_explained
	what_is_missing_is_found
	commands_of_the_page_work
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"

IPV6=0
PIN=/sys/fs/bpf/vxbpf/vxbr0
DOC=$TOP/docs/maps.md
read -r -d '' -a MAPS < <(sed -nE 's/^VX_MAP\(([a-z_]+),.*/\1/p' "$TOP/include/vxbpf/maps.def") || true

forge() { # COUNT SRC VNI
	frames s9 eth0 "count=$1" eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" \
		ip "src=$2" "dst=$(address4 h1)" udp vxlan "vni=$3" \
		eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
}

show() { # MAC FROM
	frames "$2" eth0 count=1 eth dst=ff:ff:ff:ff:ff:ff "src=$1" data text=hello
}

# A bit of everything, so that no map but `hot` is all zeros; and each dump in $WORK/dump.MAP.
dumped_mesh() {
	local map
	fast_mesh 3
	node s9
	acquainted c11 c21
	acquainted c11 c31
	tcp c11 c21 3M
	pings c11 "$(ip4_of c31)" 3
	forge 3 "$(address4 s9)" "$(vni h1 h2)"
	forge 2 "$(address4 h2)" "$(vni h1 h3)"
	forge 1 "$(address4 h2)" 77
	wait_for 20 looped
	oversized
	wait_for 10 dropped unknown_source 3
	wait_for 10 dropped wrong_vni 2
	wait_for 10 dropped oversize 1
	ip -n h3 link set eth0 down
	background h1 "$VXBPF" ping h3 -c 1000 >/dev/null 2>&1
	wait_for 10 probe_on_its_way
	# So that the map keeps still.
	kill -STOP "$PID"
	on_exit kill -CONT "$PID"
	for map in "${MAPS[@]}"; do on h1 bpftool map dump pinned "$PIN/$map" >"$WORK/dump.$map"; done
}

dropped() { # REASON N
	[ "$(drops h1 "$1")" -ge "$2" ]
}

# On a port, and less than two seconds later at a peer: that is a move, and may be a loop.
looped() {
	show 02:ee:00:00:00:07 c11
	show 02:ee:00:00:00:07 c31
	dropped loop 1
}

oversized() {
	ip -n h1 link set c11 mtu 1500
	ip -n c11 link set eth0 mtu 1500
	on c11 "$PYTHON" -IS -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(bytes(1472), (sys.argv[1], 9))' "$(ip4_of c21)"
}

probe_on_its_way() {
	[ "$(on h1 bpftool map dump pinned "$PIN/probes")" != "[]" ]
}

reads() { # MAP JQ: true of some entry
	jq -e "any(.[]; $2)" "$WORK/dump.$1" >/dev/null || fail "$1: no entry with $2: $(head -c 2000 "$WORK/dump.$1")"
}

every_map_reads_well() {
	local map
	dumped_mesh
	assert_ge 15 "${#MAPS[@]}" "maps in maps.def"
	assert_eq "$(printf '%s\n' "${MAPS[@]}" | sort)" \
		"$(on h1 find "$PIN" -maxdepth 1 -type f -printf '%f\n' | sort)" "maps that are pinned"
	for map in "${MAPS[@]}"; do
		# Without BTF it would be bytes in hex; and nothing without a name, nor padding.
		jq -e 'length > 0 and all(.[]; has("key") and (has("value") or has("values")))' \
			"$WORK/dump.$map" >/dev/null || fail "$map: $(head -c 500 "$WORK/dump.$map")"
		! grep -Ei '0x[0-9a-f]{2}|"(|[^"]*(anon|pad|unused)[^"]*)":|<[^>]*>|raw' "$WORK/dump.$map" >"$WORK/odd" ||
			fail "$map: $(head -n 5 "$WORK/odd")"
	done
	reads peers '.value | [.name, .ifname, .address, .local_address] == ["h2", "vx-h2", "192.0.2.2", "192.0.2.1"]'
	reads sources '.key.bytes[12:] == [192, 0, 2, 2]'
	reads tunnels ".value.vni == $(vni h1 h2)"
	reads counters '[.values[].value.peer] | unique == ["h2"]'
	reads counters '[.values[].value.tx_fast_packets] | add > 0'
	reads drops '.key == { peer: "", reason: "VX_REASON_UNKNOWN_SOURCE" } and ([.values[].value.packets] | add) == 3'
	reads drops '.key == { peer: "h2", reason: "VX_REASON_WRONG_VNI" } and ([.values[].value.packets] | add) == 2'
	reads drops '.key.reason == "VX_REASON_LOOP"'
	reads witness '.key.reason == "VX_REASON_UNKNOWN_SOURCE" and .value.source.bytes[12:] == [192, 0, 2, 9]'
	reads witness '.key.reason == "VX_REASON_WRONG_VNI" and .value.peer == "h2"'
	reads other_vnis '.key.vni == 77 and .value.peer == "h2"'
	reads ports '.key.ifindex == 0 and .value.name == "vxbr0"'
	reads ports '.value | .name == "c11" and .oversize == 1 and .largest == 1500'
	reads fdb '.key.mac == [2, 192, 0, 0, 0, 11] and (.value | .place == "VX_AT_PORT" and .was == "VX_AT_NOWHERE")'
	reads fdb '.key.mac == [2, 192, 0, 0, 0, 21] and .value.place == "VX_AT_PEER"'
	reads fdb '.key.mac == [2, 238, 0, 0, 0, 7] and (.value | .place == "VX_AT_PEER" and .was == "VX_AT_PORT")'
	reads doors '.value.door == "VX_DOOR_PEER"'
	reads doors '.value.door == "VX_DOOR_HOST"'
	reads lease '.value.until_ns > 0'
	reads flows '.value | .hop == "VX_HOP_PORT" and .way == "VX_WAY_WIRE" and .dest.bytes[12:] == [198, 51, 100, 21]'
	reads flows '.value | .hop == "VX_HOP_WIRE4" and .way == "VX_WAY_PEER" and .source.bytes[12:] == [198, 51, 100, 21]'
	reads hot '.value.way == "VX_WAY_WIRE"'
	reads moves '.value > 0'
	reads probes ".key.vni == $(vni h1 h3) and .value.answered_ns == 0 and .value.sent_ns > 0"
	reads overlay '.value | .name == "vxbr0" and .local == "h1" and .guard == "VX_GUARD_ENFORCE" and .vni_mode == "VX_VNI_PAIR"'
}

# section MAP PAGE: what stands below its heading.
section() {
	awk -v name="### $1" '/^##/ { on = $0 == name; next } on' "$2"
}

# unexplained PAGE: what the dumps have and the page has not; what it shows and they have not.
unexplained() {
	local map field like page
	for map in "${MAPS[@]}"; do
		like=$map
		[ "$map" != hot ] || like=flows # copies of these
		section "$map" "$1" >"$WORK/section"
		grep -qi 'written' "$WORK/section" || echo "$map: who writes it"
		jq -r '[.. | objects | keys[]] | unique[]' "$WORK/dump.$map" >"$WORK/fields"
		section "$like" "$1" >"$WORK/section"
		page=$WORK/section
		[ "$map" != notes ] || page=$1 # parts of the others' entries
		while read -r field; do
			case $field in key | value | values | cpu | bytes | reserved*) continue ;; esac
			grep -qw "$field" "$page" || echo "$map: $field"
		done <"$WORK/fields"
		sed -nE 's/^ +"([a-z0-9_]+)":.*/\1/p' "$WORK/section" | sort -u |
			comm -23 - <(sort "$WORK/fields") | sed "s/^/$map has no /"
	done
}

every_map_is_explained() {
	local name
	dumped_mesh
	assert_eq "" "$(unexplained "$DOC")" "not in docs/maps.md"
	# And every value of an enum that a dump shows by name, but for the reasons: those the manual has.
	for name in $(grep -ohE '"VX_[A-Z0-9_]+"' "$WORK"/dump.* | sort -u | tr -d '"'); do
		case $name in VX_REASON_*) continue ;; esac
		grep -qw "$name" "$DOC" || fail "docs/maps.md has no $name"
	done
}

what_is_missing_is_found() {
	dumped_mesh
	sed -E 's/contested_ns/x/; s/^### doors/### gates/; s/"largest"/"biggest"/' "$DOC" >"$WORK/page"
	unexplained "$WORK/page" >"$WORK/missing"
	assert_eq "doors: door fdb: contested_ns ports has no biggest" \
		"$(grep -E 'door$|contested|biggest' "$WORK/missing" | sort | tr '\n' ' ' | sed 's/ $//')" "found"
}

commands_of_the_page_work() {
	dumped_mesh
	awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$DOC" >"$WORK/commands"
	assert_ge 20 "$(wc -l <"$WORK/commands")" "lines of commands"
	expect 0 on h1 bash -euo pipefail "$WORK/commands"
	assert_eq "" "$ERR" "stderr"
	echo "$OUT"
	says() { assert_match "$1" "$OUT" "what they print"; }
	says "^VX_REASON_UNKNOWN_SOURCE[[:space:]]+3$"
	says "^VX_REASON_WRONG_VNI	h2	2$"
	says "^VX_REASON_UNKNOWN_SOURCE: 02:ee:00:00:00:02 to $(mac_of c11), from 192\.0\.2\.9, [0-9.]+ s ago$"
	says "^VX_REASON_OVERSIZE: $(mac_of c11) to $(mac_of c21), from \(none\), [0-9.]+ s ago$"
	says "^h2: received $(counter h1 h2 rx_bytes) bytes, sent $(counter h1 h2 tx_bytes)$"
	says "^$(mac_of c11) vlan 0: on port c11, seen [0-9.]+ s ago, moved 0 times$"
	says "^$(mac_of c21) vlan 0: at peer h2, seen "
	says "^02:ee:00:00:00:07 vlan 0: at peer h3, seen [0-9.]+ s ago, moved [1-9][0-9]* times$"
	says "^198.51.100.11 port [0-9]+ to 198.51.100.21 port 5201, protocol 6: VX_WAY_WIRE, learned [0-9.]+ s ago$"
	says "^c11: 1, the largest 1500 bytes$"
	says "^h2 sends VNI 77, the last [0-9.]+ s ago$"
	says "^[1-9][0-9]*$"
}

run_tests
