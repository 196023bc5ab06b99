# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A mesh with the fast path on, a conversation that is fast, and how soon it stops.

export FASTPATH=on

fast_mesh() { # HOSTS
	mesh "$1"
	mesh_up
	containers_each 1
	pings c11 "$(ip4_of c21)" 2
}

# received_fast HOST PEER: packets from there, and of them the fast ones, both of the same moment.
received_fast() {
	status_json "$1" | jq -r --arg peer "$2" \
		'.[0].peers[] | select(.name == $peer) | "\(.rx_packets) \(.rx_fast_packets)"'
}

# share HOST PEER: of its received packets, how many went fast, in percent, since `mark HOST PEER`.
mark() {
	read -r RX0 FAST0 <<<"$(received_fast "$1" "$2")"
}

share() {
	local rx fast
	read -r rx fast <<<"$(received_fast "$1" "$2")"
	rx=$((rx - RX0)) fast=$((fast - FAST0))
	echo "# $fast of $rx fast" >&2
	[ "$rx" -gt 0 ] || { echo 0 && return; }
	echo $((fast * 100 / rx))
}

# A UDP echo conversation from c11 to c21: a packet every 2 ms. Its log has a line per answer: when that
# request was sent, so that a slow machine is not taken for a slow stop.
PINGPONG='import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.002)
end = time.time() + float(sys.argv[2])
while time.time() < end:
    t = time.time()
    request, answer = b"%.6f" % t, b""
    try:
        s.sendto(request, (sys.argv[1], 7))
        while answer != request:
            answer = s.recv(100)
            print(answer.decode(), flush=True)
    except OSError:
        pass
    time.sleep(max(0, 0.002 - (time.time() - t)))'
ECHO='import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 7))
while True:
    d, a = s.recvfrom(2000); s.sendto(d, a)'

talk() { # SECONDS [ADDRESS]
	background c21 "$PYTHON" -c "$ECHO"
	wait_for 5 ready_to_echo
	background c11 "$PYTHON" -c "$PINGPONG" "${2:-$(ip4_of c21)}" "$1" >"$WORK/talk"
	wait_for 5 grep -q . "$WORK/talk"
	sleep 1
}

ready_to_echo() {
	on c21 ss -Hulpn 'sport = :7' | grep . >/dev/null
}

answers() { # to the requests of the last half second
	awk -v now="$EPOCHREALTIME" 'NF && now - $1 < 0.5 { n++ } END { print n + 0 }' "$WORK/talk"
}

is_silent() {
	[ "$(answers)" -eq 0 ]
}

# stops_within_two_seconds CMD...: what was fast is over two seconds after that change.
stops_within_two_seconds() {
	local changed last
	wait_for 5 is_fast
	"$@"
	changed=$EPOCHREALTIME
	wait_for 5 is_silent
	last=$(tail -n 1 "$WORK/talk")
	last=$(awk -v a="$changed" -v b="$last" 'BEGIN { print int((b - a) * 1000) }')
	echo "# the last request answered was sent $last ms after: $*"
	assert_le 2000 "$last" "ms until it stopped after: $*"
}

# And the undo brings it back, fast again.
comes_back() {
	wait_for 5 is_talking
	wait_for 5 is_fast
}

# is_fast: nearly all that h2 receives now.
is_fast() {
	mark h2 h1
	sleep 0.5
	[ "$(share h2 h1)" -ge 90 ]
}

is_talking() {
	[ "$(answers)" -gt 20 ]
}

listening() {
	on "$1" ss -Hltn "sport = :$2" | grep . >/dev/null
}

