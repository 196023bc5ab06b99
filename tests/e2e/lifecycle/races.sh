#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Others change things beside a run, or between two: it converges or says in one sentence what is in the
# way, leaves nothing half done (I7) and theirs alone (I8).
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2

ALL_TESTS="
	lock_is_waited_for
	up_and_down_at_once
	interrupted
	tunnel_deleted_beside
	bridge_deleted_beside
	names_taken_beside
	qdisc_made_beside
	pins_removed_beside
	undone_beside
	undone_each_time
	tunnel_in_another_namespace
	pins_unmounted
	renamed
	spanning_tree
	tcx_of_others_stays
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0

# converged: all is right on h1, and the mesh carries.
converged() {
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
	[ -e "$WORK/carries" ] || return 0
	forget_neighbours c11 c21
	reach_all c11 c21
}

both_up() {
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
	touch "$WORK/carries"
	on_exit rm "$WORK/carries"
}

all_gone() {
	ip -n h1 link del c11 2>/dev/null || true
	vx h1 down vxbr0
	nothing_left h1
}

# The first call of `up` that matches, as CALL:N. Of calls that no run makes more often than another: bpf
# is not, as an attachment is tried until the one before it is quite gone.
CALLS=mkdir,unlink
call_of() {
	calls h1 up vxbr0
	vx h1 down vxbr0
	awk -v regex="$1" '{ name = $2; sub(/\(.*/, "", name); n[name]++ }
		$0 ~ regex && !at { at = name ":" n[name] }
		END { print at }' "$WORK/calls"
}
# Nothing is made yet but a folder; the tunnels are made, and the first of their hooks is about to come.
BEGUN='mkdir.*/programs'
HOOKED='unlink.*links/tun_in-'

# beside REGEX CMD...: `up` on h1 is held at its first call that matches, CMD is done, and it goes on;
# leaves STATUS and ERR.
beside() {
	local at tracer pid
	at=$(call_of "$1")
	[ -n "$at" ] || fail "no call matches $1"
	enter h1
	rm -f "$WORK/trace"
	"${ENTER[@]}" strace -qq -o "$WORK/trace" -e trace="${at%:*}" \
		-e inject="${at%:*}":signal=STOP:when="${at#*:}" "$VXBPF" up vxbr0 2>"$WORK/err" &
	tracer=$!
	wait_for 30 grep 'stopped by SIGSTOP' "$WORK/trace"
	pid=$(pgrep -P "$tracer")
	on h1 "${@:2}"
	kill -CONT "$pid"
	STATUS=0
	wait "$tracer" || STATUS=$?
	ERR=$(<"$WORK/err")
}

# gave_up REGEX: it said so in one sentence, and h1 is as it was, but for what the others did.
gave_up() {
	assert_eq 1 "$STATUS" "exit status ($ERR)"
	assert_eq 1 "$(wc -l <<<"$ERR")" "lines on stderr: $ERR"
	assert_match "^vxbpf: $1" "$ERR" "what up says"
}

hold_lock() {
	background h1 flock /sys/fs/bpf/vxbpf sleep 1000
	wait_for 5 bash -c "! nsenter --target $(<"$WORK/h1.pid") --mount flock -n /sys/fs/bpf/vxbpf true"
}

let_go() { # PID: of flock; sleep has the lock, too
	pkill -P "$1"
	stop "$1"
}

lock_is_waited_for() {
	local up first
	mesh 2
	vx h1 up vxbr0
	hold_lock
	ip -n h1 link del vx-h2
	vx h1 up vxbr0 2>"$WORK/err" &
	up=$!
	on_exit stop "$up"
	wait_for 10 grep waiting "$WORK/err"
	[ -z "$(ip -n h1 -o link show type vxlan)" ] || fail "it did not wait"
	# The folder may be another one when its turn comes: then that one's lock counts.
	on h1 mv /sys/fs/bpf/vxbpf /sys/fs/bpf/old
	on h1 mkdir -m 0700 /sys/fs/bpf/vxbpf
	first=$PID
	hold_lock
	let_go "$first"
	sleep 1
	kill -0 "$up" || fail "it did not wait for the folder that is there now"
	on h1 mv /sys/fs/bpf/old/vxbr0 /sys/fs/bpf/vxbpf/vxbr0
	on h1 rmdir /sys/fs/bpf/old
	let_go "$PID"
	wait "$up"
	assert_eq "vxbpf: waiting for another vxbpf that is changing this host" "$(<"$WORK/err")" "what up says"
	converged
	all_gone
}

