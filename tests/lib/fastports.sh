# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Bulk data over the fast path, and how much of it went that way and in what pieces.
#
#   bulk FROM TO ADDRESS BYTES    TCP; fails unless every byte arrives as sent
#   bursts FROM TO ADDRESS N      UDP super-packets (UDP_SEGMENT), fails unless all arrive, none twice sent
#   talk FROM TO ADDRESS LIMIT [GAP]   UDP, one datagram at a time (see bulk.py) until
#   talked FROM TO                it is over; leaves SENT and LOST; none may be lost
#   over FROM TO                  the same, now
#   mark HOST PEER                from here on:
#   share HOST PEER [rx|tx]       percent of the packets with that peer that went fast
#   since_mark HOST PEER          RX, RX_FAST, RX_BUM, TX, TX_FAST, TX_BUM in numbers
#   pieces NS IF                  from here on:
#   piece NS                      average length of the packets it got by IF, super-packets whole
#   sent_pieces NS IF, sent_piece NS IF    the same of those it sent

ready() { # NS PROTOCOL PORT
	on "$1" ss -Hln"$2" "sport = :$3" | grep . >/dev/null
}

bulk() {
	local from=$1 to=$2 address=$3 bytes=$4 serving
	background "$to" "$PYTHON" -IS "$LIB/bulk.py" serve 5001 >"$WORK/bulk.got"
	serving=$PID
	wait_for 5 ready "$to" t 5001
	on "$from" timeout 60 "$PYTHON" -IS "$LIB/bulk.py" send "$address" 5001 "$bytes" >"$WORK/bulk.sent" ||
		fail "bulk $from -> $address: not sent"
	wait "$serving" || fail "bulk $from -> $address: not received"
	assert_same "$WORK/bulk.sent" "$WORK/bulk.got" "bulk $from -> $address"
}

bursts() {
	local from=$1 to=$2 address=$3 n=$4 serving
	background "$to" "$PYTHON" -IS "$LIB/bulk.py" datagrams-serve 5002
	serving=$PID
	wait_for 5 ready "$to" u 5002
	on "$from" timeout 60 "$PYTHON" -IS "$LIB/bulk.py" datagrams "$address" 5002 "$n" 1200 >"$WORK/bursts" ||
		fail "bursts $from -> $address"
	wait "$serving" || fail "bursts $from -> $address: damaged"
	assert_eq 0 "$(cat "$WORK/bursts")" "bursts $from -> $address that had to be sent again"
}

talk() {
	local from=$1 to=$2 address=$3 words=$WORK/talk.$1.$2
	shift 3
	background "$to" "$PYTHON" -IS "$LIB/bulk.py" echo 5003
	wait_for 5 ready "$to" u 5003
	background "$from" "$PYTHON" -IS "$LIB/bulk.py" pingpong "$address" 5003 "$@" >"$words"
	echo "$PID" >"$words.pid"
	wait_for 10 grep -q . "$words"
}

talked() {
	local words=$WORK/talk.$1.$2
	wait "$(<"$words.pid")" || fail "the conversation broke off"
	read -r SENT LOST < <(tail -n 1 "$words")
	echo "# $SENT sent, $LOST not answered" >&2
	assert_eq 0 "$LOST" "not answered of $SENT"
}

over() {
	kill "$(<"$WORK/talk.$1.$2.pid")" || true
	talked "$1" "$2"
}

# All in one reading: traffic goes on meanwhile.
traffic_with() { # HOST PEER
	status_json "$1" "${OVERLAY:-vxbr0}" | jq -e -r --arg peer "$2" '.[0].peers[] | select(.name == $peer) |
		"\(.rx_packets) \(.rx_fast_packets) \(.tx_packets) \(.tx_fast_packets) \(.rx_bum_packets) \(.tx_bum_packets)"'
}

mark() {
	traffic_with "$1" "$2" >"$WORK/mark.${OVERLAY:-vxbr0}.$1.$2"
}

# since_mark HOST PEER: sets RX, RX_FAST, RX_BUM, TX, TX_FAST, TX_BUM.
since_mark() {
	local before now
	read -r -a before <"$WORK/mark.${OVERLAY:-vxbr0}.$1.$2"
	read -r -a now <<<"$(traffic_with "$1" "$2")"
	RX=$((now[0] - before[0])) RX_FAST=$((now[1] - before[1]))
	TX=$((now[2] - before[2])) TX_FAST=$((now[3] - before[3]))
	# shellcheck disable=SC2034 # for the caller
	RX_BUM=$((now[4] - before[4])) TX_BUM=$((now[5] - before[5]))
}

share() {
	local way=${3:-rx}
	since_mark "$1" "$2"
	echo "# $1 and $2: received $RX, $RX_FAST fast; sent $TX, $TX_FAST fast" >&2
	[ "$way" = rx ] || { RX=$TX && RX_FAST=$TX_FAST; }
	[ "$RX" -gt 0 ] || { echo 0 && return; }
	echo $((RX_FAST * 100 / RX))
}

# Where netfilter counts, a packet is what the stack was handed: whole, if nobody has cut it up.
pieces() {
	on "$1" nft -f - <<-END
		table inet pieces
		delete table inet pieces
		table inet pieces {
			chain c {
				type filter hook prerouting priority -400;
				iifname "$2" counter
			}
		}
	END
}

piece() {
	on "$1" nft -j list table inet pieces | jq -r '[.. | .counter? | objects][0] |
		"# \(.packets) packets of \(.bytes) bytes", (.bytes / ([.packets, 1] | max) | floor)' |
		{ read -r line && echo "$line" >&2 && cat; }
}

sent_pieces() {
	ip -n "$1" -s -j link show "$2" | jq -r '.[0].stats64.tx | "\(.packets) \(.bytes)"' >"$WORK/sent.$1.$2"
}

sent_piece() {
	local packets bytes packets0 bytes0
	read -r packets0 bytes0 <"$WORK/sent.$1.$2"
	sent_pieces "$1" "$2"
	read -r packets bytes <"$WORK/sent.$1.$2"
	echo "# $1 $2 sent $((packets - packets0)) packets" >&2
	[ "$packets" -gt "$packets0" ] || { echo 0 && return; }
	echo $(((bytes - bytes0) / (packets - packets0)))
}
