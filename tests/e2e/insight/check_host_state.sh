#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Full tables, second ways, spanning tree, managers of devices, wrong checksums, a kernel that lacks
# something: `check` names it, says what to do, and is content once just that has been done.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2
# time limit: 400
# alone: it fills the neighbour table, which the whole machine shares

ALL_TESTS="
	conntrack_fills_up
	managed_by_networkd
	managed_by_networkmanager
	second_way_to_a_peer
	underlay_on_the_bridge
	network_on_both_bridges
	spanning_tree_delays
	spanning_tree_blocks
	neighbours_fill_up
	bridge_fills_up
	bridge_learns_no_more
	checksums_are_wrong
	kernel_lacks_something
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/wrong.sh
. "$LIB/wrong.sh"

# flows HOST N PORT: as many UDP flows within that host.
flows() {
	on "$1" "$PYTHON" -IS -c 'import socket, sys
n, port = int(sys.argv[1]), int(sys.argv[2])
for i in range(n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.%d.%d.1" % (port % 250 + 1, i // 50000), 10000 + i % 50000))
    s.sendto(b"", ("127.0.0.2", port))
    s.close()' "$2" "$3"
}

# By a request of netlink to delete all.
forget_connections() {
	on "$1" "$PYTHON" -IS -c 'import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
s.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 5, 1, 0, 0, 0, 0))
s.recv(4096)'
}

conntrack_fills_up() {
	local max
	two
	max=$(on h1 cat /proc/sys/net/netfilter/nf_conntrack_max) || skip "no connection tracking"
	[ "$max" -le 300000 ] || skip "the table is too large to fill: $max"
	on h1 nft 'table inet track { chain out { type filter hook output priority 0; ct state new; }; }'
	on h1 sysctl -qw net.netfilter.nf_conntrack_udp_timeout=300
	# Half full is no news.
	flows h1 $((max * 55 / 100)) 9
	right h1
	flows h1 $((max * 22 / 100)) 4789
	wrong h1 conntrack 'is 7[78]% full \(.* entries are VXLAN, which needs no tracking'
	mend h1 1
	forget_connections h1
	flows h1 1000 9
	flows h1 $((max * 22 / 100)) 4789
	assert_le 1100 "$(on h1 cat /proc/sys/net/netfilter/nf_conntrack_count)" "tracked"
	right h1
	# Others' alone.
	flows h1 $((max * 76 / 100)) 9
	wrong h1 conntrack "is 7[56]% full .*; raise the limit with .sysctl -w net.netfilter.nf_conntrack_max=$((max * 2))"
	forget_connections h1
	right h1
}

# The real ones, in h1's namespaces; a /sys that cannot be written tells them not to wait for udev.
own_run() {
	on "$1" bash -ec "mkdir -p $2 && mount -t tmpfs tmpfs $2 && mount -o remount,ro /sys"
}

ifindex() {
	ip -n "$1" -j link show "$2" | jq '.[0].ifindex'
}

networkd_says() {
	on h1 grep -q "^ADMIN_STATE=$1" "/run/systemd/netif/links/$(ifindex h1 vxbr0)"
}

managed_by_networkd() {
	local daemon=/lib/systemd/systemd-networkd
	[ -x "$daemon" ] || skip "no systemd-networkd"
	getent passwd systemd-network >/dev/null || skip "no user systemd-network"
	two
	# All hosts here have the same /run, so h2 reads of h1's devices, whose numbers its own have, too.
	on_exit rm -rf /run/systemd
	on h1 bash -ec 'mount -o remount,ro /sys
		mkdir -p /run/systemd/network /run/systemd/netif/{links,leases,lldp}
		chown -R systemd-network: /run/systemd/netif
		printf "[Match]\nName=vx*\n[Network]\nAddress=203.0.113.9/24\n" >/run/systemd/network/50-all.network'
	background h1 "$daemon"
	wait_for 20 networkd_says 'configur'
	wrong h1 managed 'systemd-networkd manages vxbr0 .*00-vxbpf-vxbr0.network && networkctl reload`'
	# There is no bus to reload it by.
	WRONG=${WRONG/ && networkctl reload/}
	mend h1 1
	assert_eq "$(ifindex h1 vxbr0)" "$(ifindex h2 vxbr0)" "numbers of vxbr0"
	right h2
	stop "$PID"
	right h1
	background h1 "$daemon"
	wait_for 20 networkd_says unmanaged
	right h1
}

manager_says() {
	on h1 grep -qr '^managed=true' /run/NetworkManager/devices
}