up_and_down_at_once() {
	local pids=() i
	mesh 2
	for i in 1 2 3 4; do
		vx h1 up vxbr0 2>"$WORK/at_once.up$i" &
		pids+=($!)
		vx h1 down vxbr0 2>"$WORK/at_once.down$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || fail "$(cat "$WORK"/at_once.*)"; done
	for i in "$WORK"/at_once.*; do assert_le 1 "$(wc -l <"$i")" "lines of $i: $(cat "$i")"; done
	converged
	all_gone
}

signalled() { # SIGNAL CALL:N STATUS
	STATUS=0
	on h1 strace -f -qq -o /dev/null -e trace="${2%:*}" -e inject="${2%:*}":signal="$1":when="${2#*:}" \
		"$VXBPF" up vxbr0 2>/dev/null || STATUS=$?
	assert_eq "$3" "$STATUS" "exit status after $1"
}

# Before the first change: nothing. Once begun: to the end, not half.
interrupted() {
	local at signal
	mesh 2
	at=$(call_of "$HOOKED")
	signalled INT mkdir:1 130
	expect 3 vx h1 up vxbr0 --dry-run
	vx h1 down vxbr0
	nothing_left h1
	for signal in INT:130 TERM:143; do
		signalled "${signal%:*}" "$at" "${signal#*:}"
		expect 0 vx h1 up vxbr0 --dry-run
		all_gone
	done
}

tunnel_deleted_beside() {
	mesh 2
	beside "$HOOKED" ip link del vx-h2
	gave_up 'vx-h2.*(device|ifindex)'
	nothing_left h1
	converged
	all_gone
}

bridge_deleted_beside() {
	mesh 2
	beside "$HOOKED" ip link del vxbr0
	gave_up 'vx-h2: cannot make the member: bridge vxbr0 does not exist'
	nothing_left h1
	converged
	all_gone
}

kind_of() { [ "$1" = vxbr0 ] && echo bridge || echo "vxlan id 7 dstport 4790"; }

names_taken_beside() {
	local name
	mesh 2
	for name in vxbr0 vx-h2; do
		beside "$BEGUN" bash -c "ip link add $name type $(kind_of "$name") && ip link set $name alias theirs"
		gave_up "$name: cannot make the (bridge|tunnel): another device already has this name"
		ip -n h1 -d link show "$name" >"$WORK/theirs"
		vx h1 down vxbr0
		ip -n h1 -d link show "$name" | diff "$WORK/theirs" -
		assert_match ' addrgenmode eui64 ' "$(<"$WORK/theirs")" "their device"
		assert_match 'alias theirs' "$(<"$WORK/theirs")" "their alias"
		ip -n h1 link del "$name"
		nothing_left h1
	done
	converged
	all_gone
}

# Theirs, though our filter is in it: it stays.
qdisc_made_beside() {
	export VXBPF_NO_TCX=1
	mesh 2
	beside "$BEGUN" tc qdisc add dev eth0 clsact
	assert_eq "0 " "$STATUS $ERR" "what up says"
	converged
	vx h1 down vxbr0
	assert_eq "qdisc: qdisc clsact ffff: dev eth0 parent ffff:fff1 " "$(remains h1)" "left"
}

pins_removed_beside() {
	mesh 2
	beside "$HOOKED" rm -rf /sys/fs/bpf/vxbpf/vxbr0
	assert_eq 1 "$STATUS" "exit status"
	converged
	all_gone
}

# The second look finds it, and a second attempt mends it.
undone_beside() {
	mesh 2
	beside 'unlink.*links/host_in-' ip link set vx-h2 mtu 1400
	assert_eq "0 " "$STATUS $ERR" "what up says"
	assert_eq 0 "$(steps_left)" "steps left"
	all_gone
}

steps_left() {
	vx h1 up vxbr0 --dry-run | wc -l
}

