#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What is not ours is not touched (I8): devices, qdiscs, filters, programs, rules and settings of
# others are the same, to the byte, after up, reload and down.
#
#     c11          c21       and on h1: vxlan.calico, vxlan0, br-vxlan with ports, nft and
#      |            |        ebtables rules, qdiscs and filters on everything
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2
# time limit: 400
# also with: FASTPATH=on

ALL_TESTS="
	strangers_survive
	foreign_xdp_on_the_uplink
	two_overlays_want_xdp_on_one_nic
	xdp_in_the_driver_or_not_at_all
	bridge_of_others_is_used_not_removed
	bridge_of_others_keeps_its_mtu
	bridge_is_one_overlays
	pins_are_roots_alone
	ports_vanish_while_up_runs
	two_overlays_with_the_same_peers
	a_thousand_hosts
"
# With the fast path forced, what it might change.
[ -z "${FASTPATH:-}" ] || ALL_TESTS="strangers_survive bridge_of_others_is_used_not_removed two_overlays_with_the_same_peers"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

strangers() {
	on "$1" bash -e -c '
		ip link add vxlan.calico address 02:ca:00:00:00:01 type vxlan id 4096 dstport 4789 dev eth0 nolearning
		ip link add vxlan0 type vxlan id 1 dstport 4789 remote 192.0.2.77
		ip link add vxlan_net7 type vxlan id 7 dstport 8472 group 239.1.1.7 dev eth0
		ip link add br-vxlan type bridge
		ip link set vxlan0 master br-vxlan
		ip link add vx-other type veth peer name vx-rehto
		ip link set vx-other master br-vxlan
		ip link set vx-other alias "vxbpf-like but not ours"
		bridge link set dev vx-other isolated on
		for d in vxlan.calico vxlan0 vxlan_net7 br-vxlan vx-other vx-rehto; do ip link set $d up; done
		ip addr add 203.0.113.7/24 dev br-vxlan
		tc qdisc add dev eth0 clsact
		tc filter add dev eth0 ingress pref 1 protocol ip u32 match u32 0 0
		tc filter add dev eth0 egress pref 49152 protocol all u32 match u32 0 0
		tc qdisc add dev eth0 root handle 7: htb default 7
		tc qdisc add dev vxlan.calico clsact
		tc qdisc add dev vx-other handle ffff: ingress
		ebtables -A FORWARD -i vxlan0 -o vx-other -j DROP
		ebtables -t nat -A PREROUTING -s 02:00:00:00:00:99 -j DROP
		iptables -A FORWARD -s 203.0.113.0/24 -j ACCEPT
		nft add table inet others
		nft add chain inet others in "{ type filter hook input priority 5; }"
		nft add rule inet others in udp dport 9999 drop
		nft add table netdev others
		nft add chain netdev others in "{ type filter hook ingress device eth0 priority 5; }"
		echo 1 >/proc/sys/net/ipv4/ip_forward
		mkdir -p /sys/fs/bpf/others/vxbr0
	' || fail "strangers do not come up"
}

strangers_survive() {
	mesh 2
	strangers h1
	snapshot h1 >"$WORK/before"
	mesh_up
	containers_each 1
	reach_all c11 c21
	# While up: their part of the picture is the same. Ours has a mark or a name of its own.
	config vxbr0 "guard: observe" "mtu: 1400"
	vx h1 reload vxbr0
	vx h1 restart vxbr0
	reach_all c11 c21
	assert_match 'pref 1 u32' "$(on h1 tc filter show dev eth0 ingress)" "their filter"
	assert_match 'isolated on' "$(on h1 bridge -d link show dev vx-other)" "their port"
	ip -n h1 link del c11
	vx h1 down vxbr0
	unchanged h1 "$WORK/before"
	nothing_left_but_strangers
}

nothing_left_but_strangers() {
	assert_eq "" "$(remains h1 | grep -vE 'vx-other|vx-rehto|^qdisc: |/others' || true)" "left on h1"
}

xdp_on() { # HOST IFNAME: id of the program there
	on "$1" ip -d -j link show "$2" | jq -e '.[0].xdp.prog.id'
}

