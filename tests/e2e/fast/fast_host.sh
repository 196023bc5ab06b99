#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The fast path of the host itself, whose port is the bridge device, and of ports nobody has hooked.
#
#      sw ───────────────┐
#      |                 |
#      h1 vxbr0: .101    h2
#      |-- c12 not hooked |
#      c11               c21

ALL_TESTS="
	host_goes_fast
	host_bulk_both_ways
	host_sees_no_mark
	host_output_firewall_stops_it
	host_address_moves_to_a_container
	unhooked_port_sends_fast
	unhooked_port_obeys_the_bridge_at_once
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"

HOST_IP=198.51.100.101

host_mesh() {
	export PEER_MORE_h1=", bridge_address: [$HOST_IP/24, \"2001:db8:1::101/64\"]"
	fast_mesh 2
	pings c21 "$HOST_IP" 2
}

# both_are_fast: of what h1 has sent to and received from h2 since both_marks, nearly all.
both_marks() {
	read -r TX0 TXF0 RX0 RXF0 < <(both_counters)
}

both_counters() {
	status_json h1 | jq -r '.[0].peers[] | select(.name == "h2") |
		"\(.tx_packets) \(.tx_fast_packets) \(.rx_packets) \(.rx_fast_packets)"'
}

both_are_fast() {
	local tx txf rx rxf
	read -r tx txf rx rxf < <(both_counters)
	echo "# sent fast: $((txf - TXF0)) of $((tx - TX0)), received fast: $((rxf - RXF0)) of $((rx - RX0))"
	assert_ge 100 $((tx - TX0)) "packets sent"
	assert_ge 90 $(((txf - TXF0) * 100 / (tx - TX0))) "% sent fast"
	assert_ge 90 $(((rxf - RXF0) * 100 / (rx - RX0))) "% received fast"
}

# ask FROM TO ADDRESS SECONDS: the conversation of `talk`, between others.
ask() {
	background "$2" "$PYTHON" -c "$ECHO"
	wait_for 5 echoes "$2"
	background "$1" "$PYTHON" -c "$PINGPONG" "$3" "$4" >"$WORK/talk"
	wait_for 5 grep -q . "$WORK/talk"
	sleep 1
}

echoes() {
	on "$1" ss -Hulpn 'sport = :7' | grep . >/dev/null
}

host_goes_fast() {
	local to
	host_mesh
	for to in "$(ip4_of c21)" "$(ip6_of c21)"; do
		ask h1 c21 "$to" 4
		both_marks
		sleep 2
		both_are_fast
		sleep 1.5
	done
	ask c21 h1 "$HOST_IP" 4
	both_marks
	sleep 2
	both_are_fast
	drops_are h1 ""
	drops_are h2 ""
}

# blob FROM TO ADDRESS: 30 MB by TCP, compared.
blob() {
	local sent got
	[ -e "$WORK/blob" ] || head -c 30000000 /dev/urandom >"$WORK/blob"
	sent=$(sha256sum <"$WORK/blob")
	background "$2" timeout 60 "$PYTHON" -c '
import socket, sys
s = socket.create_server(("", 5555), reuse_port=False); c, _ = s.accept()
out = open(sys.argv[1], "wb")
while True:
    d = c.recv(1 << 16)
    if not d: break
    out.write(d)
out.close(); c.sendall(b"done")' "$WORK/blob.$2"
	wait_for 5 listening "$2" 5555
	on "$1" timeout 60 "$PYTHON" -c '
import socket, sys
s = socket.create_connection((sys.argv[1], 5555)); s.sendall(open(sys.argv[2], "rb").read())
s.shutdown(socket.SHUT_WR); assert s.recv(4) == b"done"' "$3" "$WORK/blob"
	got=$(sha256sum <"$WORK/blob.$2")
	assert_eq "$sent" "$got" "bytes from $1 at $2"
}

# Counted once on both sides, too: segments, whichever path they took.
host_bulk_both_ways() {
	host_mesh
	eventually 20 pair_at_rest || fail "the hosts do not come to rest"
	blob h1 c21 "$(ip4_of c21)"
	blob c21 h1 "$HOST_IP"
	eventually 5 same_counts || fail "one end counts otherwise than the other"
	assert_ge 1000 "$(counter h1 h2 tx_fast_packets)" "sent fast"
	drops_are h1 ""
	drops_are h2 ""
}

