#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Where a MAC is the bridge says, and only of frames that it let through (I6, I11). Without it a container that shows
# its neighbour's MAC or the gateway's, on a bridge that filters such frames out, sends as the neighbour all the same,
# or cuts the gateway off; and two hosts with one MAC (VRRP) do not hear each other. With PLAIN=1 the kernel's own
# mesh shows what arrives without filters.
#
#    c11  c12            c21             c31
#      \  / spoofs        | gateway       |
#     vxbr0             vxbr0           vxbr0
#       h1                h2              h3
#        \_______________ sw ____________/

ALL_TESTS="
	rule_keeps_a_neighbour_off
	locked_port_keeps_a_neighbour_off
	gateway_shown_behind_filters
	gateway_shown_behind_filters_slow
	gateway_shown_now_and_then
	gateway_shown_all_the_time
	gateway_of_much_alike_packets
	two_masters
	two_masters_over_ipv6
"
[ -z "${PLAIN:-}" ] || ALL_TESTS="gateway_shown_now_and_then gateway_shown_all_the_time gateway_of_much_alike_packets
	two_masters two_masters_over_ipv6"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/prov.sh
. "$LIB/prov.sh"

MORE=(h1:c12)
VRRP_MAC=00:00:5e:00:01:01

begin() {
	DROPPED1=$(others_dropped h1) DROPPED2=$(others_dropped h2)
}

nothing_dropped() {
	assert_eq "$DROPPED1" "$(others_dropped h1)" "drops on h1"
	assert_eq "$DROPPED2" "$(others_dropped h2)" "drops on h2"
}

# by_rule, by_lock: what c12 sends under another MAC than its own ends in the bridge.
by_rule() {
	on_exit on h1 nft delete table bridge t
	on h1 nft -f - <<-END
		table bridge t {
			chain c {
				type filter hook prerouting priority 0;
				iifname "c12" ether saddr != $(mac_of c12) counter drop
			}
		}
	END
}

by_lock() {
	on_exit unlock
	on h1 bridge link set dev c12 locked on learning off
	on h1 bridge fdb replace "$(mac_of c12)" dev c12 master static
}

unlock() {
	on h1 bridge link set dev c12 locked off learning on
	on h1 bridge fdb del "$(mac_of c12)" dev c12 master
}

# The same MACs, addresses and ports, as fast as they can be sent, for some seconds beside the neighbour's own flow.
copies_do_not_arrive() {
	local words
	begin
	read -r -a words <<<"$(flow_words)"
	capture flow c21 eth0 -Q in "${FLOW_FILTER[@]}" and 'udp[8:4] = 0x666c6f77'
	capture copies c21 eth0 -Q in "${FLOW_FILTER[@]}" and 'udp[8:4] = 0x636f7079'
	flow 700 0.004
	sleep 0.3
	mark h1 h2
	background c12 "$PYTHON" -IS "$LIB/frame.py" send eth0 count=100000000 "${words[@]}" data text=copy
	flow_over
	stop "$PID"
	exactly 0 copies
	exactly 700 flow
	assert_ge 80 "$(went_fast h1 h2 tx)" "percent of the flow sent fast"
	nothing_dropped
}

rule_keeps_a_neighbour_off() {
	by_rule
	copies_do_not_arrive
	assert_ge 10000 "$(on h1 nft -j list table bridge t | jq '[.. | .counter? | objects][0].packets')" "copies dropped"
}

locked_port_keeps_a_neighbour_off() {
	by_lock
	copies_do_not_arrive
}

# spoofs COUNT GAP: c12 shows the gateway's MAC, to everybody.
spoofs() {
	background c12 "$PYTHON" -IS "$LIB/frame.py" send eth0 count="$1" gap="$2" eth "src=$(mac_of c21)" data text=spoof
	SPOOF=$PID
}

# gateway_is_heard COUNT GAP NAME [WORD...]: so many packets of it, each another, all of them at c11.
gateway_is_heard() {
	[ $# -gt 3 ] || set -- "$@" id=@ udp sport=7000 dport=7001 data text=gateway.@
	capture gateway c11 eth0 -Q in udp src port 7000
	frames c21 eth0 count="$1" gap="$2" eth "dst=$(mac_of c11)" "src=$(mac_of c21)" \
		ip "src=$(ip4_of c21)" "dst=$(ip4_of c11)" "${@:4}"
	exactly "$1" gateway
	stop "$SPOOF"
	echo "# $3: all of $1"
}

gateway_shown_behind_filters() {
	begin
	by_rule
	spoofs 100 1
	gateway_is_heard 700 0.004 "rule"
	on h1 nft flush table bridge t
	by_lock
	spoofs 100 1
	gateway_is_heard 700 0.004 "locked port"
	nothing_dropped
}

gateway_shown_behind_filters_slow() {
	FAST=off settings "vni: pair"
	gateway_shown_behind_filters
}

# Without a filter the bridge believes c12, too, and all the same delivers what the gateway sends.
shown_without_filter() { # COUNT GAP
	spoofs "$@"
	gateway_is_heard 700 0.004 "shown every $2 s"
}

gateway_shown_now_and_then() {
	shown_without_filter 100 1
}

gateway_shown_all_the_time() {
	shown_without_filter 100000 0.002
}

# They differ in the middle of the payload alone: no id, as datagrams that must not be fragmented have none, and a
# checksum that the sender's device was to fill in.
gateway_of_much_alike_packets() {
	spoofs 100000 0.002
	gateway_is_heard 700 0.004 "much alike" df=1 id=0 udp sport=7000 dport=7001 sum=1 \
		data text=a-header-that-is-the-same-in-all.@ zeros=60
}

# Both say that they are the master, to a group, by the same MAC.
masters() { # GROUP_MAC LAYER...
	local c n=25
	for c in c11 c12 c21 c31; do
		capture "$c" "$c" eth0 -Q in "ether src $VRRP_MAC"
	done
	for c in c11 c21; do
		background "$c" "$PYTHON" -IS "$LIB/frame.py" send eth0 count="$n" gap=0.1 eth "dst=$1" "src=$VRRP_MAC" \
			"${@:2:2}" "src=$(source_of "$3" "$c")" "${@:4}" data "text=advert.$c"
	done
	sleep 2.5
	exactly "$n" c11
	exactly "$n" c21
	exactly $((2 * n)) c12
	exactly $((2 * n)) c31
}

source_of() {
	case $1 in *:*) ip6_of "$2" ;; *) ip4_of "$2" ;; esac
}

# As keepalived has it, every packet has an id of its own.
two_masters() {
	masters 01:00:5e:00:00:12 ip dst=224.0.0.18 id=@ proto=112 ttl=255
}

# IPv6 has none: every advertisement is the same.
two_masters_over_ipv6() {
	masters 33:33:00:00:00:12 ip dst=ff02::12 proto=112 ttl=255
}

standing 3
run_tests
