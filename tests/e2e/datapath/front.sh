#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Programs of others on the same devices (I12): ours are in front of them where the guarantee needs it, leave
# them every packet, come to the front in an upgrade without losing one (I9), and `check` names who is in front.
# With VXBPF_NO_TCX=1 theirs and ours are clsact filters.
# time limit: 400
# also with: VXBPF_NO_TCX=1
#
#    n1                c11            c21
#    |                  |              |
#   br1 (routed)      vxbr0          vxbr0
#    \__________ h1 ____/              h2
#                  \ eth0              |
#                   \______ sw _______/       s9: a stranger on sw

ALL_TESTS="
	with_the_last_word_on_the_underlay
	with_the_last_word_on_a_tunnel
	who_was_in_front_is_so_no_more
	in_front_is_named
	both_overlays_are_ours
"
[ -z "${VXBPF_NO_TCX:-}" ] || ALL_TESTS="
	with_the_last_word_on_the_underlay
	with_the_last_word_on_a_tunnel
	filters_of_an_older_build
	down_with_filters_of_an_older_build
	first_priority_is_taken
	tcx_is_in_front_of_filters
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

tcx() { on h1 "$PYTHON" -IS "$LIB/tcx.py" "$@"; }

need_tcx() {
	[ -n "$(hooks h2)" ] || VXBPF_NO_TCX='' vx h2 up vxbr0
	[ -n "$(hooks h2)" ] || skip "this kernel has no tcx"
}

# Where filters of a device go: into the block that tunnels share, else onto itself.
place_of() { # IFNAME in|out
	local block
	block=$(on h1 tc qdisc show dev "$1" | sed -n "s/.*${2/out/e}gress_block \([0-9]*\).*/\1/p")
	[ "$2" = out ] || block=$(on h1 tc qdisc show dev "$1" | sed -n "s/.*ingress_block \([0-9]*\).*/\1/p")
	if [ -n "$block" ]; then
		echo "block $block"
	else
		echo "dev $1 $([ "$2" = in ] && echo ingress || echo egress)"
	fi
}

# last_word IFNAME in|out: something of others there that accepts everything for good, and counts.
last_word() {
	local name=${2}_${1//-/_}
	if [ -z "${VXBPF_NO_TCX:-}" ]; then
		tcx "$1" last "$name" "$2" pass
		return
	fi
	tcx pin "$name" pass
	on h1 tc qdisc show dev "$1" | grep clsact >/dev/null || on h1 tc qdisc add dev "$1" clsact
	# shellcheck disable=SC2046
	on h1 tc filter add $(place_of "$1" "$2") pref 5 bpf da object-pinned "/sys/fs/bpf/${name}_prog"
}

heard() { tcx count "${2}_${1//-/_}"; }

forge() { # COUNT SRC
	frames s9 eth0 count="$1" eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" \
		ip "src=$2" "dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" \
		eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
}

workload() { # COUNT
	frames n1 eth0 count="$1" eth dst=02:b1:00:00:00:01 ip "src=$(address4 h1)" "dst=$(address4 h2)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged
}

ready() {
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
}

# The guard stands, and frames are counted: by us each once, by them, too.
guarded_and_counted() { # IFNAME of theirs
	local rx tx in out
	node s9
	routed_container
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	forge 23 "$(address4 s9)"
	drops_are h1 "unknown_source=23"
	workload 13
	drops_are h1 "unknown_source=23 nested=13"
	exactly 0 c11
	exactly 0 c21
	rx=$(counter h1 h2 rx_packets) tx=$(counter h1 h2 tx_packets)
	in=$(heard "$1" in) out=$(heard "$1" out)
	forge 31 "$(address4 h2)"
	exactly 31 c11
	frames c11 eth0 count=41 eth "dst=$(mac_of c21)" "src=$(mac_of c11)" data text=forth
	exactly 41 c21
	assert_eq $((rx + 31)) "$(counter h1 h2 rx_packets)" "rx_packets"
	assert_eq $((tx + 41)) "$(counter h1 h2 tx_packets)" "tx_packets"
	assert_ge $((in + 31)) "$(heard "$1" in)" "what theirs saw come in"
	assert_ge $((out + 41)) "$(heard "$1" out)" "what theirs saw go out"
	pings c11 "$(ip4_of c21)" 23
	tcp c11 c21 5M
}

with_the_last_word_on_the_underlay() {
	mesh 2
	[ -n "${VXBPF_NO_TCX:-}" ] || need_tcx
	last_word eth0 in
	last_word eth0 out
	ready
	guarded_and_counted eth0
	ip -n h1 link del c11
	vx h1 down vxbr0
	# shellcheck disable=SC2046
	[ -z "${VXBPF_NO_TCX:-}" ] ||
		assert_match 'pref 5 bpf' "$(on h1 tc filter show $(place_of eth0 in))" "theirs after down"
}

with_the_last_word_on_a_tunnel() {
	mesh 2
	[ -n "${VXBPF_NO_TCX:-}" ] || need_tcx
	vx h1 up vxbr0
	last_word vx-h2 in
	last_word vx-h2 out
	ready
	guarded_and_counted vx-h2
}

# Every lost ping counts.
unloaded() {
	kill -INT "$LOAD"
	wait "$LOAD" || true
	assert_match ' 0% packet loss' "$(cat "$WORK/load")" "ping meanwhile"
	assert_ge 200 "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$WORK/load")" "pings"
}

