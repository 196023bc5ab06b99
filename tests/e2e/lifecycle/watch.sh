#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf watch`: ports as they come and go, drift, routes, devices, configs. What it costs is in
# watch_load.sh.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2
#      \____ sw2 ___/        where a route is moved to
# time limit: 300

ALL_TESTS="
	port_is_hooked_as_it_joins
	leaver_is_forgotten
	settles_after_its_own_changes
	drift_is_repaired
	drift_without_tcx_is_repaired
	isolated_port_keeps_the_overlay
	route_to_another_device_is_followed
	mtu_of_the_path_is_followed
	mtu_that_somebody_claims_is_not
	underlay_device_vanishes_and_returns
	config_is_read_again
	reload_by_hand_is_followed
	all_overlays_in_one_process
	fault_is_said_once
	once_is_like_up
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0
# The quickest of five: how long it takes a busy machine to ask is no matter of the watch.
port_is_hooked_as_it_joins() {
	local i began took least=99999
	mesh 2
	mesh_up h2
	watch h1 vxbr0
	settled h1
	assert_eq "" "$(hooks h1 | grep port_in | grep -v vxbr0 || true)" "hooks of ports"
	for i in 1 2 3 4 5; do
		ip -n h1 link add "p$i" type veth peer name "p${i}x"
		began=$(date +%s%3N)
		ip -n h1 link set "p$i" master vxbr0
		wait_for 1 hooked h1 "p$i"
		took=$(($(date +%s%3N) - began))
		echo "hooked within $took ms, asking included"
		[ "$took" -ge "$least" ] || least=$took
	done
	assert_le 500 "$least" "ms until the port is hooked"
	container h1 c11
	container h2 c21
	wait_for 1 hooked h1 c11
	reach_all c11 c21
	unwatch TERM 0
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
	right h1
}

