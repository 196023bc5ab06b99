#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf top` in a real terminal: rates are those of the counters, keys work, and whatever ends it leaves
# the terminal as it was.
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
	slow_terminal_shows_the_last_change
	terminal_is_as_it_was
	stopped_and_continued
	terminal_goes_away
	no_colour_and_no_utf8
	dumb_terminal
	drops_by_reason
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/screen.sh
. "$LIB/screen.sh"
# shellcheck source=tests/lib/top.sh
. "$LIB/top.sh"

IPV6=0

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

# A window that changes while a page is on its way to a terminal that does not read.
slow_terminal_shows_the_last_change() {
	mesh 1
	mesh_up
	on h1 timeout 60 env TERM=screen LC_ALL=C.UTF-8 "$PYTHON" -IS - "$VXBPF" <<-'P'
		import array, fcntl, os, pty, select, struct, sys, termios, time

		def window(fd, columns, rows):
		    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

		def until(what, seconds=30):
		    end = time.monotonic() + seconds
		    while not what():
		        assert time.monotonic() < end, "timeout"
		        time.sleep(0.05)

		def unread():
		    n = array.array("i", [0])
		    fcntl.ioctl(fd, termios.FIONREAD, n)
		    return n[0]

		def is_begun():  # with so many rows there is more than any terminal keeps unread
		    return unread() > 1000

		def is_heard():
		    status = open(f"/proc/{pid}/status").read().split()
		    return all(not int(status[status.index(name) + 1], 16) >> 27 & 1 for name in ("SigPnd:", "ShdPnd:"))

		def fits():
		    global text
		    while select.select([fd], [], [], 0)[0]:
		        text += os.read(fd, 65536)
		    page = text.split(b"\x1b[H")[-1]
		    return page.count(b"\r\n") == 23 and b"q quits" in page

		pid, fd = pty.fork()
		if pid == 0:
		    window(0, 80, 60000)
		    os.execv(sys.argv[1], ["vxbpf", "top", "--interval", "3600"])
		text = b""
		until(is_begun)
		window(fd, 80, 24)
		until(is_heard)
		assert not text
		until(fits, 20)
		os.write(fd, b"q")
		until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid)
	P
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
		ctrl-backslash) typed '' "C-\\" ;;
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
	entered "clear; vxbpf top -n 2; echo ended; stty -g"
	wait_for 20 sees '^ended'
	wait_for 10 sees "^$before\$"
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
	terminal_ends
	wait_for 10 gone "$pid"
	# Also where SIGHUP is ignored, as under nohup.
	terminal h1 80 24
	entered "(trap '' HUP; exec vxbpf top --interval 3600)"
	wait_for 20 sees '^vxbpf top  '
	pid=$(top_pid)
	terminal_ends
	wait_for 10 gone "$pid"
}

no_colour_and_no_utf8() {
	busy_mesh
	terminal h1 80 24
	top_runs
	wait_for 10 known h2 3
	wait_for 10 sees '[▁▂▃▄▅▆▇█]'
	pane -e | grep $'\033\\[[0-9;]*m' >/dev/null || fail "no colour: $(pane -e)"
	terminal_ends
	SHELL_ENV=(LC_ALL=C TERM=screen-256color NO_COLOR=1)
	terminal h1 80 24
	top_runs
	wait_for 10 known h2 3
	wait_for 10 sees '[#*+=]$'
	# The program's own, not tmux's idea of the cursor line.
	if pane -e | grep $'\033\\[[0-9;]*m' >/dev/null; then fail "colour: $(pane -e)"; fi
	[ -z "$(pane | LC_ALL=C tr -d '\000-\177')" ] || fail "not ASCII: $(pane)"
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
		terminal_ends
	done
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

run_tests
