#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Frames larger than the overlay's MTU: none enters a tunnel, and who sends them is told (I3), so that
# containers at MTU 1500 and 9000 work. Without vxbpf they hang.
#
#   c11 1500        c21 1500
#    |                |
#  vxbr0 h1 1450    vxbr0 h2 1450
#    |_______ sw _____|
# time limit: 300

ALL_TESTS="
	answers_byte_for_byte
	what_is_not_answered
	unhooked_port_is_told
	floods_get_few_answers
	sender_learns_the_mtu
	sender_behind_a_plain_port_learns_it
	without_df_linux_fragments
	tcp_of_single_packets
	tcp_of_large_containers
	plain_mesh_hangs
	syn_is_clamped
	odd_options
	clamp_off
	deaf_to_icmp
	neighbours_keep_their_size
	flooded_is_not_told
	answer_teaches_nothing
	host_is_told
	routed_back_is_told
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/mtu.sh
. "$LIB/mtu.sh"

large_mesh() { # MTU [YAML LINE...]
	local size=$1
	shift
	mesh 2 "$@"
	mesh_up
	containers_each 1
	both_ends h1 c11 "$size"
	both_ends h2 c21 "$size"
	hook_all
	pings c11 "$(ip4_of c21)" 2
	pings c11 "$(ip6_of c21)" 2
}

hook_all() {
	[ -n "${PLAIN:-}" ] || mesh_up
}

big() { # NS ARGS...
	on "$1" "$PYTHON" -IS "$HERE/big.py" "${@:2}"
}

oversize() { # HOST PORT
	status_json "$1" | jq ".[0].ports[] | select(.ifname == \"$2\").oversize"
}

answers_byte_for_byte() {
	local version kind n=0
	large_mesh 1500
	for version in 4 6; do
		for kind in plain vlan options; do
			pings c11 "$(ip4_of c21)" 1
			assert_eq ok "$(big c11 tell eth0 11 21 "$(mac_of c21)" "$version" "$kind")" "IPv$version, $kind"
			n=$((n + 1))
			assert_eq "$n" "$(oversize h1 c11)" "oversize of c11"
		done
		assert_eq nothing "$(big c11 tell eth0 11 21 "$(mac_of c21)" "$version" tiny)" "IPv$version that fits"
	done
	drops_are h1 "oversize=$n"
	assert_eq "$n" "$(counter h1 h2 drops.oversize)" "oversize to h2"
}

what_is_not_answered() {
	large_mesh 1500
	assert_eq "11 0" "$(big c11 silent eth0 11 21 "$(mac_of c21)")" "sent, answered"
}

# Nobody hooks it: tun_out tells.
unhooked_port_is_told() {
	local version kind
	mesh 2
	mesh_up
	container h1 c11
	container h2 c21
	both_ends h1 c11 1500
	! hooks h1 | grep '^c11 ' || fail "c11 is hooked"
	pings c11 "$(ip4_of c21)" 2
	for version in 4 6; do
		for kind in plain vlan options; do
			assert_eq ok "$(big c11 tell eth0 11 21 "$(mac_of c21)" "$version" "$kind")" "IPv$version, $kind"
		done
	done
	assert_eq 6 "$(oversize h1 c11)" "oversize of c11"
}

# How many frames have gone out by c11, whether its socket had room for them or not.
sent_to_c11() {
	ip -n h1 -j -s link show c11 | jq '.[0].stats64.tx.packets'
}

floods_get_few_answers() {
	local before answers
	large_mesh 1500
	before=$(sent_to_c11)
	big c11 tell eth0 11 21 "$(mac_of c21)" 4 plain 20000 >/dev/null
	answers=$(($(sent_to_c11) - before))
	assert_ge 20 "$answers" "answers"
	assert_le 2000 "$answers" "answers to 20000 frames"
	assert_eq 20000 "$(oversize h1 c11)" "oversize of c11"
}

# LEARN ADDRESS SIZE: a datagram each 50 ms until one is refused for its size, which is what
# is wanted; prints the size the socket knows then.
LEARN='import socket, sys, time
six = ":" in sys.argv[1]
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(41 if six else 0, 23 if six else 10, 2)   # PMTUDISC_DO
s.connect((sys.argv[1], 9))
for i in range(40):
    try:
        s.send(bytes(int(sys.argv[2])))
    except OSError as e:
        print(e.errno, s.getsockopt(41 if six else 0, 24 if six else 14))
        break
    time.sleep(0.05)'

sender_learns_the_mtu() {
	large_mesh 1500
	assert_eq "90 1450" "$(on c11 "$PYTHON" -c "$LEARN" "$(ip4_of c21)" 1472)" "EMSGSIZE and the MTU"
	assert_match "mtu 1450" "$(on c11 ip route get "$(ip4_of c21)")" "route"
	assert_eq "90 1450" "$(on c11 "$PYTHON" -c "$LEARN" "$(ip6_of c21)" 1452)" "EMSGSIZE and the MTU, IPv6"
	assert_match "mtu 1450" "$(on c11 ip -6 route get "$(ip6_of c21)")" "IPv6 route"
	# And with the largest that fits all arrive.
	pings c11 "$(ip4_of c21)" 3 -M "do" -s 1422
	pings c11 "$(ip6_of c21)" 3 -M "do" -s 1402
}

