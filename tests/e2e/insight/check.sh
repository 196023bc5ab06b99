#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf check`: whatever is wrong has its verdict, which is gone when it is mended; what is well has none.
#
#     c11          c21          c31
#      |            |            |
#    vxbr0        vxbr0        vxbr0
#     h1 ____ sw ___ h2 ________ h3
#              |
#              s9: a stranger; it forges what it likes
# time limit: 300

ALL_TESTS="
	healthy_mesh_has_none
	states_of_the_overlay
	config_that_cannot_be_used
	without_rights
	filtered_peer_is_silent
	peer_that_does_not_hear_us
	peer_with_another_mtu
	peer_numbered_by_index
	many_silent_peers
	flooded_copies_want_no_answer
	route_by_another_source
	route_by_another_device
	no_route_and_no_address
	changed_behind_our_back
	port_without_programs
	fast_path_kept_off
	container_at_1500
	several_overlays
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

healthy_mesh_has_none() {
	calm_mesh 3
	well h1
	assert_eq "vxbr0: nothing is wrong" "$OUT" "what check says of a mesh that never spoke"
	containers_each 1
	mesh_up
	well h1
	reach_all c11 c21 c31
	background c11 ping -n -q -i 0.02 "$(ip4_of c21)" >/dev/null
	background c31 ping -n -q -i 0.02 "$(ip4_of c11)" >/dev/null
	well h1
	well h2
	well h3
	# A container moves to another host, its MAC and addresses with it; where it was, that is news.
	pings c21 "$(ip4_of c11)" 1
	ip -n c21 link del eth0
	ip link add c21 netns h3 mtu 1450 type veth peer name eth0 netns c21 mtu 1450 address "$(mac_of c21)"
	ip -n c21 link set eth0 up
	ip -n h3 link set c21 addrgenmode none up master vxbr0
	ip -n c21 addr add "$(ip4_of c21)/24" dev eth0
	pings c21 "$(ip4_of c11)" 3
	mesh_up
	well h1
	well h2
	well h3
	expect 0 vx h1 check --json
	assert_eq '[{"overlay":"vxbr0","verdicts":[],"information":[]}]' "$(jq -c . <<<"$OUT")" "as JSON"
}

states_of_the_overlay() {
	calm_hosts 2
	wrong h1 not_up 'not up; run `vxbpf up vxbr0`'
	rm "$WORK/etc/h2/vxbr0.yaml"
	expect 0 vx h2 check
	assert_match '^No overlay is up here' "$OUT" "where there is none"
	expect 0 vx h2 check --json
	assert_eq '[]' "$(jq -c . <<<"$OUT")" "as JSON"
	refused 2 'vxbr7: check: the overlay is not up' vx h2 check vxbr7
	refused 2 'too many arguments' vx h2 check vxbr0 vxbr1
	config vxbr0
	mesh_up
	well h1
	expect 0 vx h1 down vxbr0
	wrong h1 not_up 'not up'
}

config_that_cannot_be_used() {
	calm_hosts 2
	sed -i '1i prot: 4789' "$WORK/etc/h1/vxbr0.yaml"
	wrong h1 config 'not up, and the config cannot be used: /etc/vxbpf/vxbr0.yaml:1: .*prot'
	sed -i 1d "$WORK/etc/h1/vxbr0.yaml"
	mesh_up
	well h1
	sed -i '1i mtu: large' "$WORK/etc/h1/vxbr0.yaml"
	wrong h1 config 'still runs with its previous config, .*vxbr0.yaml:1: .*mtu'
	rm "$WORK/etc/h1/vxbr0.yaml"
	wrong h1 config 'still runs with its previous config, .*vxbr0.yaml'
	config vxbr0
	well h1
	config vxbr0 "underlay: eth7"
	wrong h1 config '.*cannot be applied now: /etc/vxbpf/vxbr0\.yaml:1: underlay eth7: device does not exist'
}

without_rights() {
	calm_mesh 2
	refused 1 'check: needs root: .* missing' on h1 setpriv --reuid 65534 --clear-groups "$VXBPF" check
}

filter_vxlan() { # HOST input|output...: what its firewall drops
	local hook
	for hook in "${@:2}"; do
		on "$1" nft -f - <<-N
			table inet others {
				chain $hook { type filter hook $hook priority 0; udp dport 4789 drop; }
			}
		N
	done
}

filtered_peer_is_silent() {
	calm_hosts 3
	filter_vxlan h2 input output
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	background c11 ping -n -q -i 0.1 "$(ip4_of c21)" >/dev/null
	# h2 has never shown a MAC, so that all is flooded: nothing was sent to it alone.
	appears h1 peer_unreachable 'h2: no answer to 3 probes \(no traffic from this peer now\); a firewall on the path probably blocks UDP port 4789, or vxbpf is not running there; check that 192\.0\.2\.2 is up and accepts UDP port 4789 from 192\.0\.2\.1'
	about h1 peer_unreachable h2
	on h2 nft delete table inet others
	goes h1
}

