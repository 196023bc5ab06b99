#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What `vxbpf watch` costs: the traffic nothing, whatever becomes of it; the host nothing while nothing
# happens, no file and no pin in the long run; and storms of events few passes.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2
# time limit: 300

ALL_TESTS="
	killed_and_restarted_under_load
	containers_come_and_go_under_load
	lost_events_are_made_up_for
	idle_makes_no_system_call
	idle_renews_its_lease
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

killed_and_restarted_under_load() {
	local i k
	pair
	load
	for i in 1 2 3 4; do
		watch h1 vxbr0
		unwatch INT 0
		watch h1 vxbr0
		# In the middle of its work: these take it 50 ms and more.
		for k in 1 2 3 4 5 6; do
			echo "link add s$i$k type veth peer name s$i${k}x"
			echo "link set s$i$k master vxbr0 up"
		done | batch h1
		sleep "0.0$i"
		unwatch KILL 137
	done
	watch h1 vxbr0
	unloaded 0
	settled h1
	all_hooked 24
	unwatch TERM 0
	watch h1 vxbr0
	settled h1
	assert_eq 1 "$(passes)" "passes of a restart without need"
}

# batch HOST <<IP_COMMANDS
batch() {
	ip -n "$1" -force -batch -
}

all_hooked() {
	[ "$(hooks h1 | grep -c '^s[0-9]* in port_in')" -eq "$1" ]
}

containers_come_and_go_under_load() {
	local i fds round n=50
	pair
	watch h1 vxbr0
	settled h1
	fds=$(find "/proc/$WATCH/fd" | wc -l)
	pins_of h1 >"$WORK/before"
	load
	for round in 1 2 3; do
		: >"$OUT_FILE"
		for ((i = 1; i <= n; i++)); do
			echo "link add s$i type veth peer name s${i}x"
			echo "link set s$i master vxbr0 up"
		done | batch h1
		wait_for 10 all_hooked "$n"
		for ((i = 1; i <= n; i++)); do echo "link del s$i"; done | batch h1
		wait_for 10 all_hooked 0
		settled h1
		assert_le $((3 * n)) "$(passes)" "passes in round $round"
		# Come and gone before it could look.
		for ((i = 1; i <= n; i++)); do
			echo "link add s$i master vxbr0 type veth peer name s${i}x"
			echo "link del s$i"
		done | batch h1
		settled h1
	done
	unloaded 0
	pins_of h1 >"$WORK/after"
	assert_same "$WORK/before" "$WORK/after" "pins"
	assert_eq 2 "$(entries h1 ports)" "entries of ports"
	assert_eq "$fds" "$(find "/proc/$WATCH/fd" | wc -l)" "open files"
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
}

lost_events_are_made_up_for() {
	local i
	pair
	ip -n h1 link add noise type veth peer name noisex
	watch h1 vxbr0
	settled h1
	kill -STOP "$WATCH"
	for ((i = 0; i < 15000; i++)); do echo "link set noise mtu $((1000 + i % 2))"; done | batch h1
	ip -n h1 link del vx-h2
	container h1 c12
	ip -n h1 link del c11
	kill -CONT "$WATCH"
	wait_for 5 grep -q 'some were lost' "$OUT_FILE"
	settled h1
	hooked h1 c12
	on h1 test -e /proc/sys/net/ipv4/conf/vx-h2
	assert_eq 2 "$(entries h1 ports)" "ports"
}

# Its system calls while CMD runs; the one it slept in does not count.
calls_during() {
	strace -f -qq -p "$WATCH" -o "$WORK/idle" &
	local pid=$!
	wait_for 5 grep -q "TracerPid:.*[1-9]" "/proc/$WATCH/status"
	"$@"
	kill -INT "$pid"
	wait "$pid" || true
	grep -cvE 'poll\(.*(unfinished|ERESTART|detached)|resuming interrupted' "$WORK/idle" || true
}

port_joins() {
	ip -n h1 link add p1 master vxbr0 type veth peer name p1x
	wait_for 2 hooked h1 p1
}

# Who learns whom, in the host and in its bridge, is no news.
neighbours_move() {
	local i
	for ((i = 10; i < 60; i++)); do
		ip -n h1 neigh replace "192.0.2.$i" lladdr "02:00:00:00:00:$i" dev eth0
		on h1 bridge fdb replace "02:00:00:00:01:$i" dev c11 master static
	done
	frames c11 eth0 eth src=02:ee:00:00:00:01 data text=learned
}

idle_makes_no_system_call() {
	FASTPATH=off
	pair
	watch h1 vxbr0
	settled h1
	assert_eq 0 "$(calls_during sleep 3)" "system calls in 3 s: $(cat "$WORK/idle")"
	assert_eq 0 "$(calls_during neighbours_move)" "system calls for neighbours: $(cat "$WORK/idle")"
	assert_ge 10 "$(calls_during port_joins)" "calls when there is news"
}

# With the fast path on, two calls each half second: poll, and the lease.
idle_renews_its_lease() {
	FASTPATH=on
	pair
	watch h1 vxbr0
	settled h1
	assert_le 16 "$(calls_during sleep 3)" "system calls in 3 s: $(cat "$WORK/idle")"
	assert_ge 4 "$(grep -c 'bpf(BPF_MAP_UPDATE_ELEM.* = 0' "$WORK/idle")" "renewals"
}

run_tests