managed_by_networkmanager() {
	local tool
	for tool in NetworkManager nmcli dbus-daemon; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
	two
	own_run h1 /run/dbus
	own_run h1 /run/NetworkManager
	cat >"$WORK/bus.conf" <<-'X'
		<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
		<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
		<allow send_type="method_call"/><allow send_destination="*"/><allow receive_type="*"/>
		</policy></busconfig>
	X
	mkdir -p /etc/NetworkManager/conf.d
	printf '[main]\nplugins=keyfile\nauth-polkit=false\n' >/etc/NetworkManager/NetworkManager.conf
	background h1 dbus-daemon --config-file="$WORK/bus.conf" --nofork
	wait_for 10 on h1 test -S /run/dbus/system_bus_socket
	background h1 NetworkManager --no-daemon --config /etc/NetworkManager/NetworkManager.conf
	wait_for 20 manager_says
	wrong h1 managed 'NetworkManager manages vx'
	mend h1 1
	eventually 10 right h1
	stop "$PID"
}

# As a vxlansetup.sh that was not stopped leaves it.
second_way_to_a_peer() {
	two
	ip -n h1 link add vxlan0 master vxbr0 type vxlan id 0 dstport 4790 remote 192.0.2.2 dev eth0
	ip -n h1 link set vxlan0 up
	wrong h1 second_path 'vxlan0, a tunnel on vxbr0 that vxbpf did not make, also leads to h2, '
	mend h1 1
	right h1
	# To somewhere else is somebody's affair.
	ip -n h1 link add vxlan1 master vxbr0 type vxlan id 1 dstport 4790 remote 192.0.2.77 dev eth0
	right h1
}

underlay_on_the_bridge() {
	two
	ip -n h1 link set eth0 master vxbr0
	wrong h1 second_path 'eth0 carries the tunnels and is also a port of vxbr0'
	mend h1 1
	right h1
}

# h1 and h2 have the same second network on their bridges.
network_on_both_bridges() {
	local host
	two
	switch sw2
	for host in h1 h2; do
		plug "$host" sw2 eth1
		ip -n "$host" link add link eth1 name lan1 type macvlan mode passthru
		ip -n "$host" link set lan1 master vxbr0
		ip -n "$host" link set lan1 up
	done
	frames c11 eth0 count=3 eth "src=$(mac_of c11)" data text=round
	eventually 5 seen_twice || fail "no verdict: $OUT"
	assert_match 'second_path: frames received on lan1 return from h[12], ' "$WRONG" "verdict"
	mend "$AT" 1
	right "$AT"
}

seen_twice() {
	for AT in h1 h2; do
		found "$AT"
		[ -z "$WRONG" ] || return 0
	done
	return 1
}

spanning_tree_delays() {
	two
	ip -n h1 link set vxbr0 type bridge stp_state 1 forward_delay 1500
	found h1
	assert_match 'spanning_tree: spanning tree on vxbr0 blocks each new port for 30 s' "$WRONG" "verdicts"
	WRONG=$(grep 'blocks each new port' <<<"$WRONG")
	mend h1 2
	# Alone with one tunnel it has nothing to block.
	wait_for 20 right h1
	ip -n h1 link set vxbr0 type bridge forward_delay 1500
	wrong h1 spanning_tree 'blocks each new port'
	mend h1 1
	right h1
}

tunnel_is_blocked() {
	for AT in h1 h2 h3; do
		on "$AT" bridge link | grep 'vx-h.* state blocking' >/dev/null && return
	done
	return 1
}

none_is_blocked() {
	! tunnel_is_blocked
}

# Of a mesh spanning tree leaves a star.
spanning_tree_blocks() {
	local host
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	for host in h1 h2 h3; do ip -n "$host" link set vxbr0 type bridge stp_state 1 forward_delay 200 hello_time 100; done
	wait_for 40 tunnel_is_blocked
	wrong "$AT" spanning_tree 'spanning tree on vxbr0 blocks vx-h., and no other tunnel'
	mend "$AT" 1
	right "$AT"
	for host in h1 h2 h3; do ip -n "$host" link set vxbr0 type bridge stp_state 0; done
	wait_for 60 none_is_blocked
	reach_all c11 c21 c31
}

# One table for the whole machine, so not for long.
neighbours_fill_up() {
	local max i
	two
	max=$(on h1 ip -j ntable show name ndisc_cache | jq '[.[].thresh3 // 0] | max')
	[ "$max" -le 4096 ] || skip "the table is too large to fill: $max"
	right h1
	for ((i = 0; i < max * 85 / 100; i++)); do printf 'neigh add 2001:db8::9:%x lladdr 02:00:00:00:00:09 dev eth0 nud stale\n' "$i"; done |
		on h1 ip -batch -
	found h1
	ip -n h1 -6 neigh flush dev eth0 nud stale
	assert_match "neighbours: the kernel's neighbour table for IPv6 has [0-9]+ entries of at most $max .*gc_thresh3=$((max * 4))" "$WRONG" "verdict"
	right h1
	# Those that stay for good do not count.
	for ((i = 0; i < max * 85 / 100; i++)); do printf 'neigh add 2001:db8::9:%x lladdr 02:00:00:00:00:09 dev eth0 nud permanent\n' "$i"; done |
		on h1 ip -batch -
	right h1
}

