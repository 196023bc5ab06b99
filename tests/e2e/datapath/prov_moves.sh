#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Who moves is reached where it is from its first frame on (I10), whoever that frame is for; and nobody can make other
# people's flows void, or push them out, by MACs and ports of his choice. Without it a migrated container's traffic
# goes to where it was for up to two seconds, or a container decides which of its neighbours' flows are slow.
#
#   c11 c12 c13                 c21 c22               c31
#     \  |  /                     \ /                  |
#     vxbr0                      vxbr0               vxbr0
#   h1 _|________________________h2_|______________h3_|_
#       |                         |  |                 |
#       one of its legs after the other: m, a MAC that moves

ALL_TESTS="
	to_another_host
	to_another_port
	to_another_port_first_seen_by_the_bridge
	to_another_port_first_seen_by_a_neighbour
	to_the_senders_host
	to_the_senders_host_first_seen_by_the_bridge
	to_the_senders_host_first_seen_by_a_neighbour
	to_the_senders_host_first_seen_by_one_without_hooks
	from_the_senders_host
	to_another_port_first_seen_by_nobody
	equal_frames_of_a_contested_mac
	chosen_ports_push_nobody_out
	chosen_macs_void_nobody
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/prov.sh
. "$LIB/prov.sh"

MORE=(h1:c12 h1:c13 h2:c22)

# leg HOST NAME: m has a port there, by that name on both ends.
leg() {
	on_exit ip -n "$1" link del "$2"
	ip link add "$2" netns "$1" mtu 1450 type veth peer name "$2" netns m mtu 1450 address "$MOVER"
	ip -n m link set "$2" up
	ip -n "$1" link set "$2" addrgenmode none up
	ip -n "$1" link set "$2" master vxbr0
}

# moving OLD_HOST NEW_HOST: m has legs `old` and `new` there, and c11 sends to it by the old one, fast unless it is here.
moving() {
	# A MAC nobody has seen, so that each case begins anew.
	MOVER=02:c0:00:00:$(printf '%02x:%02x' $((RANDOM % 256)) $((RANDOM % 256)))
	netns m
	leg "$1" old
	leg "$2" new
	leased_up "$1" "$2"
	HOST_MAC=$(ip -n "$2" -j link show vxbr0 | jq -r '.[0].address')
	capture old m old -Q in udp dst port 7001
	capture new m new -Q in udp dst port 7001
	frames m old eth "dst=$(mac_of c11)" "src=$MOVER" data text=here
	[ "$1" = h1 ] || mark h1 "$1"
	to_mover 40
	exactly 40 old
	exactly 0 new
	[ "$1" = h1 ] || assert_ge 80 "$(went_fast h1 "$1" tx)" "percent sent fast before the move"
}

# to_mover COUNT: of one flow from c11.
to_mover() {
	frames c11 eth0 count="$1" gap=0.005 eth "dst=$MOVER" "src=$(mac_of c11)" \
		ip "src=$(ip4_of c11)" dst=198.51.100.77 udp sport=7000 dport=7001 data text=to.mover.@
}

# moved WHERE IF MAC [FROM]: one frame from the new leg to that MAC, once it has come to IF there: all that c11 sends
# from now on is at the new leg.
moved() {
	capture first "$1" "$2" -Q in ether src "$MOVER"
	frames m new eth "dst=$3" "src=$MOVER" ip src=198.51.100.77 dst=198.51.100.78 udp sport=7001 dport=7002 data text=moved
	exactly 1 first
	to_mover 60
	exactly 60 new
	exactly 40 old
}

goes_fast() { # HOST
	mark h1 "$1"
	mark "$1" h1
	to_mover 60
	assert_ge 80 "$(went_fast h1 "$1" tx)" "percent sent fast after the move"
	assert_ge 80 "$(went_fast "$1" h1 rx)" "percent received fast after the move"
	exactly 120 new
}

to_another_host() {
	moving h2 h3
	moved c11 eth0 "$(mac_of c11)"
	goes_fast h3
}

to_another_port() {
	moving h2 h2
	moved c11 eth0 "$(mac_of c11)"
	goes_fast h2
}

to_another_port_first_seen_by_the_bridge() {
	moving h2 h2
	moved h2 vxbr0 "$HOST_MAC"
	goes_fast h2
}

to_another_port_first_seen_by_a_neighbour() {
	moving h2 h2
	# The bridge has to know where that is, or everybody sees the frame.
	pings c22 "$(ip4_of c21)" 1
	moved c22 eth0 "$(mac_of c22)"
	goes_fast h2
}

to_the_senders_host() {
	moving h2 h1
	moved c11 eth0 "$(mac_of c11)"
}

to_the_senders_host_first_seen_by_the_bridge() {
	moving h2 h1
	moved h1 vxbr0 "$HOST_MAC"
}

to_the_senders_host_first_seen_by_a_neighbour() {
	moving h2 h1
	pings c12 "$(ip4_of c11)" 1
	moved c12 eth0 "$(mac_of c12)"
}

# A port that came after `up`, and nobody watches: it has no rooms.
to_the_senders_host_first_seen_by_one_without_hooks() {
	moving h2 h1
	container h1 c14
	pings c14 "$(ip4_of c11)" 1
	moved c14 eth0 "$(mac_of c14)"
}

