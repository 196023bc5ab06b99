#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# No frame received from a tunnel leaves by a tunnel (I2): with the bridge's isolation and without,
# with tun_out alone, over a loop built on purpose, and at every moment of up, down and kill -9.
#
#      c11              c21              c31
#       |                |                |
#     vxbr0 ... back ... vxbr0          vxbr0      (back: only in a_loop_on_purpose)
#   h1 192.0.2.1     h2 192.0.2.2     h3 192.0.2.3
#      \_______________ sw _______________/
#                       |
#                       s9 plays any of them
# time limit: 400
# also with: FASTPATH=on

ALL_TESTS="
	flood_with_isolation
	flood_without_isolation
	unicast_without_isolation
	unicast_with_isolation
	tun_out_alone_is_enough
	fragments_cut_again
	fragments_behind_other_headers
	a_loop_on_purpose
	a_loop_on_purpose_without_isolation
	up_and_down_under_fire
	killed_up_under_fire
	killed_down_under_fire
	killed_reload_under_fire
	killed_restart_under_fire
"
# With the fast path forced, what it might change.
[ -z "${FASTPATH:-}" ] || ALL_TESTS="unicast_without_isolation unicast_with_isolation tun_out_alone_is_enough
	fragments_cut_again up_and_down_under_fire killed_down_under_fire"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0

# Everyone knows where everyone is, and nothing else is on the wire.
warm_mesh() {
	mesh 3
	mesh_up
	containers_each 1
	node s9
	pings c11 "$(ip4_of c21)" 2
	pings c11 "$(ip4_of c31)" 2
	pings c21 "$(ip4_of c31)" 2
}

isolation() { # on|off
	local host peer
	for host in h1 h2 h3; do
		for peer in h1 h2 h3; do
			[ "$host" = "$peer" ] || on "$host" bridge link set dev "vx-$peer" isolated "$1"
		done
	done
}

# A flood from h2's container: one copy to each other host, and no copy of a copy.
flood() {
	capture wire sw br0 udp port 4789 and 'ether[62:2] = 0x88b5'
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	capture c31 c31 eth0 -Q in ether proto 0x88b5
	frames c21 eth0 count=23 eth "src=$(mac_of c21)" data text=flood
	exactly 23 c11
	exactly 23 c31
	exactly 46 wire
	exactly 23 wire src "$(address4 h2)" and dst "$(address4 h1)"
	exactly 23 wire src "$(address4 h2)" and dst "$(address4 h3)"
}

flood_with_isolation() {
	warm_mesh
	flood
	[ -n "${PLAIN:-}" ] || drops_are h1 ""
}

flood_without_isolation() {
	warm_mesh
	isolation off
	flood
	# The bridge's own copies are no drops.
	drops_are h1 ""
	drops_are h3 ""
}

# h1 gets from h2 what is for h3's container; its bridge knows where that is.
stray_unicast() {
	capture wire sw br0 udp port 4789 and 'ether[62:2] = 0x88b5'
	capture c31 c31 eth0 -Q in ether proto 0x88b5
	frames s9 eth0 count=23 eth "dst=$(underlay_mac h1)" "src=$(underlay_mac s9)" \
		ip "src=$(address4 h2)" "dst=$(address4 h1)" udp vxlan "vni=$(vni h1 h2)" \
		eth "dst=$(mac_of c31)" "src=02:ee:00:00:00:02" data text=stray
	exactly 23 wire
	exactly 0 c31
}

unicast_without_isolation() {
	warm_mesh
	isolation off
	stray_unicast
	drops_are h1 "loop=23"
	assert_eq 23 "$(counter h1 h2 drops.loop)" "loop, of the peer it came from"
}

unicast_with_isolation() {
	warm_mesh
	stray_unicast
	drops_are h1 "loop=23"
}

tun_out_alone_is_enough() {
	warm_mesh
	isolation off
	on h1 find /sys/fs/bpf/vxbpf -mindepth 3 -type f ! -path '*tun_out*' -delete
	assert_eq "tun_out" "$(hooks h1 | cut -d ' ' -f 3 | sort -u)" "programs left"
	flood
	stray_unicast
}

