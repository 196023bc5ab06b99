#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Packets that are made in an odd way: what the kernel's VXLAN would take from a peer arrives (I6), and
# nothing odd is a way in, or out, for anybody else (I4). With PLAIN=1 the kernel's own mesh shows what it takes.
#
#    n1              c11           c21
#    |                |             |
#   br1             vxbr0         vxbr0
#    \______ h1 ______/             h2       h3
#            eth0 \________ sw _____/_______/
#                           |
#                           s9 plays any of them

ALL_TESTS="
	outer_tags
	outer_groups
	reserved_bits
	reserved_bits_observed
	checksums
	headers_before_udp
	headers_before_udp_of_ipv6
	fragments_of_a_peer
	fragments_of_a_peer_by_ipv6
	fragments_that_hide_a_forgery
	fragments_that_hide_a_forgery_behind_masquerade
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0

odd_mesh() { # [YAML LINE...]
	mesh 3 "$@"
	mesh_up
	containers_each 1
	node s9
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	INNER=(eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=odd)
	VXLAN=(vxlan "vni=$(plain_vni)" "${INNER[@]}")
	ETHER=(eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)")
	OURS=$(received)
}

plain_vni() {
	vni h1 h2
}

received() {
	[ -n "${PLAIN:-}" ] || counter h1 h2 rx_packets
}

# arrived N: so many frames at c11 in all, and as many more counted as the peer's.
arrived() {
	exactly "$1" c11
	[ -n "${PLAIN:-}" ] || assert_eq $((OURS + $1)) "$(received)" "rx_packets of h2"
}

