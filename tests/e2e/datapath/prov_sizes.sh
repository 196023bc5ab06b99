#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The path takes less than it did when a flow was learned: the kernel cuts the outer packets in two, and large and
# small frames of that flow arrive as they do without the fast path (I6). Without this the large ones vanish, and
# the small ones, too, once something is learned from a fragment.
#
#    c11        c21
#     |          |
#   vxbr0 h1   vxbr0 h2
#     |          |
#   --+--- sw ---+--   cables or routes of 1500, then 1400, then 1500 bytes

ALL_TESTS="
	cable_narrows_over_ipv4
	route_narrows_over_ipv4
	cable_narrows_over_ipv6
	narrow_from_the_start
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$(dirname "$0")/../../lib/fast.sh"
# shellcheck source=tests/lib/mtu.sh
. "$LIB/mtu.sh"
# With CONTROL=1 the same without the fast path.
[ -z "${CONTROL:-}" ] || FASTPATH=off

N=200
ROUND=0

# Over IPv6 less fits in.
overlay_mtu() {
	case $FAMILIES in 6) echo 1430 ;; *) echo 1450 ;; esac
}

narrow_mesh() {
	LARGE=$(overlay_mtu)
	mesh 2
	cable 1500
	mesh_up
	containers_each 1
	ip -n c11 link set eth0 mtu "$LARGE"
	ip -n c21 link set eth0 mtu "$LARGE"
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	background c21 "$PYTHON" -IS "$HERE/turns.py" serve "$(ip4_of c21)" 7 "$WORK/got4"
	background c21 "$PYTHON" -IS "$HERE/turns.py" serve "$(ip6_of c21)" 8 "$WORK/got6"
	wait_for 5 on c21 bash -c 'ss -Hlun sport = 8 | grep . >/dev/null'
}

arrived() { # 4|6 SIZE
	grep -c "^round$ROUND $2$" "$WORK/got$1" || true
}

all_arrived() {
	ARRIVED="IPv4: $(arrived 4 100) small, $(arrived 4 "$LARGE") large; IPv6: $(arrived 6 100) small, $(arrived 6 "$LARGE") large"
	[ "$ARRIVED" = "IPv4: $N small, $N large; IPv6: $N small, $N large" ]
}

# round WHAT: N small and N large of an IPv4 and of an IPv6 flow in turn.
round() {
	local six
	ROUND=$((ROUND + 1))
	mark h2 h1
	enter c11
	"${ENTER[@]}" "$PYTHON" -IS "$HERE/turns.py" send "$(ip6_of c21)" 8 "round$ROUND" "$N" 0.001 100 "$LARGE" &
	six=$!
	on c11 "$PYTHON" -IS "$HERE/turns.py" send "$(ip4_of c21)" 7 "round$ROUND" "$N" 0.001 100 "$LARGE"
	wait "$six"
	eventually 1 all_arrived || true
	FAST=$(share h2 h1 2>/dev/null)
	echo "# $1: $ARRIVED; $FAST % fast"
}

fast_round() {
	round "$1"
	all_arrived || fail "$1: $ARRIVED"
	[ "$FASTPATH" = off ] || assert_ge 80 "$FAST" "percent fast, $1"
}

# What was learned before may be used for two seconds. The kernel tells a sender of IPv6 what the path takes, so its
# first frame is lost; what does not fit afterwards it has cut by itself. Over IPv6 the kernel cuts nothing outside, so
# that IPv4 without DF is lost without the fast path, too.
narrow_round() {
	local changed=$EPOCHREALTIME small=0 pieces
	round "$1, at once"
	small=$(($(arrived 4 100) + $(arrived 6 100)))
	sleep "$(awk -v a="$changed" -v b="$EPOCHREALTIME" 'BEGIN { print b - a < 2.1 ? 2.1 - (b - a) : 0 }')"
	capture large sw h1-eth0 'udp dst port 4789 and greater 1415'
	capture small sw h1-eth0 'udp dst port 4789 and greater 100 and less 200'
	round "$1"
	pieces=$(captured small 'ip[6:2] & 0x3fff != 0')
	assert_eq "0 pieces, $((2 * N))" "$pieces pieces, $small" "small ones, $1, at once"
	assert_eq "$N, $N" "$(arrived 4 100), $(arrived 6 100)" "small ones, $1"
	assert_eq "$N" "$(arrived 6 "$LARGE")" "large ones of IPv6, $1"
	[ "$FAMILIES" = 6 ] || assert_eq "$N" "$(arrived 4 "$LARGE")" "large ones of IPv4, $1"
	exactly 0 large
}

# narrows WHAT CMD1 CMD2: all arrive, after CMD1 and after CMD2 too.
narrows() {
	fast_round "at 1500"
	$2
	narrow_round "at 1400 by $1"
	$3
	round "at 1500 again, at once"
	all_arrived || fail "at 1500 again, at once: $ARRIVED"
	ip -n c11 -6 route flush cache
	sleep 2
	fast_round "at 1500 again"
}

cable_narrows() {
	narrow_mesh
	narrows cable "cable 1400" "cable 1500"
}

cable_narrows_over_ipv4() {
	cable_narrows
}

cable_narrows_over_ipv6() {
	FAMILIES=6
	cable_narrows
}

# Only h1's routing says so: the cable does not, but a narrow one may be behind it.
route_is_narrow() {
	ip -n h1 route add "$(address4 h2)" dev eth0 mtu 1400
}

route_is_wide() {
	ip -n h1 route del "$(address4 h2)" dev eth0 mtu 1400
}

route_narrows_over_ipv4() {
	narrow_mesh
	narrows route route_is_narrow route_is_wide
}

# The first large frame is cut, and its first piece looks much like a packet to learn from.
narrow_from_the_start() {
	narrow_mesh
	cable 1400
	sleep 2
	narrow_round "narrow before the flow began"
}

run_tests