# Each time: nothing half-done is left of a new overlay, and one that runs goes on.
undone_each_time() {
	mesh 2
	background h1 bash -c 'timeout 60 yes "link set vx-h2 mtu 1400" | ip -force -batch - 2>"$0"' "$WORK/disturber" >/dev/null
	wait_for 10 test -s "$WORK/disturber"
	STATUS=0
	# After each request the others have time for theirs.
	ERR=$(on h1 strace -qq -o "$WORK/trace" -e trace=sendto,sendmsg -e inject=sendto,sendmsg:delay_exit=20000 \
		"$VXBPF" up vxbr0 2>&1) || STATUS=$?
	assert_eq 1 "$STATUS" "exit status, having said $ERR"
	assert_match 'vxbr0: not as its config wants it after two attempts, .*mtu 1400 -> 65000; the overlay was removed again' "$ERR" "what up says"
	nothing_left h1
}

# The kernel keeps its VNI taken in the namespace it came from.
tunnel_in_another_namespace() {
	both_up
	netns elsewhere
	ip -n h1 link set vx-h2 netns elsewhere
	refused 1 '^vxbpf: vx-h2: cannot make the tunnel: A VXLAN device with the specified VNI already exists, but not in this network namespace' \
		vx h1 up vxbr0
	ip -n elsewhere link del vx-h2
	converged
	all_gone
}

pins_unmounted() {
	both_up
	on h1 umount /sys/fs/bpf
	on h1 mount -t bpf bpf /sys/fs/bpf
	converged
	all_gone
}

rename() { # FROM TO
	ip -n h1 link set "$1" down
	ip -n h1 link set "$1" name "$2"
	ip -n h1 link set "$2" up
}

renamed() {
	both_up
	rename vx-h2 wrong
	converged
	rename c11 port9
	converged
	rename port9 c11
	rename eth0 eth9
	converged
	rename eth9 eth0
	converged
	# A bridge of ours under another name is not the overlay's any more; it stays while others use it.
	rename vxbr0 old
	expect 0 vx h1 up vxbr0
	assert_eq "vxbpf: old: the bridge stays because c11 is still on it" "$ERR" "what up says"
	ip -n h1 link set c11 master vxbr0
	converged
	[ -z "$(ip -n h1 -o link show old 2>/dev/null)" ] || fail "the old bridge is still there"
	all_gone
}

# Whether a port forwards is spanning tree's to say, while it learns and after.
spanning_tree() {
	both_up
	ip -n h1 link set vxbr0 type bridge stp_state 1 forward_delay 200
	expect 0 vx h1 up vxbr0 --dry-run
	wait_for 10 on h1 bash -c '[ "$(bridge link show dev vx-h2 | grep -c "state forwarding")" -eq 1 ]'
	converged
	ip -n h1 link set vxbr0 type bridge stp_state 0
	converged
	all_gone
}

tcx_of_others_stays() {
	local host
	mesh 2
	hooks h1 >"$WORK/hooks" || skip "this kernel has no tcx"
	on h1 "$PYTHON" -IS "$LIB/tcx.py" eth0 first theirs_1
	mesh_up
	containers_each 1
	mesh_up
	touch "$WORK/carries"
	on_exit rm "$WORK/carries"
	on h1 "$PYTHON" -IS "$LIB/tcx.py" eth0 first theirs_2
	on h1 "$PYTHON" -IS "$LIB/tcx.py" eth0 last theirs_3
	assert_eq "theirs_2 wire_in theirs_1 theirs_3" \
		"$(hooks h1 | sed -n 's/^eth0 in //p' | paste -sd ' ')" "programs of eth0"
	converged
	for host in h1 h2; do
		config vxbr0 "guard: observe"
		vx "$host" reload vxbr0
	done
	converged
	assert_eq "wire_in theirs_2 theirs_1 theirs_3" \
		"$(hooks h1 | sed -n 's/^eth0 in //p' | paste -sd ' ')" "programs of eth0 after a reload"
	ip -n h1 link del c11
	vx h1 down vxbr0
	assert_eq "theirs_2 theirs_1 theirs_3" "$(hooks h1 | sed -n 's/^eth0 in //p' | paste -sd ' ')" \
		"programs of eth0 after down"
}

run_tests
