#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `fastpath: auto` and rules: off while one looks at more than the flow, and says which; on beside rules
# that look at the flow alone, whose verdict holds for fast flows, too.
#
#    c11        c21
#     |          |
#   vxbr0 h1   vxbr0 h2
#     |          |
#   --+----------+--   sw, 192.0.2.0/24
# time limit: 300

ALL_TESTS="
	flow_rules_leave_it_on
	flow_rule_of_nft_stops_the_flow
	flow_rule_of_ebtables_stops_the_flow
	more_than_the_flow_turns_it_off
	without_consequence_it_stays_on
	rules_of_ebtables_turn_it_off
	rules_nobody_reaches_leave_it_on
	iptables_of_bridged_frames_turn_it_off
	forced_it_does_not_ask
	watch_switches_at_once
	watch_follows_only_answers
	limit_on_the_bridge_holds
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"

# nft_chain HOST RULE...: table t, chain c, where frames are forwarded; and what rules refer to.
nft_chain() {
	local host=$1
	shift
	on "$host" nft -f - <<-END
		table bridge t
		delete table bridge t
		table bridge t {
			set seen { type ipv4_addr; flags dynamic; timeout 1m; }
			set slow { type ipv4_addr; limit rate 5/second; elements = { 192.0.2.77 }; }
			quota q { over 1 mbytes }
			chain other { }
			chain c {
				type filter hook forward priority 0;
				$(printf '%s\n' "$@")
			}
		}
	END
}

flow_rules_leave_it_on() {
	local rule
	auto_mesh
	on h2 nft add table bridge empty
	on h2 nft add chain bridge empty c '{ type filter hook forward priority 0; policy accept; }'
	assert_on h2
	while read -r rule; do
		nft_chain h2 "$rule" || fail "not taken: $rule"
		assert_on h2
	done <<-'END'
		ip saddr 198.51.100.99 udp dport 7 counter drop
		ip6 saddr 2001:db8:99::/48 tcp dport { 22, 80 } drop
		ether saddr 02:00:00:00:00:99 drop
		iifname "c99" oifname != "c21" drop
		vlan id 5 ip daddr 198.51.100.99 drop
		meta protocol vmap { arp : accept, ip : jump other }
		meta mark 7 meta pkttype multicast log prefix "x" accept
	END
	on h2 nft flush ruleset
	while read -r rule; do
		# shellcheck disable=SC2086
		on h2 ebtables -A FORWARD $rule
		assert_on h2
	done <<-'END'
		-p IPv4 --ip-src 198.51.100.99 --ip-proto udp --ip-dport 9 -j DROP
		-p IPv6 --ip6-dst 2001:db8:99::9 -j DROP
		-p ARP --arp-op Request -j ACCEPT
		-s 02:00:00:00:00:99 -i c99 -j DROP
		--among-src 02:00:00:00:00:99 -j DROP
		--pkttype-type multicast -j ACCEPT
		-p 802_1Q --vlan-id 5 -j ACCEPT
		-d BGA -j DROP
	END
}

flow_rule_of_nft_stops_the_flow() {
	auto_mesh
	talk 30
	stops_within_two_seconds nft_chain h2 'ip saddr 198.51.100.11 udp dport 7 drop'
	assert_on h2
	on h2 nft delete table bridge t
	comes_back
}

flow_rule_of_ebtables_stops_the_flow() {
	auto_mesh
	talk 30
	stops_within_two_seconds on h2 ebtables -A FORWARD -p IPv4 --ip-proto udp --ip-dport 7 -j DROP
	assert_on h2
	on h2 ebtables -F FORWARD
	comes_back
}