# A program of somebody else in the uplink's driver: we say so and go on with TC.
foreign_xdp_on_the_uplink() {
	local theirs
	command -v clang >/dev/null || skip "needs clang"
	mesh 2 "xdp: on"
	printf '%s\n' '__attribute__((section("xdp"), used)) int others_xdp(void *ctx) { return 2; }' |
		clang -target bpf -O2 -g -x c -c -o "$WORK/others.o" -
	on h1 ip link set dev eth0 xdpdrv obj "$WORK/others.o" sec xdp ||
		on h1 bash -c "bpftool prog load $WORK/others.o /sys/fs/bpf/others_xdp &&
			bpftool net attach xdpdrv pinned /sys/fs/bpf/others_xdp dev eth0"
	snapshot h1 >"$WORK/before"
	theirs=$(xdp_on h1 eth0)
	expect 0 vx h1 up vxbr0
	assert_match "^vxbpf: eth0: another XDP program is attached and stays" "$ERR" "what up says"
	mesh_up h2
	containers_each 1
	mesh_up
	reach_all c11 c21
	assert_eq "$theirs" "$(xdp_on h1 eth0)" "program in the driver"
	expect 0 vx h1 status
	assert_match "! eth0: another XDP program is attached" "$OUT" "status"
	assert_eq foreign "$(status_json h1 | jq -r '.[0].underlay[0].xdp')" "xdp in the JSON"
	ip -n h1 link del c11
	vx h1 down vxbr0
	unchanged h1 "$WORK/before"
}

bridge_of_others_is_used_not_removed() {
	export PEER_MORE_h1=', bridge_address: [203.0.113.101/24]'
	mesh 2
	ip -n h1 link add vxbr0 address 02:b0:00:00:00:01 type bridge ageing_time 12300
	ip -n h1 link set vxbr0 up
	ip -n h1 addr add 198.51.100.101/24 dev vxbr0
	ip -n h1 link add port9 type veth peer name 9trop
	ip -n h1 link set port9 master vxbr0
	ip -n h1 link set port9 up
	ip -n h1 link set 9trop up
	snapshot h1 >"$WORK/before"
	mesh_up
	containers_each 1
	reach_all c11 c21
	pings h1 "$(ip4_of c21)" 7
	assert_eq "02:b0:00:00:00:01" "$(ip -n h1 -j link show vxbr0 | jq -r '.[0].address')" "the bridge's MAC"
	assert_match '203.0.113.101/24' "$(ip -n h1 addr show dev vxbr0)" "our address on it"
	vx h1 up vxbr0
	expect 0 vx h1 up vxbr0 --dry-run
	ip -n h1 link del c11
	vx h1 down vxbr0
	assert_match '198.51.100.101' "$(ip -n h1 addr show dev vxbr0)" "the bridge's address"
	assert_eq 1 "$(ip -n h1 -o link show master vxbr0 | wc -l)" "ports of the bridge"
	assert_eq "" "$(hooks h1)" "programs"
	unchanged h1 "$WORK/before"
}

# The first has the NIC's driver, the second the guard by TC, until it is alone.
two_overlays_want_xdp_on_one_nic() {
	local first
	mesh 2 "xdp: on"
	config blue "xdp: on" "port: 4790"
	vx h1 up vxbr0
	first=$(xdp_on h1 eth0)
	expect 0 vx h1 up blue
	assert_match '^vxbpf: eth0: another XDP program is attached' "$ERR" "what up says"
	expect 0 vx h1 up --dry-run
	assert_eq "$first" "$(xdp_on h1 eth0)" "program in the driver"
	vx h1 down blue
	assert_eq "$first" "$(xdp_on h1 eth0)" "program in the driver"
	vx h1 up blue
	vx h1 down vxbr0
	expect 3 vx h1 up blue --dry-run
	assert_match '^\+ hook +eth0/wire_xdp' "$OUT" "what there is to do"
	vx h1 up blue
	[ "$first" != "$(xdp_on h1 eth0)" ] || fail "the first one's program is still there"
	vx h1 down blue
	nothing_left h1
}