# The frame's own checksum is filled in inside the answer, on its way out of a port that cannot leave that to
# the other end, and the answer's checksum must be right then.
sender_behind_a_plain_port_learns_it() {
	large_mesh 1500
	on h1 ethtool -K c11 tx off
	assert_eq "90 1450" "$(on c11 "$PYTHON" -c "$LEARN" "$(ip4_of c21)" 1472)" "EMSGSIZE and the MTU"
	assert_eq "90 1450" "$(on c11 "$PYTHON" -c "$LEARN" "$(ip6_of c21)" 1452)" "EMSGSIZE and the MTU, IPv6"
}

without_df_linux_fragments() {
	local size
	large_mesh 9000
	for size in 1423 1472 4000 8900; do
		on c11 ping -n -q -c 20 -i 0.05 -W 1 -M dont -s "$size" "$(ip4_of c21)" >"$WORK/dont" || true
		assert_match ' (1[5-9]|20) received' "$(cat "$WORK/dont")" "pings of $size bytes"
		on c11 ping -n -q -c 20 -i 0.05 -W 1 -M want -s "$size" "$(ip6_of c21)" >"$WORK/dont" || true
		assert_match ' (1[5-9]|20) received' "$(cat "$WORK/dont")" "IPv6 pings of $size bytes"
	done
}

tcp_of_large_containers() {
	local size
	large_mesh 1500
	for size in 1500 9000; do
		both_ends h1 c11 "$size"
		both_ends h2 c21 "$size"
		transfer c11 c21 "$(ip4_of c21)" || fail "IPv4 at $size: $(cat "$WORK/transfer")"
		transfer c21 c11 "$(ip4_of c11)" || fail "IPv4 back at $size: $(cat "$WORK/transfer")"
		transfer c11 c21 "$(ip6_of c21)" || fail "IPv6 at $size: $(cat "$WORK/transfer")"
		transfer c21 c11 "$(ip6_of c11)" || fail "IPv6 back at $size: $(cat "$WORK/transfer")"
	done
	drops_are h1 ""
	drops_are h2 ""
}

tcp_of_single_packets() {
	large_mesh 1500
	ip -n c11 link set eth0 gso_max_segs 1
	ip -n c21 link set eth0 gso_max_segs 1
	transfer c11 c21 "$(ip4_of c21)" || fail "$(cat "$WORK/transfer")"
	transfer c21 c11 "$(ip6_of c11)" || fail "$(cat "$WORK/transfer")"
}

# The same by the script's way, so that what passes here is vxbpf's doing. (With super-packets the
# kernel's own TCP comes through there, in fragments of the outer packets.)
plain_mesh_hangs() {
	PLAIN=1
	large_mesh 1500
	assert_eq "" "$(on c11 "$PYTHON" -c "$LEARN" "$(ip4_of c21)" 1472)" "EMSGSIZE and the MTU"
	unreachable c11 "$(ip4_of c21)" -s 1472
	ip -n c11 link set eth0 gso_max_segs 1
	! transfer c11 c21 "$(ip4_of c21)" || fail "the plain mesh carries 1500 byte packets"
}

syns() { # VERSION OPTIONS...: as c21 sees them
	local version=$1
	shift
	capture syn c21 eth0 'tcp[13] & 2 != 0 or (ip6 and ip6[53] & 2 != 0)'
	big c11 syn eth0 11 21 "$(mac_of c21)" "$version" "$@"
	wait_for 5 has_captured $# syn
	capture_end syn
	"$PYTHON" -IS "$HERE/big.py" seen "$WORK/syn.pcap" "$version"
}

syn_is_clamped() {
	large_mesh 1500
	# 1460 and 8960 are lowered to 1410 (0x0582), 1400 stays.
	syns 4 020405b4 02042300 02040578 >"$WORK/seen"
	printf '%s\n' "1000 02040582 right" "1001 02040582 right" "1002 02040578 right" >"$WORK/wanted"
	assert_same "$WORK/wanted" "$WORK/seen" "IPv4"
	# IPv6: 1390 (0x056e).
	syns 6 020405a0 02042300 02040564 >"$WORK/seen"
	printf '%s\n' "1000 0204056e right" "1001 0204056e right" "1002 02040564 right" >"$WORK/wanted"
	assert_same "$WORK/wanted" "$WORK/seen" "IPv6"
}

