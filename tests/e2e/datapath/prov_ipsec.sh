#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# With IPsec between two hosts wire_in sees ESP, and the guard is as good as without (I4, I11): what came as ESP from
# the peer is let in and counted once, and what came in the clear by another address is a stranger's. Without it
# a policy for a pair turns its guard off: whoever reaches a second address of the host, or a container its bridge
# address, speaks as the peer.
#
#    c11 c12       c21
#      \ /          |
#     vxbr0       vxbr0
#    h1 | ~~ ESP ~~ | h2
#       +--- sw ----+
#            |
#            s9: a stranger

ALL_TESTS="
	stranger_to_a_second_address
	stranger_to_a_second_address_over_ipv6
	container_to_the_bridge_address
	policy_that_came_later_opens_nothing
	transport
	transport_over_ipv6
	tunnel
	tunnel_over_ipv6
	in_udp
	transport_that_came_later
	tunnel_that_came_later
	strangers_beside_esp
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/prov.sh
. "$LIB/prov.sh"

MORE=(h1:c12)
BRIDGE_ADDRESS=198.51.100.101
# shellcheck disable=SC2034 # netns.sh reads it
PEER_MORE_h1=", bridge_address: [$BRIDGE_ADDRESS/24]"

# addr HOST: as the pair has it.
addr() {
	if [ "${FAMILY:-4}" = 6 ]; then address6 "$1"; else address4 "$1"; fi
}

# policies MODE: what h1 and h2 send each other is to be ESP. As SELECTOR has it: what comes in UDP is UDP itself,
# for which an IKE daemon makes an exception by its socket.
SELECTOR=()
policies() {
	local a b
	for a in h1 h2; do
		b=$([ "$a" = h1 ] && echo h2 || echo h1)
		ip -n "$a" xfrm policy add src "$(addr "$a")" dst "$(addr "$b")" "${SELECTOR[@]}" dir out \
			tmpl src "$(addr "$a")" dst "$(addr "$b")" proto esp mode "$1"
		ip -n "$a" xfrm policy add src "$(addr "$b")" dst "$(addr "$a")" "${SELECTOR[@]}" dir in \
			tmpl src "$(addr "$b")" dst "$(addr "$a")" proto esp mode "$1"
		on_exit ip -n "$a" xfrm policy flush
	done
}

# keys MODE [ENCAP...]: both directions, on both hosts.
keys() {
	local host from to spi
	for host in h1 h2; do
		spi=0x1000
		for from in h1 h2; do
			to=$([ "$from" = h1 ] && echo h2 || echo h1)
			spi=$((spi + 1))
			ip -n "$host" xfrm state add src "$(addr "$from")" dst "$(addr "$to")" proto esp spi "$spi" mode "$1" \
				enc 'cbc(aes)' 0x000102030405060708090a0b0c0d0e0f \
				auth-trunc 'hmac(sha256)' 0x000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f 128 \
				"${@:2}" 2>"$WORK/xfrm" || skip "this kernel has no such ESP: $(tail -n 1 "$WORK/xfrm")"
		done
		on_exit ip -n "$host" xfrm state flush
	done
}

without_esp() {
	local host
	on_exit mesh_up
	for host in h1 h2; do on_exit ip -n "$host" xfrm policy flush; done
}

over_ipv6() {
	FAMILY=6
	FAMILIES=6 settings "vni: pair"
}

begin() {
	DROPPED1=$(others_dropped h1) UNGUARDED=$(drops h1 unguarded)
	capture injected c11 eth0 -Q in ether proto 0x88b5
}

unguarded_are() { # N: in all
	reads_so() { [ "$(drops h1 unguarded)" -eq $((UNGUARDED + $1)) ]; }
	eventually 3 reads_so "$1" || fail "unguarded: wanted $1, got $(($(drops h1 unguarded) - UNGUARDED))"
	exactly 0 injected
}

# injects NODE DST [SRC]: plain VXLAN with the pair's VNI.
injects() {
	local node=$1 mac
	mac=$(underlay_mac h1)
	[ "$node" = s9 ] || mac=$(ip -n h1 -j link show vxbr0 | jq -r '.[0].address')
	frames "$node" eth0 count=10 eth "dst=$mac" "src=$(ip -n "$node" -j link show eth0 | jq -r '.[0].address')" \
		ip "src=${3:-192.0.2.9}" "dst=$2" udp vxlan "vni=$(vni h1 h2)" \
		eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=injected
}

second_address() {
	ip -n h1 addr add "$1" dev eth0 nodad
	on_exit ip -n h1 addr del "$1" dev eth0
}

stranger_to_a_second_address() {
	without_esp
	policies transport
	mesh_up
	second_address 192.0.2.101/24
	begin
	injects s9 192.0.2.101
	unguarded_are 10
	injects s9 192.0.2.101 "$(address4 h2)"
	unguarded_are 20
}

stranger_to_a_second_address_over_ipv6() {
	over_ipv6
	without_esp
	policies transport
	mesh_up
	second_address 2001:db8::101/64
	begin
	injects s9 2001:db8::101 2001:db8::9
	unguarded_are 10
}