# With conntrack on the bridge the kernel puts the fragments of a multicast datagram together and cuts each copy again:
# the new ones no longer show the device they came by. One such datagram became a storm of 180,000 packets a second.
fragments_cut_again() {
	local host
	IPV6=1 FAMILIES=4
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	for host in h1 h2 h3; do
		on "$host" sysctl -qw net.bridge.bridge-nf-call-ip6tables=1 || skip "no br_netfilter"
		on "$host" ip6tables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	done
	isolation off
	pings c21 "$(ip4_of c11)" 2
	pings c21 "$(ip4_of c31)" 2
	sleep 1
	capture wire sw h1-eth0 udp dst port 4789 and src "$(address4 h1)" and dst "$(address4 h3)"
	capture c31 c31 eth0 -Q in ether src "$(mac_of c21)" and ip6 proto 44
	on c21 "$PYTHON" -IS -c '
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
for _ in range(10):
	s.sendto(bytes(3000), ("ff02::1:2", 7001, 0, socket.if_nametoindex("eth0")))'
	sleep 1
	assert_eq 30 "$(captured c31)" "fragments at c31, of 10 datagrams in 3 pieces each"
	assert_le 3 "$(captured wire)" "packets from h1 to h3" # but for reports of the containers' own
}

# The same behind an authentication header, and one more in front of that: the kernel finds the fragment there, too.
fragments_behind_other_headers() {
	local host mac headers n
	IPV6=1 FAMILIES=4
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	# Not h2: it would put the header of fragments in front of the others.
	on h2 sysctl -qw net.bridge.bridge-nf-call-ip6tables=0 || skip "no br_netfilter"
	for host in h1 h3; do
		on "$host" sysctl -qw net.bridge.bridge-nf-call-ip6tables=1
		on "$host" ip6tables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	done
	isolation off
	pings c21 "$(ip4_of c11)" 2
	pings c21 "$(ip4_of c31)" 2
	sleep 1
	mac=$(mac_of c21)
	capture wire sw h1-eth0 udp dst port 4789 and src "$(address4 h1)" and dst "$(address4 h3)"
	capture c11 c11 eth0 -Q in ether src "$mac" and ip6
	# Next headers: AH; hop-by-hop options, AH.
	for headers in 33:2c01000000000001000000a1 00:3300010400000000,2c01000000000001000000a2; do
		for n in 1 2 3 4 5; do
			fragment "$mac" "${headers%%:*}" "${headers#*:}" "0001000${n}" 1
			fragment "$mac" "${headers%%:*}" "${headers#*:}" "0001000${n}" 801
		done
	done
	sleep 1
	assert_eq 20 "$(captured c11)" "fragments at c11, of 10 datagrams in 2 pieces each"
	assert_le 3 "$(captured wire)" "packets from h1 to h3" # but for reports of the containers' own
}