# from COUNT SRC [FIELD OR LAYER...]: what is between the addresses and the inner frame; UDP and all is the default.
from() {
	[ $# -gt 2 ] || set -- "$@" udp "${VXLAN[@]}"
	frames s9 eth0 count="$1" "${ETHER[@]}" ip "src=$2" "dst=${TO:-$(address4 h1)}" "${@:3}"
}

# Whom the kernel's own mesh lets in.
from_stranger() {
	[ -n "${PLAIN:-}" ] || from "$@"
}

# A tag for no VLAN is only a priority, and the kernel takes it off; another VLAN is another network.
outer_tags() {
	odd_mesh
	ETHER+=(vlan id=0 prio=5)
	from 23 "$(address4 h2)"
	arrived 23
	from_stranger 13 "$(address4 s9)"
	drops_are h1 "unknown_source=13"
	ETHER[4]=id=5
	from 7 "$(address4 h2)"
	from_stranger 7 "$(address4 s9)"
	arrived 23
	drops_are h1 "unknown_source=13"
}

# The pair's source, and no address of the pair's: to everybody, to a group.
outer_groups() {
	odd_mesh
	TO=255.255.255.255 from_stranger 3 "$(address4 h2)"
	TO=192.0.2.255 from_stranger 5 "$(address4 h2)"
	TO=224.0.0.1 from_stranger 7 "$(address4 h2)"
	drops_are h1 "unguarded=15"
	arrived 0
	# Addressed to everybody on the wire, but to this host by its IP: that the kernel takes.
	ETHER[1]=dst=ff:ff:ff:ff:ff:ff
	from 23 "$(address4 h2)"
	arrived 23
	drops_are h1 "unguarded=15"
}

with_reserved_bits() {
	from 3 "$(address4 h2)" udp vxlan flags=0x88 "vni=$(plain_vni)" "${INNER[@]}"
	from 5 "$(address4 h2)" udp vxlan flags=0x0c "vni=$(plain_vni)" "${INNER[@]}"
	from 7 "$(address4 h2)" udp vxlan group=1 "vni=$(plain_vni)" "${INNER[@]}"
	from_stranger 11 "$(address4 s9)" udp vxlan group=0x8000 "vni=$(plain_vni)" "${INNER[@]}"
}

# Group policy, another protocol, ...: the kernel's device takes none of it.
reserved_bits() {
	odd_mesh
	with_reserved_bits
	drops_are h1 "malformed=26"
	[ -n "${PLAIN:-}" ] || assert_eq 15 "$(counter h1 h2 drops.malformed)" "malformed of h2"
	arrived 0
	from 23 "$(address4 h2)"
	arrived 23
}

reserved_bits_observed() {
	odd_mesh "guard: observe"
	with_reserved_bits
	drops_are h1 "malformed=26"
	arrived 0
}

# None, a right one, a wrong one: the last is the kernel's to find.
checksums() {
	odd_mesh
	from 23 "$(address4 h2)" udp sum=0 "${VXLAN[@]}"
	arrived 23
	from 13 "$(address4 h2)" udp "${VXLAN[@]}"
	arrived 36
	from 7 "$(address4 h2)" udp sum=1 "${VXLAN[@]}"
	exactly 36 c11
	drops_are h1 ""
}

headers_before_udp() {
	odd_mesh
	from 23 "$(address4 h2)" options=01010101 udp "${VXLAN[@]}"
	arrived 23
	from_stranger 13 "$(address4 s9)" options=01010101 udp "${VXLAN[@]}"
	drops_are h1 "unknown_source=13"
	arrived 23
}

headers_before_udp_of_ipv6() {
	local pad=01040000 TO
	[ -z "${PLAIN:-}" ] || skip "its tunnels want checksums"
	FAMILIES=6
	odd_mesh
	TO=$(address6 h1)
	# Padding to the destination; to each hop; both.
	from 3 "$(address6 h2)" proto=60 data hex="1100${pad}0000" udp sum=0 "${VXLAN[@]}"
	from 5 "$(address6 h2)" proto=0 data hex="1100${pad}0000" udp sum=0 "${VXLAN[@]}"
	from 7 "$(address6 h2)" proto=0 data hex="3c00${pad}00001100${pad}0000" udp sum=0 "${VXLAN[@]}"
	arrived 15
	from_stranger 13 "$(address6 s9)" proto=0 data hex="3c00${pad}00001100${pad}0000" udp sum=0 "${VXLAN[@]}"
	drops_are h1 "unknown_source=13"
	arrived 15
}

# datagram DPORT PAYLOAD_ZEROS MAC: VXLAN of h1 and h2 as text, from the UDP header on.
datagram() {
	local whole
	whole=$("$PYTHON" -IS "$LIB/frame.py" hex ip src=192.0.2.1 dst=192.0.2.2 udp "dport=$1" sum=0 \
		vxlan "vni=$(plain_vni)" eth "dst=$3" src=02:ee:00:00:00:02 data "zeros=$2")
	echo "${whole:40}"
}

# pieces NODE LAST_FIRST ID SIZE DATAGRAM SRC DST ETH...: it goes out in fragments of SIZE bytes.
pieces() {
	local node=$1 backward=$2 id=$3 size=$4 datagram=$5 src=$6 dst=$7 at more order=()
	shift 7
	for ((at = 0; at < ${#datagram} / 2; at += size)); do
		if [ "$backward" -eq 1 ]; then order=("$at" "${order[@]}"); else order+=("$at"); fi
	done
	for at in "${order[@]}"; do
		more=$(((at + size) * 2 < ${#datagram} ? 1 : 0))
		case $dst in
		*:*) frames "$node" eth0 "$@" ip "src=$src" "dst=$dst" proto=44 data \
			"hex=$(printf '1100%04x%08x' $((at | more)) "$id")${datagram:at * 2:size * 2}" ;;
		*) frames "$node" eth0 "$@" ip "src=$src" "dst=$dst" proto=17 "id=$id" "mf=$more" "frag=$at" \
			data "hex=${datagram:at * 2:size * 2}" ;;
		esac
	done
}

# By a router on the way, in whatever order: counted once, as what it is in one piece.
pieces_arrive() { # PEER STRANGER HOST
	local whole bytes
	whole=$(datagram 4789 1200 "$(mac_of c11)")
	[ -n "${PLAIN:-}" ] || bytes=$(counter h1 h2 rx_bytes)
	pieces s9 0 7 600 "$whole" "$1" "$3" "${ETHER[@]}"
	arrived 1
	pieces s9 1 8 304 "$whole" "$1" "$3" "${ETHER[@]}"
	arrived 2
	[ -n "${PLAIN:-}" ] || assert_eq $((bytes + 2 * 1214)) "$(counter h1 h2 rx_bytes)" "rx_bytes of h2"
	[ -n "${PLAIN:-}" ] || pieces s9 0 9 600 "$whole" "$2" "$3" "${ETHER[@]}"
	arrived 2
	drops_are h1 "unknown_source=1"
}

fragments_of_a_peer() {
	odd_mesh
	pieces_arrive "$(address4 h2)" "$(address4 s9)" "$(address4 h1)"
}

fragments_of_a_peer_by_ipv6() {
	[ -z "${PLAIN:-}" ] || skip "its tunnels want checksums"
	FAMILIES=6
	odd_mesh
	pieces_arrive "$(address6 h2)" "$(address6 s9)" "$(address6 h1)"
}

# A workload's VXLAN to a peer, cut so that no piece shows the VNI, or the frame inside. A peer without these
# programs would put it together.
hidden_forgery() { # SRC
	local size id=20 whole
	ip -n h2 route add 203.0.113.0/24 via "$(address4 h1)"
	pings n1 "$(address4 h2)" 2
	whole=$(datagram 4789 6 "$(mac_of c21)")
	capture wire sw h1-eth0 udp and dst "$(address4 h2)"
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	for size in 8 16 24; do
		pieces n1 $((id & 1)) $((++id)) "$size" "$whole" "$1" "$(address4 h2)" eth dst=02:b1:00:00:00:01
	done
	drops_are h1 "nested=3"
	assert_eq 3 "$(counter h1 h2 drops.nested)" "nested towards h2"
	exactly 0 wire 'ip[6:2] & 0x1fff = 0'
	exactly 0 c21
	drops_are h2 ""
	# Another port is the workload's own business, in whatever pieces.
	pieces n1 0 30 8 "$(datagram 4790 6 "$(mac_of c21)")" "$1" "$(address4 h2)" eth dst=02:b1:00:00:00:01
	exactly 1 wire 'ip[6:2] & 0x1fff = 0'
	drops_are h1 "nested=3"
	pings c11 "$(ip4_of c21)" 23
}

fragments_that_hide_a_forgery() {
	[ -z "${PLAIN:-}" ] || skip "vxbpf's own"
	odd_mesh
	routed_container
	hidden_forgery "$(address4 h1)"
}

fragments_that_hide_a_forgery_behind_masquerade() {
	[ -z "${PLAIN:-}" ] || skip "vxbpf's own"
	odd_mesh
	routed_container
	on h1 nft -f - <<-'N'
		table ip workloads {
			chain post { type nat hook postrouting priority srcnat; oifname "eth0" ip saddr 203.0.113.0/24 masquerade; }
		}
	N
	hidden_forgery 203.0.113.9
}

run_tests