peer_that_does_not_hear_us() {
	calm_mesh 2
	containers_each 1
	mesh_up
	filter_vxlan h2 input
	# It asks, c11 answers, and it asks again.
	background c21 ping -n -q -i 0.2 "$(ip4_of c11)" >/dev/null
	appears h1 peer_one_way 'h2: we receive from it, but it does not seem to receive from us \(it answers none of 3 probes\)'
	about h1 peer_one_way h2
	on h2 nft delete table inet others
	pings c21 "$(ip4_of c11)" 2
	goes h1
}

# h2 is still as vxlansetup.sh leaves it: VNI 0 towards h1.
peer_with_another_mtu() {
	calm_mesh 3
	sed -i '1i mtu: 1400' "$WORK/etc/h2/vxbr0.yaml"
	mesh_up h2
	wrong h1 peer_mtu "h2: the overlay's MTU is 1400 there and 1450 here, so packets larger than 1400 bytes are lost"
	about h1 peer_mtu h2
	config vxbr0
	mesh_up h2
	well h1
}

peer_numbered_by_index() {
	calm_mesh 3
	mesh_down h2
	ip -n h2 link add vxbr0 up type bridge
	ip -n h2 link add vxlan0 type vxlan id 0 dstport 4789 local "$(address4 h2)" remote "$(address4 h1)"
	ip -n h2 link set vxlan0 up master vxbr0
	containers_each 1
	mesh_up h1 h3
	background c21 ping -n -q -i 0.2 "$(ip4_of c11)" >/dev/null
	appears h1 peer_vni 'h2 sends VNI 0, as vxlansetup.sh and `vni: index` assign it, but this host expects [0-9]+; run `vxbpf up` there'
	about h1 peer_vni h2
	# And so on a host of ours that is to number by index, and one that is not.
	ip -n h2 link del vxlan0
	sed -i '1i vni: index' "$WORK/etc/h2/vxbr0.yaml"
	mesh_up h2
	appears h1 peer_vni 'h2 sends VNI 0, '
	config vxbr0
	mesh_up h2
	pings c11 "$(ip4_of c21)" 2
	goes h1
}

many_silent_peers() {
	local n
	calm_hosts 8
	mesh_up h1
	container h1 c11
	mesh_up h1
	# What is for nobody known goes to all.
	ip -n c11 neigh replace "$(ip4_of c21)" lladdr "$(mac_of c21)" dev eth0 nud permanent
	background c11 ping -n -q -i 0.1 "$(ip4_of c21)" >/dev/null
	for ((n = 2; n <= 6; n++)); do appears h1 peer_unreachable "h$n: no answer"; done
	expect 3 vx h1 check vxbr0
	assert_match '^vxbr0: peer_unreachable: 2 more peers do not answer probes either$' "$OUT" "the rest"
	assert_eq 6 "$(wc -l <<<"$OUT")" "lines"
}

# What the bridge has forgotten it floods to all; who has not got that MAC owes no answer.
flooded_copies_want_no_answer() {
	local before
	calm_hosts 3
	mesh_up h1 h2
	container h1 c11
	container h2 c21
	mesh_up h1 h2
	pings c11 "$(ip4_of c21)" 2
	wrong h1 peer_unreachable 'h3: no answer to 3 probes \(no traffic from this peer now\); a firewall on the path probably blocks UDP port 4789, or vxbpf is not running there'
	about h1 peer_unreachable h3
	before=$(counter h1 h3 tx_packets)
	frames_flooded() {
		ip -n h1 link set vxbr0 type bridge fdb_flush
		frames c11 eth0 count=1 eth "dst=$(mac_of c21)" "src=$(mac_of c11)" data text=flooded
		[ "$(counter h1 h3 tx_packets)" -ge $((before + 5)) ]
	}
	wait_for 20 frames_flooded
	assert_eq never "$(counter h1 h3 state)" "state of h3"
	wrong h1 peer_unreachable 'h3: '
	mesh_up h3
	well h1
}

route_by_another_source() {
	calm_mesh 3
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	well h1
	ip -n h1 route add 192.0.2.2/32 dev eth0 src 192.0.2.101
	wrong h1 route 'h2: the route to 192\.0\.2\.2 selects source 192\.0\.2\.101, but this host.s address in the mesh is 192\.0\.2\.1 and '
	about h1 route h2
	ip -n h1 route del 192.0.2.2/32
	well h1
}

route_by_another_device() {
	calm_mesh 3
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	ip -n h1 addr add 203.0.113.1/24 dev eth1
	mesh_up h1
	well h1
	ip -n h1 route add 192.0.2.3/32 via 203.0.113.3 dev eth1 src 203.0.113.1
	mesh_up h1
	wrong h1 route 'h3: the route to 192\.0\.2\.3 uses device eth1 and source 203\.0\.113\.1, but 192\.0\.2\.1, this host.s address in the mesh, is on eth0; '
	about h1 route h3
	ip -n h1 route del 192.0.2.3/32
	mesh_up h1
	well h1
	# An address that belongs to the host and to no way out of it may leave by any.
	ip -n h1 addr del 192.0.2.1/24 dev eth0
	ip -n h1 addr add 192.0.2.1/32 dev lo
	ip -n h1 route add 192.0.2.0/24 dev eth0
	mesh_up h1
	well h1
}

