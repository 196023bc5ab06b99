#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A frame that the kernel's VXLAN would drop is dropped in a known flow, too (I6): a wrong checksum inside or
# outside, however the device and GRO have judged it, and a frame for another machine's MAC. Without this a
# socket gets corrupt data as if it had been verified.
#
#    c11            c21: counts what its sockets get
#     |              |
#   vxbr0 h1       vxbr0 h2   eth0 with GRO on and off
#     |              |
#   --+------ sw ----+------
#              |
#              s9 plays h1

ALL_TESTS="
	inner_checksums_over_ipv4
	inner_checksums_over_ipv6
	inner_checksums_without_the_fast_path
	inner_checksums_from_a_container
	inner_checksums_of_a_plain_peer
	inner_checksums_behind_conntrack
	outer_checksums_over_ipv4
	outer_checksums_over_ipv6
	outer_header_sum
	mac_of_another_machine
	mac_of_another_machine_over_ipv6
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$(dirname "$0")/../../lib/fast.sh"

N=100
ROUND=0

sum_mesh() {
	fast_mesh 2
	node s9
	acquainted c11 c21
	serve
}

serve() {
	background c21 "$PYTHON" -IS "$LIB/sums.py" serve 7 "$WORK/got"
	wait_for 5 ready_to_echo
	VNI=$(vni h2 h1)
	BAD=0
}

# A veth leaves GRO to its sender where that can do TSO.
gro() { # on|off
	on h2 ethtool -K eth0 gro "$1"
	on sw ethtool -K h2-eth0 tso "$([ "$1" = on ] && echo off || echo on)"
}

# inner udp|tcp 4|6 TEXT [FIELD]: c11's frame to c21, in INNER.
inner() {
	local from to port=7
	from=$(ip4_of c11) to=$(ip4_of c21)
	[ "$2" = 4 ] || { from=$(ip6_of c11) to=$(ip6_of c21); }
	[ "$1" = udp ] || port=9
	INNER=(eth "src=$(mac_of c11)" "dst=$(mac_of c21)" ip "src=$from" "dst=$to"
		"$1" sport=7000 "dport=$port" "${@:4}" data "text=$3")
}

# outer 0|set|wrong: what h1 puts in front of it towards h2, in OUTER.
outer() {
	local from to
	from=$(address4 h1) to=$(address4 h2)
	[ "$FAMILIES" = 4 ] || { from=$(address6 h1) to=$(address6 h2); }
	OUTER=(eth "dst=${TO_MAC:-$(underlay_mac h2)}" "src=$(underlay_mac s9)" ip "src=$from" "dst=$to" udp)
	case $1 in
	header) OUTER=("${OUTER[@]:0:6}" hsum=1 udp sum=0) ;;
	0) OUTER+=(sum=0) ;;
	wrong) OUTER+=(sum=1) ;;
	esac
	OUTER+=(vxlan "vni=$VNI")
}

# c21 answers every right segment of no connection with a RST.
tcp_counted() { # OutRsts|InCsumErrors
	on c21 awk -v name="$1" '/^Tcp:/ { for (i = 1; i <= NF; i++) if ($i == name) at = i; value = $at }
		END { print value }' /proc/net/snmp
}

got() { # TEXT
	grep -c "^$1 $ROUND$" "$WORK/got" || true
}

delivered() {
	echo "UDP4 $(got good4)+$(got evil4), UDP6 $(got good6)+$(got evil6)," \
		"TCP $(($(tcp_counted OutRsts) - RSTS0)), refused $(($(tcp_counted InCsumErrors) - REFUSED0))"
}

all_is_delivered() {
	[ "$(delivered)" = "$1" ]
}