bridge_fills_up() {
	local i
	two
	for ((i = 0; i < 1006; i++)); do echo "link add x$i group 77 master vxbr0 type vxlan id $i dstport 4790"; done |
		on h1 ip -batch -
	wrong h1 bridge_full 'vxbr0 has 1008 ports and the kernel allows 1023'
	ip -n h1 link del group 77
	right h1
}

# fdb_max HOST N: iproute2 of Debian 12 does not know it yet.
fdb_max() {
	on "$1" "$PYTHON" -IS -c 'import socket, struct, sys
attr = lambda t, v: struct.pack("=HH", 4 + len(v), t) + v + bytes(-len(v) % 4)
info = attr(18, attr(1, b"bridge\0") + attr(2, attr(49, struct.pack("=I", int(sys.argv[1])))))
body = struct.pack("=BxHiII", 0, 0, socket.if_nametoindex("vxbr0"), 0, 0) + info
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.send(struct.pack("=IHHII", 16 + len(body), 16, 5, 1, 0) + body)
sys.exit(struct.unpack("=i", s.recv(4096)[16:20])[0] != 0)' "$2"
}

bridge_learns_no_more() {
	two
	fdb_max h1 2 || skip "this kernel has no fdb_max_learned"
	reach_all c11 c21
	wrong h1 bridge_full 'vxbr0 has learned [0-9]+ MACs of at most 2, .*fdb_max_learned 8`'
	fdb_max h1 8
	right h1
}

# udp_to_h1 N good|bad: datagrams from h2, with their checksums right or wrong.
udp_to_h1() {
	on h2 "$PYTHON" -IS -c 'import socket, struct, sys
n, good = int(sys.argv[1]), sys.argv[2] == "good"
if good:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
for i in range(n):
    s.sendto(b"good" if good else struct.pack("!HHHH", 9, 9999, 8, 0xdead), ("192.0.2.1", 9999 if good else 0))' "$1" "$2"
}

udp_number() {
	on h1 awk -v name="$1" '/^Udp:/ { if (!n++) { for (i = 2; i <= NF; i++) at[$i] = i } else print $at[name] }' /proc/net/snmp
}

checksums_are_wrong() {
	local tries=0
	two
	udp_to_h1 90 bad
	right h1
	udp_to_h1 60 bad
	assert_eq 150 "$(udp_number InCsumErrors)" "wrong checksums"
	wrong h1 checksums 'packets of UDP over IPv4 since it started, and 150 had a wrong checksum'
	background h1 "$PYTHON" -IS -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.1", 9999))
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
while True: s.recv(99)'
	wait_for 10 on h1 grep -q ':270F ' /proc/net/udp
	while [ "$(udp_number InDatagrams)" -lt 16000 ]; do
		tries=$((tries + 1))
		assert_le 20 "$tries" "tries"
		udp_to_h1 4000 good
	done
	right h1
}

kernel_lacks_something() {
	local release
	release=$(uname -r)
	mesh 2
	right h1
	on h1 bash -ec "mkdir -p $WORK/lib/up $WORK/lib/work
		mount -t overlay -o lowerdir=/usr/lib,upperdir=$WORK/lib/up,workdir=$WORK/lib/work overlay /usr/lib
		mkdir -p /usr/lib/modules/$release; cd /usr/lib/modules/$release
		echo 'kernel/net/ipv4/udp_tunnel.ko.xz: ' >modules.dep
		echo 'kernel/net/bridge/br_netfilter.ko: kernel/net/bridge/bridge.ko' >>modules.dep
		echo 'kernel/net/bridge/bridge.ko' >modules.builtin
		mount -t tmpfs tmpfs /sys/module"
	wrong h1 kernel "this kernel \($release\) has no module vxlan, and none is installed for it; .*linux-modules-extra-$release"
	on h1 bash -c "echo 'kernel/drivers/net/vxlan/vxlan.ko.zst: kernel/net/ipv4/udp_tunnel.ko' >>/usr/lib/modules/$release/modules.dep"
	right h1
	on h1 mount -t tmpfs tmpfs /sys/kernel/btf
	wrong h1 kernel 'has no /sys/kernel/btf/vmlinux'
	on h1 umount /sys/kernel/btf
	# What is up has all it needs.
	vx h1 up vxbr0
	on h1 mount -t tmpfs tmpfs /sys/kernel/btf
	right h1
}

run_tests
