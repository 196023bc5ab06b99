#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a limit or a mirror of others on a tunnel of ours or on the underlay device: an nftables chain on the
#            device, a tc filter that polices or goes through an ifb, a rate limit in nftables' input or output.
# Kernel: every packet meets it.
# vxbpf: with `fastpath: auto` the half of the fast path that would pass by (what comes from those peers, or what goes to
#        them) steps back, within two seconds under `watch`; `status` and `check` name the thing. What looks at
#        nothing but the flow (a firewall that tracks connections, say) keeps nothing slow.
# time limit: 300

ALL_TESTS="
	on_the_underlay
	on_a_tunnel
	on_the_way_out
	programs_by_tcx
	on_filters_of_a_kernel_without_tcx
	firewalls_keep_nothing_slow
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

# Mesh and conversation, watched on HOST, fast on it both ways.
watched_talk() { # HOST
	auto_mesh
	watch "$1" vxbr0
	settled "$1"
	talk 60
	wait_for 5 goes_fast "$1" rx
	wait_for 5 goes_fast "$1" tx
}

# goes_fast HOST rx|tx: nearly all of it now, one way. is_kernels: none of it.
goes_fast() {
	one_way "$@"
	[ $((FAST * 10)) -ge $((ALL * 8)) ] && [ "$ALL" -gt 2 ]
}

is_kernels() {
	one_way "$@"
	[ "$FAST" -eq 0 ]
}

one_way() {
	local peer=h2 all fast
	[ "$1" = h1 ] || peer=h1
	all=$(counter "$1" "$peer" "$2_packets") fast=$(counter "$1" "$peer" "$2_fast_packets")
	sleep 0.3
	ALL=$(($(counter "$1" "$peer" "$2_packets") - all)) FAST=$(($(counter "$1" "$peer" "$2_fast_packets") - fast))
	echo "# $1 $2: $FAST of $ALL fast" >&2
}

names() { # HOST WHAT: status does
	vx "$1" status vxbr0 | tr -s ' \n' ' ' >"$WORK/status"
	grep -E "$2" "$WORK/status" >/dev/null
}

# held HOST SLOW FAST WHAT: one way is the kernel's, the other still fast, `status` names it, nothing is degraded.
held() {
	wait_for 5 is_kernels "$1" "$2"
	goes_fast "$1" "$3" || wait_for 2 goes_fast "$1" "$3"
	names "$1" "$4" || fail "status says no word of it: $(cat "$WORK/status")"
	expect 3 vx "$1" check vxbr0
	assert_match "fastpath: .*$4" "$OUT" "check"
	right "$1"
}

limit='limit rate over 20/second burst 5 packets drop'

netdev() { # HOST HOOK DEVICE
	on "$1" nft "table netdev limits { chain c { type filter hook $2 device \"$3\" priority 0; $limit; }; }"
}

input() { # HOST HOOK
	on "$1" nft "table inet limits { chain c { type filter hook $2 priority 0; udp dport 4789 $limit; }; }"
}

end_limits() { # HOST FAMILY WAY
	on "$1" nft delete table "$2" limits
	wait_for 5 goes_fast "$1" "$3"
}

has_ifb() {
	on h2 ip link add ifb7 up type ifb || skip "no ifb"
	on h2 tc qdisc add dev ifb7 root tbf rate 100kbit burst 3000 limit 3000
}

through_ifb() { # DEVICE
	on h2 tc qdisc add dev "$1" clsact 2>/dev/null || true
	on h2 tc filter add dev "$1" ingress pref 9 protocol all u32 match u32 0 0 \
		action mirred egress redirect dev ifb7 || skip "no mirred"
}

on_the_underlay() {
	watched_talk h2
	netdev h2 ingress eth0
	wait_for 3 is_limited
	held h2 rx tx 'eth0: packets from peers are not accelerated because nftables chain c of table limits is on it'
	end_limits h2 netdev rx
	input h2 input
	wait_for 3 is_limited
	held h2 rx tx 'packets from peers are not accelerated because IPv4 rule in table limits, chain c uses a limit'
	end_limits h2 inet rx
	has_ifb
	through_ifb eth0
	held h2 rx tx 'eth0: packets from peers are not accelerated because a u32 filter is on its ingress'
	assert_ge 1 "$(on h2 cat /sys/class/net/ifb7/statistics/tx_packets)" "packets through the ifb"
	on h2 tc filter del dev eth0 ingress pref 9
	wait_for 5 goes_fast h2 rx
}

on_a_tunnel() {
	watched_talk h2
	netdev h2 ingress vx-h1
	wait_for 3 is_limited
	held h2 rx tx 'vx-h1: packets from h1 are not accelerated because nftables chain c of table limits is on it'
	end_limits h2 netdev rx
	has_ifb
	# Without tcx vxbpf has one there, with a block; see on_filters_of_a_kernel_without_tcx.
	on h2 tc qdisc add dev vx-h1 clsact 2>/dev/null || return 0
	# A mirror of what leaves, as an IDS wants it.
	on h2 ip link add ids7 up type veth peer name ids8
	on h2 ip link set ids8 up
	on h2 tc filter add dev vx-h1 egress pref 9 protocol all u32 match u32 0 0 \
		action mirred egress mirror dev ids7 || skip "no mirred"
	held h2 tx rx 'vx-h1: packets to h1 are not accelerated because a u32 filter is on its egress'
	mirrors_all
	on h2 tc filter del dev vx-h1 egress pref 9
	wait_for 5 goes_fast h2 tx
	through_ifb vx-h1
	held h2 rx tx 'vx-h1: packets from h1 are not accelerated because a u32 filter is on its ingress'
	on h2 tc filter del dev vx-h1 ingress pref 9
	wait_for 5 goes_fast h2 rx
	if others_xdp vx-h1; then
		held h2 rx tx 'vx-h1: packets from h1 are not accelerated because an XDP program is on it'
	fi
}

