#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf ping`: a probe goes through the tunnel and back, by way of all that traffic meets, and through
# nothing else: no bridge, container or counter ever sees one.
#
#     c11              c21           c31
#      |                |             |
#    vxbr0            vxbr0         vxbr0
#     h1 ____________  h2 __________  h3
#       \______ s9: a router on the way, or a stranger
# also with: FASTPATH=on

ALL_TESTS="
	answers
	answers_by_ipv6
	answers_in_every_mode
	nobody_sees_a_probe
	counters_stand_still
	containers_cannot_ask
	frames_of_that_type_are_traffic
	answers_are_rationed
	filtered_at_the_peer
	refused_here
	no_vxbpf_there
	a_larger_one_does_not_fit
	narrow_route_here
	narrow_hop_on_the_way
	narrow_hop_ipv6
	which_peer
	index_is_refused
	older_programs
	interrupted
"
[ -z "${FASTPATH:-}" ] || ALL_TESTS="answers nobody_sees_a_probe counters_stand_still narrow_hop_on_the_way"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/mtu.sh
. "$LIB/mtu.sh"

IPV6=0
PROBE='ether proto 0x88b5 and ether dst 01:80:c2:00:00:01'

pinged_mesh() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
}

# ping_of HOST ARGS...: what it says, on both streams, in $WORK/said; its exit status in STATUS.
ping_of() {
	STATUS=0
	vx "$1" ping "${@:2}" >"$WORK/said" 2>&1 || STATUS=$?
}

says() { # STATUS REGEX...
	local regex
	assert_eq "$1" "$STATUS" "exit status, having said $(<"$WORK/said")"
	for regex in "${@:2}"; do assert_match "$regex" "$(<"$WORK/said")" "what it says"; done
}

all_answer() {
	local from to
	for from in h1 h2 h3; do
		for to in h1 h2 h3; do
			[ "$from" != "$to" ] || continue
			ping_of "$from" "$to" -c 2
			says 0 "2 sent, 2 answered, 0% lost"
		done
	done
}

answers() {
	pinged_mesh
	ping_of h1 h2
	says 0 '64 bytes from h2 \(192\.0\.2\.2\): seq=1 time=[0-9]+\.[0-9]{3} ms' \
		'seq=4 time=' '4 sent, 4 answered, 0% lost' 'rtt min/avg/max [0-9./]+ ms'
	ping_of h1 192.0.2.3 vxbr0 -c 3 -s 1450
	says 0 '1450 bytes from h3 \(192\.0\.2\.3\): seq=3' '3 sent, 3 answered' \
		'packets of 1450 bytes \(1500 on the wire\) arrive unfragmented'
	assert_eq '[]' "$(on h1 bpftool -j map dump pinned /sys/fs/bpf/vxbpf/vxbr0/probes | jq -c .)" "left over"
	all_answer
}

answers_by_ipv6() {
	FAMILIES="46 46 6"
	pinged_mesh
	all_answer
	ping_of h3 h1 -c 2 -s 1430
	says 0 'from h1 \(2001:db8::1\)' 'packets of 1430 bytes \(1500 on the wire\) arrive' '2 answered'
	ping_of h1 h2 -c 2 -s 1450
	says 0 'from h2 \(192\.0\.2\.2\)' 'packets of 1450 bytes \(1500 on the wire\) arrive' '2 answered'
}

answers_in_every_mode() {
	local key
	pinged_mesh
	for key in 'guard: observe' 'guard: off' 'xdp: on' 'clamp_mss: false'; do
		config vxbr0 "$key"
		mesh_up
		all_answer
	done
}

nobody_sees_a_probe() {
	local where
	pinged_mesh
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 3
	capture tunnel h2 vx-h1 "$PROBE"
	for where in h1 h2; do
		capture "bridge.$where" "$where" vxbr0 ether proto 0x88b5
		capture "port.$where" "$where" "c${where#h}1" ether proto 0x88b5
	done
	capture container c21 eth0 ether proto 0x88b5
	ping_of h1 h2 -c 7
	says 0 '7 answered'
	exactly 14 tunnel # seven each way, on that side
	for where in bridge.h1 port.h1 bridge.h2 port.h2 container; do exactly 0 "$where"; done
}

# All numbers of all peers, when they were heard last, and who is where: all but the clock.
numbers_of() {
	status_json "$1" | jq -S '.[0] | [.drops, .ports, (.peers[] | del(.last_seen_ms))]'
	on "$1" bpftool -j map dump pinned /sys/fs/bpf/vxbpf/vxbr0/fdb | jq -S '[.[].formatted] | sort'
	on "$1" bpftool -j map dump pinned /sys/fs/bpf/vxbpf/vxbr0/counters |
		jq -S '[.[].formatted.values[].value | del(.asked_ns, .tick, .tick_ns)]'
}

