#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The page of `vxbpf status` as people see it, in real terminals and in pipes; and its JSON as the manual
# page has it, key for key.
#
#    c11        c21        c31
#     |          |          |
#   vxbr0 h1   vxbr0 h2   vxbr0 h3
#     |          |          |
#   --+----------+----------+--   sw, 192.0.2.0/24
# time limit: 400

ALL_TESTS="
	json_is_what_the_manual_says
	page_fits_the_terminal
	colour_only_on_a_terminal
	silent_peers_come_first
	drops_by_reason_with_their_age
	ports_by_what_is_the_matter
	long_names_and_addresses
	many_peers
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/screen.sh
. "$LIB/screen.sh"

IPV6=0

busy_mesh() {
	FASTPATH=${FASTPATH:-on}
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	pings c11 "$(ip4_of c21)" 2
	pings c11 "$(ip4_of c31)" 2
}

# The page in a terminal of that size, and the exit status; no line is wrapped by the terminal.
PAGES=0
status_at() { # WIDTH
	PAGES=$((PAGES + 1))
	resized "$1" 100
	# The window's new size is told to the shell a moment later.
	entered "until [ \"\$(stty size)\" = '100 $1' ]; do sleep 0.05; done; clear; vxbpf status; echo page-$PAGES status=\$?"
	wait_for 20 sees "^page-$PAGES status="
	narrow "$1" "$(pane -J | sed 's/ *$//')"
	narrow 100 "$(pane -J | sed 's/ *$//')"
}

# The manual's list, as it is rendered: `.[].port (number)`; the unit is people's.
manual_keys() {
	mandoc -Tascii "$TOP/man/vxbpf-json.7" | col -bx |
		sed -nE 's/^ +(\.\[\][^ ]*) \(([a-z]+)(, [a-z]+)?\)$/\1 \2/p' | sort
}

# The same of real output; with one key for all reasons, if there is one for each.
real_keys() {
	jq -r 'def kind: type; . as $all | paths | select(length > 1) as $p |
		"." + ($p | map(if type == "number" then "[]" else "." + . end) | join("")) + " " +
		($all | getpath($p) | kind)' |
		sed -E 's/^\.\[\]\[\]/.[]/; s/\.drops\.[a-z_]+ number/.drops.REASON number/' |
		grep -vE '\[\] object$' | sort -u
}

json_is_what_the_manual_says() {
	local reasons each
	busy_mesh
	manual_keys >"$WORK/manual"
	assert_ge 35 "$(wc -l <"$WORK/manual")" "keys in the manual"
	FASTPATH="" container h1 c12 # without a program: a problem
	status_json h1 >"$WORK/json"
	for each in underlay ports peers problems; do
		assert_ge 1 "$(jq ".[0].$each | length" "$WORK/json")" "$each"
	done
	real_keys <"$WORK/json" >"$WORK/real"
	assert_same "$WORK/manual" "$WORK/real" "keys and types: the manual's, the program's"
	# Every reason the manual explains is in every `drops`, and no other.
	reasons=$(awk '/^\.Sh / { on = $3 == "REASONS" } on' "$TOP/man/vxbpf-check.7" |
		sed -n 's/^\.It Li \([a-z_]*\)$/\1/p' | sort | xargs)
	assert_ge 7 "$(wc -w <<<"$reasons")" "reasons in the manual"
	assert_eq "$reasons" "$(jq -r '[.. | .drops? // empty | keys] | unique | .[] | sort | join(" ")' "$WORK/json")" "reasons"
	# So it is of one that is down, as far as there is something in its lists.
	vx h1 down vxbr0
	status_json h1 | real_keys | grep -vE '\.(underlay|ports|peers)\[\]\.' >"$WORK/real" || true
	grep -vE '\.(underlay|ports|peers)\[\]\.' "$WORK/manual" >"$WORK/manual.down"
	assert_same "$WORK/manual.down" "$WORK/real" "keys and types of one that is down"
}

page_fits_the_terminal() {
	local width
	busy_mesh
	terminal h1 80 100
	for width in 72 80 100 120; do
		status_at "$width"
		sees '^vxbr0: up - this is h1, 192\.0\.2\.1$' || fail "title: $(pane)"
		sees '^  peers +2: 2 up$' || fail "states: $(pane)"
		sees '^  h2 .* up +[0-9.]+ s ' || fail "h2: $(pane)"
		sees '^  nothing is wrong$' || fail "verdict: $(pane)"
	done
	sees ' packets +sent packets  fast' || fail "packets at 120: $(pane)"
	status_at 72
	sees_not 'packets' || fail "no packets at 72: $(pane)"
	# A pipe has no width.
	expect 0 vx h1 status
	narrow 100 "$OUT"
	assert_match 'packets +sent packets  fast' "$OUT" "in a pipe"
}

