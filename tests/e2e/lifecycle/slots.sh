#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A peer's counters are in a slot of an array: its own as long as it is in the mesh, then, from zero, the
# next peer's. A mesh that outgrows the array gets a larger one, and not a packet is lost or counted
# twice (I5, I9), even if the run that makes it is killed on the way (I7).
#
#    c11        c21        c31
#     |          |          |
#   vxbr0 h1   vxbr0 h2   vxbr0 h3     and up to h20 in the file only
#     |          |          |
#   --+----------+----------+--   sw, 192.0.2.0/24
# time limit: 300

ALL_TESTS="
	readable_by_people
	outgrown_under_load
	outgrown_by_clsact
	outgrown_twice
	killed_while_growing
	failed_while_growing
	free_slot_starts_at_zero
	flows_do_not_outlive_their_peer
	moved_vni_keeps_the_numbers
	moved_vni_voids_the_flows
	map_of_another_type
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0
FASTPATH=on
PIN=/sys/fs/bpf/vxbpf/vxbr0

slots_mesh() { # HOSTS
	mesh "$1"
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
}

# peers N [YAML LINE...]: the file has h1..hN from now on.
peers() {
	PEERS=$(seq -s ' ' -f 'h%.0f' "$1") config vxbr0 "${@:2}"
}

# dump HOST: `SLOT PEER` of every slot in use.
dump() {
	on "$1" bpftool -j map dump pinned "$PIN/counters" |
		jq -r '.[].formatted | "\(.key) \(.values[0].value.peer)"' | grep ' .'
}

size() {
	on "$1" bpftool -j map show pinned "$PIN/counters" | jq .max_entries
}

numbers() { # HOST PEER
	status_json "$1" | jq -r --arg peer "$2" '.[0].peers[] | select(.name == $peer) |
		[.rx_packets, .rx_bytes, .tx_packets, .tx_bytes] | join(" ")'
}

# moved HOST PEER BEFORE "RX RX_BYTES TX TX_BYTES": by exactly so much since numbers said BEFORE.
moved() {
	local got
	moved_so() {
		got=$(paste -d ' ' - <(numbers "$1" "$2") <<<"$3" | awk '{ print $5-$1, $6-$2, $7-$3, $8-$4 }')
		[ "$got" = "$4" ]
	}
	eventually 5 moved_so "$@" || fail "$1's counters of $2 (rx, bytes, tx, bytes): wanted '$4', got '$got'"
}

# stream FROM TO COUNT: so many datagrams of 100 bytes, one each millisecond; its pid is in PID.
stream() {
	local to
	to=$(ip4_of "$2")
	background "$2" "$PYTHON" -IS -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind(("", 9))
while True:
    s.recv(2000)'
	wait_for 5 on "$2" bash -c 'ss -Hlun sport = 9 | grep . >/dev/null'
	background "$1" "$PYTHON" -IS -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[2])):
    s.sendto(bytes(100), (sys.argv[1], 9))
    time.sleep(0.001)' "$to" "$3"
}

# What people and exporters see while it all happens: never less than before.
watch_numbers() {
	(
		trap 'exit 0' TERM
		while :; do numbers h1 h2; done
	) >"$WORK/seen" &
	WATCH=$!
	on_exit stop "$WATCH"
}

never_went_back() {
	stop "$WATCH"
	assert_ge 5 "$(wc -l <"$WORK/seen")" "looks at the counters"
	awk '{ for (i = 1; i <= 4; i++) { if ($i < last[i]) { print NR ": " $0; exit 1 } last[i] = $i } }' "$WORK/seen" ||
		fail "a counter went back"
}

readable_by_people() {
	slots_mesh 3
	assert_eq "0 h2
1 h3" "$(dump h1)" "slots of h1"
	assert_eq 16 "$(size h1)" "slots there are"
	assert_ge 1 "$(on h1 bpftool map dump pinned "$PIN/counters" | grep -c '"peer": "h2"')" "lines naming h2"
	# Whatever becomes of other peers, and up twice.
	PEERS="h1 h4 h3 h5" config vxbr0
	vx h1 reload vxbr0
	assert_eq "1 h3
2 h4
3 h5" "$(dump h1)" "slots of h1 without h2"
	PEERS="h1 h2 h3 h4 h5" config vxbr0
	vx h1 reload vxbr0
	assert_eq "0 h2
1 h3
2 h4
3 h5" "$(dump h1)" "slots of h1 with h2 again"
	expect 0 vx h1 up vxbr0 --dry-run
}

