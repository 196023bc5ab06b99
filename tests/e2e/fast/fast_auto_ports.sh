#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `fastpath: auto` and ports: those with a queue, filters, programs or rules of others are left to the
# kernel, and the others stay fast.
#
#    c11        c21 c22 c23
#     |          |   |   |
#   vxbr0 h1     vxbr0 h2
#     |            |
#   --+------------+--   sw, 192.0.2.0/24
# time limit: 300

ALL_TESTS="
	shaped_ports_are_left_to_the_kernel
	watch_follows_single_ports
	limit_on_the_port_holds
	programs_of_others_on_a_port
	taps_have_a_queue_by_themselves
	queue_on_a_tunnel_is_met
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"

# As a container manager limits a container: a class on the way in, filters on the way out.
limit_download() { # HOST PORT
	on "$1" tc qdisc replace dev "$2" root handle 1:0 htb default 10
	on "$1" tc class add dev "$2" parent 1:0 classid 1:10 htb rate 20mbit
	on "$1" tc filter add dev "$2" parent 1:0 protocol all u32 match u32 0 0 flowid 1:1
}

limit_upload() {
	on "$1" tc qdisc add dev "$2" handle ffff:0 ingress
	# Not every kernel polices; the filter is there all the same.
	on "$1" tc filter add dev "$2" parent ffff:0 protocol all u32 match u32 0 0 \
		police rate 20mbit burst 256k mtu 64kb drop 2>/dev/null ||
		on "$1" tc filter add dev "$2" parent ffff:0 protocol all u32 match u32 0 0 flowid :1
}

three_ports() {
	local name
	calm_hosts 2
	mesh_up
	for name in c21 c22 c23; do container h2 "$name"; done
	container h1 c11
	for name in c21 c22 c23; do
		is_accelerated h2 "$name" || fail "$name: $(why_of h2 "$name")"
		pings c11 "$(ip4_of "$name")" 2
	done
}

# bulk NAME: a second of TCP from c11; leaves MBITS, and the percentage that h2 took fast in SHARE.
bulk() {
	background "$1" iperf3 -s -1
	wait_for 5 listening "$1" 5201
	mark h2 h1
	on c11 iperf3 -c "$(ip4_of "$1")" -t 2 -J >"$WORK/iperf"
	SHARE=$(share h2 h1)
	MBITS=$(jq '.end.sum_received.bits_per_second / 1000000 | floor' "$WORK/iperf")
}

shaped_ports_are_left_to_the_kernel() {
	three_ports
	limit_download h2 c21
	limit_upload h2 c22
	expect 3 vx h2 status vxbr0
	assert_match 'differ from the config' "$OUT" "status before up"
	vx h2 up vxbr0
	assert_on h2
	is_left_alone h2 c21 || fail "c21 is fast"
	is_left_alone h2 c22 || fail "c22 is fast"
	is_accelerated h2 c23 || fail "c23 is not"
	assert_eq "its root qdisc is htb" "$(why_of h2 c21)" "why of c21"
	assert_eq "a u32 filter is on its ingress" "$(why_of h2 c22)" "why of c22"
	expect 0 vx h2 status vxbr0
	OUT=$(tr -s ' \n' ' ' <<<"$OUT")
	assert_match 'not fast \(its root qdisc is htb\): c21' "$OUT" "status"
	sleep 2
	bulk c21
	assert_le 30 "$MBITS" "Mbit/s to c21"
	assert_eq 0 "$SHARE" "percent fast to c21"
	bulk c23
	assert_ge 90 "$SHARE" "percent fast to c23"
	on h2 tc qdisc del dev c21 root
	on h2 tc qdisc del dev c22 ingress
	vx h2 up vxbr0
	is_accelerated h2 c21 || fail "c21: $(why_of h2 c21)"
	is_accelerated h2 c22 || fail "c22: $(why_of h2 c22)"
}