more_than_the_flow_turns_it_off() {
	local rule what
	auto_mesh
	while IFS='|' read -r rule what; do
		nft_chain h2 "$rule" || fail "not taken: $rule"
		echo "# $rule"
		assert_off h2 "bridge rule in table t, chain c $what"
	done <<-'END'
		udp dport 7 limit rate over 500/second drop|uses a limit
		ip saddr 198.51.100.99 quota over 1 mbytes drop|uses a quota
		quota name q drop|uses a quota
		ip length > 1000 drop|checks the packet length
		meta length > 1000 drop|checks the packet length
		tcp flags syn drop|checks TCP flags
		ip dscp 3 drop|checks the DSCP
		@th,64,8 1 drop|checks beyond the ports
		meta hour "09:00"-"17:00" drop|checks the time
		numgen inc mod 2 1 drop|generates numbers
		add @seen { ip saddr }|updates a set from packets
		meta mark set 1|changes the mark
		ether daddr set 02:00:00:00:00:02|changes frames
		jhash ip saddr mod 2 0 drop|uses hash
	END
	nft_chain h2 'ip saddr @slow drop'
	assert_off h2 "bridge rule in table t, set slow uses a limit"
	on h2 nft delete table bridge t
	vx h2 up vxbr0
	assert_on h2
	is_accelerated h2 c21 || fail "c21: $(why_of h2 c21)"
}

# Two frames of a flow end alike whether such a rule fits or not: accepted. Until what comes behind drops.
without_consequence_it_stays_on() {
	local rule
	auto_mesh
	while read -r rule; do
		nft_chain h2 "${rule%|*}" || fail "not taken: $rule"
		vx h2 up vxbr0
		assert_on h2
		on h2 nft chain bridge t c '{ policy drop; }'
		assert_off h2 "bridge rule in table t, chain c ${rule#*|}"
	done <<-'END'
		limit rate 500/second accept|uses a limit
		ip length > 1000 accept|checks the packet length
		tcp flags syn accept|checks TCP flags
	END
	nft_chain h2 'jump other'
	on h2 nft add rule bridge t other limit rate 500/second accept
	vx h2 up vxbr0
	assert_on h2
	on h2 nft add rule bridge t other udp dport 7 drop
	assert_off h2 "bridge rule in table t, chain other uses a limit"
}

rules_of_ebtables_turn_it_off() {
	auto_mesh
	on h2 ebtables -A FORWARD -p ARP --limit 5/s -j ACCEPT
	assert_on h2
	on h2 ebtables -A FORWARD -p ARP -j DROP
	assert_off h2 "bridge rule in table filter, chain FORWARD uses a limit"
	on h2 ebtables -F FORWARD
	vx h2 up vxbr0
	assert_on h2
	on h2 ebtables -A FORWARD -p IPv4 --ip-tos 0x10 -j DROP
	assert_off h2 "bridge rule in table filter, chain FORWARD checks the DSCP"
	on h2 ebtables -F FORWARD
	vx h2 up vxbr0
	on h2 ebtables -t nat -A PREROUTING -p IPv4 -j redirect
	assert_off h2 "bridge rule in table nat, chain PREROUTING uses the target redirect"
}

rules_nobody_reaches_leave_it_on() {
	auto_mesh
	nft_chain h2 'ip saddr 198.51.100.99 drop'
	on h2 nft add rule bridge t other limit rate over 5/second drop
	assert_on h2
	on h2 nft add rule bridge t c ip saddr 198.51.100.98 jump other
	assert_off h2 "bridge rule in table t, chain other uses a limit"
	on h2 nft add table bridge t '{ flags dormant; }'
	vx h2 up vxbr0
	assert_on h2
}

iptables_of_bridged_frames_turn_it_off() {
	[ -e /proc/sys/net/bridge ] || skip "no br_netfilter"
	auto_mesh
	on h2 sysctl -qw net.bridge.bridge-nf-call-iptables=1
	assert_off h2 "iptables filters bridged frames (net.bridge.bridge-nf-call-*)"
	# A bridge may ask for them by itself.
	on h2 sysctl -qw net.bridge.bridge-nf-call-iptables=0
	vx h2 up vxbr0
	assert_on h2
	ip -n h2 link set vxbr0 type bridge nf_call_iptables 1
	assert_off h2 "iptables filters frames of this bridge (its nf_call_* options)"
	ip -n h2 link set vxbr0 type bridge nf_call_iptables 0
	vx h2 up vxbr0
	assert_on h2
	watch h2
	ip -n h2 link set vxbr0 type bridge nf_call_ip6tables 1
	wait_for 5 is_off h2
	unwatch TERM 0
}