counters_stand_still() {
	local name
	pinged_mesh
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 3
	capture wire sw br0 udp port 4789
	quiet
	for name in h1 h2; do numbers_of "$name" >"$WORK/before.$name"; done
	ping_of h1 h2 -c 5
	says 0 '5 answered'
	ping_of h2 h1 -c 3 -s 2000
	says 1 '1500 on the wire, so 1450 for overlay packets'
	for name in h1 h2; do
		numbers_of "$name" >"$WORK/after"
		assert_same "$WORK/before.$name" "$WORK/after" "numbers of $name"
	done
	drops_are h1 ""
	drops_are h2 ""
	assert_ge 10 "$(captured wire)" "packets on the wire"
}

# probe_hex KIND: a probe of version 1 behind its Ethernet header.
probe_hex() {
	printf '76787062010%d0000%016x%08x%08x%08x%08x' "$1" 4711 1 32 0 0
}

# expected HOST PEER: an answer to that probe, so that its question may leave.
expected() {
	local vni
	vni=$(status_json "$1" | jq ".[0].peers[] | select(.name == \"$2\").vni")
	# shellcheck disable=SC2046
	on "$1" bpftool map update pinned /sys/fs/bpf/vxbpf/vxbr0/probes key hex 00 00 00 00 00 00 12 67 \
		$(printf '%02x %02x %02x 00' $((vni & 255)) $((vni >> 8 & 255)) $((vni >> 16))) 01 00 00 00 \
		value hex $(printf '00 %.0s' {1..24})
}

containers_cannot_ask() {
	pinged_mesh
	capture wire sw br0 udp port 4789
	on h1 bash -c 'echo 65528 >/sys/class/net/vxbr0/bridge/group_fwd_mask'
	frames c11 eth0 count=23 eth dst=01:80:c2:00:00:01 src=02:76:78:62:70:66 data hex="$(probe_hex 1)"
	frames c11 eth0 count=23 eth dst=01:80:c2:00:00:01 src="$(mac_of c11)" data hex="$(probe_hex 2)"
	# The bridge itself keeps them from its ports, and not from what leaves by it: a macvlan on it, say.
	frames h1 vxbr0 count=23 eth dst=01:80:c2:00:00:01 src=02:76:78:62:70:66 data hex="$(probe_hex 1)"
	frames h1 vxbr0 count=23 eth dst=01:80:c2:00:00:01 src=02:76:78:62:70:66 data hex="$(probe_hex 2)"
	exactly 0 wire
	drops_are h1 ""
}

# The same bytes to everybody are a container's business.
frames_of_that_type_are_traffic() {
	pinged_mesh
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	frames c11 eth0 count=23 eth dst=ff:ff:ff:ff:ff:ff src="$(mac_of c11)" data hex="$(probe_hex 1)"
	exactly 23 c21
	frames c11 eth0 count=13 eth dst=01:80:c2:00:00:21 src="$(mac_of c11)" data hex="$(probe_hex 1)"
	exactly 36 c21
	acquainted c11 c21
	pings c21 "$(ip4_of c11)" 1
	frames c11 eth0 count=7 eth dst="$(mac_of c21)" src="$(mac_of c11)" data hex="$(probe_hex 2)"
	exactly 43 c21
	drops_are h2 ""
}

# 64 at once and 200 a second, for each CPU that is asked.
answers_are_rationed() {
	pinged_mesh
	capture answers h1 vx-h2 -Q in "$PROBE"
	capture questions h2 vx-h1 -Q in "$PROBE"
	expected h1 h2
	frames h1 vx-h2 count=4000 eth dst=01:80:c2:00:00:01 src=02:76:78:62:70:66 data hex="$(probe_hex 1)"
	exactly 4000 questions
	assert_ge 64 "$(captured answers)" "answers"
	assert_le 3000 "$(captured answers)" "answers"
	ping_of h3 h2 -c 1
	says 0 '1 answered'
	wait_for 10 vx h1 ping h2 -c 1
}

input_of() { # HOST HOOK RULE
	on "$1" nft "add table inet t; add chain inet t c { type filter hook $2 priority 0; }; add rule inet t c $3"
}

filtered_at_the_peer() {
	pinged_mesh
	input_of h2 input 'udp dport 4789 drop'
	ping_of h1 h2 -c 2
	says 1 '2 sent, 0 answered, 100% lost' '^vxbpf: h2: ping: no answer: a firewall on the path probably blocks UDP port 4789'
	ping_of h2 h1 -c 1 # its answers are filtered
	says 1 'probably blocks'
	on h2 nft flush ruleset
	ping_of h1 h2 -c 1
	says 0 '1 answered'
}

refused_here() {
	pinged_mesh
	input_of h1 output 'udp dport 4789 drop'
	ping_of h1 h2 -c 1
	says 1 'no answer: this host dropped the probe; a firewall rule or an IPsec policy here blocks UDP port 4789'
	on h1 nft flush ruleset
	ip -n h1 route add unreachable 192.0.2.2/32
	ping_of h1 h2 -c 1
	says 1 'no answer: this host has no route to 192.0.2.2 '
	ip -n h1 route del unreachable 192.0.2.2/32
	ip -n h1 link set vx-h2 down
	ping_of h1 h2 -c 1
	says 1 'no answer: vx-h2 is down on this host; run `vxbpf up vxbr0`'
	ip -n h1 link del vx-h2
	ping_of h1 h2 -c 1
	says 1 'h2: ping: its tunnel vx-h2 does not exist; run `vxbpf up vxbr0`'
}