watch_follows_single_ports() {
	three_ports
	watch h2 vxbr0
	load
	limit_download h2 c21
	wait_for 5 is_left_alone h2 c21
	limit_upload h2 c22
	wait_for 5 is_left_alone h2 c22
	on h2 nft add table netdev n
	on h2 nft add chain netdev n c '{ type filter hook ingress device "c23" priority 0; }'
	wait_for 5 is_left_alone h2 c23
	assert_eq "nftables chain c of table n is on it" "$(why_of h2 c23)" "why of c23"
	settled h2
	assert_eq on "$(fastpath_of h2)" "fast path"
	on h2 tc qdisc del dev c21 root
	wait_for 5 is_accelerated h2 c21
	on h2 tc qdisc del dev c22 ingress
	wait_for 5 is_accelerated h2 c22
	on h2 nft delete table netdev n
	wait_for 5 is_accelerated h2 c23
	unloaded 0
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

# Rules on a device come after programs of ours there: a fast frame would not meet them.
limit_on_the_port_holds() {
	auto_mesh
	talk 30
	wait_for 5 is_fast
	watch h2 vxbr0
	on h2 nft -f - <<-'END' || skip "no ingress chains"
		table netdev n {
			chain c {
				type filter hook ingress device "c21" priority 0;
				udp sport 7 limit rate over 40/second burst 5 packets drop
			}
		}
	END
	wait_for 5 is_limited
}

programs_of_others_on_a_port() {
	auto_mesh
	command -v clang >/dev/null || skip "needs clang"
	printf '%s\n' '__attribute__((section("classifier"), used)) int others(void *ctx) { return -1; }' |
		clang -target bpf -O2 -g -x c -c -o "$WORK/others.o" -
	on h2 tc qdisc add dev c21 clsact
	assert_on h2
	on h2 tc filter add dev c21 egress bpf da obj "$WORK/others.o" sec classifier
	vx h2 up vxbr0
	assert_eq "a bpf filter is on its egress" "$(why_of h2 c21)" "why"
	on h2 tc filter del dev c21 egress
	vx h2 up vxbr0
	is_accelerated h2 c21 || fail "c21: $(why_of h2 c21)"
	VXBPF_NO_TCX=1 vx h2 restart vxbr0
	VXBPF_NO_TCX=1 vx h2 up vxbr0
	is_accelerated h2 c21 || fail "our own filters: $(why_of h2 c21)"
}

# Whatever the default is, it is no shaper.
taps_have_a_queue_by_themselves() {
	auto_mesh
	on h2 ip tuntap add dev tap9 mode tap
	on h2 ip link set tap9 master vxbr0 up
	echo "# $(on h2 tc qdisc show dev tap9)"
	vx h2 up vxbr0
	is_accelerated h2 tap9 || fail "tap9: $(why_of h2 tap9)"
	on h2 tc qdisc replace dev tap9 root tbf rate 20mbit burst 32k latency 50ms
	vx h2 up vxbr0
	assert_eq "its root qdisc is tbf" "$(why_of h2 tap9)" "why"
	on h2 tc qdisc del dev tap9 root
	vx h2 up vxbr0
	is_accelerated h2 tap9 || fail "tap9: $(why_of h2 tap9)"
}

sent_fast() { # of what h1 sends to h2 now, most
	local all fast
	all=$(counter h1 h2 tx_packets) fast=$(counter h1 h2 tx_fast_packets)
	sleep 0.5
	all=$(($(counter h1 h2 tx_packets) - all)) fast=$(($(counter h1 h2 tx_fast_packets) - fast))
	echo "# $fast of $all sent fast"
	[ $((fast * 10)) -ge $((all * 8)) ]
}

none_sent_fast() {
	local fast
	fast=$(counter h1 h2 tx_fast_packets)
	sleep 0.5
	assert_eq "$fast" "$(counter h1 h2 tx_fast_packets)" "sent fast"
}

# Whoever shapes what goes to one peer shapes fast flows, too.
queue_on_a_tunnel_is_met() {
	auto_mesh
	watch h1 vxbr0
	settled h1
	talk 30
	wait_for 5 sent_fast
	on h1 tc qdisc add dev vx-h2 root tbf rate 80mbit burst 64k latency 50ms
	sleep 2.5
	none_sent_fast
	on h1 tc qdisc del dev vx-h2 root
	wait_for 5 sent_fast
}

run_tests