leaver_is_forgotten() {
	mesh 2
	watch h1 vxbr0
	settled h1
	pins_of h1 >"$WORK/before"
	assert_eq 1 "$(entries h1 ports)" "ports"
	container h1 c11
	container h1 c12
	wait_for 1 hooked h1 c11
	wait_for 1 hooked h1 c12
	settled h1
	assert_eq 3 "$(entries h1 ports)" "ports"
	ip -n h1 link del c11
	ip -n h1 link set c12 nomaster
	settled h1
	wait_for 2 bash -c "! ip -n h1 link show c11"
	assert_eq 1 "$(entries h1 ports)" "ports left"
	pins_of h1 >"$WORK/after"
	assert_same "$WORK/before" "$WORK/after" "pins"
	assert_eq "" "$(hooks h1 | grep c12 || true)" "hooks of a port that left"
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

settles_after_its_own_changes() {
	mesh 3
	watch h1 vxbr0
	settled h1
	assert_le 3 "$(passes)" "passes for a first up"
	: >"$OUT_FILE"
	container h1 c11
	settled h1
	assert_ge 1 "$(passes)" "passes for a port"
	assert_le 3 "$(passes)" "passes for a port"
	assert_eq 0 "$(grep -c everything "$OUT_FILE" || true)" "of them over everything"
	: >"$OUT_FILE"
	ip -n h1 link del vx-h2
	settled h1
	assert_ge 1 "$(passes)" "passes for a tunnel"
	assert_le 4 "$(passes)" "passes for a tunnel"
	# What is nobody's business makes no pass at all.
	: >"$OUT_FILE"
	ip -n h1 link add other type bridge
	ip -n h1 link add p1 master other up type veth peer name p1x
	ip -n h1 addr add 203.0.113.9/24 dev p1x
	ip -n h1 route add 198.18.0.0/24 dev p1x || true
	sleep 0.5
	assert_eq 0 "$(passes)" "passes for other people's devices"
}

# damaged CMD...: repaired within a second or two, and then it rests.
damaged() {
	: >"$OUT_FILE"
	on h1 "$@"
	wait_for 2 grep -q ' checked ' "$OUT_FILE"
	settled h1
}

drift_is_repaired() {
	pair
	watch h1 vxbr0
	settled h1
	damaged ip link del vx-h2
	damaged ip link set vx-h2 mtu 1400
	damaged ip link set vx-h2 nomaster
	damaged ip link set vx-h2 down
	damaged ip link set vxbr0 mtu 1300
	damaged bridge link set dev vx-h2 isolated off
	damaged bridge link set dev vx-h2 learning off flood off
	damaged bridge link set dev vx-h2 state 0
	damaged bridge fdb del 00:00:00:00:00:00 dev vx-h2
	damaged bridge fdb append 00:00:00:00:00:00 dst 192.0.2.77 dev vx-h2
	damaged sh -c 'rm /sys/fs/bpf/vxbpf/vxbr0/links/tun_out-*'
	damaged sh -c 'rm /sys/fs/bpf/vxbpf/vxbr0/links/port_in-*'
	# Begun to be made anew before all is gone, on a busy machine.
	damaged sh -c 'rm -rf /sys/fs/bpf/vxbpf || true'
	pings c11 "$(ip4_of c21)" 5
	# Pins of the tree made anew are heard of as well.
	damaged sh -c 'rm /sys/fs/bpf/vxbpf/vxbr0/links/tun_in-*'
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

drift_without_tcx_is_repaired() {
	export VXBPF_NO_TCX=1
	local before
	pair
	NO_TCX=1 watch h1 vxbr0
	settled h1
	before=$(pins_of h1)
	damaged tc qdisc del dev vx-h2 clsact
	damaged tc qdisc del dev eth0 clsact
	damaged tc filter del dev c11 ingress
	damaged ip link del vx-h2
	container h1 c12
	wait_for 1 bash -c 'tc -n h1 filter show dev c12 ingress | grep port_in >/dev/null'
	ip -n h1 link del c12
	settled h1
	wait_for 2 test "$before" = "$(pins_of h1)"
	pings c11 "$(ip4_of c21)" 5
}

isolated_port_keeps_the_overlay() {
	pair
	watch h1 vxbr0
	settled h1
	on h1 bridge link set dev c11 isolated on
	settled h1
	pings c11 "$(ip4_of c21)" 3
	assert_match 'isolated off' "$(on h1 bridge -d link show dev vx-h2)" "the tunnel"
	ip -n h1 link del c11
	settled h1
	assert_match 'isolated on' "$(on h1 bridge -d link show dev vx-h2)" "the tunnel"
}

second_way() {
	local name
	switch sw2
	for name in h1 h2; do
		plug "$name" sw2 eth1 "02:a1:00:00:00:0$(number "$name")"
		ip -n "$name" addr add "203.0.113.$(number "$name")/24" dev eth1
	done
}

route_to_another_device_is_followed() {
	pair
	second_way
	watch h1 vxbr0
	settled h1
	enter h2
	background h2 "$VXBPF" watch vxbr0
	PING=(-i 0.002)
	load
	sleep 0.2
	ip -n h1 route add 192.0.2.2/32 dev eth1 src 192.0.2.1
	ip -n h2 route add 192.0.2.1/32 dev eth1 src 192.0.2.2
	settled h1
	wait_for 5 right h2
	sleep 0.5
	# Between the kernel's first packet by the new way and its hooks: a few hundredths of a second.
	unloaded 150
	assert_match '^eth1 in wire_in' "$(hooks h1)" "hooks"
	# The subnet's route still leads there, so packets may come that way, too.
	assert_match '^eth0 in wire_in' "$(hooks h1)" "hooks on the old way"
	ip -n h1 route del 192.0.2.0/24 dev eth0
	settled h1
	assert_eq "" "$(hooks h1 | grep "^eth0 " || true)" "hooks left on the old way"
	# First the new ones, then the old ones go.
	assert_eq "+eth1 -eth0" "$(sed -n 's/^\([+-]\) hook *\(eth[01]\).wire_in .*/\1\2/p; s/^\(-\) hook *\(eth[01]\).wire_in$/\1\2/p' \
		"$OUT_FILE" | tail -n 2 | tr '\n' ' ' | sed 's/ $//')" "order"
	pings c11 "$(ip4_of c21)" 23
	drops_are h2 "$(drops_now h2)"
}

# What was dropped so far, for drops_are: it must not go on.
drops_now() {
	status_json "$1" | jq -r '.[0] | [.drops, .peers[].drops] | map(to_entries) | add |
		group_by(.key) | map({key: .[0].key, value: (map(.value) | add)}) |
		map(select(.value != 0) | "\(.key)=\(.value)") | join(" ")'
}

mtu_of_the_path_is_followed() {
	pair
	watch h1 vxbr0
	settled h1
	ip -n h1 link set eth0 mtu 1400
	settled h1
	assert_eq 1350 "$(on h1 ip -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge"
	ip -n h1 link set eth0 mtu 1500
	settled h1
	assert_eq 1450 "$(on h1 ip -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge"
	ip -n h1 route add 192.0.2.2/32 dev eth0 mtu 1300
	settled h1
	assert_eq 1250 "$(on h1 ip -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge"
}

# What an ICMP message says the kernel believes for ten minutes; the overlay's MTU does not follow.
mtu_that_somebody_claims_is_not() {
	mesh 2
	watch h1 vxbr0
	settled h1
	node s9
	frames s9 eth0 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 s9)" \
		"dst=$(address4 h1)" icmp type=3 code=4 id=0 seq=1300 \
		ip "src=$(address4 h1)" "dst=$(address4 h2)" icmp type=0
	wait_for 3 bash -c "ip -n h1 route get 192.0.2.2 | grep 'mtu 1300' >/dev/null"
	expect 0 vx h1 up vxbr0 --dry-run
	damaged ip link set vx-h2 down
	assert_eq 1450 "$(on h1 ip -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge"
}

underlay_device_vanishes_and_returns() {
	CONFIG=("underlay: eth0")
	pair
	watch h1 vxbr0
	settled h1
	ip -n h1 link del eth0
	wait_for 5 grep -q '^vxbpf: ' "$ERR_FILE"
	plug h1 sw
	address h1 eth0
	settled h1
	wait_for 5 pings c11 "$(ip4_of c21)" 3
	assert_match 'again' "$(cat "$OUT_FILE")" "what it says when all is well"
	assert_le 2 "$(wc -l <"$ERR_FILE")" "lines on stderr: $(cat "$ERR_FILE")"
}

config_is_read_again() {
	mesh 3
	PEERS="h1 h2" config vxbr0
	mesh_up h2
	watch h1 vxbr0
	settled h1
	config vxbr0 "mtu: 1400"
	kill -HUP "$WATCH"
	wait_for 3 on h1 test -e /proc/sys/net/ipv4/conf/vx-h3
	settled h1
	assert_eq 1400 "$(on h1 ip -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge"
	# Broken, or asking for what cannot be: said, and nothing happens.
	snapshot h1 >"$WORK/before"
	echo "peers: [" >"$WORK/etc/h1/vxbr0.yaml"
	kill -HUP "$WATCH"
	wait_for 3 grep -q 'stays in force' "$ERR_FILE"
	config vxbr0 "mtu: 9000"
	kill -HUP "$WATCH"
	wait_for 3 grep -q '9000.*stays in force' "$ERR_FILE"
	unchanged h1 "$WORK/before"
	ip -n h1 link del vx-h3
	wait_for 3 on h1 test -e /proc/sys/net/ipv4/conf/vx-h3
	config vxbr0
	kill -HUP "$WATCH"
	settled h1
	assert_eq 1450 "$(on h1 ip -j link show vxbr0 | jq '.[0].mtu')" "MTU of the bridge"
	assert_eq 2 "$(grep -c 'stays in force' "$ERR_FILE")" "refusals"
}

# A person at the keyboard and a watch do not fight.
reload_by_hand_is_followed() {
	local i
	mesh 3
	PEERS="h1 h2" config vxbr0
	watch h1 vxbr0
	settled h1
	for i in 1 2 3; do vx h1 up vxbr0; done
	config vxbr0 "guard: observe"
	vx h1 reload vxbr0
	settled h1
	on h1 test -e /proc/sys/net/ipv4/conf/vx-h3
	assert_eq observe "$(status_json h1 | jq -r '.[0].guard')" "guard"
	container h1 c11
	wait_for 1 hooked h1 c11
	PEERS="h1 h2" config vxbr0
	vx h1 reload vxbr0
	settled h1
	assert_eq "" "$(ip -n h1 -o link show type vxlan | grep vx-h3 || true)" "tunnel of a peer taken out"
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

all_overlays_in_one_process() {
	mesh 2
	config blue "port: 4790"
	watch h1
	settled h1
	wait_for 5 vx h1 up blue --dry-run
	container h1 c11 blue
	wait_for 1 hooked h1 c11
	# A new file is taken in, one that is gone leaves its overlay as it is.
	config red "port: 4791"
	rm "$WORK/etc/h1/blue.yaml"
	kill -HUP "$WATCH"
	wait_for 5 vx h1 up red --dry-run
	assert_match 'blue.yaml.*stays in force' "$(cat "$ERR_FILE")" "stderr"
	ip -n h1 link set blue mtu 1300
	wait_for 3 bash -c "ip -n h1 link show blue | grep 'mtu 1450' >/dev/null"
}

fault_is_said_once() {
	mesh 2
	watch h1 vxbr0
	settled h1
	ip -n h1 link set eth0 mtu 600
	wait_for 3 test -s "$ERR_FILE"
	sleep 4 # two retries at least
	assert_eq 1 "$(wc -l <"$ERR_FILE")" "lines on stderr: $(cat "$ERR_FILE")"
	assert_match '^vxbpf: .*too small' "$(cat "$ERR_FILE")" "stderr"
	ip -n h1 link set eth0 mtu 1500
	settled h1
	assert_eq 1 "$(wc -l <"$ERR_FILE")" "lines on stderr: $(cat "$ERR_FILE")"
}

once_is_like_up() {
	mesh 2
	expect 0 vx h1 watch --once vxbr0
	expect 0 right h1
	ip -n h1 link del vx-h2
	expect 0 vx h1 watch --once
	expect 0 right h1
	calls h1 watch --once vxbr0
	assert_eq 0 "$(changing)" "calls of a second pass that change something"
	config vxbr0 "mtu: 9000"
	refused 2 '9000' vx h1 watch --once vxbr0
	refused 2 'no-such' vx h1 watch no-such.yaml
	refused 2 'option' vx h1 watch --dry-run
}

run_tests
