# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Exact counters: what moved since `remember`, on both ends of a pair.

MSS=1410 # what TCP sends at once in an overlay of 1450 bytes

FIELDS='[.rx_packets, .rx_bytes, .tx_packets, .tx_bytes, .rx_bum_packets, .tx_bum_packets]'

warm_mesh() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	acquainted c11 c31
	pings c11 "$(ip4_of c21)" 2
	pings c11 "$(ip4_of c31)" 2
	capture underlay sw br0 udp port 4789
	quiet
	remember
}

numbers() {
	status_json "$1" | jq -r --arg peer "$2" ".[0].peers[] | select(.name == \$peer) | $FIELDS | join(\" \")"
}

remember() {
	local host peer
	for host in h1 h2 h3; do
		for peer in h1 h2 h3; do
			[ "$host" = "$peer" ] || numbers "$host" "$peer" >"$WORK/before.$host.$peer"
		done
	done
}

# numbers_moved HOST PEER: each number's growth since `remember`.
numbers_moved() {
	paste -d ' ' "$WORK/before.$1.$2" <(numbers "$1" "$2") |
		awk '{ print $7-$1, $8-$2, $9-$3, $10-$4, $11-$5, $12-$6 }'
}

# moved HOST PEER "RX RX_BYTES TX TX_BYTES RX_BUM TX_BUM": since `remember`, by exactly so much.
moved() {
	local got
	moved_so() {
		got=$(numbers_moved "$1" "$2")
		[ "$got" = "$3" ]
	}
	eventually 3 moved_so "$@" || fail "$1's counters of $2 (rx, bytes, tx, bytes, rx bum, tx bum):" \
		"wanted '$3', got '$got'"
}

# Both ends of a pair saw the same: moved_both H1 H2 TX TX_BYTES RX RX_BYTES
moved_both() {
	moved "$1" "$2" "$5 $6 $3 $4 0 0"
	moved "$2" "$1" "$3 $4 $5 $6 0 0"
}

# A transfer, and what the container's own side says it was on the wire.
tcp_counted() {
	local sent received
	capture sender c11 eth0 tcp
	quiet
	remember
	tcp c11 c21 "$@"
	capture_end sender
	assert_ge 300 "$(captured sender)" "captured packets"
	sent=$("$PYTHON" -IS "$LIB/frame.py" segments "$WORK/sender.pcap" \
		src="$(ip4_of c11)" dst="$(ip4_of c21)" mss="$MSS")
	received=$("$PYTHON" -IS "$LIB/frame.py" segments "$WORK/sender.pcap" \
		src="$(ip4_of c21)" dst="$(ip4_of c11)" mss="$MSS")
	# shellcheck disable=SC2086
	moved_both h1 h2 $sent $received
	echo "$sent, $received"
}
