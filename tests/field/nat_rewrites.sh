#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a masquerade or SNAT rule on the host catches more than it was meant for: our tunnels' outer packets, or,
#            with br_netfilter on, frames between containers and peers.
# Kernel: sends with the other address: a plain VXLAN device there takes it from anybody; containers see the host as
#         the sender of everything.
# vxbpf: `check` names the chain and the command that makes the exception; nothing is said of rules that change nothing
#        (a masquerade by the address that a packet has already), or that may not match.
# time limit: 120

ALL_TESTS="
	tunnels_by_nft
	tunnels_by_iptables
	rules_that_change_nothing
	bridged_frames
	legacy_tables
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/wrong.sh
. "$LIB/wrong.sh"

# A host with a second address, where the mesh uses that one.
second_address() {
	mesh 2
	ip -n h1 addr del "$(address4 h1)/24" dev eth0
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	ip -n h1 addr add "$(address4 h1)/24" dev eth0
	mesh_up
	containers_each 1
	reach_all c11 c21
	right h1
}

tunnels_by_nft() {
	second_address
	on h1 nft "table ip out { chain post { type nat hook postrouting priority 100; oifname \"eth0\" masquerade; }; }"
	wrong h1 nat 'chain post of table ip out rewrites the source address 192.0.2.1 of packets to h2 \(NAT\), so that they arrive there as if from a stranger and are dropped; exclude them with `nft insert rule ip out post udp dport 4789 accept`, then end .* `conntrack -D -p udp --orig-port-dst 4789`'
	on h1 sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1 net.netfilter.nf_conntrack_udp_timeout_stream=1
	unreachable c11 "$(ip4_of c21)"
	on h1 nft insert rule ip out post udp dport 4789 accept
	sleep 3 # what is tracked ends, as `conntrack -D` would have it
	wait_for 10 reaches c11 c21
	right h1
	# To the address that it is, it is no other.
	on h1 nft flush chain ip out post
	on h1 nft add rule ip out post oifname eth0 ip daddr 192.0.2.0/24 snat to 192.0.2.1
	right h1
	on h1 nft flush chain ip out post
	on h1 nft add rule ip out post oifname eth0 ip daddr 192.0.2.0/24 snat to 192.0.2.101
	wrong h1 nat 'chain post of table ip out rewrites the source address'
	# What is not tracked is not translated.
	on h1 nft "table inet raw { chain out { type filter hook output priority raw; udp dport 4789 notrack; }; }"
	right h1
}

reaches() {
	on "$1" ping -c 1 -W 1 "$(ip4_of "$2")" >/dev/null
}

tunnels_by_iptables() {
	second_address
	on h1 iptables -t nat -N others
	on h1 iptables -t nat -A POSTROUTING -o eth0 ! -d 203.0.113.0/24 -j others
	on h1 iptables -t nat -A others -s 192.0.2.0/25 -j MASQUERADE
	wrong h1 nat 'chain others of table ip nat rewrites .*exclude them with `iptables -t nat -I others -p udp --dport 4789 -j ACCEPT`'
	on h1 iptables -t nat -I others -p udp --dport 4789 -j ACCEPT
	right h1
	on h1 iptables -t nat -F others
	on h1 iptables -t nat -A others -s 192.0.2.0/25 -j SNAT --to-source 192.0.2.101
	wrong h1 nat 'chain others of table ip nat rewrites'
}

# As on most hosts with containers.
rules_that_change_nothing() {
	FAMILIES=46
	mesh 2
	mesh_up
	containers_each 1
	for tool in iptables ip6tables; do
		on h1 "$tool" -t nat -A POSTROUTING -o eth0 -j MASQUERADE
	done
	on h1 iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
	on h1 nft "table inet more { chain post { type nat hook postrouting priority 101; oifname \"eth1\" masquerade; ip saddr 10.0.0.0/8 ip daddr != 10.0.0.0/8 masquerade; meta mark 0x4000 masquerade; }; }"
	right h1
	reach_all c11 c21
	right h1
}

seen_by() { # ADDRESS: c21 gets a packet from there
	on c21 timeout 5 tcpdump -c 1 -nni eth0 "icmp[0] == 8 and src $1" >/dev/null 2>&1
}

bridged_frames() {
	local nat='rewrites their source address \(NAT\)'
	two
	on h1 test -e /proc/sys/net/bridge/bridge-nf-call-iptables || skip "no br_netfilter"
	ip -n h1 addr add 198.51.100.100/24 dev vxbr0
	on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=0
	expect 3 vx h1 check vxbr0 # that the fast path is off
	case $OUT in *": nat: "*) fail "nothing is translated: $OUT" ;; esac
	on h1 iptables -t nat -A POSTROUTING -s 198.51.100.0/24 -j MASQUERADE
	expect 3 vx h1 check vxbr0
	assert_match "nat: this host's firewall sees IPv4 frames between containers and peers \(bridge-nf-call is on\), and chain POSTROUTING of table ip nat $nat; exclude them with .iptables -t nat -I POSTROUTING -m physdev --physdev-is-bridged -j ACCEPT., or disable the firewall on bridges with .sysctl -w net.bridge.bridge-nf-call-iptables=0" "$OUT" "check"
	background c11 ping -i 0.2 "$(ip4_of c21)" >/dev/null
	seen_by 198.51.100.100 || fail "nothing is rewritten"
	stop "$PID"
	on h1 iptables -t nat -I POSTROUTING -m physdev --physdev-is-bridged -j ACCEPT
	background c11 ping -i 0.2 "$(ip4_of c21)" >/dev/null
	seen_by "$(ip4_of c11)" || fail "still rewritten"
	expect 3 vx h1 check vxbr0
	case $OUT in *": nat: "*) fail "still: $OUT" ;; esac
	# To elsewhere alone: not these frames.
	on h1 iptables -t nat -F POSTROUTING
	on h1 iptables -t nat -A POSTROUTING -s 198.51.100.0/24 ! -d 198.51.100.0/24 -j MASQUERADE
	on h1 iptables -t nat -A POSTROUTING -s 198.51.100.0/24 ! -o vxbr0 -j MASQUERADE
	expect 3 vx h1 check vxbr0
	case $OUT in *": nat: "*) fail "these do not match: $OUT" ;; esac
	on h1 nft "table ip out { chain post { type nat hook postrouting priority 100; ip saddr 198.51.100.0/24 masquerade; }; }"
	expect 3 vx h1 check vxbr0
	assert_match "chain post of table ip out $nat; exclude them with .nft insert rule ip out post ip saddr 198.51.100.[0-9]+/24 ip daddr 198.51.100.[0-9]+/24 accept" "$OUT" "check"
	on h1 nft insert rule ip out post ip saddr 198.51.100.100/24 ip daddr 198.51.100.100/24 accept
	expect 3 vx h1 check vxbr0
	case $OUT in *": nat: "*) fail "still: $OUT" ;; esac
}

legacy_tables() {
	command -v iptables-legacy >/dev/null || skip "no iptables-legacy"
	second_address
	on h1 iptables-legacy -t nat -A POSTROUTING -o eth0 -j MASQUERADE 2>/dev/null || skip "no legacy tables"
	wrong h1 nat 'chain POSTROUTING of table ip nat rewrites .*`iptables-legacy -t nat -I POSTROUTING -p udp --dport 4789 -j ACCEPT`'
	on h1 iptables-legacy -t nat -I POSTROUTING -p udp --dport 4789 -j ACCEPT
	right h1
}

run_tests
