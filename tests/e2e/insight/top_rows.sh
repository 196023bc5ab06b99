#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf top` in pipes and files: plain rows, also while overlays and peers come and go; and what it costs.
#
#    c11        c21        c31
#     |          |          |
#   vxbr0 h1   vxbr0 h2   vxbr0 h3
#     |          |          |
#   --+----------+----------+--   sw, 192.0.2.0/24
# time limit: 400

ALL_TESTS="
	plain_rows
	closed_pipe
	reader_who_has_stopped
	overlays_and_peers_come_and_go
	mesh_outgrows_its_counters
	reads_counters_and_nothing_else
	wrong_usage
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/screen.sh
. "$LIB/screen.sh"
# shellcheck source=tests/lib/top.sh
. "$LIB/top.sh"

IPV6=0

plain_rows() {
	local bits peer
	busy_mesh
	vx h1 top -n 4 | cat >"$WORK/rows" &
	bits=$(counted_bits)
	wait $!
	assert_eq 1 "$(grep -c '^time ' "$WORK/rows")" "heads"
	assert_eq 12 "$(rows "$WORK/rows" | wc -l)" "rows of 4 rounds"
	assert_eq 11 "$(awk '{ print NF }' "$WORK/rows" | sort -u)" "columns"
	assert_eq 8 "$(rows "$WORK/rows" | awk '{ print length($1) }' | sort -u)" "time"
	for peer in h2 h3 -; do assert_eq 4 "$(rows "$WORK/rows" "$peer" | wc -l)" "rows of $peer"; done
	# All four seconds, beside the three that were counted.
	about "$bits" "$(rows "$WORK/rows" h2 | awk '{ n += $5 } END { print int(n / NR) }')" "received"
	about "$bits" "$(rows "$WORK/rows" h2 | awk '{ n += $7 } END { print int(n / NR) }')" "sent"
	assert_eq 0 "$(rows "$WORK/rows" h3 | awk '{ n += $5 } END { print int(n) }')" "received from h3"
	[ -z "$(tr -d '\012\040-\176' <"$WORK/rows")" ] || fail "not plain: $(cat -v "$WORK/rows")"
	# By name, unless told otherwise.
	assert_eq "h2 h3 -" "$(rows "$WORK/rows" | head -n 3 | awk '{ print $3 }' | xargs)" "order"
	vx h1 top -n 1 --sort receive >"$WORK/rows"
	assert_eq "h2 h3 -" "$(rows "$WORK/rows" | awk '{ print $3 }' | xargs)" "order by receive"
	vx h1 top vxbr0 --interval 2 --count 1 >>"$WORK/rows"
	assert_eq 6 "$(rows "$WORK/rows" | wc -l)" "rows appended to a file"
}

closed_pipe() {
	local status
	busy_mesh
	{
		status=0
		vx h1 top 2>"$WORK/err" || status=$?
		echo "$status" >"$WORK/status"
	} | head -n 3 >"$WORK/head"
	assert_eq 3 "$(wc -l <"$WORK/head")" "lines"
	assert_eq 0 "$(<"$WORK/status")" "exit status"
	assert_eq "" "$(<"$WORK/err")" "what it said"
	# And long before it has anything to write.
	{
		status=0
		timeout 20 "$(command -v nsenter)" --target "$(<"$WORK/h1.pid")" --net --mount \
			"$VXBPF" top --interval 3600 || status=$?
		echo "$status" >"$WORK/status"
	} | bash -c 'exec sleep 1'
	assert_eq 0 "$(<"$WORK/status")" "exit status"
}

# A pager that shows its first page does not read on; then it must not pile up, and end when told.
reader_who_has_stopped() {
	local pid before
	busy_mesh
	PEERS=$(printf 'h%d ' $(seq 250)) config vxbr0
	vx h1 reload vxbr0
	mkfifo "$WORK/fifo"
	exec 7<>"$WORK/fifo" # or opening one end would wait for the other
	background h1 "$VXBPF" top >"$WORK/fifo" 7>&-
	pid=$PID
	bash -c 'exec sleep 1000' <"$WORK/fifo" 7>&- &
	on_exit stop $! # the first to go, so that the other one ends in any case
	exec 7>&-
	written() { awk '$1 == "wchar:" { print $2 }' "/proc/$pid/io"; }
	stands_still() {
		before=$(written)
		sleep 3
		[ "$before" -ge 60000 ] && [ "$before" = "$(written)" ]
	}
	wait_for 30 stands_still
	kill "$pid"
	wait_for 10 gone "$pid"
}

