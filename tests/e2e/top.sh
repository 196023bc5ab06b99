#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf top` in a real terminal and in pipes: rates are those of the counters, keys work, and whatever
# ends it leaves the terminal as it was.
#
#    c11        c21        c31
#     |          |          |
#   vxbr0 h1   vxbr0 h2   vxbr0 h3
#     |          |          |
#   --+----------+----------+--   sw, 192.0.2.0/24
# time limit: 400

ALL_TESTS="
	rates_are_what_was_counted
	keys_sort_scroll_and_help
	page_follows_the_window
	terminal_is_as_it_was
	stopped_and_continued
	terminal_goes_away
	no_colour_and_no_utf8
	plain_rows
	dumb_terminal
	closed_pipe
	reader_who_has_stopped
	overlays_and_peers_come_and_go
	mesh_outgrows_its_counters
	drops_by_reason
	reads_counters_and_nothing_else
	wrong_usage
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/screen.sh
. "$LIB/screen.sh"

IPV6=0

# Traffic between c11 and c21 until the case ends, none with h3.
busy_mesh() {
	FASTPATH=on
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	acquainted c11 c31
	pings c11 "$(ip4_of c31)" 1
	background c11 ping -n -q -i 0.01 -s 1000 "$(ip4_of c21)" >/dev/null
}

top_runs() {
	entered "vxbpf top $*"
	wait_for 20 sees '^vxbpf top  '
}

top_pid() {
	pgrep -x vxbpf
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# 12.3k -> 12300
plain_number() {
	awk -v text="$1" 'BEGIN {
		n = text + 0; u = substr(text, length(text))
		print int(n * (u == "k" ? 1e3 : u == "M" ? 1e6 : u == "G" ? 1e9 : 1)) }'
}

# cell PEER COLUMN: on the screen.
cell() {
	pane | awk -v peer="$1" -v n="$2" '$1 == peer { print $n; exit }'
}

known() {
	[[ $(cell "$1" "$2") =~ ^[0-9] ]]
}

# about WANTED GOT WHAT: rates of one second beside those of many.
about() {
	assert_ge $(($1 / 3)) "$2" "$3"
	assert_le $(($1 * 3)) "$2" "$3"
}

# counted_bits: bits a second received from h2, by the counters, over three seconds.
counted_bits() {
	local before after start end
	before=$(counter h1 h2 rx_bytes) start=$(date +%s%N)
	sleep 3
	after=$(counter h1 h2 rx_bytes) end=$(date +%s%N)
	echo $(((after - before) * 8 * 1000 / ((end - start) / 1000000)))
}

rates_are_what_was_counted() {
	local size bits
	busy_mesh
	terminal h1 80 24
	for size in "80 24" "120 40"; do
		# shellcheck disable=SC2086
		resized $size
		top_runs
		wait_for 20 known h2 3
		bits=$(counted_bits)
		assert_ge 10000 "$bits" "bits of the pings"
		about "$bits" "$(plain_number "$(cell h2 3)")" "received, on the screen"
		about "$bits" "$(plain_number "$(cell h2 5)")" "sent, on the screen"
		about $((bits / 8 / 1042)) "$(plain_number "$(cell h2 4)")" "packets received"
		assert_eq up "$(cell h2 2)" "state"
		assert_eq 0 "$(cell h3 3)" "received from h3"
		assert_eq 0 "$(cell h2 8)" "drops"
		narrow "${size% *}" "$(pane)"
		assert_eq "q quits" "$(pane | tail -n 1 | cut -c 1-7)" "the last line"
		typed q
		wait_for 10 sees_not '^vxbpf top  '
	done
}

first_is() {
	[ "$(pane | grep -A 1 '^peer ' | awk 'NR == 2 { print $1 }')" = "$1" ]
}

keys_sort_scroll_and_help() {
	local i
	busy_mesh
	terminal h1 80 24
	top_runs
	wait_for 10 first_is h2
	typed p
	wait_for 10 sees 'by peer'
	typed p
	wait_for 10 first_is h3
	typed t
	wait_for 10 first_is h2
	typed t
	wait_for 10 first_is h3
	typed h
	wait_for 10 sees '^q quit '
	typed '?'
	wait_for 10 sees_not '^q quit '
	typed q
	wait_for 10 sees_not '^vxbpf top  '
	top_runs --sort peer
	wait_for 10 first_is h2
	sees 'by peer' || fail "--sort peer"
	typed q
	wait_for 10 sees_not '^vxbpf top  '
	# More peers than lines.
	PEERS=$(printf 'h%d ' $(seq 40)) config vxbr0
	vx h1 reload vxbr0
	resized 80 16
	top_runs --sort peer
	wait_for 10 sees '^1 to 10 of 39 peers'
	typed '' NPage
	wait_for 10 sees '^11 to 20 of 39 peers'
	typed '' Down
	wait_for 10 sees '^12 to 21 of 39 peers'
	typed '' Up
	wait_for 10 sees '^11 to 20 of 39 peers'
	for i in 1 2 3 4 5; do typed '' NPage; done
	wait_for 10 sees '^30 to 39 of 39 peers'
	typed '' PPage
	wait_for 10 sees '^20 to 29 of 39 peers'
	typed '' Home
	wait_for 10 sees '^1 to 10 of 39 peers'
	typed '' End
	wait_for 10 sees '^h40 '
}