container_to_the_bridge_address() {
	without_esp
	policies transport
	mesh_up
	begin
	injects c12 "$BRIDGE_ADDRESS" "$(ip4_of c12)"
	unguarded_are 10
}

policy_that_came_later_opens_nothing() {
	without_esp
	second_address 192.0.2.101/24
	policies transport
	begin
	injects s9 192.0.2.101
	injects c12 "$BRIDGE_ADDRESS" "$(ip4_of c12)"
	unguarded_are 20
}

# numbers HOST PEER: what it has received from and sent to that peer.
numbers() {
	status_json "$1" | jq -r --arg peer "$2" '.[0].peers[] | select(.name == $peer) |
		"\(.rx_packets) \(.rx_bytes) \(.tx_packets) \(.tx_bytes)"'
}

# grown FILE HOST PEER
grown() {
	paste -d ' ' "$1" <(numbers "$2" "$3") | awk '{ print $5 - $1, $6 - $2, $7 - $3, $8 - $4 }'
}

# Frames of known number and size, pings, and a transfer: all arrive, each is counted once on both hosts, nothing else
# is on the wire but ESP, and nothing is counted as dropped.
traffic() {
	local wire=esp before1=$WORK/before1 before2=$WORK/before2 n=200
	[ "${1:-}" != udp ] || wire='udp port 4500'
	DROPPED1=$(others_dropped h1)
	pings c11 "$(ip4_of c21)" 5
	# Nobody takes the flow's packets there, which is no news for their sender.
	on_exit on c21 nft delete table ip silent
	on c21 nft -f - <<-'END'
		table ip silent {
			chain c { type filter hook output priority 0; icmp type destination-unreachable drop; }
		}
	END
	capture clear sw h1-eth0 udp port 4789
	capture esp sw h1-eth0 "$wire"
	capture flow c21 eth0 -Q in "${FLOW_FILTER[@]}"
	quiet
	numbers h1 h2 >"$before1"
	numbers h2 h1 >"$before2"
	flow "$n" 0.002
	flow_over
	exactly "$n" flow
	exactly "$n" esp
	counted_once() {
		[ "$(grown "$before1" h1 h2 | cut -d ' ' -f 1,2,3)" = "0 0 $n" ] &&
			[ "$(grown "$before2" h2 h1 | cut -d ' ' -f 1,3,4)" = "$n 0 0" ] &&
			[ "$(grown "$before1" h1 h2 | cut -d ' ' -f 4)" = "$(grown "$before2" h2 h1 | cut -d ' ' -f 2)" ]
	}
	eventually 3 counted_once || fail "h1 (rx, bytes, tx, bytes): $(grown "$before1" h1 h2);" \
		"h2: $(grown "$before2" h2 h1); wanted $n sent and received"
	numbers h2 h1 >"$before2"
	pings c21 "$(ip4_of c11)" 20 -s 1300
	both_ways() { [ "$(grown "$before2" h2 h1)" = "20 $((20 * 1342)) 20 $((20 * 1342))" ]; }
	eventually 3 both_ways || fail "h2 after 20 pings: $(grown "$before2" h2 h1)"
	tcp c11 c21 1M
	exactly 0 clear
	assert_eq "$DROPPED1" "$(others_dropped h1)" "drops on h1"
}

esp() { # MODE [ENCAP...]
	without_esp
	keys "$@"
	policies "$1"
	mesh_up
}

transport() {
	esp transport
	traffic
}

transport_over_ipv6() {
	over_ipv6
	esp transport
	traffic
}

# The kernel shows wire_in what it has taken out of such a packet, too: once is once.
tunnel() {
	esp tunnel
	traffic
}

tunnel_over_ipv6() {
	over_ipv6
	esp tunnel
	traffic
}

in_udp() {
	local host
	for host in h1 h2; do
		background "$host" "$PYTHON" -IS "$HERE/encap.py" 4500 >"$WORK/encap.$host"
		wait_for 5 grep -q open "$WORK/encap.$host"
	done
	SELECTOR=(proto udp dport 4789)
	esp transport encap espinudp 4500 4500 0.0.0.0
	traffic udp
}

# Nobody has run `up` since: what the kernel delivers arrives.
later() {
	without_esp
	keys "$1"
	policies "$1"
	traffic
}

transport_that_came_later() {
	later transport
}

tunnel_that_came_later() {
	later tunnel
}

strangers_beside_esp() {
	esp transport
	pings c11 "$(ip4_of c21)" 5
	second_address 192.0.2.101/24
	begin
	injects s9 192.0.2.101
	injects c12 "$BRIDGE_ADDRESS" "$(ip4_of c12)"
	unguarded_are 20
	# In the clear and by the right addresses: the kernel's policy refuses that.
	injects s9 "$(address4 h1)" "$(address4 h2)"
	exactly 0 injected
	pings c11 "$(ip4_of c21)" 5
}

FAMILIES=46 standing 2
FAMILIES=4
node s9
run_tests
