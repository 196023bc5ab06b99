# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Making traffic and counting it. Counts are exact: `exactly 23 NAME FILTER`, never "some".
#
#   capture NAME WHERE IF [FILTER...]   tcpdump there into $WORK/NAME.pcap, running when it returns
#   captured NAME [FILTER...]           how many packets it has so far
#   exactly N NAME [FILTER...]          waits for N, then for silence: it must be N
#   frames WHERE IF [count=N] LAYER...  raw frames, see frame.py
#   counter HOST PEER FIELD             of `vxbpf status --json`: rx_packets, drops.loop, state, ...
#   drops HOST REASON                   of the whole overlay: no peer's and every peer's

PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3

capture() {
	local name=$1 where=$2 dev=$3
	shift 3
	[ ! -e "$WORK/$name.tcpdump" ] || stop "$(<"$WORK/$name.tcpdump")"
	rm -f "$WORK/$name.err" # or what the one before said would do for this one
	enter "$where"
	"${ENTER[@]}" tcpdump -Z root -i "$dev" -n -U --immediate-mode -B 32768 -s "${SNAP:-160}" -c 500000 \
		-w "$WORK/$name.pcap" "$@" 2>"$WORK/$name.err" &
	PID=$!
	echo $PID >"$WORK/$name.tcpdump"
	on_exit stop $PID
	wait_for 10 grep -qs 'listening on' "$WORK/$name.err"
}

# capture_end NAME: no more packets; nothing may have been lost on the way into the file.
capture_end() {
	quiet
	stop "$(<"$WORK/$1.tcpdump")"
	grep -q '^0 packets dropped by kernel' "$WORK/$1.err" || fail "capture $1 lost packets: $(tail -n 3 "$WORK/$1.err")"
}

captured() {
	local said
	said=$(tcpdump -r "$WORK/$1.pcap" -n --count "${@:2}" 2>/dev/null)
	echo "${said%% *}"
}

# What was captured, as text, for a failed test's log.
shown() {
	tcpdump -r "$WORK/$1.pcap" -n -e -c 4 "${@:2}" 2>/dev/null | cut -c 1-200
}

has_captured() {
	[ "$(captured "${@:2}")" -ge "$1" ]
}

