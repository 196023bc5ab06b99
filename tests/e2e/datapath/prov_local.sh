#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A host speaks by its tunnels alone (I4, I11): VXLAN to a peer that no tun_out has let into a tunnel is refused and
# counted, whoever made it, and teaches the fast path nothing. Without it any process of the host, or a rootless
# container (slirp, pasta), puts frames into the overlay, and a packet of its own decides with which TTL, and to which
# machine, the containers' flows leave.
#
#   c11        a process       m1: macvlan or      c21
#    |         (uid 65534)     |   ipvlan child     |
#   vxbr0          |           |                  vxbr0
#    \______ h1 ___/___________/                    h2
#             eth0 \____________ sw _______________/
#                                |
#                                s9: a third machine

ALL_TESTS="
	process
	process_chooses_the_time
	process_with_another_address
	process_in_pieces
	ttl_of_others
	macvlan_child
	ipvlan_child
	raw_frames
	raw_fragments
	process_over_ipv6
	process_observed
	process_unguarded
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/prov.sh
. "$LIB/prov.sh"

begin() {
	NESTED=$(drops h1 nested) OTHERS=$(others_dropped h1) OTHERS2=$(others_dropped h2)
	capture c21 c21 eth0 -Q in ether proto 0x88b5
	FORGED=$(payload eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged)
}

# payload LAYER...: VXLAN of the pair, behind the UDP header, as text.
payload() {
	"$PYTHON" -IS "$LIB/frame.py" hex vxlan "vni=$(vni h1 h2)" "$@"
}

speaks() { # ADDRESS [WORD...]
	nobody h1 "$1" 4789 "$FORGED" count=10 gap=0.001 "${@:2}"
}

# refused N: so many in all, none of them in vain.
refused() {
	nested "$1"
	exactly 0 c21
}

# nested N: so many in all, towards h2, and nothing else.
nested() {
	reads_so() { [ "$(counter h1 h2 drops.nested)" -eq $((NESTED + $1)) ]; }
	eventually 3 reads_so "$1" || fail "nested: wanted $1, got $(($(counter h1 h2 drops.nested) - NESTED))"
	assert_eq "$OTHERS" "$(others_dropped h1)" "other drops on h1"
	assert_eq "$OTHERS2" "$(others_dropped h2)" "other drops on h2"
}

# The host's own way stands open.
honest() {
	pings c11 "$(ip4_of c21)" 10
}

process() {
	local to
	begin
	to=$(address4 h2)
	speaks "$to"
	refused 10
	speaks "$to" connect=1
	refused 20
	speaks "$to" nosum=1
	refused 30
	speaks "$to" six=1
	refused 40
	speaks "$to" six=1 connect=1
	refused 50
	speaks "$to" sport=4790 ttl=1
	refused 60
	# Another port and another VNI are its own business.
	capture wire sw h1-eth0 udp and src "$(address4 h1)" and dst "$(address4 h2)" and not udp port 4789
	nobody h1 "$to" 4790 "$FORGED" count=10
	exactly 10 wire
	nobody h1 "$to" 4789 "$("$PYTHON" -IS "$LIB/frame.py" hex vxlan vni=77 eth data text=others)" count=10
	refused 60
	honest
}

process_over_ipv6() {
	FAMILIES=6 settings "vni: pair"
	begin
	speaks "$(address6 h2)"
	refused 10
	speaks "$(address6 h2)" connect=1 nosum=1
	refused 20
	speaks "$(address6 h2)" times=0,random
	refused 30
	honest
}

# SO_TXTIME by the monotonic clock needs no right, and what it says is in skb->tstamp: no word of ours is so easily
# guessed, and what fq would hold back until then is refused all the same.
process_chooses_the_time() {
	begin
	speaks "$(address4 h2)" times=0
	speaks "$(address4 h2)" times=1,0x7fffffff,0x80000000,0xffffffff,0x100000000
	refused 20
	speaks "$(address4 h2)" times=random connect=1
	speaks "$(address4 h2)" times=0xffffffffffffffff,0x8000000000000000,0xffffffff00000000
	refused 40
	honest
}

# From an address of the host that is not the pair's: refused here or by the peer.
process_with_another_address() {
	begin
	ip -n h1 addr add 192.0.2.101/24 dev eth0
	on_exit ip -n h1 addr del 192.0.2.101/24 dev eth0
	OTHERS2=$(drops h2 unknown_source)
	speaks "$(address4 h2)" source=192.0.2.101
	reads_so() { [ $(($(drops h1 nested) - NESTED + $(drops h2 unknown_source) - OTHERS2)) -eq 10 ]; }
	eventually 3 reads_so || fail "nested: $(drops h1 nested), unknown_source: $(drops h2 unknown_source)"
	exactly 0 c21
	honest
}

# Cut by the kernel: the first piece shows it all.
process_in_pieces() {
	begin
	speaks "$(address4 h2)" zeros=3000
	refused 10
	honest
}