# order DEVICE in|out: the programs there.
order() { hooks h1 | sed -n "s/^$1 $2 //p" | paste -sd ' '; }

# As it is after an upgrade: an older build's links were the last, and a link keeps its place.
who_was_in_front_is_so_no_more() {
	local device guard
	mesh 2
	need_tcx
	ready
	load
	for guard in observe enforce observe; do
		for device in eth0 vx-h2; do
			tcx "$device" first "in_$guard" in next
			tcx "$device" first "out_$guard" out next
			on h1 rm "/sys/fs/bpf/in_$guard" "/sys/fs/bpf/out_$guard"
		done
		assert_match "^in_$guard .*wire_in" "$(order eth0 in)" "before the upgrade"
		config vxbr0 "guard: $guard"
		vx h1 reload vxbr0
		assert_match "^wire_in in_$guard" "$(order eth0 in)" "at eth0's ingress"
		assert_match "^wire_out out_$guard" "$(order eth0 out)" "at eth0's egress"
		assert_match "^tun_in in_$guard" "$(order vx-h2 in)" "at the tunnel's ingress"
		assert_match "^tun_out out_$guard" "$(order vx-h2 out)" "at the tunnel's egress"
		expect 0 vx h1 up vxbr0 --dry-run
		assert_eq "" "$ERR" "what up says"
	done
	unloaded
	drops_are h1 ""
	ip -n h1 link del c11
	vx h1 down vxbr0
	assert_eq "in_observe in_enforce in_observe" "$(order eth0 in)" "after down"
}

in_front_is_named() {
	mesh 2
	need_tcx
	ready
	tcx eth0 last behind in next
	expect 0 vx h1 up vxbr0
	assert_eq "" "$ERR" "what up says"
	tcx eth0 first theirs in next
	appears h1 in_front "eth0: at its ingress the program theirs \(id [0-9]+\) runs before vxbpf"
	says_so h1 in_front 'eth0: .*behind \(id' && fail "the one behind is named, too: $(cat "$WORK/check")"
	vx h1 status | grep 'the program theirs' >/dev/null || fail "no word of it in status"
	expect 0 vx h1 up vxbr0
	assert_match '^vxbpf: eth0: at its ingress the program theirs' "$ERR" "what up says"
	pings c11 "$(ip4_of c21)" 23
	tcx vx-h2 first tunneled out next
	appears h1 in_front "vx-h2: at its egress the program tunneled \(id"
}

both_overlays_are_ours() {
	mesh 2
	need_tcx
	config blue "port: 4790"
	vx h1 up
	vx h2 up
	assert_eq "wire_in wire_in" "$(order eth0 in)" "at eth0's ingress"
	expect 0 vx h1 up
	assert_eq "" "$ERR" "what up says"
}

# --- clsact