# Of both ends of the pair: what h1 sent and h2 received, what h2 sent and h1 received.
pair() {
	paste -d ' ' <(status_json h1 | jq -r '.[0].peers[] | "\(.tx_packets) \(.tx_bytes) \(.rx_packets) \(.rx_bytes)"') \
		<(status_json h2 | jq -r '.[0].peers[] | "\(.rx_packets) \(.rx_bytes) \(.tx_packets) \(.tx_bytes)"')
}

# No frame was on its way while both were asked, one after the other: a late MLD report, say.
pair_at_rest() {
	pair >"$WORK/pair"
	assert_eq 1 "$(wc -l <"$WORK/pair")" "pairs"
	[ "$(pair)" = "$(cat "$WORK/pair")" ]
}

# Since pair_at_rest, as the hosts did not come up at the same moment.
same_counts() {
	paste -d ' ' "$WORK/pair" <(pair) | awk '{ for (i = 1; i <= 4; i++)
		if ($(i + 8) - $i != $(i + 12) - $(i + 4)) { print "# " $0; exit 1 } }'
}

# The bit that tells port_out what came fast is not for anybody else.
host_sees_no_mark() {
	host_mesh
	on h1 nft -f - <<-'N'
		table ip t { chain in { type filter hook prerouting priority -400; policy accept;
			iifname "vxbr0" meta mark & 0x40000000 != 0 counter
			iifname "vxbr0" meta mark & 0x40000000 == 0 counter
		}; }
	N
	ask c21 h1 "$HOST_IP" 3
	sleep 2
	assert_match 'mark and 0x40000000 != 0x0+ counter packets 0 |mark & 0x40000000 != 0x0+ counter packets 0 ' \
		"$(on h1 nft list ruleset)" "marked frames in the host's stack"
	assert_ge 100 "$(counter h1 h2 rx_fast_packets)" "received fast"
}

host_output_firewall_stops_it() {
	host_mesh
	ask h1 c21 "$(ip4_of c21)" 20
	stops_within_two_seconds on h1 nft -f - <<-'N'
		table ip t { chain out { type filter hook output priority 0; policy accept;
			udp dport 4789 drop
		}; }
	N
	on h1 nft delete table ip t
	comes_back
}

# The host's MAC shows up in a container: followed from the first frame on.
host_address_moves_to_a_container() {
	local mac
	host_mesh
	ask c21 h1 "$HOST_IP" 20
	wait_for 5 is_talking
	mac=$(on h1 cat /sys/class/net/vxbr0/address)
	on h1 ip addr flush dev vxbr0
	on h1 ip link set vxbr0 address 02:c0:00:00:00:77
	on c11 ip link set eth0 address "$mac"
	on c11 ip addr add "$HOST_IP/24" dev eth0
	background c11 "$PYTHON" -c "$ECHO"
	on c11 arping -q -U -c 1 -I eth0 "$HOST_IP"
	wait_for 5 is_talking
}

unhooked() {
	fast_mesh 2
	FASTPATH='' container h1 c12
	! hooks h1 | grep '^c12 ' || fail "c12 is hooked"
	pings c12 "$(ip4_of c21)" 2
}

unhooked_port_sends_fast() {
	unhooked
	ask c12 c21 "$(ip4_of c21)" 4
	both_marks
	mark h2 h1
	sleep 2
	local tx txf
	read -r tx txf _ < <(both_counters)
	assert_ge 90 $(((txf - TXF0) * 100 / (tx - TX0))) "% sent fast"
	assert_ge 90 "$(share h2 h1)" "% received fast by h2"
	wait_for 5 is_silent
	eventually 20 pair_at_rest || fail "the hosts do not come to rest"
	blob c12 c21 "$(ip4_of c21)"
	eventually 5 same_counts || fail "one end counts otherwise than the other"
	drops_are h1 ""
}

# It has gone through the bridge: what stops it there stops it now, not within two seconds.
unhooked_port_obeys_the_bridge_at_once() {
	unhooked
	ask c12 c21 "$(ip4_of c21)" 20
	wait_for 5 is_fast
	on h1 nft -f - <<-'N'
		table bridge t { chain f { type filter hook forward priority 0; policy accept;
			iifname "c12" counter drop
		}; }
	N
	both_marks
	sleep 0.5
	local tx
	read -r tx _ < <(both_counters)
	assert_le 5 $((tx - TX0)) "packets sent meanwhile"
	on h1 nft delete table bridge t
	comes_back
}

run_tests
