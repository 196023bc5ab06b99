#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Much of everything under the fast path: more flows than its cache holds, overlays side by side,
# containers that come and go by the hundred, a peer that is gone. Whoever talks elsewhere does not notice.
#
#    c11        c21        c31
#     |          |          |
#   vxbr0 h1   vxbr0 h2   vxbr0 h3
#     |          |          |
#   --+----------+----------+--   sw, 192.0.2.0/24
# time limit: 300

ALL_TESTS="
	more_flows_than_the_cache_holds
	two_overlays_with_the_same_macs
	two_hundred_containers_come_and_go
	peer_vanishes
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"
# shellcheck source=tests/lib/fastports.sh
. "$LIB/fastports.sh"

FASTPATH=on
IPV6=0

fast_mesh() { # HOSTS
	mesh "$1"
	mesh_up
	containers_each 1
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
}

in_map() { # HOST MAP
	on "$1" "$PYTHON" -IS "$HERE/entries.py" "/sys/fs/bpf/vxbpf/vxbr0/$2"
}

# once_each FROM TO N: a datagram of each of N flows.
once_each() {
	on "$1" "$PYTHON" -IS "$LIB/bulk.py" flows eth0 "$(ip4_of "$1")" "$(ip4_of "$2")" \
		"$(mac_of "$1")" "$(mac_of "$2")" "$3"
}

# So that 70,000 datagrams for nobody are not answered by as many errors.
takes_all() {
	on "$1" nft -f - <<-END
		table ip takes {
			chain c {
				type filter hook prerouting priority -300;
				udp dport 9000-9010 counter drop
			}
		}
	END
}

more_flows_than_the_cache_holds() {
	local host n=70000
	fast_mesh 2
	takes_all c11
	takes_all c21
	talk c11 c21 "$(ip4_of c21)" 60
	once_each c11 c21 "$n"
	once_each c21 c11 "$n"
	for host in h1 h2; do
		assert_ge 60000 "$(in_map "$host" flows)" "flows of $host"
		assert_le 65536 "$(in_map "$host" flows)" "flows of $host"
	done
	# The old conversation is as fast as before.
	mark h2 h1
	sleep 2
	assert_ge 90 "$(share h2 h1)" "fast"
	over c11 c21
	assert_ge 1000 "$SENT" "conversation"
	# A new one soon is.
	talk c11 c21 "$(ip4_of c21)" 60
	mark h2 h1
	sleep 2
	assert_ge 90 "$(share h2 h1)" "fast"
	assert_ge 90 "$(share h2 h1 tx)" "fast"
	over c11 c21
	drops_are h1 ""
	drops_are h2 ""
}

# The same containers twice, by their MACs and addresses; what they say is not the same.
two_overlays_with_the_same_macs() {
	local host
	mesh 2
	config blue
	for host in h1 h2; do
		vx "$host" up vxbr0
		vx "$host" up blue
	done
	containers_each 1
	container h1 d11 blue
	container h2 d21 blue
	acquainted c11 c21
	acquainted d11 d21
	pings c11 "$(ip4_of c21)" 2
	pings d11 "$(ip4_of c21)" 2
	for host in h1:h2 h2:h1; do
		mark "${host%:*}" "${host#*:}"
		OVERLAY=blue mark "${host%:*}" "${host#*:}"
	done
	talk c11 c21 "$(ip4_of c21)" -20000
	talk d11 d21 "$(ip4_of d21)" -30000
	talked c11 c21
	talked d11 d21
	for host in h1:h2 h2:h1; do
		assert_ge 90 "$(share "${host%:*}" "${host#*:}")" "fast of vxbr0"
		since_mark "${host%:*}" "${host#*:}"
		assert_eq "20000 20000" "$RX $TX" "vxbr0's packets received and sent"
		OVERLAY=blue
		assert_ge 90 "$(share "${host%:*}" "${host#*:}")" "fast of blue"
		since_mark "${host%:*}" "${host#*:}"
		assert_eq "30000 30000" "$RX $TX" "blue's packets received and sent"
		OVERLAY=vxbr0
	done
	bulk c11 c21 "$(ip4_of c21)" 50000000
	bulk d11 d21 "$(ip4_of d21)" 60000000
}

# What watch and the overlay hold.
held() {
	find "/proc/$WATCH/fd" | wc -l
	pins_of h1
	in_map h1 ports
	in_map h1 doors
	in_map h1 tunnels
	hooks h1 | sort
}

ports_hooked() {
	[ "$(hooks h1 | grep -c '^s[0-9]* in port_in')" -eq "$1" ]
}

# Their other ends are in a namespace of their own, as a container's is, and say something.
two_hundred_containers_come_and_go() {
	local i round n=200
	fast_mesh 2
	netns pool
	watch h1 vxbr0
	settled h1
	held >"$WORK/before"
	talk c11 c21 "$(ip4_of c21)" 250
	mark h1 h2
	for round in 1 2; do
		for ((i = 1; i <= n; i++)); do
			echo "link add s$i mtu 1450 type veth peer name p$i mtu 1450 netns pool"
			echo "link set s$i master vxbr0 up"
		done | ip -n h1 -batch -
		for ((i = 1; i <= n; i++)); do echo "link set p$i up"; done | ip -n pool -batch -
		wait_for 30 ports_hooked "$n"
		assert_eq $((n + 2)) "$(in_map h1 doors)" "doors in round $round, c11's and the host's with them"
		for i in 1 $((n / 2)) $n; do
			frames pool "p$i" count=3 eth "dst=$(mac_of c21)" "src=02:cc:00:00:00:$(printf %02x "$i")" \
				ip "src=203.0.113.$i" "dst=$(ip4_of c21)" udp dport=9 data zeros=100
		done
		for ((i = 1; i <= n; i++)); do echo "link del s$i"; done | ip -n h1 -batch -
		wait_for 30 ports_hooked 0
		settled h1
	done
	assert_ge 90 "$(share h1 h2)" "fast meanwhile"
	over c11 c21
	held >"$WORK/after"
	assert_same "$WORK/before" "$WORK/after" "what watch holds"
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
	unwatch TERM 0
}

peer_vanishes() {
	fast_mesh 3
	pings c11 "$(ip4_of c31)" 2
	talk c11 c31 "$(ip4_of c31)" 60
	talk c11 c21 "$(ip4_of c21)" 60
	mark h1 h3
	sleep 1
	assert_ge 90 "$(share h1 h3)" "fast to the one that goes"
	ip -n sw link set h3-eth0 down
	mark h1 h2
	mark h1 h3
	sleep 4
	since_mark h1 h3
	assert_le 50 "$RX" "received from the one that is gone"
	assert_ge 90 "$(share h1 h2)" "fast to the other"
	over c11 c21
	assert_ge 1000 "$SENT" "conversation with the other"
	ip -n sw link set h3-eth0 up
	wait_for 10 on c11 ping -n -q -c 1 -W 1 "$(ip4_of c31)"
	# It goes on where it had stopped.
	mark h1 h3
	wait_for 20 goes_on
	assert_ge 90 "$(share h1 h3)" "fast again"
	assert_ge 90 "$(share h1 h3 tx)" "fast again"
}

goes_on() {
	since_mark h1 h3
	[ "$RX" -ge 1000 ]
}

run_tests