# Silence: no capture file has grown for a third of a second.
quiet() {
	local file same=0 end=$((SECONDS + 30))
	{ local tracing=$- && set +x; } 2>/dev/null
	while [ $same -lt 7 ]; do
		[ $SECONDS -lt $end ] || fail "no silence within 30 s"
		: >"$WORK/quiet"
		pause 0.05
		same=$((same + 1))
		for file in "$WORK"/*.pcap; do [ ! "$file" -nt "$WORK/quiet" ] || same=0; done
	done
	case $tracing in *x*) set -x ;; esac
}

exactly() {
	local wanted=$1 got
	shift
	[ "$wanted" -eq 0 ] || wait_for 10 has_captured "$wanted" "$@"
	quiet
	got=$(captured "$@")
	[ "$got" -eq "$wanted" ] || shown "$@"
	assert_eq "$wanted" "$got" "packets captured by $*"
}

frames() {
	on "$1" "$PYTHON" -IS "$LIB/frame.py" send "${@:2}"
}

status_json() {
	local status=0
	vx "$1" status "${2:-vxbr0}" --json || status=$?
	[ $status -eq 0 ] || [ $status -eq 3 ] || fail "vxbpf status --json on $1: exit status $status"
}

counter() {
	status_json "$1" "${4:-vxbr0}" | jq -e -r --arg peer "$2" \
		".[0].peers[] | select(.name == \$peer) | .$3"
}

# vni HOST PEER: of that pair, as the host has it in its kernel.
vni() {
	on "$1" ip -d -j link show "vx-$2" | jq '.[0].linkinfo.info_data.id'
}

drops() {
	status_json "$1" "${3:-vxbr0}" | jq -e ".[0] | .drops.$2 + ([.peers[].drops.$2] | add // 0)"
}

# drops_are HOST "REASON=N ...": those, and no other reason, now and a moment later.
drops_are() {
	local got
	[ -z "${PLAIN:-}" ] || return 0
	reads_so() {
		got=$(status_json "$1" | jq -r --arg wanted "$2" '.[0] | [.drops, .peers[].drops] | map(to_entries) | add |
			group_by(.key) | map({key: .[0].key, value: (map(.value) | add)}) |
			map(select(.value != 0) | "\(.key)=\(.value)") | sort |
			if . == ($wanted | split(" ") | sort) then "as wanted" else join(" ") end')
		[ "$got" = "as wanted" ]
	}
	eventually 3 reads_so "$1" "$2" || fail "drops on $1: wanted '$2', got '$got'"
}

# eventually SECONDS CMD...: like wait_for, but only answers.
eventually() {
	local end=$((SECONDS + $1 + 1)) tries=0
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		rest $((++tries))
	done
}

# pings FROM TO_IP N [ARGS...]: all N answered.
pings() {
	local from=$1 to=$2 n=$3
	shift 3
	on "$from" ping -n -q -i 0.01 -W 2 -c "$n" "$@" "$to" >"$WORK/ping.$from" 2>&1 ||
		fail "ping $from -> $to: $(cat "$WORK/ping.$from")"
	grep -q " $n received" "$WORK/ping.$from" || fail "ping $from -> $to: $(cat "$WORK/ping.$from")"
}

# unreachable FROM TO_IP [ARGS...]: none of 3 answered.
unreachable() {
	! on "$1" ping -n -q -i 0.05 -W 1 -c 3 "${@:3}" "$2" >/dev/null 2>&1 || fail "$1 reaches $2"
}

# reach_all C...: every container pings every other, all at once, IPv4 and IPv6, starting cold.
reach_all() {
	local from to pids=() pid bad=0
	for from; do
		for to; do
			[ "$from" != "$to" ] || continue
			ip4_of "$to"
			[ "$IPV6" -eq 0 ] || ip6_of "$to"
		done >"$WORK/$from.targets"
	done
	for from; do
		on "$from" bash -c 'while read -r to; do
			ping -n -q -c 2 -i 0.01 -W 5 "$to" >/dev/null || echo "'"$from"' does not reach $to"
		done' <"$WORK/$from.targets" >"$WORK/$from.reach" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || true; done
	for from; do
		[ ! -s "$WORK/$from.reach" ] || { cat "$WORK/$from.reach" && bad=1; }
	done
	[ $bad -eq 0 ] || fail "not every container reaches every other"
}

# forget_neighbours C...: cold again.
forget_neighbours() {
	local name
	for name; do ip -n "$name" neigh flush all; done
}

# tcp FROM TO BYTES [ARGS...]: a transfer by iperf3.
tcp() {
	local from=$1 to=$2 bytes=$3
	shift 3
	background "$to" iperf3 -s -1 -B "$(ip4_of "$to")" >"$WORK/iperf3.server" 2>&1
	wait_for 5 on "$to" bash -c 'ss -Hltn sport = 5201 | grep . >/dev/null'
	on "$from" timeout 60 iperf3 -c "$(ip4_of "$to")" -n "$bytes" "$@" >"$WORK/iperf3" 2>&1 ||
		fail "iperf3 $from -> $to: $(cat "$WORK/iperf3")"
}

# Another bridge on h1, br1, with a container n1 that the host routes for.
routed_container() {
	ip -n h1 link add br1 address 02:b1:00:00:00:01 type bridge
	ip -n h1 addr add 203.0.113.1/24 dev br1
	ip -n h1 link set br1 up
	netns n1
	ip link add n1 netns h1 type veth peer name eth0 netns n1
	ip -n h1 link set n1 master br1 up
	ip -n n1 addr add 203.0.113.9/24 dev eth0
	ip -n n1 link set eth0 up
	ip -n n1 route add default via 203.0.113.1
	on h1 bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		for f in all br1; do cd /proc/sys/net/ipv4/conf/$f; echo 0 >rp_filter; echo 1 >accept_local; done'
}

# A ping every few milliseconds between c11 and c21, its words in $WORK/load, until $LOAD is told to stop.
PING=(-i 0.002 -c 100000)
load() {
	rm -f "$WORK/load" # or what the one before said would do for this one
	enter c11
	"${ENTER[@]}" ping -n -q "${PING[@]}" "$(ip4_of c21)" >"$WORK/load" 2>&1 &
	LOAD=$!
	on_exit stop "$LOAD"
	wait_for 5 test -s "$WORK/load"
}