page_follows_the_window() {
	local size
	busy_mesh
	terminal h1 80 24
	top_runs --interval 60
	for size in "100 30" "60 12" "20 5" "200 50" "80 24"; do
		# shellcheck disable=SC2086
		resized $size
		wait_for 10 sees "^vxbpf top"
		drawn_for() { [ "$(pane | grep -c '')" = "$1" ] && pane | tail -n 1 | grep '^q quits' >/dev/null; }
		wait_for 10 drawn_for "${size#* }"
		narrow "${size% *}" "$(pane)"
	done
}

# ends HOW...: what ends it; then everything is as before.
terminal_is_as_it_was() {
	local how before
	busy_mesh
	terminal h1 80 24
	entered 'echo what was here before; stty -g'
	wait_for 10 sees '^what was here before'
	before=$(pane | grep -A 1 '^what was here before' | tail -n 1)
	for how in key ctrl-c ctrl-backslash TERM HUP INT; do
		tm clear-history
		entered "clear; echo what was here before; vxbpf top; echo status=\$?; stty -g"
		wait_for 20 sees '^vxbpf top  '
		wait_for 10 known h2 3
		assert_eq "1 0" "$(tm display-message -p -t main '#{alternate_on} #{cursor_flag}')" "alternate screen, cursor"
		case $how in
		key) typed q ;;
		ctrl-c) typed '' C-c ;;
		ctrl-backslash) typed '' 'C-\' ;;
		*) kill "-$how" "$(top_pid)" ;;
		esac
		wait_for 10 sees '^status='
		wait_for 10 sees "^$before\$"
		assert_match 'status=0' "$(pane)" "exit status after $how"
		assert_eq "0 1" "$(tm display-message -p -t main '#{alternate_on} #{cursor_flag}')" "alternate screen, cursor after $how"
		sees '^what was here before' || fail "the screen after $how: $(pane)"
		sees_not 'vxbpf top  ' || fail "the page is still there after $how: $(pane)"
	done
	# With a number of rounds the last page stays, and ends by itself.
	entered "clear; vxbpf top -n 2; stty -g"
	wait_for 20 sees "^$before\$"
	known h2 3 || fail "no rates on the last page: $(pane)"
	assert_eq "0 1" "$(tm display-message -p -t main '#{alternate_on} #{cursor_flag}')" "alternate screen, cursor at the end"
}

stopped_and_continued() {
	local before
	busy_mesh
	terminal h1 80 24
	entered 'set -m; stty -g'
	wait_for 10 sees ':.*:'
	before=$(pane | grep -E ':.*:' | tail -n 1)
	top_runs
	typed '' C-z
	wait_for 10 sees 'Stopped'
	entered 'clear; stty -g'
	wait_for 10 sees "^$before\$"
	assert_eq "0 1" "$(tm display-message -p -t main '#{alternate_on} #{cursor_flag}')" "alternate screen, cursor while stopped"
	entered fg
	wait_for 10 sees '^vxbpf top  '
	typed h
	wait_for 10 sees '^q quit '
	typed q
	wait_for 10 sees_not '^vxbpf top  '
}

terminal_goes_away() {
	local pid
	busy_mesh
	terminal h1 80 24
	top_runs
	pid=$(top_pid)
	tm kill-server
	wait_for 10 gone "$pid"
	# Also where SIGHUP is ignored, as under nohup.
	terminal h1 80 24
	entered "(trap '' HUP; exec vxbpf top --interval 3600)"
	wait_for 20 sees '^vxbpf top  '
	pid=$(top_pid)
	tm kill-server
	wait_for 10 gone "$pid"
}

no_colour_and_no_utf8() {
	busy_mesh
	terminal h1 80 24
	top_runs
	wait_for 10 known h2 3
	wait_for 10 sees '[▁▂▃▄▅▆▇█]'
	pane -e | grep $'\033\\[[0-9;]*m' >/dev/null || fail "no colour: $(pane -e)"
	tm kill-server
	SHELL_ENV=(LC_ALL=C TERM=screen-256color NO_COLOR=1)
	terminal h1 80 24
	top_runs
	wait_for 10 known h2 3
	wait_for 10 sees '[#*+=]$'
	# The program's own, not tmux's idea of the cursor line.
	if pane -e | grep $'\033\\[[0-9;]*m' >/dev/null; then fail "colour: $(pane -e)"; fi
	[ -z "$(pane | LC_ALL=C tr -d '\000-\177')" ] || fail "not ASCII: $(pane)"
}

# rows FILE [PEER]: plain rows without heads.
rows() {
	grep -v '^time ' "$1" | awk -v peer="${2:-}" 'peer == "" || $3 == peer'
}

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
	for peer in h2 h3 -; do assert_eq 4 "$(rows "$WORK/rows" $peer | wc -l)" "rows of $peer"; done
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