# All that goes both ways while both hosts get eighteen more peers.
grow_under_load() {
	local h1 h2 udp icmp
	h1=$(numbers h1 h2) h2=$(numbers h2 h1)
	watch_numbers
	stream c11 c21 3000
	udp=$PID
	enter c21
	"${ENTER[@]}" ping -n -q -i 0.002 -c 1500 -s 58 "$(ip4_of c11)" >"$WORK/ping" 2>&1 &
	icmp=$!
	sleep 1
	peers 20
	expect 3 vx h1 reload vxbr0 --dry-run
	assert_match '^\+ map +counters +slots 32' "$OUT" "steps"
	assert_match '^! map +counters +slots 16 -> 32' "$OUT" "steps"
	vx h1 reload vxbr0
	vx h2 reload vxbr0
	wait "$udp"
	wait "$icmp"
	assert_match ' 0% packet loss' "$(cat "$WORK/ping")" "ping while growing"
	# UDP out, echo requests in, replies out: 142 and 100 bytes each.
	moved h1 h2 "$h1" "1500 150000 4500 576000"
	moved h2 h1 "$h2" "4500 576000 1500 150000"
	never_went_back
	assert_ge 1000 "$(counter h1 h2 tx_fast_packets)" "packets sent fast"
	assert_eq 32 "$(size h1)" "slots there are"
	assert_eq 19 "$(dump h1 | wc -l)" "peers with slots"
	expect 0 vx h1 up vxbr0 --dry-run
	on h1 test ! -e "$PIN/counters_next"
	# Fast again by the new programs.
	h1=$(counter h1 h2 tx_fast_packets)
	stream c11 c21 500
	wait "$PID"
	assert_ge $((h1 + 400)) "$(counter h1 h2 tx_fast_packets)" "packets sent fast by the new programs"
}

outgrown_under_load() {
	slots_mesh 2
	grow_under_load
}

outgrown_by_clsact() {
	export VXBPF_NO_TCX=1
	slots_mesh 2
	grow_under_load
}

outgrown_twice() {
	local before n
	slots_mesh 2
	before=$(numbers h1 h2)
	for n in 20 40; do
		peers "$n"
		vx h1 reload vxbr0
		pings c11 "$(ip4_of c21)" 20
	done
	assert_eq 48 "$(size h1)" "slots there are"
	moved h1 h2 "$before" "40 3920 40 3920"
	# It stays as large as it was.
	peers 3
	vx h1 reload vxbr0
	assert_eq 48 "$(size h1)" "slots there are"
	assert_eq 2 "$(dump h1 | wc -l)" "peers with slots"
	moved h1 h2 "$before" "40 3920 40 3920"
}

small_again() {
	vx h1 down vxbr0
	peers 5
	vx h1 up vxbr0
	pings c11 "$(ip4_of c21)" 2
}

# every N COMMAND: each Nth such bpf call of the recorded run, as a point.
every() {
	sed -E 's/^[0-9]+ +//' "$WORK/calls" | grep '^bpf(' | grep -nE "^bpf\(BPF_$2," |
		sed -nE "1~$1s/^([0-9]+):.*/bpf:\1/p"
}

# growing_points N: where it may come to nothing, as hooks change, as numbers are carried over, and before that; each is
# in one half, 0 or 1.
growing_points() {
	calls h1 reload vxbr0
	{
		every 3 LINK_UPDATE
		every 1 'PROG_(TEST_)?RUN'
		echo rename:1
		every 20 MAP_UPDATE_ELEM
		every 12 OBJ_PIN
	} | awk -v half="$1" 'NR % 2 == half'
}

# After a run that came to nothing at POINT: the next one gets there, and no packet is missing.
grows_from_there() {
	local before=$1 now
	pings c11 "$(ip4_of c21)" 20
	now=$(numbers h1 h2)
	[ "$(cut -d ' ' -f 3 <<<"$now")" -ge "$(cut -d ' ' -f 3 <<<"$before")" ] || fail "went back from $before to $now"
	vx h1 reload vxbr0
	assert_eq 32 "$(size h1)" "slots there are"
	on h1 test ! -e "$PIN/counters_next"
	pings c11 "$(ip4_of c21)" 3
	moved h1 h2 "$before" "23 2254 23 2254"
	expect 0 vx h1 up vxbr0 --dry-run
}

killed_while_growing() {
	local point before
	slots_mesh 2
	small_again
	peers 20
	for point in $(growing_points 0); do
		small_again
		before=$(numbers h1 h2)
		peers 20
		killed_at "$point" h1 reload vxbr0
		echo "killed at $point"
		grows_from_there "$before"
	done
}

failed_while_growing() {
	local point before
	slots_mesh 2
	small_again
	peers 20
	for point in $(growing_points 1); do
		small_again
		before=$(numbers h1 h2)
		peers 20
		expect 0,1 broken_at "$point" ENOMEM h1 reload vxbr0
		echo "failed at $point: $ERR"
		grows_from_there "$before"
	done
}

