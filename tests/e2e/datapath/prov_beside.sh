#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Other people's programs and queues write where our words stand, and read what stands there (I11, I12). Without it
# one of them stops all fast traffic and `status` accuses the container, a queue holds frames back until a time that is
# none, or what we tell each other inside the host is still on a packet when it leaves.
#
#    c11                      c21
#     |                        |
#   vxbr0                    vxbr0
#     | tunnel: theirs         |
#     h1                       h2
#     | eth0: theirs, fq       |
#     +---------- sw ----------+
#       theirs: counts words

ALL_TESTS="
	cb_cleared_on_the_underlay
	cb_cleared_on_the_underlay_before_us
	cb_cleared_on_the_tunnel
	cb_cleared_at_the_receiver
	index_and_mark_on_the_underlay
	index_and_mark_on_the_tunnel
	index_and_mark_at_the_receiver
	index_set_in_the_container
	fq_on_the_underlay
	fq_on_the_tunnel
	other_queues_on_the_underlay
	copies_by_tee
	copies_by_dup
	no_word_leaves
	no_word_leaves_over_ipv6
	no_index_left_with_the_fast_path_off
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/prov.sh
. "$LIB/prov.sh"

CB=(cb=0)
WORDS=(index=0x7777 mark=0x10)

# nothing_lost [AT_LEAST]: pings (never fast) both ways, and a flow, so much of it fast; nothing is counted as dropped.
nothing_lost() {
	DROPPED1=$(all_dropped h1) DROPPED2=$(all_dropped h2)
	capture flow c21 eth0 -Q in "${FLOW_FILTER[@]}"
	flow 20 0.004
	flow_over
	mark h1 h2
	mark h2 h1
	pings c11 "$(ip4_of c21)" 10
	pings c21 "$(ip4_of c11)" 10
	pings c11 "$(ip4_of c21)" 5 -s 1400
	flow 400 0.002
	flow_over
	exactly 420 flow
	assert_ge "${1:-70}" "$(went_fast h1 h2 tx)" "percent sent fast"
	assert_ge "${1:-70}" "$(went_fast h2 h1 rx)" "percent received fast"
	assert_eq "$DROPPED1" "$(all_dropped h1)" "drops on h1"
	assert_eq "$DROPPED2" "$(all_dropped h2)" "drops on h2"
}

all_dropped() {
	echo "$(others_dropped "$1") nested: $(drops "$1" nested)"
}

cb_cleared_on_the_underlay() {
	theirs h1 eth0 first theirs_1 out "${CB[@]}"
	nothing_lost
	theirs h1 eth0 last theirs_2 out "${CB[@]}"
	nothing_lost
}

cb_cleared_on_the_underlay_before_us() {
	vx h1 down vxbr0
	on_exit leased_up h1
	theirs h1 eth0 first theirs_1 out "${CB[@]}"
	theirs h1 eth0 last theirs_2 out "${CB[@]}" "${WORDS[@]}"
	leased_up h1
	pings c11 "$(ip4_of c21)" 2
	nothing_lost
}

cb_cleared_on_the_tunnel() {
	theirs h1 vx-h2 first theirs_1 out "${CB[@]}"
	theirs h1 vx-h2 last theirs_2 out "${CB[@]}"
	nothing_lost
}

cb_cleared_at_the_receiver() {
	theirs h2 eth0 first theirs_1 "${CB[@]}"
	theirs h2 vx-h1 first theirs_2 "${CB[@]}"
	theirs h2 vx-h1 last theirs_3 "${CB[@]}"
	theirs h2 c21 first theirs_4 out "${CB[@]}"
	nothing_lost
}

index_and_mark_on_the_underlay() {
	theirs h1 eth0 first theirs_1 out "${WORDS[@]}"
	theirs h1 eth0 last theirs_2 out "${WORDS[@]}"
	nothing_lost
}

# What is marked before it is routed may go another way than what is not, so it need not go fast.
index_and_mark_on_the_tunnel() {
	theirs h1 vx-h2 first theirs_1 out index=0x7777
	theirs h1 vx-h2 last theirs_2 out index=0x7777
	nothing_lost 0
	theirs h1 vx-h2 first theirs_3 out "${WORDS[@]}"
	theirs h1 vx-h2 last theirs_4 out "${WORDS[@]}"
	nothing_lost 0
}

index_and_mark_at_the_receiver() {
	theirs h2 eth0 first theirs_1 "${WORDS[@]}"
	nothing_lost 0
	theirs h2 vx-h1 first theirs_2 "${WORDS[@]}"
	theirs h2 vx-h1 last theirs_3 "${WORDS[@]}"
	nothing_lost 0
}

# A container has its own namespace for itself, and what it writes there crosses the veth.
index_set_in_the_container() {
	theirs c11 eth0 first theirs_1 out index=0x7777
	nothing_lost
	theirs c11 eth0 last theirs_2 out index=0xffff
	nothing_lost
}

queue() { # DEV QUEUE...
	on h1 tc qdisc replace dev "$1" root "${@:2}" || skip "this kernel has no $2"
	on_exit unqueue "$1"
	leased_up h1
}