# aged IFNAME in|out PROGRAM HANDLE: as a build before would have left that filter.
aged() {
	local place pin
	place=$(place_of "$1" "$2")
	pin=$(on h1 find /sys/fs/bpf/vxbpf/vxbr0/programs -name "$3")
	# shellcheck disable=SC2086
	on h1 tc filter add $place pref 30296 handle "$4" bpf da object-pinned "$pin"
	# shellcheck disable=SC2086
	[ -n "${BOTH:-}" ] || on h1 tc filter del $place pref 1
}

# The handle of ours, as `tc` shows it.
handle_of() {
	# shellcheck disable=SC2046
	on h1 tc filter show $(place_of "$1" "$2") | sed -n 's/.* pref 1 bpf .*handle \(0x[0-9a-f]*\) .*/\1/p'
}

age() {
	aged eth0 in wire_in "$(handle_of eth0 in)"
	aged eth0 out wire_out "$(handle_of eth0 out)"
	aged vx-h2 in tun_in 1
	aged vx-h2 out tun_out 1
}

priorities() {
	local device way
	for device in eth0 vx-h2; do
		for way in in out; do
			# shellcheck disable=SC2046
			on h1 tc filter show $(place_of "$device" "$way") | sed -n 's/.* pref \([0-9]*\) .*handle.*/\1/p'
		done
	done | paste -sd ' '
}

filters_of_an_older_build() {
	local guard
	mesh 2
	ready
	assert_eq "1 1 1 1" "$(priorities)" "priorities of our filters"
	for guard in observe enforce observe enforce; do
		age
		assert_eq "30296 30296 30296 30296" "$(priorities)" "priorities of our filters before"
		load
		config vxbr0 "guard: $guard"
		expect 3 vx h1 reload vxbr0 --dry-run
		assert_match 'eth0/wire_in .* front off -> on' "$OUT" "what reload would do"
		vx h1 reload vxbr0
		assert_eq "1 1 1 1" "$(priorities)" "priorities of our filters after"
		expect 0 vx h1 up vxbr0 --dry-run
		unloaded
	done
	drops_are h1 ""
	# Killed while it moved them: both are there.
	BOTH=1 age
	expect 3 vx h1 up vxbr0 --dry-run
	vx h1 up vxbr0
	assert_eq "1 1 1 1" "$(priorities)" "priorities of our filters after"
	pings c11 "$(ip4_of c21)" 23
}

down_with_filters_of_an_older_build() {
	mesh 2
	vx h1 up vxbr0
	age
	vx h1 down vxbr0
	nothing_left h1
	vx h1 up vxbr0
	BOTH=1 age
	vx h1 down vxbr0
	nothing_left h1
}

first_priority_is_taken() {
	mesh 2
	on h1 tc qdisc add dev eth0 clsact
	on h1 tc filter add dev eth0 ingress pref 1 protocol ip u32 match u32 0 0
	on h1 tc filter add dev eth0 egress pref 1 protocol arp u32 match u32 0 0
	expect 0 vx h1 up vxbr0
	assert_match '^vxbpf: eth0: at its ingress the u32 filter \(priority 1\) runs before vxbpf' "$ERR" "what up says"
	ready
	assert_match 'pref 2 bpf' "$(on h1 tc filter show dev eth0 ingress)" "ours"
	assert_match 'pref 1 u32' "$(on h1 tc filter show dev eth0 ingress)" "theirs"
	pings c11 "$(ip4_of c21)" 23
	appears h1 in_front 'eth0: at its egress the u32 filter \(priority 1\)'
	load
	on h1 tc filter del dev eth0 ingress pref 1
	on h1 tc filter del dev eth0 egress pref 1
	vx h1 up vxbr0
	assert_eq "1 1 1 1" "$(priorities)" "priorities of our filters"
	expect 0 vx h1 up vxbr0 --dry-run
	assert_eq "" "$ERR" "what up says"
	unloaded
}

tcx_is_in_front_of_filters() {
	mesh 2
	need_tcx
	ready
	tcx eth0 last theirs in next
	appears h1 in_front "eth0: at its ingress the program theirs \(id"
	tcx vx-h2 last tunneled out next
	appears h1 in_front "vx-h2: at its egress the program tunneled \(id"
	pings c11 "$(ip4_of c21)" 23
}

run_tests