others_xdp() { # DEVICE: generic, as a VXLAN device has no other
	command -v clang >/dev/null || return 1
	printf '%s\n' '__attribute__((section("xdp"), used)) int others_xdp(void *ctx) { return 2; }' |
		clang -target bpf -O2 -g -x c -c -o "$WORK/xdp.o" -
	on h2 ip link set dev "$1" xdpgeneric obj "$WORK/xdp.o" sec xdp
}

mirrors_all() {
	local sent seen
	sent=$(counter h2 h1 tx_packets) seen=$(on h2 cat /sys/class/net/ids7/statistics/tx_packets)
	sleep 1
	seen=$(($(on h2 cat /sys/class/net/ids7/statistics/tx_packets) - seen))
	sent=$(($(counter h2 h1 tx_packets) - sent))
	assert_ge $((sent * 8 / 10)) "$seen" "mirrored of $sent"
}

on_the_way_out() {
	watched_talk h1
	if netdev h1 egress vx-h2 2>/dev/null; then # since 5.16, if the kernel has it
		wait_for 3 is_limited
		held h1 tx rx 'vx-h2: packets to h2 are not accelerated because nftables chain c of table limits is on it'
		end_limits h1 netdev tx
		netdev h1 egress eth0
		wait_for 3 is_limited
		held h1 tx rx 'eth0: packets to peers are not accelerated because nftables chain c of table limits is on it'
		end_limits h1 netdev tx
	fi
	input h1 postrouting
	wait_for 3 is_limited
	held h1 tx rx 'packets to peers are not accelerated because IPv4 rule in table limits, chain c uses a limit'
	end_limits h1 inet tx
	on h1 iptables -A OUTPUT -p udp --dport 4789 -m statistic --mode nth --every 2 --packet 0 -j DROP
	held h1 tx rx 'packets to peers are not accelerated because IPv4 rule in table filter, chain OUTPUT uses the match statistic'
}

# The kernel tells nobody of these: `watch` asks twice a second.
programs_by_tcx() {
	watched_talk h2
	on h2 "$PYTHON" -IS "$LIB/tcx.py" vx-h1 last theirs out next || skip "no tcx"
	held h2 tx rx 'vx-h1: packets to h1 are not accelerated because another BPF program is on its egress'
	assert_ge 100 "$(on h2 "$PYTHON" -IS "$LIB/tcx.py" count theirs)" "packets that it has seen"
	on h2 "$PYTHON" -IS "$LIB/tcx.py" eth0 last more in next
	wait_for 5 is_kernels h2 rx
	names h2 'eth0: packets from peers are not accelerated because another BPF program is on its ingress' ||
		fail "status: $(cat "$WORK/status")"
}

# There our own filters are beside those of others.
on_filters_of_a_kernel_without_tcx() {
	export VXBPF_NO_TCX=1
	auto_mesh
	wait_for 1 true
	NO_TCX=1 watch h2 vxbr0
	settled h2
	talk 60
	wait_for 5 goes_fast h2 rx
	wait_for 5 goes_fast h2 tx
	vx h2 status vxbr0 | tr -s ' \n' ' ' >"$WORK/status"
	refuse 'not accelerated' "$WORK/status"
	has_ifb
	through_ifb eth0
	held h2 rx tx 'eth0: packets from peers are not accelerated because a u32 filter is on its ingress'
	on h2 tc filter del dev eth0 ingress pref 9
	wait_for 5 goes_fast h2 rx
	# Our tunnels share a block there, and so does who puts a filter into it.
	on h2 tc filter add block "$(block_of h2 egress_block)" pref 9 protocol all u32 match u32 0 0 \
		action mirred egress mirror dev ifb7
	held h2 tx rx 'vx-h1: packets to h1 are not accelerated because a u32 filter is on its egress'
}

refuse() { # REGEX FILE
	! grep -E "$1" "$2" || fail "says: $1"
}

block_of() { # HOST KIND
	on "$1" tc qdisc show dev vx-h1 | sed -n "s/.* $2 \([0-9]*\).*/\1/p"
}

# What tells no packet of a flow from another: firewalld, ufw and Docker have all of this.
firewalls_keep_nothing_slow() {
	watched_talk h2
	on h2 nft -f - <<-'N'
		table inet wall {
			chain early { type filter hook prerouting priority -300; fib saddr . iif oif missing drop; }
			chain stamp { type filter hook prerouting priority mangle; meta mark set mark or 0x10; ct mark set mark; }
			chain in {
				type filter hook input priority 0; policy drop;
				ct state established,related accept
				ct state invalid drop
				tcp dport 22 limit rate 5/minute accept
				iifname "lo" accept
				icmp type echo-request limit rate 10/second accept
				jump noted
				udp dport 4789 counter accept
			}
			chain noted { limit rate 3/minute log prefix "wall: "; }
			chain out { type filter hook output priority 0; oifname "eth0" ip saddr 192.0.2.9 drop; }
		}
	N
	on h2 iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
	on h2 iptables -A INPUT -m addrtype --dst-type BROADCAST -m limit --limit 3/min -j LOG
	sleep 2.5
	goes_fast h2 rx || wait_for 2 goes_fast h2 rx || fail "$(vx h2 status vxbr0)"
	goes_fast h2 tx || wait_for 2 goes_fast h2 tx
	vx h2 status vxbr0 | tr -s ' \n' ' ' >"$WORK/status"
	refuse 'not accelerated' "$WORK/status"
}

run_tests