dumb_terminal() {
	local env before
	busy_mesh
	for env in TERM=dumb TERM=; do
		SHELL_ENV=(LC_ALL=C.UTF-8 "$env")
		terminal h1 120 24
		entered 'stty -g'
		wait_for 10 sees ':.*:'
		before=$(pane | grep -E ':.*:' | tail -n 1)
		entered 'clear; vxbpf top; echo status=$?; stty -g'
		wait_for 20 sees ' h2 +up +[0-9]+ '
		assert_eq "0 1" "$(tm display-message -p -t main '#{alternate_on} #{cursor_flag}')" "alternate screen, cursor"
		if pane -e | grep $'\033' >/dev/null; then fail "sequences: $(pane -e)"; fi
		typed '' C-c
		wait_for 10 sees 'status=0'
		wait_for 10 sees "^$before\$"
		tm kill-server
	done
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
	} | sleep 1
	assert_eq 0 "$(<"$WORK/status")" "exit status"
}

# A pager that shows its first page does not read on; then it must not pile up, and end when told.
reader_who_has_stopped() {
	local pid before
	busy_mesh
	PEERS=$(printf 'h%d ' $(seq 250)) config vxbr0
	vx h1 reload vxbr0
	mkfifo "$WORK/fifo"
	sleep 1000 <"$WORK/fifo" &
	on_exit stop $!
	background h1 "$VXBPF" top >"$WORK/fifo"
	pid=$PID
	stuck() { [ "$(awk '{ print $14 + $15 }' "/proc/$pid/stat")" = "$before" ]; }
	stands_still() {
		before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
		sleep 2.5
		stuck
	}
	wait_for 30 stands_still
	kill "$pid"
	wait_for 10 gone "$pid"
}

row_is() { # FILE REGEX: one of the last round's
	tail -n 4 "$1" | grep -E "$2" >/dev/null
}

overlays_and_peers_come_and_go() {
	local file=$WORK/rows pid
	busy_mesh
	background h1 "$VXBPF" top vxbr0 >"$file"
	pid=$PID
	wait_for 20 row_is "$file" ' h2 +up +[0-9]'
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
	kill -0 $pid
	# Nothing like that was ever sent: not before, between or after.
	rows "$file" h2 | awk '{ if ($5 > 50e6 || $7 > 50e6 || $6 > 5e4 || $8 > 5e4) { print; bad = 1 } } END { exit bad }' ||
		fail "rates out of nothing"
	# Another overlay of the same host beside it.
	stop $pid
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
	kill -0 $pid
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
		PEERS=$(printf 'h%d ' $(seq $n)) config vxbr0
		vx h1 reload vxbr0
		wait_for 20 grep -qE " h$n +never +0 " "$file"
	done
	kill $pid
	wait $pid
	assert_eq "" "$(rows "$file" h2 | awk '$4 != "up" || $5 > 50e6 || $5 == "-"')" "rows of h2"
	assert_eq "" "$(rows "$file" | awk '$3 ~ /^h/ && $3 != "h2" && ($5 > 1e5 || $7 > 1e5)')" "rows of others"
}

drops_by_reason() {
	busy_mesh
	node s9
	stranger() {
		frames s9 eth0 count=23 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip \
			"src=$(address4 s9)" "dst=$(address4 h1)" udp vxlan "vni=$1" eth "dst=$(mac_of c11)" data text=forged
	}
	terminal h1 80 24
	top_runs --interval 2
	wait_for 10 known h2 3
	sees_not unknown_source
	stranger "$(vni h1 h2)"
	wait_for 10 sees '^unknown_source +[0-9.]+ +23 '
	wait_for 10 sees '^unknown_source +0 +23 '
	typed q
	wait_for 10 sees_not '^vxbpf top  '
	background h1 "$VXBPF" top >"$WORK/rows"
	wait_for 20 row_is "$WORK/rows" ' h2 +up +[0-9]'
	stranger "$(vni h1 h2)"
	wait_for 20 grep -q unknown_source= "$WORK/rows"
	sleep 2 # it may be in two rounds
	about 23 "$(rows "$WORK/rows" - | sed -n 's/.*unknown_source=//p' | awk '{ n += $1 } END { print int(n) }')" \
		"of nobody's frames"
	assert_eq - "$(rows "$WORK/rows" h2 | awk '{ print $11 }' | sort -u)" "h2's drops"
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
	refused 2 "no order 'colour', only traffic, .*, peer" vx h1 top --sort colour
	refused 2 "'0' is no whole number from 1 to 3600" vx h1 top --interval 0
	refused 2 "'x' is no whole number" vx h1 top -n x
	refused 2 "it is not up, and there is no" vx h1 top nothing
	refused 1 "needs root: CAP_NET_ADMIN and CAP_BPF are missing" \
		on h1 setpriv --bounding-set=-all --inh-caps=-all "$VXBPF" top
	# One that is not up yet is waited for.
	expect 0 vx h1 top -n 1
	assert_match ' vxbr0 +- +down ' "$OUT" "rows"
}

run_tests