unqueue() {
	on h1 tc qdisc del dev "$1" root
	leased_up h1
}

fq_on_the_underlay() {
	queue eth0 fq
	nothing_lost
}

# Nothing may go past a queue on the tunnel, so nothing is sent fast.
fq_on_the_tunnel() {
	queue vx-h2 fq
	nothing_lost 0
}

other_queues_on_the_underlay() {
	queue eth0 tbf rate 1gbit burst 1m latency 50ms
	nothing_lost
	queue eth0 htb default 1
	on h1 tc class add dev eth0 parent "$(on h1 tc -j qdisc show dev eth0 root | jq -r '.[0].handle')" \
		classid "$(on h1 tc -j qdisc show dev eth0 root | jq -r '.[0].handle')1" htb rate 1gbit
	nothing_lost
}

# counts WHERE NAME ARGS...: a program that counts frames by a word, until `counted`.
counts() {
	has_tcx
	enter "$1"
	"${ENTER[@]}" "$PYTHON" -IS "$LIB/tcx_words.py" "${@:3}" >"$WORK/count.$2" &
	PID=$!
	echo "$PID" >"$WORK/count.$2.pid"
	on_exit stop "$PID"
	wait_for 5 grep -q there "$WORK/count.$2"
}

# counted N NAME: the frame words that were there.
counted() {
	kill "$(<"$WORK/count.$2.pid")"
	wait "$(<"$WORK/count.$2.pid")" || fail "count $2 failed"
	assert_eq "$1" "$(tail -n 1 "$WORK/count.$2")" "frames with $2"
}

# Behind wire_out, and at the other end of the cable: nothing of ours. Times are past 2^32 ns, words below.
nothing_left_on_packets() {
	counts h1 index eth0 last theirs_1 out count=tc_index
	counts h1 mark eth0 last theirs_2 out count=mark
	counts h1 tstamp eth0 last theirs_3 out count=tstamp:0x100000000
	counts sw far_index h1-eth0 first theirs_4 count=tc_index
	counts sw far_mark h1-eth0 first theirs_5 count=mark
	counts c21 container_index eth0 first theirs_6 count=tc_index
	counts c21 container_mark eth0 first theirs_7 count=mark
	nothing_lost
	pings h1 "$(address4 h2)" 3
	tcp c11 c21 1M
	frames c11 eth0 count=10 eth "src=$(mac_of c11)" data text=flood
	counted 0 index
	counted 0 mark
	counted 0 tstamp
	counted 0 far_index
	counted 0 far_mark
	counted 0 container_index
	counted 0 container_mark
	# The control: counting works, of what a container has written.
	theirs c11 eth0 last theirs_8 out index=0x7777
	counts h1 control c11 first theirs_9 count=tc_index
	frames c11 eth0 count=10 eth "src=$(mac_of c11)" data text=flood
	counted 10 control
}

# A monitor's copy leaves first, with the word of the packet it was made of: the flow does not follow it.
copied() {
	capture flow c21 eth0 -Q in "${FLOW_FILTER[@]}"
	capture s9 s9 eth0 udp dst port 4789
	flow 300 0.004
	flow_over
	exactly 300 flow
	assert_ge 250 "$(captured s9)" "copies at the monitor"
}

monitor() {
	node s9
	on s9 sysctl -qw net.ipv4.ip_forward=0
	pings h1 "$(address4 s9)" 2
}

copies_by_tee() {
	monitor
	on h1 iptables -t mangle -A OUTPUT -p udp --dport 4789 -j TEE --gateway "$(address4 s9)" || skip "no TEE here"
	on_exit on h1 iptables -t mangle -F OUTPUT
	copied
}

copies_by_dup() {
	monitor
	on h1 nft -f - <<-N || skip "no dup here"
		table ip copies { chain out { type filter hook output priority 0;
			udp dport 4789 dup to $(address4 s9) device eth0
		}; }
	N
	on_exit on h1 nft delete table ip copies
	copied
}

no_word_leaves() {
	nothing_left_on_packets
}

no_word_leaves_over_ipv6() {
	FAMILIES=6 settings "vni: pair"
	nothing_left_on_packets
}

# Then no program sits where a frame leaves the bridge, to take it off again.
no_index_left_with_the_fast_path_off() {
	local before
	FAST=off settings "vni: pair"
	counts c21 off_container eth0 first theirs_1 count=tc_index
	counts h2 off_port c21 first theirs_2 out count=tc_index
	before=$(counter h2 h1 rx_fast_packets)
	pings c11 "$(ip4_of c21)" 10
	tcp c11 c21 1M
	frames c11 eth0 count=10 eth "src=$(mac_of c11)" data text=flood
	# Hop-by-hop options, as in each report of a group's member: no fragment header can follow ICMPv6.
	frames c11 eth0 count=10 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" type=0x86dd data \
		"hex=6000000000100001$(printf 'fd%030d' 11)$(printf 'fd%030d' 21)3a000502000001008000000000000000"
	assert_eq "$before" "$(counter h2 h1 rx_fast_packets)" "received fast, all in all"
	counted 0 off_container
	counted 0 off_port
}

FAMILIES=46 standing 2
FAMILIES=4
run_tests