# The kernel's generic XDP, where a driver has none, would cost more than it saves.
xdp_in_the_driver_or_not_at_all() {
	mesh 2 "xdp: on"
	ip -n h1 addr flush dev eth0
	ip -n h1 link add lan up type bridge
	ip -n h1 link set eth0 master lan
	ip -n h1 addr add "$(address4 h1)/24" dev lan
	expect 0 vx h1 up vxbr0
	assert_match '^vxbpf: lan/wire_xdp: cannot make the hook: attach: .*; continuing without it$' "$ERR" "what up says"
	assert_eq "" "$(ip -n h1 -o link | grep xdp || true)" "XDP on h1"
	mesh_up h2
	containers_each 1
	reach_all c11 c21
	ip -n h1 link del c11
	vx h1 down vxbr0
	ip -n h1 link del lan
	nothing_left h1
}

mtu_of() { on "$1" ip -j link show "$2" | jq '.[0].mtu'; }

# A bridge whose MTU nobody set follows its smallest port: not to ours.
bridge_of_others_keeps_its_mtu() {
	local mtu
	mesh 2
	mesh_up h2
	for mtu in 1500 1400; do
		ip -n h1 link add vxbr0 type bridge
		ip -n h1 link add port9 mtu "$mtu" type veth peer name 9trop
		ip -n h1 link set port9 master vxbr0
		ip -n h1 link set vxbr0 up
		assert_eq "$mtu" "$(mtu_of h1 vxbr0)" "MTU before"
		expect 0 vx h1 up vxbr0
		[ "$mtu" -le 1450 ] || assert_match "vxbr0: not made by vxbpf, so its MTU stays 1500" "$ERR" "what up says"
		assert_eq "$mtu" "$(mtu_of h1 vxbr0)" "MTU with our tunnels"
		ip -n h1 link del port9
		assert_eq "$mtu" "$(mtu_of h1 vxbr0)" "MTU with nothing but our tunnels"
		vx h1 up vxbr0
		assert_eq "$mtu" "$(mtu_of h1 vxbr0)" "MTU after another up"
		vx h1 down vxbr0
		ip -n h1 link del vxbr0
	done
	nothing_left h1
}

# Two meshes on one bridge would pass each other's broadcasts on without end.
# The kernel gives a bridge its own a moment after the first port is up.
has_link_local() {
	ip -n "$1" -6 addr show dev "$2" scope link | grep inet6
}

bridge_is_one_overlays() {
	mesh 2
	config blue "bridge: vxbr0" "port: 4790"
	vx h1 up vxbr0
	wait_for 5 has_link_local h1 vxbr0
	snapshot h1 >"$WORK/before"
	refused 1 'vxbr0: cannot use it as the bridge: it belongs to overlay vxbr0' vx h1 up blue
	unchanged h1 "$WORK/before"
	vx h1 down vxbr0
	nothing_left h1
	# Nobody's mark is on this one; the tunnels' are.
	ip -n h1 link add br9 up mtu 1450 type bridge
	config vxbr0 "bridge: br9"
	config blue "bridge: br9" "port: 4790"
	vx h1 up vxbr0
	wait_for 5 has_link_local h1 br9
	snapshot h1 >"$WORK/before"
	refused 1 'br9: cannot use it as the bridge: vx-h2 on it is a tunnel of another overlay' vx h1 up blue
	unchanged h1 "$WORK/before"
	refused 2 'br9 is already the bridge of .*; each overlay needs its own bridge' vx h1 up
	unchanged h1 "$WORK/before"
	vx h1 down vxbr0
	vx h1 up blue
	vx h1 down blue
}

# Who may change the pins decides what programs run: nobody's but root's.
pins_are_roots_alone() {
	local how root=/sys/fs/bpf/vxbpf
	mesh 2
	for how in "mkdir $root && chown 65534 $root" "mkdir -m 0777 $root" "mkdir -m 0770 $root" \
		"mkdir $root $root/vxbr0 && chown 65534 $root/vxbr0" "ln -s /run $root" \
		"bpftool map create $root type array key 4 value 4 entries 1 name others"; do
		on h1 sh -c "$how"
		snapshot h1 >"$WORK/before"
		refused 1 "$root" vx h1 up vxbr0
		unchanged h1 "$WORK/before"
		on h1 rm -rf "$root"
	done
	on h1 mkdir -m 0755 "$root"
	vx h1 up vxbr0
	vx h1 down vxbr0
	nothing_left h1
}

a_port_is_hooked() { hooks h1 | grep '^p[0-9]* in port_in' >/dev/null; }