# NOPs in front (at even and odd places), behind other options, the last of forty bytes; then what
# cannot be trusted: cut short, a length of 0, 1, 3 or beyond the end, the end before it.
odd_options() {
	large_mesh 1500
	local nops
	nops=$(printf '01%.0s' {1..36})
	syns 4 0101020405b4 01020405b4 0402080a0000000100000000020405b4 "${nops}020405b4" \
		020405 020305b4 020005b4 0104020105b4 0328020405b4 00020405b4 08010402 0205b4000000 >"$WORK/seen"
	cat >"$WORK/wanted" <<-END
		1000 0101020405820000 right
		1001 0102040582000000 right
		1002 0402080a000000010000000002040582 right
		1003 ${nops}02040582 right
		1004 02040500 right
		1005 020305b4 right
		1006 020005b4 right
		1007 0104020105b40000 right
		1008 0328020405b40000 right
		1009 00020405b4000000 right
		1010 08010402 right
		1011 0205b40000000000 right
	END
	assert_same "$WORK/wanted" "$WORK/seen" "options"
}

clamp_off() {
	large_mesh 1500 "clamp_mss: false"
	syns 4 020405b4 >"$WORK/seen"
	assert_eq "1000 020405b4 right" "$(cat "$WORK/seen")" "options"
}

# A container that throws all ICMP away: the clamp alone has to do.
deaf_to_icmp() {
	local name
	large_mesh 1500
	for name in c11 c21; do
		on "$name" nft -f - <<-'N'
			table inet deaf { chain in { type filter hook input priority 0; policy accept;
				icmp type destination-unreachable drop
				icmpv6 type packet-too-big drop
			}; }
		N
	done
	transfer c11 c21 "$(ip4_of c21)" || fail "$(cat "$WORK/transfer")"
	transfer c21 c11 "$(ip6_of c11)" || fail "$(cat "$WORK/transfer")"
}

# On one bridge any size goes.
neighbours_keep_their_size() {
	large_mesh 9000
	container h1 c12
	both_ends h1 c12 9000
	mesh_up h1
	pings c11 "$(ip4_of c12)" 5 -M "do" -s 8972
	pings c11 "$(ip6_of c12)" 5 -M "do" -s 8952
	assert_eq 0 "$(oversize h1 c11)" "oversize of c11"
}

# For a MAC the bridge does not know it floods: it may be a neighbour's, who takes any size.
flooded_is_not_told() {
	large_mesh 1500
	assert_eq nothing "$(big c11 tell eth0 11 77 02:c0:00:00:00:77 4 plain)" "for nobody known"
	assert_ge 1 "$(oversize h1 c11)" "oversize of c11"
	assert_eq ok "$(big c11 tell eth0 11 21 "$(mac_of c21)" 4 plain)" "for c21"
}

# The answer has the far MAC as its sender, but that MAC is still far. After two seconds without a frame of it tun_out
# answers, not port_in.
answer_teaches_nothing() {
	large_mesh 1500 "fastpath: on"
	sleep 2.5
	assert_eq ok "$(big c11 tell eth0 11 21 "$(mac_of c21)" 4 plain)" "c11"
	assert_match 'is at h2' "$(vx h1 who "$(mac_of c21)" vxbr0)" "place of c21"
	pings c21 "$(ip4_of c11)" 5
	assert_eq 0 "$(status_json h1 | jq '.[0].peers[0].drops.loop')" "loops"
}

# The host's own frames by a raw socket, and what it routes from elsewhere: its bridge has the overlay's
# MTU, so the kernel itself says so; nothing leaves by the device a routed packet came in by.
host_is_told() {
	export PEER_MORE_h1=', bridge_address: [198.51.100.101/24]'
	large_mesh 1500
	pings h1 "$(ip4_of c21)" 2
	on h1 ip link set vxbr0 mtu 1500
	assert_eq ok "$(big h1 tell vxbr0 101 21 "$(mac_of c21)" 4 plain)" "the host"
	assert_eq 1 "$(oversize h1 vxbr0)" "oversize of the host"
}

# What the host routes from its bridge back to its bridge came in by the device it leaves by. Its sender is
# told, and nothing the host says looks as if the far MAC were here.
routed_back_is_told() {
	export PEER_MORE_h1=', bridge_address: [198.51.100.101/24]'
	large_mesh 1500
	on h1 ip link set vxbr0 mtu 1500
	on h1 bash -c 'cd /proc/sys/net/ipv4; echo 1 >ip_forward
		echo 0 >conf/all/send_redirects; echo 0 >conf/vxbr0/send_redirects'
	on c11 ip route add "$(ip4_of c21)/32" via 198.51.100.101
	pings c11 "$(ip4_of c21)" 2
	on c11 ping -n -q -c 3 -i 0.2 -W 1 -M "do" -s 1460 "$(ip4_of c21)" >&2 || true
	assert_eq 1450 "$(on c11 ip -j route get "$(ip4_of c21)" | jq '.[0].metrics[0].mtu')" "MTU learned"
	pings c21 198.51.100.101 5
	assert_eq 0 "$(status_json h1 | jq '.[0].peers[0].drops.loop')" "loops"
}

run_tests