# wrong_inside WHAT: N right and N wrong frames of each of four known flows in turn. From s9 within OUTER, or, where
# that is empty, by c11 itself.
wrong_inside() {
	local from=s9 all=() proto family wanted="UDP4 $N+0, UDP6 $N+0, TCP $((2 * N)), refused $((2 * N))"
	ROUND=$((ROUND + 1))
	for proto in udp tcp; do
		for family in 4 6; do
			inner "$proto" "$family" "good$family $ROUND"
			all+=("${OUTER[@]}" "${INNER[@]}" +)
			inner "$proto" "$family" "evil$family $ROUND" sum=0x1234
			all+=("${OUTER[@]}" "${INNER[@]}" +)
		done
	done
	unset 'all[-1]'
	[ ${#OUTER[@]} -gt 0 ] || from=c11
	RSTS0=$(tcp_counted OutRsts)
	REFUSED0=$(tcp_counted InCsumErrors)
	mark h2 h1
	on "$from" "$PYTHON" -IS "$LIB/sums.py" send eth0 "$N" 0.0001 "${all[@]}"
	eventually 3 all_is_delivered "$wanted" || {
		BAD=$((BAD + 1))
		echo "$1: wanted $wanted; got $(delivered) (right+wrong)"
	}
	FAST=$(share h2 h1 2>/dev/null)
	echo "# $1: $FAST % fast"
	assert_ge "${FAST_LEAST:-0}" "$FAST" "percent fast, $1"
}

# With GRO and without, with an outer checksum and without.
inner_checksums() {
	local sum mode
	for mode in ${MODES:-on off}; do
		gro "$mode"
		for sum in 0 set; do
			outer "$sum"
			FAST_LEAST=0
			[ "$sum" = set ] || [ "$FASTPATH" != on ] || FAST_LEAST=80
			wrong_inside "GRO $mode, outer checksum $sum"
		done
	done
	assert_eq 0 "$BAD" "combinations with other numbers"
}

inner_checksums_over_ipv4() {
	sum_mesh
	inner_checksums
}

inner_checksums_over_ipv6() {
	FAMILIES=6
	sum_mesh
	inner_checksums
}

# The control: what the kernel alone does.
inner_checksums_without_the_fast_path() {
	FASTPATH=off MODES=on
	sum_mesh
	inner_checksums
}

# The whole way, past both bridges.
inner_checksums_from_a_container() {
	sum_mesh
	on c11 ethtool -K eth0 tso off
	on h1 ethtool -K eth0 tso off
	OUTER=() FAST_LEAST=80
	gro on
	wrong_inside "GRO on, from c11"
	gro off
	wrong_inside "GRO off, from c11"
	assert_eq 0 "$BAD" "combinations with other numbers"
}

# A peer whose tunnel is the kernel's own: it sends outer checksums.
inner_checksums_of_a_plain_peer() {
	mesh 2
	mesh_up h2
	ip -n h1 link add vxbr0 mtu 1450 type bridge
	ip -n h1 link add vx-h2 mtu 1450 type vxlan id "$(vni h2 h1)" local "$(address4 h1)" remote "$(address4 h2)" \
		dstport 4789
	ip -n h1 link set vx-h2 master vxbr0 up
	ip -n h1 link set vxbr0 up
	FASTPATH='' container h1 c11
	container h2 c21
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	serve
	capture wire sw h1-eth0 udp dst port 4789
	OUTER=()
	gro on
	wrong_inside "GRO on, plain peer"
	gro off
	wrong_inside "GRO off, plain peer"
	assert_ge "$N" "$(captured wire 'udp[6:2] != 0')" "packets with an outer checksum"
	assert_eq 0 "$BAD" "combinations with other numbers"
}

# Who looks at the packet before us may leave the sum of all its bytes with it (CHECKSUM_COMPLETE): conntrack, on an
# underlay that is a bridge.
inner_checksums_behind_conntrack() {
	hosts 2
	ip -n h2 addr del "$(address4 h2)/24" dev eth0
	ip -n h2 link add under address "$(underlay_mac h2)" type bridge
	ip -n h2 link set eth0 master under
	ip -n h2 link set under up
	ip -n h2 addr add "$(address4 h2)/24" dev under
	on h2 sysctl -qw net.bridge.bridge-nf-call-iptables=1 || skip "no br_netfilter"
	on h2 nft -f - <<-'N'
		table ip t {
			chain c { type filter hook prerouting priority 0; ct state invalid counter; }
		}
	N
	config vxbr0
	mesh_up
	containers_each 1
	mesh_up
	pings c11 "$(ip4_of c21)" 2
	node s9
	acquainted c11 c21
	serve
	inner_checksums
}

# right_and_other WHAT OTHER [FIELD]: N right packets, in turn with N whose inside is right and whose outside is OTHER:
# only the first arrive, and are counted if WHAT is counted.
right_and_other() {
	local all
	ROUND=$((ROUND + 1))
	outer 0
	inner udp 4 "good4 $ROUND"
	all=("${OUTER[@]}" "${INNER[@]}" +)
	inner udp 6 "good6 $ROUND"
	all+=("${OUTER[@]}" "${INNER[@]}" +)
	TO_MAC=${3:-} outer "$2"
	inner udp 4 "evil4 $ROUND"
	all+=("${OUTER[@]}" "${INNER[@]}" +)
	inner udp 6 "evil6 $ROUND"
	all+=("${OUTER[@]}" "${INNER[@]}")
	mark h2 h1
	RSTS0=$(tcp_counted OutRsts)
	REFUSED0=$(tcp_counted InCsumErrors)
	on s9 "$PYTHON" -IS "$LIB/sums.py" send eth0 "$N" 0.0001 "${all[@]}"
	eventually 3 all_is_delivered "UDP4 $N+0, UDP6 $N+0, TCP 0, refused 0" || fail "$1: delivered $(delivered)"
}

outer_checksums() {
	sum_mesh
	gro on
	right_and_other "GRO on" wrong
	gro off
	right_and_other "GRO off" wrong
}

outer_checksums_over_ipv4() {
	outer_checksums
}

outer_checksums_over_ipv6() {
	FAMILIES=6
	outer_checksums
}

# The sum of the outer IPv4 header, which no device has to check.
outer_header_sum() {
	sum_mesh
	# A bridge with br_netfilter on the way would look at it for us.
	on sw bash -c 'for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $f ] || echo 0 >$f; done'
	right_and_other "the header's sum" header
}

# A flooding switch, and a device that takes everything: the kernel's IP takes only what is for its MAC.
foreign_mac() {
	local before more
	sum_mesh
	ip -n h2 link set eth0 promisc on
	before=$(counter h2 h1 rx_packets)
	right_and_other "another machine's MAC" 0 02:77:00:00:00:07
	more=$(($(counter h2 h1 rx_packets) - before))
	echo "# $more counted"
	# And perhaps a neighbour's question between the containers.
	assert_ge $((2 * N)) "$more" "packets of h1, counted"
	assert_le $((2 * N + 5)) "$more" "packets of h1, counted"
}

mac_of_another_machine() {
	foreign_mac
}

mac_of_another_machine_over_ipv6() {
	FAMILIES=6
	foreign_mac
}

run_tests