colour_only_on_a_terminal() {
	local red=$'\033\\[(1m\033\\[)?31m|\033\\[1;31m'
	busy_mesh
	expect 0 vx h1 status
	if grep $'\033' <<<"$OUT"; then fail "colour in a pipe"; fi
	terminal h1 100 100
	entered 'clear; vxbpf status; echo status=$?'
	wait_for 10 sees '^status=0'
	pane -e | grep -E $'^vxbr0: \033\\[32mup' >/dev/null || fail "green: $(pane -e)"
	vx h1 down vxbr0
	entered 'clear; vxbpf status; echo status=$?'
	wait_for 10 sees '^status=3'
	pane -e | grep -E "^vxbr0: ($red)down" >/dev/null || fail "red: $(pane -e)"
	entered 'clear; NO_COLOR=1 vxbpf status; echo no_color=$?'
	wait_for 10 sees '^no_color=3'
	if pane -e | grep $'\033'; then fail "NO_COLOR"; fi
	entered 'clear; setpriv --bounding-set=-all --inh-caps=-all vxbpf status; echo no_rights=$?'
	wait_for 10 sees '^no_rights=1'
	sees '^vxbpf: status: needs root: CAP_NET_ADMIN and CAP_BPF are missing$' || fail "no rights: $(pane)"
}

silent_peers_come_first() {
	busy_mesh
	terminal h1 80 100
	# h3 hears us no more, and is sent to.
	on h3 nft -f - <<-'N'
		table ip t { chain c { type filter hook output priority 0; udp dport 4789 drop; }; }
	N
	acquainted c11 c31
	background c11 ping -n -q -i 0.2 "$(ip4_of c31)" >/dev/null
	background c11 ping -n -q -i 0.2 "$(ip4_of c21)" >/dev/null
	is_silent() { [ "$(counter h1 h3 state)" = silent ]; }
	wait_for 45 is_silent
	status_at 80
	sees ' status=3$' || fail "exit status: $(pane)"
	sees '^  peers +2: 1 silent, 1 up$' || fail "states: $(pane)"
	assert_eq "h3 h2" "$(pane | awk '/^  peer / { t = 1; next } t && NF == 0 { exit } t { print $1 }' | xargs)" "order"
	sees '^  ! h3: we sent' || fail "sentence: $(pane)"
}

drops_by_reason_with_their_age() {
	busy_mesh
	terminal h1 80 100
	node s9
	frames s9 eth0 count=23 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 s9)" \
		"dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" data text=forged
	frames s9 eth0 count=7 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" ip "src=$(address4 h3)" \
		"dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" data text=forged
	drops_are h1 "unknown_source=23 wrong_vni=7"
	status_at 80
	sees '^  dropped +unknown_source 23 \(no peer\), the last [0-9.]+ s ago$' || fail "strangers: $(pane)"
	sees '^  dropped +wrong_vni 7 \(h3\), the last [0-9.]+ s ago$' || fail "wrong VNI: $(pane)"
	sees '^  h3 .* 7$' || fail "h3: $(pane)"
}

ports_by_what_is_the_matter() {
	local i
	FASTPATH=auto
	busy_mesh
	# No program here makes rules for bridged frames, so it is on.
	for i in $(seq 11 50); do
		ip -n h1 link add "p$i" mtu 1450 type veth peer name "q$i" mtu 1450
		ip -n h1 link set "p$i" master vxbr0 up
	done
	expect 3 vx h1 status
	narrow 100 "$OUT"
	assert_match 'no program: p11, p12,' "$OUT" "ports without program"
	assert_match 'and 16 more$' "$(tr -s '\n ' ' ' <<<"$OUT" | sed 's/ config .*//')" "their number"
	on h1 tc qdisc add dev p13 root tbf rate 1mbit burst 10k latency 10ms
	on h1 tc qdisc add dev p14 root tbf rate 1mbit burst 10k latency 10ms
	on h1 bash -c 'echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
		echo 0 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
		echo 0 >/proc/sys/net/bridge/bridge-nf-call-arptables' 2>/dev/null || true
	vx h1 up vxbr0
	expect 0 vx h1 status
	narrow 100 "$OUT"
	assert_match '^  fast path +on' "$OUT" "fast path"
	assert_match 'not fast \(its root qdisc is tbf\): p13, p14$' "$OUT" "ports with a shaper"
}

long_names_and_addresses() {
	local i width
	hosts 1
	ip -n h1 addr add 2001:db8:1234:5678:9abc:def0:1234:1/64 dev eth0 nodad
	{
		echo "peers:"
		for i in $(seq 9); do
			echo "  - { name: host-of-32-characters-in-all-00$i, address: \"2001:db8:1234:5678:9abc:def0:1234:$i\" }"
		done
	} >"$WORK/etc/h1/vxbr0.yaml"
	vx h1 up vxbr0
	terminal h1 80 100
	for width in 72 80 100 120; do
		status_at "$width"
		for i in $(seq 2 9); do
			sees "^  host-of-32-characters-in-all-00$i( |\$)" || fail "host $i: $(pane)"
			sees "^    2001:db8:1234:5678:9abc:def0:1234:$i  vx-[0-9a-f]{8}\$" || fail "address $i: $(pane)"
		done
	done
}

many_peers() {
	mesh 1
	PEERS=$(printf 'h%d ' $(seq 250)) config vxbr0
	vx h1 up vxbr0
	expect 0 vx h1 status
	narrow 100 "$OUT"
	assert_match '^  peers +249: 249 never heard$' "$OUT" "states"
	assert_eq 249 "$(grep -cE '^  h[0-9]+ +192' <<<"$OUT")" "lines of peers"
	assert_eq "h2 h3 h4" "$(grep -E '^  h[0-9]+ +192' <<<"$OUT" | head -n 3 | awk '{ print $1 }' | xargs)" "order"
}

run_tests