overlays_and_peers_come_and_go() {
	local file=$WORK/rows pid
	busy_mesh
	background h1 "$VXBPF" top vxbr0 >"$file"
	pid=$PID
	wait_for 20 row_is "$file" ' h2 +up +[0-9]'
	# Down and up again between two looks: all counters are smaller.
	background h1 "$VXBPF" top vxbr0 --interval 4 >"$file.slow"
	wait_for 20 row_is "$file.slow" ' h2 +up +[0-9]'
	vx h1 down vxbr0
	vx h1 up vxbr0
	wait_for 20 row_is "$file" ' h2 +[a-z]+ +[0-9]'
	vx h1 down vxbr0
	wait_for 20 row_is "$file" ' vxbr0 +- +down '
	vx h1 up vxbr0
	wait_for 20 row_is "$file" ' h2 +[a-z]+ +[0-9]'
	# A peer less, and one more.
	PEERS="h1 h2 h4" config vxbr0
	vx h1 reload vxbr0
	wait_for 20 row_is "$file" ' h4 +never +0 '
	row_is "$file" ' h3 ' && fail "h3 is still there"
	PEERS="h1 h2 h3 h4" config vxbr0
	vx h1 reload vxbr0
	wait_for 20 row_is "$file" ' h3 +never +0 '
	kill -0 "$pid"
	# Nothing like that was ever sent: not before, between or after.
	cat "$file" "$file.slow" >"$file.both"
	rows "$file.both" h2 | awk '{ if ($5 > 50e6 || $7 > 50e6 || $6 > 5e4 || $8 > 5e4) { print; bad = 1 } } END { exit bad }' ||
		fail "rates out of nothing"
	# Another overlay of the same host beside it.
	stop "$pid"
	FASTPATH="" config other "port: 4790"
	vx h1 up other
	background h1 "$VXBPF" top >"$file"
	pid=$PID
	wait_for 20 grep -qE ' other +h2 +never +0 ' "$file"
	grep -qE ' vxbr0 +h2 +[a-z]+ +[0-9]' "$file" || fail "no rows of vxbr0"
	vx h1 down other
	rm "$WORK/etc/h1/other.yaml"
	no_other() { row_is "$file" ' vxbr0 ' && ! row_is "$file" ' other '; }
	wait_for 20 no_other
	kill -0 "$pid"
	terminal h1 100 24
	entered 'vxbpf down vxbr0; vxbpf top'
	wait_for 20 sees '^vxbr0 is down'
	vx h1 up vxbr0
	wait_for 20 sees '^h2 '
}

# The numbers move to a larger map meanwhile, and the rates do not jump.
mesh_outgrows_its_counters() {
	local file=$WORK/rows pid n
	busy_mesh
	background h1 "$VXBPF" top vxbr0 --sort traffic >"$file"
	pid=$PID
	wait_for 20 row_is "$file" ' h2 +up +[0-9]'
	for n in 40 90; do
		PEERS=$(printf 'h%d ' $(seq "$n")) config vxbr0
		vx h1 reload vxbr0
		wait_for 20 grep -qE " h$n +never +0 " "$file"
	done
	kill "$pid"
	wait "$pid"
	assert_eq "" "$(rows "$file" h2 | awk '$4 != "up" || $5 > 50e6 || $5 == "-"')" "rows of h2"
	assert_eq "" "$(rows "$file" | awk '$3 ~ /^h/ && $3 != "h2" && ($5 > 1e5 || $7 > 1e5)')" "rows of others"
}

# A round is a few system calls whatever the size of the mesh, and not a word to the network.
reads_counters_and_nothing_else() {
	local one three
	mesh 2
	PEERS=$(printf 'h%d ' $(seq 250)) config vxbr0
	mesh_up h1
	calls h1 top -n 1 >/dev/null
	assert_eq 0 "$(grep -cE 'sendmsg|sendto' "$WORK/calls" || true)" "netlink requests"
	assert_eq 0 "$(changing)" "changes"
	one=$(grep -c 'bpf(' "$WORK/calls")
	calls h1 top -n 3 >/dev/null
	three=$(grep -c 'bpf(' "$WORK/calls")
	assert_le 40 $(((three - one) / 2)) "bpf calls of a round"
}

wrong_usage() {
	mesh 1
	refused 2 "unknown sort key 'colour'; use traffic, .*, peer" vx h1 top --sort colour
	refused 2 "'0' is not a whole number between 1 and 3600" vx h1 top --interval 0
	refused 2 "'x' is not a whole number" vx h1 top -n x
	refused 2 "the overlay is not up, and .* does not exist" vx h1 top nothing
	refused 1 "needs root: CAP_NET_ADMIN and CAP_BPF are missing" \
		on h1 setpriv --bounding-set=-all --inh-caps=-all "$VXBPF" top
	# One that is not up yet is waited for.
	expect 0 vx h1 top -n 1
	assert_match ' vxbr0 +- +down ' "$OUT" "rows"
}

run_tests