# The kernel's own mesh there: its bridge forwards no probe to anybody.
no_vxbpf_there() {
	mesh 2
	vx h1 up vxbr0
	ip -n h2 link add vxbr0 up type bridge
	ip -n h2 link add vx-h1 type vxlan id "$(vni h1 h2)" local 192.0.2.2 remote 192.0.2.1 dstport 4789
	ip -n h2 link set vx-h1 up master vxbr0
	container h1 c11
	container h2 c21
	pings c11 "$(ip4_of c21)" 2
	capture c21 c21 eth0 ether proto 0x88b5
	ping_of h1 h2 -c 3
	says 1 '0 answered' 'or the peer runs no vxbpf or an older one'
	exactly 0 c21
}

a_larger_one_does_not_fit() {
	pinged_mesh
	ping_of h1 h2 -c 1 -s 1451
	says 1 '1 sent, 0 answered' \
		"path MTU to h2: 1500 on the wire, so 1450 for overlay packets \(50 bytes of overhead\); the overlay's MTU of 1450 fits"
}

# The kernel here would fragment, and a container's packet does arrive.
narrow_route_here() {
	pinged_mesh
	acquainted c11 c21
	ip -n h1 route add 192.0.2.2/32 dev eth0 mtu 1400
	pings c11 "$(ip4_of c21)" 2 -s 1422 -M dont
	ping_of h1 h2 -c 1 -s 1450
	says 1 'path MTU to h2: 1400 on the wire, so 1350 for overlay packets ' "the overlay's MTU is 1450; set .mtu: 1350. on all"
	ping_of h1 h2 -c 1 -s 1350
	says 0 '1350 bytes from h2' '1 answered'
}

narrow_hop_on_the_way() {
	pinged_mesh
	acquainted c11 c21
	router_narrow 1400 4 192.0.2.2/32
	pings c11 "$(ip4_of c21)" 2 -s 1422 -M dont
	ping_of h1 h2 -c 1 -s 1450
	says 1 'path MTU to h2: 1400 on the wire, so 1350 for overlay packets '
	ping_of h2 h1 -c 1 -s 1450 # not on the way back
	says 0 '1 answered'
}

narrow_hop_ipv6() {
	FAMILIES=6
	pinged_mesh
	router_narrow 1400 6 2001:db8::2/128
	ping_of h1 h2 -c 1 -s 1430
	says 1 'path MTU to h2: 1400 on the wire, so 1330 for overlay packets \(70 bytes of overhead\)' 'set .mtu: 1330.'
	ping_of h1 h2 -c 1 -s 1330
	says 0 '1 answered'
}

which_peer() {
	mesh 2
	ping_of h1 h2
	says 1 'vxbpf: ping: no overlay is up here'
	ping_of h1 h2 vxbr0
	says 1 'vxbpf: vxbr0: ping: the overlay is not up here; run `vxbpf up vxbr0`'
	mesh_up
	ping_of h1
	says 2 'ping: missing PEER'
	ping_of h1 nobody
	says 2 'vxbpf: nobody: ping: peer not found; the peers are h2$'
	ping_of h1 192.0.2.1
	says 2 'this is the local host'
	ping_of h1 h2 vxbr7
	says 2 'vxbr7: ping: the overlay is not up, and /etc/vxbpf/vxbr7.yaml does not exist'
	ping_of h1 h2 -c 0
	says 2 "ping: '0' is not a whole number between 1 and"
	ping_of h1 h2 -s 31
	says 2 "ping: '31' is not a whole number between 32 and"
	config vxbr1 'port: 4790'
	vx h1 up vxbr1
	vx h2 up vxbr1
	ping_of h1 h2
	says 2 'h2: ping: it is a peer in vxbr0 and in vxbr1; name the overlay'
	ping_of h1 h2 vxbr1 -c 1
	says 0 '1 answered'
}

index_is_refused() {
	mesh 3 'vni: index'
	mesh_up
	ping_of h1 h2
	says 1 'not supported with `vni: index`'
	capture wire sw br0 udp port 4789
	expected h1 h2
	frames h1 vx-h2 count=5 eth dst=01:80:c2:00:00:01 src=02:76:78:62:70:66 data hex="$(probe_hex 1)"
	exactly 5 wire # and nothing came back, nor went elsewhere
}

older_programs() {
	mesh 2
	mesh_up
	on h1 rm /sys/fs/bpf/vxbpf/vxbr0/probes
	ping_of h1 h2
	says 1 'its programs do not support probes; run `vxbpf reload vxbr0`'
}

interrupted() {
	mesh 2
	mesh_up
	background h1 "$VXBPF" ping h2 -c 1000 >"$WORK/said" 2>&1
	wait_for 10 grep -q seq=3 "$WORK/said"
	kill -INT "$PID"
	STATUS=0
	wait "$PID" || STATUS=$?
	says 0 '[0-9]+ sent, [0-9]+ answered' 'rtt min/avg/max'
}

run_tests