# fragment MAC NEXT HEADERS IDENT OFFSET: to all nodes, 800 bytes of it; an odd offset says that there are more.
fragment() {
	local headers=${3//,/} where=$5 length
	[ "$where" -eq 1 ] || where=800
	printf -v length '%04x' $((${#headers} / 2 + 8 + 800))
	frames c21 eth0 eth "src=$1" dst=33:33:00:00:00:01 type=0x86dd data \
		"hex=60000000$length${2}40fe80$(printf '%028d' 21)ff02$(printf '%028d' 1)${headers}1100$(printf '%04x' "$where")$4$(printf '%01600d' 0)"
}

loop_on_purpose() {
	local seen
	ip link add back netns h1 type veth peer name back netns h2
	ip -n h1 link set back addrgenmode none up
	ip -n h2 link set back addrgenmode none up
	ip -n h1 link set back master vxbr0
	ip -n h2 link set back master vxbr0
	capture wire sw br0 udp port 4789 and 'ether[62:2] = 0x88b5'
	capture back h1 back ether proto 0x88b5
	frames c31 eth0 count=23 eth "src=$(mac_of c31)" data text=round
	# It ends by itself ...
	quiet
	# ... and soon: each frame crosses each pair of hosts a few times at most.
	seen=$(captured wire)
	assert_ge 46 "$seen" "frames on the underlay"
	assert_le $((23 * 8)) "$seen" "frames on the underlay"
	assert_le $((23 * 4)) "$(captured back)" "frames on the second cable"
	# Each frame that came out of a tunnel was one too many, but for those that first brought the MAC to h1 and
	# h2: to both, or to one, and from there to the other by the second cable.
	seen=$((seen - $(drops h1 loop) - $(drops h2 loop) - $(drops h3 loop)))
	assert_ge 1 "$seen" "frames from a tunnel that are no loop"
	assert_le 2 "$seen" "frames from a tunnel that are no loop"
	# Without the second cable all is well again.
	ip -n h1 link del back
	forget_neighbours c11 c21 c31
	eventually 5 on c11 ping -n -q -c 1 -W 1 "$(ip4_of c31)" >/dev/null || fail "no traffic after the loop"
	reach_all c11 c21 c31
}

a_loop_on_purpose() {
	warm_mesh
	loop_on_purpose
}

a_loop_on_purpose_without_isolation() {
	warm_mesh
	isolation off
	loop_on_purpose
}

# What left a host that did not start there: the inner source MAC tells where a frame comes from.
nothing_circled() {
	local host n
	capture_alive wire
	quiet_enough
	capture_end wire
	assert_ge 23 "$(captured wire)" "frames on the underlay at all"
	for host in h1 h2 h3; do
		n=$(printf '0x%02x' "$(number "c${host#h}1")")
		assert_eq 0 "$(captured wire src "$(address4 "$host")" and "ether[61] != $n")" \
			"frames that came to $host and left it again"
	done
}

# Broadcasts from everywhere, without an end.
fire() {
	local c
	capture wire sw br0 udp port 4789 and 'ether[62:2] = 0x88b5'
	for c in c11 c21 c31; do
		background "$c" "$PYTHON" -IS "$LIB/frame.py" send eth0 count=1000000 gap=0.002 \
			eth "src=$(mac_of "$c")" data text=fire
		echo "$PID" >>"$WORK/guns"
	done
	wait_for 5 has_captured 23 wire
}

quiet_enough() {
	local pid
	while read -r pid; do stop "$pid"; done <"$WORK/guns"
	rm "$WORK/guns"
	quiet
}

capture_alive() {
	kill -0 "$(<"$WORK/$1.tcpdump")" || fail "capture $1 has ended: $(cat "$WORK/$1.err")"
}

# One of h1's ports is isolated, so its tunnels are not, and tun_out alone stands between them: on every
# tunnel that is a port of the bridge, whatever has just been killed.
unisolated_mesh() {
	warm_mesh
	on h1 bridge link set dev c11 isolated on
	vx h1 up vxbr0
	assert_match 'isolated off' "$(on h1 bridge -d link show dev vx-h2)" "vx-h2 on h1"
}

members_are_hooked() {
	local dev
	for dev in $(ip -n h1 -j link show master vxbr0 | jq -r '.[].ifname | select(startswith("vx-"))'); do
		assert_match "$dev out tun_out" "$(hooks h1)" "hooks of h1, killed at $1"
	done
}

killed_under_fire() { # POINT ARGS...
	killed_at "$1" h1 "${@:2}" vxbr0
	members_are_hooked "$1"
}

up_and_down_under_fire() {
	local i
	warm_mesh
	fire
	for i in 1 2 3; do
		vx h1 down vxbr0
		vx h1 up vxbr0
		vx h2 restart vxbr0
		vx h3 reload vxbr0
	done
	nothing_circled
	reach_all c11 c21 c31
}

killed_up_under_fire() {
	local n
	unisolated_mesh
	vx h1 down vxbr0
	calls h1 up vxbr0
	fire
	for n in $(points 8); do
		vx h1 down vxbr0
		killed_under_fire "$n" up
	done
	vx h1 up vxbr0
	nothing_circled
	reach_all c11 c21 c31
	# Containers still stand on the bridge, so it stays; without them nothing does.
	mesh_down h1
	ip -n h1 link del c11
	mesh_down h1
	nothing_left h1
}

killed_down_under_fire() {
	local n
	unisolated_mesh
	calls h1 down vxbr0
	vx h1 up vxbr0
	fire
	for n in $(points 8); do
		killed_under_fire "$n" down
		vx h1 up vxbr0
	done
	nothing_circled
	reach_all c11 c21 c31
}

# Programs are replaced, settings changed, tunnels made anew.
killed_reload_under_fire() {
	local n i=0
	unisolated_mesh
	config vxbr0 "vni_salt: 1" "guard: observe"
	calls h1 reload vxbr0
	fire
	for n in $(points 8); do
		config vxbr0 "vni_salt: $((++i % 2))" "clamp_mss: $([ $((i % 2)) -eq 0 ] && echo true || echo false)"
		killed_under_fire "$n" reload
		vx h1 reload vxbr0
	done
	config vxbr0
	vx h1 reload vxbr0
	nothing_circled
	reach_all c11 c21 c31
}

killed_restart_under_fire() {
	local n
	unisolated_mesh
	calls h1 restart vxbr0
	fire
	for n in $(points 6); do
		killed_under_fire "$n" restart
		vx h1 up vxbr0
	done
	nothing_circled
	reach_all c11 c21 c31
}

run_tests