# Containers end when they end: a run that is just about to hook their ports is not spoilt.
ports_vanish_while_up_runs() {
	local i up
	mesh 1
	vx h1 up vxbr0
	for ((i = 0; i < 40; i++)); do echo "link add p$i master vxbr0 type veth peer name x$i"; done | on h1 ip -batch -
	# Slowed down, so that most of them go between the look and the hook.
	enter h1
	"${ENTER[@]}" strace -f -qq -o /dev/null -e trace=bpf -e inject=bpf:delay_enter=2000 \
		"$VXBPF" up vxbr0 >"$WORK/up" 2>&1 &
	up=$!
	wait_for 10 a_port_is_hooked
	for ((i = 0; i < 40; i++)); do echo "link del p$i"; done | on h1 ip -batch -
	wait "$up" || fail "up: $(cat "$WORK/up")"
	assert_eq "" "$(cat "$WORK/up")" "what up says"
	vx h1 up vxbr0
	vx h1 down vxbr0
	nothing_left h1
}

two_overlays_with_the_same_peers() {
	local host
	mesh 3
	config blue
	for host in h1 h2 h3; do
		vx "$host" up vxbr0
		vx "$host" up blue
	done
	containers_each 1
	container h1 c14 blue
	container h2 c24 blue
	container h3 c34 blue
	reach_all c11 c21 c31
	reach_all c14 c24 c34
	# Two networks, not one.
	forget_neighbours c11 c24
	unreachable c11 "$(ip4_of c24)"
	vx h1 up
	expect 0 vx h1 up --dry-run
	assert_eq 2 "$(vx h1 status --json | jq length)" "overlays in status"
	# One goes, the other stays.
	snapshot h2 >"$WORK/before"
	vx h1 down blue
	reach_all c11 c21 c31
	vx h1 up blue
	reach_all c14 c24 c34
	unchanged h2 "$WORK/before"
	ip -n h1 link del c11
	ip -n h1 link del c14
	# Without a name: every file.
	vx h1 down
	nothing_left h1
}

a_thousand_hosts() {
	local i before
	IPV6=0
	hosts 2
	ip -n h1 route add 198.18.0.0/15 via 192.0.2.2
	ip -n h2 route add 198.18.0.0/15 via 192.0.2.1
	{
		echo "peers:"
		echo "  - { name: h1, address: 192.0.2.1 }"
		echo "  - { name: h2, address: 192.0.2.2 }"
		for ((i = 3; i <= 1000; i++)); do
			echo "  - { name: host-$i, address: 198.18.$((i / 250)).$((i % 250 + 1)) }"
		done
	} >"$WORK/config"
	cp "$WORK/config" "$WORK/etc/h1/vxbr0.yaml"
	cp "$WORK/config" "$WORK/etc/h2/vxbr0.yaml"
	SECONDS=0
	vx h1 up vxbr0
	assert_le 30 "$SECONDS" "seconds for up"
	assert_eq 999 "$(ip -n h1 -o link show master vxbr0 | wc -l)" "tunnels"
	SECONDS=0
	calls h1 up vxbr0
	assert_eq 0 "$(changing)" "calls of the second up that change something"
	vx h2 up vxbr0
	containers_each 1
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 23
	SECONDS=0
	assert_eq 999 "$(status_json h1 | jq '.[0].peers | length')" "peers in status"
	assert_le 10 "$SECONDS" "seconds for status"
	# One broadcast goes to each, once.
	capture wire sw h1-eth0 udp port 4789 and 'ether[62:2] = 0x88b5'
	ip -n h1 neigh replace 192.0.2.2 lladdr "$(underlay_mac h2)" dev eth0
	quiet
	before=$(status_json h1 | jq '[.[0].peers[].tx_bum_packets] | add')
	frames c11 eth0 eth "src=$(mac_of c11)" data text=toall
	exactly 999 wire
	assert_eq $((before + 999)) "$(status_json h1 | jq '[.[0].peers[].tx_bum_packets] | add')" \
		"broadcasts sent to all peers"
	ip -n h1 link del c11
	SECONDS=0
	vx h1 down vxbr0
	assert_le 20 "$SECONDS" "seconds for down"
	nothing_left h1
}

run_tests