# Counted and passed on, and yet it teaches nothing.
process_observed() {
	settings "guard: observe"
	begin
	speaks "$(address4 h2)"
	nested 10
	exactly 10 c21
	speaks "$(address4 h2)" times=random
	nested 20
	exactly 20 c21
	copies_with_ttl_1
	nested 60
	honest
}

process_unguarded() {
	settings "guard: off"
	begin
	speaks "$(address4 h2)"
	exactly 10 c21
	nested 0
	honest
}

# Copies of the flow's frames, from a socket with TTL 1, between its own; they say "copy", the flow's own "flow".
# Whatever becomes of them, the flow leaves as the kernel would send it, TTL 64, and all of it arrives.
copies_with_ttl_1() {
	local words
	read -r -a words <<<"$(flow_words)"
	capture wire sw h1-eth0 udp dst port 4789 and src "$(address4 h1)" and 'ether[84:2] = 7000 and ether[92:4] = 0x666c6f77'
	capture flow c21 eth0 -Q in "${FLOW_FILTER[@]}" and 'udp[8:4] = 0x666c6f77'
	mark h1 h2
	flow 500 0.004
	sleep 0.3
	nobody h1 "$(address4 h2)" 4789 "$(payload "${words[@]}" data text=copy)" count=40 gap=0.03 ttl=1 nosum=1 sport=5555
	flow_over
	exactly 0 wire 'ip[8] != 64 or src port 5555'
	exactly 500 wire
	exactly 500 flow
	assert_ge 80 "$(went_fast h1 h2 tx)" "percent of the flow sent fast"
}

ttl_of_others() {
	begin
	copies_with_ttl_1
	refused 40
}

# child TYPE WORDS...: m1 has a child of h1's underlay, and plays h1 from there; by what it sends the flow's next hop
# is s9.
child() {
	local words layers
	begin
	node s9
	pings h1 "$(address4 s9)" 2
	netns m1
	ip -n h1 link add m1 link eth0 type "$@" 2>/dev/null || skip "this kernel has no $1"
	ip -n h1 link set m1 netns m1 name eth0
	ip -n m1 link set eth0 up
	read -r -a words <<<"$(flow_words)"
	capture flow c21 eth0 -Q in "${FLOW_FILTER[@]}" and 'udp[8:4] = 0x666c6f77'
	capture s9 s9 eth0 -Q in udp dst port 4789
	layers=(eth "dst=$(underlay_mac s9)" "src=$(underlay_mac h1)" ip "src=$(address4 h1)" "dst=$(address4 h2)"
		udp sport=5555 sum=0 vxlan "vni=$(vni h1 h2)")
	mark h1 h2
	flow 500 0.004
	sleep 0.3
	frames m1 eth0 once=1 count=40 gap=0.03 "${layers[@]}" "${words[@]}" data text=copy
	flow_over
	exactly 0 s9
	exactly 500 flow
	assert_ge 80 "$(went_fast h1 h2 tx)" "percent of the flow sent fast"
	refused 40
	# And to the peer itself.
	layers[1]=dst=$(underlay_mac h2)
	frames m1 eth0 once=1 count=10 "${layers[@]}" eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged
	refused 50
	honest
}

macvlan_child() {
	child macvlan mode private
}

ipvlan_child() {
	child ipvlan mode l2
}

raw_frames() {
	begin
	frames h1 eth0 once=1 count=10 eth "dst=$(underlay_mac h2)" "src=$(underlay_mac h1)" ip "src=$(address4 h1)" \
		"dst=$(address4 h2)" udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged
	refused 10
	frames h1 eth0 once=1 count=10 eth "dst=$(underlay_mac h2)" "src=$(underlay_mac h1)" ip "src=$(address4 h1)" \
		"dst=$(address4 h2)" options=01010101 udp sum=0 vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c21)" \
		src=02:ee:00:00:00:02 data text=forged
	refused 20
	honest
}

# pieces SIZE ID: the forged datagram from a raw socket, cut by hand.
pieces() {
	local size=$1 id=$2 whole at
	whole=$("$PYTHON" -IS "$LIB/frame.py" hex ip "src=$(address4 h1)" "dst=$(address4 h2)" udp sum=0 \
		vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data zeros=20)
	whole=${whole:40}
	for ((at = 0; at < ${#whole} / 2; at += size)); do
		frames h1 eth0 once=1 eth "dst=$(underlay_mac h2)" "src=$(underlay_mac h1)" ip "src=$(address4 h1)" \
			"dst=$(address4 h2)" proto=17 "id=$id" "mf=$(((at + size) * 2 < ${#whole} ? 1 : 0))" "frag=$at" \
			data "hex=${whole:at * 2:size * 2}"
	done
}

# So that the first shows the frame inside, the VNI alone, the UDP header alone.
raw_fragments() {
	local size id=20
	begin
	for size in 40 16 8; do
		pieces "$size" $((++id))
	done
	refused 3
	honest
}

FAMILIES=46 standing 2
FAMILIES=4
run_tests