free_slot_starts_at_zero() {
	slots_mesh 3
	pings c11 "$(ip4_of c21)" 50
	assert_ge 50 "$(counter h1 h2 rx_packets)" "received from h2"
	PEERS="h1 h3" config vxbr0
	vx h1 reload vxbr0
	assert_eq "1 h3" "$(dump h1)" "slots of h1 without h2"
	PEERS="h1 h3 h4" config vxbr0
	vx h1 reload vxbr0
	assert_eq "0 h4
1 h3" "$(dump h1)" "slots of h1 with h4"
	assert_eq "0 0 0 0" "$(numbers h1 h4)" "counters of h4"
	# One comes as another goes: programs may still count for that one.
	PEERS="h1 h3 h2" config vxbr0
	vx h1 reload vxbr0
	assert_eq "1 h3
2 h2" "$(dump h1)" "slots of h1 with h2 instead of h4"
	assert_eq "0 0 0 0" "$(numbers h1 h2)" "counters of h2"
}

# Verdicts are good for longer than two reloads take.
flows_do_not_outlive_their_peer() {
	slots_mesh 3
	stream c11 c21 100000
	stream c21 c11 100000
	sleep 1
	assert_ge 100 "$(counter h1 h2 tx_fast_packets)" "packets sent fast"
	assert_ge 100 "$(counter h1 h2 rx_fast_packets)" "packets received fast"
	for _ in 1 2 3; do
		PEERS="h1 h3" config vxbr0
		vx h1 reload vxbr0
		PEERS="h1 h3 h4" config vxbr0
		vx h1 reload vxbr0
		assert_eq "0 h4
1 h3" "$(dump h1)" "slots of h1 with h4"
		sleep 1.5
		assert_eq 0 "$(counter h1 h4 tx_fast_packets)" "packets sent fast to h4"
		assert_eq 0 "$(counter h1 h4 rx_packets)" "packets received from h4"
		PEERS="h1 h3" config vxbr0
		vx h1 reload vxbr0
		PEERS="h1 h3 h2" config vxbr0
		vx h1 reload vxbr0
		sleep 1
		assert_ge 100 "$(counter h1 h2 rx_fast_packets)" "packets received fast"
	done
}

moved_vni_keeps_the_numbers() {
	local before vni slots host
	slots_mesh 3
	pings c11 "$(ip4_of c21)" 50
	before=$(numbers h1 h2) vni=$(vni h1 h2) slots=$(dump h1)
	config vxbr0 "vni_salt: 7"
	for host in h1 h2 h3; do vx "$host" reload vxbr0; done
	[ "$vni" != "$(vni h1 h2)" ] || fail "the VNI is still $vni"
	assert_eq "$slots" "$(dump h1)" "slots of h1"
	assert_eq "$before" "$(numbers h1 h2)" "counters of h2"
	pings c11 "$(ip4_of c21)" 10
	moved h1 h2 "$before" "10 980 10 980"
}

# The numbers stay, yet nothing goes on with the old VNI, as verdicts would for a while.
moved_vni_voids_the_flows() {
	local vni before end
	slots_mesh 2
	stream c11 c21 100000
	sleep 1
	assert_ge 100 "$(counter h1 h2 tx_fast_packets)" "packets sent fast"
	vni=$(vni h1 h2)
	capture wire sw br0 -Q in src host 192.0.2.1 and "udp[12:4] = $((vni << 8))"
	config vxbr0 "vni_salt: 7"
	before=$(counter h1 h2 tx_packets)
	vx h1 reload vxbr0
	end=$(date +%s.%N)
	sleep 1
	assert_ge $((before + 500)) "$(counter h1 h2 tx_packets)" "packets sent, if one goes on counting"
	stop "$PID"
	capture_end wire
	assert_ge 10 "$(captured wire)" "packets with the old VNI, until then"
	tcpdump -r "$WORK/wire.pcap" -n -tt 2>/dev/null | awk -v end="$end" '/VXLAN/ && $1 + 0 > end + 0' >"$WORK/late"
	assert_eq 0 "$(wc -l <"$WORK/late")" "packets with the old VNI, later: $(head -n 1 "$WORK/late")"
}

# Pins of a version with another kind of map: made anew, from zero.
map_of_another_type() {
	slots_mesh 2
	on h1 rm "$PIN/counters"
	on h1 bpftool map create "$PIN/counters" type percpu_hash key 4 value 144 entries 2048 name counters
	vx h1 up vxbr0
	assert_eq "0 h2" "$(dump h1)" "slots of h1"
	assert_eq 16 "$(size h1)" "slots there are"
	pings c11 "$(ip4_of c21)" 5
	assert_le 10 "$(counter h1 h2 rx_packets)" "received from h2"
	assert_ge 5 "$(counter h1 h2 rx_packets)" "received from h2"
	expect 0 vx h1 up vxbr0 --dry-run
}

run_tests
