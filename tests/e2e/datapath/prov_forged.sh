#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What a second look at wire_out found (I4): packets to a peer that were passed because they looked like something else
# when they were judged. Without it a workload of one host speaks as another host, or past a tag, or changes the packet
# behind the one who judges it.
#
#   n1: a routed container     m1: macvlan child      c21       c31
#            \                     |                   |         |
#             br1 (no port of ours)|                 vxbr0     vxbr0
#               \__ h1 ____________/                   h2        h3
#                    eth0 \_____________ sw ____________/________/

ALL_TESTS="
	routed_container_as_another_host
	macvlan_child_as_another_host
	hub_between_two_others
	tag_with_a_priority
	options_as_far_as_they_go
	train_in_shared_memory
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/prov.sh
. "$LIB/prov.sh"

begin() {
	NESTED=$(drops h1 nested)
	capture c21 c21 eth0 -Q in ether proto 0x88b5
}

# nested N: so many are refused, and not one comes in.
nested() {
	reads_so() { [ "$(drops h1 nested)" -eq $((NESTED + $1)) ]; }
	eventually 3 reads_so "$1" || fail "nested: wanted $1, got $(($(drops h1 nested) - NESTED))"
	exactly 0 c21
}

# forged SRC DST_MAC SRC_MAC VNI [LAYER...]: the layers of such a packet to h2, what is between Ethernet and IP last.
forged() {
	LAYERS=(eth "dst=$2" "src=$3" "${@:5}" ip "src=$1" "dst=$(address4 h2)" udp sport=5555 sum=0 vxlan "vni=$4"
		eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged)
}

mac_in() { # NAMESPACE
	ip -n "$1" -j link show dev eth0 | jq -r '.[0].address'
}

child() {
	netns m1
	ip -n h1 link add m1 link eth0 type macvlan mode private
	ip -n h1 link set m1 netns m1 name eth0
	ip -n m1 link set eth0 up
}

# As Docker and systemd leave it: a loose rp_filter, and masquerading of the container's own subnet alone.
routed_container_as_another_host() {
	routed_container
	on h1 bash -c 'for f in all br1 eth0; do echo 2 >/proc/sys/net/ipv4/conf/$f/rp_filter; done'
	on_exit on h1 bash -c 'for f in all eth0; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done'
	begin
	forged "$(address4 h3)" 02:b1:00:00:00:01 "$(mac_in n1)" "$(vni h2 h3)"
	frames n1 eth0 once=1 count=10 "${LAYERS[@]}"
	nested 10
	# In pieces, too: the first shows no frame.
	frames n1 eth0 count=1 eth "dst=02:b1:00:00:00:01" "src=$(mac_in n1)" ip "src=$(address4 h3)" "dst=$(address4 h2)" \
		proto=17 id=7 mf=1 data "hex=15b312b5002e0000"
	nested 11
}

macvlan_child_as_another_host() {
	child
	begin
	forged "$(address4 h3)" "$(underlay_mac h2)" "$(mac_in m1)" "$(vni h2 h3)"
	frames m1 eth0 once=1 count=10 "${LAYERS[@]}"
	nested 10
}

# h1 really is the router between h2 and h3: it passes what comes from there, and what h3 says is not h1's to judge.
hub_between_two_others() {
	on h1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
	on_exit on h1 sysctl -qw net.ipv4.ip_forward=0
	ip -n h3 route add "$(address4 h2)/32" via "$(address4 h1)"
	on_exit ip -n h3 route del "$(address4 h2)/32"
	begin
	capture wire sw h1-eth0 udp dst port 4789 and src "$(address4 h3)" and dst "$(address4 h2)"
	pings c31 "$(ip4_of c21)" 10
	eventually 3 arrived_at_least 10 wire || fail "the packets did not pass h1"
	nested 0
}

# The receiving kernel takes it off before anybody looks.
tag_with_a_priority() {
	local from
	child
	begin
	for from in m1 h1; do
		forged "$(address4 h1)" "$(underlay_mac h2)" "$(mac_in "$from")" "$(vni h1 h2)" vlan id=0
		frames "$from" eth0 once=1 count=10 "${LAYERS[@]}"
	done
	nested 20
	forged "$(address4 h1)" "$(underlay_mac h2)" "$(mac_in m1)" "$(vni h1 h2)" vlan id=0 vlan id=0
	frames m1 eth0 once=1 count=10 "${LAYERS[@]}"
	nested 30
	# Another VLAN is another network, and another VNI none of ours.
	forged "$(address4 h1)" "$(underlay_mac h2)" "$(mac_in m1)" "$(vni h1 h2)" vlan id=7
	frames m1 eth0 once=1 count=10 "${LAYERS[@]}"
	forged "$(address4 h1)" "$(underlay_mac h2)" "$(mac_in m1)" 77 vlan id=0
	frames m1 eth0 once=1 count=10 "${LAYERS[@]}"
	sleep 0.3
	nested 30
}

# IPv4 options push the VXLAN header back as far as they can.
options_as_far_as_they_go() {
	child
	begin
	frames m1 eth0 once=1 count=10 eth "dst=$(underlay_mac h2)" "src=$(mac_in m1)" ip "src=$(address4 h1)" \
		"dst=$(address4 h2)" "options=$(printf '01%.0s' {1..40})" udp sum=0 vxlan "vni=$(vni h1 h2)" \
		eth "dst=$(mac_of c21)" src=02:ee:00:00:00:02 data text=forged
	nested 10
}

train_in_shared_memory() {
	local offload spin trains
	"${CC:-gcc}" -O1 -pthread "$HERE/shared_train.c" -o "$WORK/shared_train" 2>/dev/null || skip "no compiler here"
	chmod 755 "$WORK" "$WORK/shared_train"
	for offload in off on; do
		on h1 ethtool -K eth0 tx-udp-segmentation "$offload"
		for spin in 0 100 400 1500; do
			begin
			trains=$(on h1 setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all \
				--bounding-set=-all "$WORK/shared_train" "$(address4 h2)" "$(vni h1 h2)" "$(mac_of c21)" 500 "$spin")
			sleep 0.3
			echo "# segmentation offload $offload, spin $spin: $trains, nested $(($(drops h1 nested) - NESTED))"
			assert_eq "500 trains" "$trains" "sent"
			exactly 0 c21
			if [ "$spin" -eq 0 ]; then
				nested 0 # a train of another VXLAN is none of ours
			else
				assert_ge 20 $(($(drops h1 nested) - NESTED)) "caught"
			fi
		done
	done
}

standing 3
run_tests