forced_it_does_not_ask() {
	FASTPATH=on
	auto_mesh
	nft_chain h2 'limit rate 5000/second accept'
	on h2 tc qdisc add dev c21 root tbf rate 1gbit burst 1m latency 50ms
	vx h2 up vxbr0
	assert_on h2
	is_accelerated h2 c21 || fail "c21: $(why_of h2 c21)"
}

# Beside pings, which never go fast.
some_go_fast() {
	local before
	before=$(counter h2 h1 rx_fast_packets)
	sleep 0.2
	[ $(($(counter h2 h1 rx_fast_packets) - before)) -ge 20 ]
}

# A stream of datagrams to the echo of `talk`, every one of them to be answered; until `streamed`.
STREAM='import select, signal, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setblocking(False)
going = []
signal.signal(signal.SIGTERM, lambda *a: going.append(1))
sent, got, end = 0, set(), None
while end is None or time.time() < end:
    if not end:
        s.sendto(b"%d" % sent, (sys.argv[1], 7)); sent += 1
        if going: end = time.time() + 1
    time.sleep(0.001)
    try:
        while True: got.add(s.recv(100))
    except BlockingIOError: pass
print(sent, len(got))'

stream() {
	enter c11
	"${ENTER[@]}" "$PYTHON" -c "$STREAM" "$(ip4_of c21)" >"$WORK/stream" &
	STREAMING=$!
	on_exit stop "$STREAMING"
}

streamed() {
	local sent got
	kill "$STREAMING"
	wait "$STREAMING"
	read -r sent got <"$WORK/stream"
	echo "# of $sent datagrams $got came back"
	assert_ge 1000 "$sent" "datagrams"
	assert_eq 0 $((sent - got)) "datagrams lost"
}

# Nothing is lost at the switch: of what went fast, of the other flow, of the pings that never do.
watch_switches_at_once() {
	local round began took
	auto_mesh
	watch h2 vxbr0
	PING=(-i 0.002)
	load
	talk 60
	stream
	wait_for 5 some_go_fast
	for round in 1 2 3; do
		began=${EPOCHREALTIME/./}
		nft_chain h2 'limit rate over 50000/second burst 10000 packets drop'
		wait_for 5 is_off h2
		took=$(((${EPOCHREALTIME/./} - began) / 1000))
		echo "round $round: off within $took ms"
		mark h2 h1
		sleep 0.5
		assert_eq 0 "$(share h2 h1)" "percent fast while it is off"
		on h2 nft delete table bridge t
		wait_for 5 is_on h2
		wait_for 5 some_go_fast
	done
	grep '^vxbr0: fast path off: bridge rule in table t, chain c uses a limit$' "$OUT_FILE"
	grep '^vxbr0: fast path on$' "$OUT_FILE"
	streamed
	unloaded 0
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
	unwatch TERM 0
}

# Rules come and go with containers; a pass over everything costs more than a look at them.
watch_follows_only_answers() {
	local before i
	auto_mesh
	watch h2 vxbr0
	settled h2
	before=$(passes)
	for i in 1 2 3 4 5; do
		nft_chain h2 "ip saddr 198.51.100.$((90 + i)) drop"
		sleep 0.3
	done
	settled h2
	assert_eq "$before" "$(passes)" "passes"
	on h2 nft add rule bridge t c ip length 999 drop
	wait_for 5 is_off h2
	# Nobody tells of these settings, so they wait for the next event.
	on h2 nft flush chain bridge t c
	wait_for 5 is_on h2
	[ ! -e /proc/sys/net/bridge ] || {
		on h2 sysctl -qw net.bridge.bridge-nf-call-iptables=1
		nft_chain h2 'ip saddr 198.51.100.90 drop'
		wait_for 5 is_off h2
	}
}

# What a limit lets through is what arrives, and all of it by the kernel's way.
limit_on_the_bridge_holds() {
	auto_mesh
	watch h2 vxbr0
	talk 30
	wait_for 5 is_fast
	nft_chain h2 'udp dport 7 limit rate over 40/second burst 5 packets drop'
	wait_for 5 is_off h2
	wait_for 3 is_limited
	mark h2 h1
	sleep 2
	assert_eq 0 "$(share h2 h1)" "percent fast"
	is_limited || fail "$(answers) answers in half a second"
}

run_tests