from_the_senders_host() {
	moving h1 h2
	moved c11 eth0 "$(mac_of c11)"
	goes_fast h2
}

# one_flow CONTAINER MAC SPORT DPORT: 400 frames of it to c21, in the background.
# LLDP is for the bridge alone: no program behind it sees the frame, but the bridge takes the MAC to be there now.
to_another_port_first_seen_by_nobody() {
	local flow old
	moving h2 h2
	background c11 "$PYTHON" -IS "$LIB/frame.py" send eth0 count=400 gap=0.005 eth "dst=$MOVER" "src=$(mac_of c11)" \
		ip "src=$(ip4_of c11)" dst=198.51.100.77 udp sport=7000 dport=7001 data text=to.mover.@
	flow=$PID
	mark h2 h1
	eventually 3 arrived_at_least 100 old || fail "nothing arrives at the old port"
	assert_ge 80 "$(went_fast h2 h1 rx)" "percent received fast before the move"
	frames m new eth dst=01:80:c2:00:00:0e "src=$MOVER" type=0x88cc data zeros=50
	sleep 0.1 # what was under way
	old=$(captured old)
	wait "$flow" || fail "the flow was not sent"
	echo "# $old at the old port when the MAC had moved, $(captured new) at the new one"
	exactly "$old" old
	assert_ge 50 "$(captured new)" "frames at the new port"
}

# A container shows c21's MAC all the time, and c21 says the same again and again, as heartbeats do: equal to the last
# byte is not enough to be a loop, a port of ours has to have sent it.
equal_frames_of_a_contested_mac() {
	local spoof
	background c12 "$PYTHON" -IS "$LIB/frame.py" send eth0 count=100000 gap=0.01 eth "src=$(mac_of c21)" data text=spoof
	spoof=$PID
	sleep 0.3
	capture beats c11 eth0 -Q in udp src port 7000
	frames c21 eth0 count=200 gap=0.01 eth "dst=$(mac_of c11)" "src=$(mac_of c21)" ip "src=$(ip4_of c21)" \
		"dst=$(ip4_of c11)" df=1 id=0 udp sport=7000 dport=7001 data text=heartbeat
	stop "$spoof"
	exactly 200 beats
	sleep 2 # until nobody has its MAC twice
	pings c21 "$(ip4_of c11)" 2
}

one_flow() {
	background "$1" "$PYTHON" -IS "$LIB/frame.py" send eth0 count=400 gap=0.004 eth "dst=$(mac_of c21)" "src=$2" \
		ip "src=$(ip4_of c11)" "dst=$(ip4_of c21)" udp "sport=$3" "dport=$4" data text=flow.@
}

# Two flows that differ in the bits that a multiplication by an odd number carries to one place: bit 63 of the first
# 8 bytes (of the source MAC) against bits 34 and 63 of what follows (of the ports).
chosen_ports_push_nobody_out() {
	local mine theirs
	capture flows c21 eth0 -Q in udp
	mine=$(mac_of c11)
	theirs=02:40:${mine:6}
	# From one port: as they are found at port_in and at wire_in.
	mark h1 h2
	mark h2 h1
	one_flow c11 "$mine" 7000 7001
	FLOW=$PID
	one_flow c11 "$theirs" $((7000 ^ 0x400)) $((7001 ^ 0x80))
	wait "$PID"
	flow_over
	exactly 800 flows
	assert_ge 85 "$(went_fast h1 h2 tx)" "percent sent fast"
	assert_ge 85 "$(went_fast h2 h1 rx)" "percent received fast"
	# From two, by a neighbour of its own: at wire_in.
	mark h2 h1
	one_flow c11 "$mine" 7100 7101
	FLOW=$PID
	one_flow c12 "$theirs" $((7100 ^ 0x400)) $((7101 ^ 0x80))
	wait "$PID"
	flow_over
	exactly 1600 flows
	assert_ge 85 "$(went_fast h2 h1 rx)" "percent received fast"
}

# Ten MACs that end as c11's do, each at one port, then the other; by FIRST they begin.
ten_macs_move() { # FIRST
	local c
	mark h1 h2
	flow 500 0.004
	for c in c12 c13; do
		background "$c" "$PYTHON" -IS "$LIB/frame.py" send eth0 count=1000 gap=0.01 \
			eth "dst=$(mac_of c11)" "src=$1:9%:00:00:00:0b" data text=here
		echo "$PID" >"$WORK/$c.pid.moves"
	done
	flow_over
	stop "$(<"$WORK/c12.pid.moves")"
	stop "$(<"$WORK/c13.pid.moves")"
	[ "$(went_fast h1 h2 tx)" -ge 85 ]
}

chosen_macs_void_nobody() {
	# By chance one of ten may meet c11's or c21's: not twice.
	ten_macs_move 02 || ten_macs_move 06 || ten_macs_move 0a || fail "the flow is void when others move"
}

export PEER_MORE_h1=', bridge_address: [198.51.100.101/24]' PEER_MORE_h2=', bridge_address: [198.51.100.102/24]'
standing 3
run_tests