no_route_and_no_address() {
	calm_mesh 2
	ip -n h1 route add unreachable 192.0.2.2/32
	mesh_up h1
	wrong h1 no_route 'peer h2: no route to 192\.0\.2\.2 now'
	about h1 no_route h2
	ip -n h1 route del unreachable 192.0.2.2/32
	mesh_up h1
	well h1
	sed -i '1i local: h1' "$WORK/etc/h1/vxbr0.yaml"
	mesh_up h1
	well h1
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	ip -n h1 addr del 192.0.2.1/24 dev eth0
	ip -n h1 addr replace 192.0.2.101/24 dev eth0
	wrong h1 own_address '.*no device has its address 192\.0\.2\.1 now'
	ip -n h1 addr add 192.0.2.1/24 dev eth0
	mesh_up h1
	well h1
}

changed_behind_our_back() {
	calm_mesh 2
	ip -n h1 link set vx-h2 mtu 1400
	wrong h1 drift '1 thing differs from the config \(~ tunnel vx-h2 mtu 1400 -> 65000\); run `vxbpf up vxbr0`$'
	ip -n h1 link set vx-h2 address 02:00:00:00:00:77
	wrong h1 drift '1 thing differs from the config \(. tunnel vx-h2 .*mac 02:00:00:00:00:77 -> '
	ip -n h1 link set vxbr0 mtu 1280
	wrong h1 drift '2 things differ from the config \(.*vx-h2.*; ~ setup vxbr0 mtu 1280 -> 1450\); run `vxbpf up vxbr0`$'
	mesh_up h1
	well h1
	# What a new number in the file means, before all the programs it replaces.
	config vxbr0 "mtu: 1400"
	wrong h1 drift '[0-9]+ things differ from the config \(~ setup vxbr0 mtu 1450 -> 1400; .*and [0-9]+ more\); run `vxbpf up vxbr0`'
	config vxbr0
	ip -n h1 link del vx-h2
	wrong h1 drift '[0-9]+ things differ from the config \(. tunnel vx-h2; . hook vx-h2/tun_in; .*\); run `vxbpf up vxbr0`'
	mesh_up h1
	well h1
}

port_without_programs() {
	calm_mesh 2
	container h1 c11
	wrong h1 unhooked 'c11: has no vxbpf program, so only the kernel handles its frames; run `vxbpf up vxbr0`'
	about h1 unhooked c11
	mesh_up h1
	well h1
}

fast_path_kept_off() {
	calm_mesh 2
	containers_each 1
	mesh_up
	well h1
	if [ -e /proc/sys/net/bridge ]; then
		on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=1
		mesh_up h1
		wrong h1 fastpath 'the fast path is off because iptables filters bridged frames'
		on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=0
		mesh_up h1
		well h1
	fi
	on h1 tc qdisc add dev c11 root tbf rate 100mbit burst 64kb latency 10ms
	mesh_up h1
	wrong h1 fastpath "c11: not accelerated because its root qdisc is tbf"
	about h1 fastpath c11
	config vxbr0 "fastpath: off"
	mesh_up
	well h1
	on h1 tc qdisc del dev c11 root
	config vxbr0
	mesh_up
	well h1
}

container_at_1500() {
	calm_mesh 2
	containers_each 1
	mesh_up
	ip -n h1 link set c11 mtu 1500
	ip -n c11 link set eth0 mtu 1500
	wrong h1 port_mtu "c11: the container's end has MTU 1500 and the overlay 1450; set the container's MTU to 1450"
	about h1 port_mtu c11
	acquainted c11 c21
	on c11 ping -n -q -c 3 -i 0.01 -W 1 -s 1472 -M dont "$(ip4_of c21)" >/dev/null || true
	frames c11 eth0 count=23 eth "dst=$(mac_of c21)" "src=$(mac_of c11)" ip "src=$(ip4_of c11)" \
		"dst=$(ip4_of c21)" udp data zeros=1472
	wrong h1 oversize "c11 sent [0-9]+ frames of up to 1500 bytes, too large for the overlay; set the container's MTU to 1450"
	about h1 oversize c11
	# Mended, though it was a moment ago.
	ip -n c11 link set eth0 mtu 1450
	well h1
}

several_overlays() {
	calm_mesh 2
	config vxbr1 "vni_salt: 1"
	vx h1 up vxbr1
	vx h2 up vxbr1
	expect 0 vx h1 check
	assert_eq "vxbr0: nothing is wrong
vxbr1: nothing is wrong" "$OUT" "of both"
	ip -n h1 link set vx-h2 mtu 1400
	expect 3 vx h1 check
	assert_match '^vxbr0: drift: ' "$OUT" "the first"
	assert_match '^vxbr1: nothing is wrong$' "$OUT" "the second"
	expect 0 vx h1 check vxbr1
	expect 3 vx h1 check --json
	assert_eq '[["vxbr0",["drift"]],["vxbr1",[]]]' \
		"$(jq -c 'map([.overlay, (.verdicts | map(.id))])' <<<"$OUT")" "as JSON"
}

run_tests
