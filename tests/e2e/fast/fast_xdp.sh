#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A container's XDP program meets every frame, fast or not: within two seconds of its attachment nothing
# arrives that it drops, however it is attached, with `vxbpf watch` and without; and with it frames are fast
# again after.
#
#    c11        c21  <- a wall against UDP
#     |          |
#   vxbr0 h1   vxbr0 h2
#     |          |
#   --+----------+--   sw
# time limit: 400

ALL_TESTS="
	unwatched_wall_holds
	watched_wall_holds
	wall_is_found
	lease_ends_with_the_watch
	killed_watch_leaves_no_gap
	unannounced_wall_holds
	generic_wall_behind_a_queue_holds
	tcp_is_whole_behind_a_wall
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0
NEAR="only to the host's end of the veth"
UNWATCHED="only packets it sends, because \`vxbpf watch\` is not running"

# UDP from c11, a datagram every 2 ms, each of which $RECEIVER writes a line of; nobody answers.
STREAM='import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5000))
while True:
    s.sendto(b"x" * 64, (sys.argv[1], 7)); time.sleep(0.002)'
RECEIVER='import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7))
while True:
    s.recv(2000); print("%.6f" % time.time(), flush=True)'

stream_mesh() {
	leased() { :; }
	fast_mesh 2
	acquainted c11 c21
	background c21 "$PYTHON" -IS -c "$RECEIVER" >"$WORK/arrived"
	wait_for 10 listens
	background c11 "$PYTHON" -IS -c "$STREAM" "$(ip4_of c21)"
	wait_for 10 test -s "$WORK/arrived"
}

watched_stream() {
	stream_mesh
	watch h2 vxbr0
	wait_for 3 goes c21 PEER
	wait_for 5 is_fast
	assert_eq "true " "$(why_of h2 c21)" "why of c21"
}

listens() {
	on c21 ss -Huln 'sport = :7' | grep . >/dev/null
}

arrived() {
	wc -l <"$WORK/arrived"
}

# wall HOW KIND: see xdp.py.
wall() {
	: >"$WORK/wall"
	background c21 "$LIB/xdp.py" eth0 "$@" >"$WORK/wall"
	WALL=$PID
	wait_for 5 grep -q attached "$WORK/wall"
}

# holds: two seconds after the attachment nothing arrives any more, though it is sent.
holds() {
	local before sent
	sleep 2
	before=$(arrived)
	sent=$(counter h2 h1 rx_packets)
	sleep 1
	assert_eq "$before" "$(arrived)" "datagrams before the wall and a second later"
	assert_ge 100 $(($(counter h2 h1 rx_packets) - sent)) "packets that came meanwhile"
}

# flows_again: the wall is gone.
flows_again() {
	local before
	stop "$WALL"
	before=$(arrived)
	sleep 1
	assert_ge 50 $(($(arrived) - before)) "datagrams after the wall"
}

every_wall_holds() { # CMD...: what is true again after each
	local how kind
	for how in netlink link; do
		for kind in plain frags generic; do
			echo "# $how $kind"
			wall "$how" "$kind"
			holds
			flows_again
			wait_for 5 "$@"
		done
	done
}

is_slow() {
	mark h2 h1
	sleep 0.5
	[ "$(share h2 h1)" -eq 0 ]
}

way_of() { # PORT: how its flows get in
	local ifindex
	ifindex=$(on h2 cat "/sys/class/net/$1/ifindex")
	on h2 bpftool -j map dump pinned /sys/fs/bpf/vxbpf/vxbr0/flows |
		jq -r --argjson to "$ifindex" '[.[].formatted.value | select(.to == $to and (.hop | startswith("VX_HOP_WIRE")))] |
			max_by(.learned_ns).way'
}

goes() { # PORT WAY
	[ "$(way_of "$1")" = "VX_WAY_$2" ]
}

why_of() { # HOST PORT
	status_json "$1" | jq -r --arg p "$2" '.[0].ports[] | select(.ifname == $p) | "\(.accelerated) \(.why)"'
}

unwatched_wall_holds() {
	stream_mesh
	wait_for 3 is_slow
	assert_eq "true $UNWATCHED" "$(why_of h2 c21)" "why of c21"
	assert_eq up "$(status_json h2 | jq -r '.[0].state')" "state"
	vx h2 status | grep -F "fast ($UNWATCHED): c21" || fail "status does not say so"
	every_wall_holds is_slow
}

watched_wall_holds() {
	watched_stream
	every_wall_holds is_fast
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

# It was there before `watch` was.
wall_is_found() {
	stream_mesh
	wall link frags
	watch h2 vxbr0
	wait_for 3 status_says "true $NEAR, because XDP is at the other end"
	holds
	flows_again
	wait_for 4 goes c21 PEER
	wait_for 4 status_says "true "
}

status_says() {
	[ "$(why_of h2 c21)" = "$1" ]
}

lease_ends_with_the_watch() {
	watched_stream
	unwatch TERM 0
	assert_eq "true $UNWATCHED" "$(why_of h2 c21)" "why of c21"
	sleep 2
	is_slow || fail "still fast"
	watch h2 vxbr0
	wait_for 4 is_fast
}

# Nobody ends its lease: it runs out.
killed_watch_leaves_no_gap() {
	watched_stream
	unwatch KILL 137
	sleep 2
	wall netlink frags
	holds
	flows_again
}

# Where the host's end has no offloads left to lose the kernel says nothing when XDP comes.
unannounced_wall_holds() {
	local kind
	watched_stream
	on h2 ethtool -K c21 tso off tx-udp-segmentation off tx-sctp-segmentation off tx-gso-list off >/dev/null 2>&1 ||
		true
	wait_for 4 goes c21 PORT
	assert_eq "true $NEAR, because its TSO is off" "$(why_of h2 c21)" "why of c21"
	for kind in plain frags generic; do
		wall link "$kind"
		holds
		flows_again
	done
	on h2 ethtool -K c21 tso on
	wait_for 4 goes c21 PEER
}

# A queue at the host's end is gone through, and generic XDP at the other would not meet what comes by it.
generic_wall_behind_a_queue_holds() {
	watched_stream
	on h2 tc qdisc add dev c21 root pfifo || skip "this kernel has no pfifo"
	wait_for 4 goes c21 PORT
	wait_for 4 is_fast
	wall link generic
	holds
	assert_eq "true only packets it sends, because generic XDP is at the other end" "$(why_of h2 c21)" "why of c21"
	flows_again
	wait_for 5 is_fast
}

# TCP meets a wall that lets it pass, in the middle of a stream, and goes on.
tcp_is_whole_behind_a_wall() {
	local kind client
	fast_mesh 2
	acquainted c11 c21
	watch h2 vxbr0
	for kind in plain frags generic; do
		background c21 iperf3 -s -1
		wait_for 5 listening c21 5201
		background c11 iperf3 -c "$(ip4_of c21)" -t 6 -J >"$WORK/stream"
		client=$PID
		sleep 2
		wall netlink "$kind"
		wait "$client"
		jq -r '.intervals[].sum.bits_per_second / 1e6 | floor | tostring + " Mbit/s"' "$WORK/stream"
		jq -e '[.intervals[].sum.bytes] | min > 1000000' "$WORK/stream" >/dev/null || fail "$kind: a second without traffic"
		stop "$WALL"
	done
	drops_are h2 ""
}

run_tests
