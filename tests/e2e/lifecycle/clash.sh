#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What others hold and we would need is theirs (I8): the clash is named and nothing is changed.

ALL_TESTS="
	vni_taken
	tunnel_name_taken
	bridge_name_taken
	altnames
	altname_of_a_tunnel
	bridge_made_meanwhile
	external_on_the_port
	port_taken_by_a_socket
	foreign_alias_is_no_mark
	group_is_no_mark
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

vni_taken() {
	local number
	mesh 2
	mesh_up
	number=$(vni h1 h2)
	mesh_down h1
	ip -n h1 link add squatter type vxlan id "$number" dstport 4789 remote 192.0.2.77
	snapshot h1 >"$WORK/before"
	refused 1 "squatter|$number|already exists" vx h1 up vxbr0
	unchanged h1 "$WORK/before"
	ip -n h1 link del squatter
	vx h1 up vxbr0
	containers_each 1
	reach_all c11 c21
}

tunnel_name_taken() {
	mesh 2
	ip -n h1 link add vx-h2 type veth peer name other
	snapshot h1 >"$WORK/before"
	refused 1 'vx-h2' vx h1 up vxbr0
	unchanged h1 "$WORK/before"
	vx h1 down vxbr0
	unchanged h1 "$WORK/before"
}

bridge_name_taken() {
	mesh 2
	ip -n h1 link add vxbr0 type veth peer name other
	snapshot h1 >"$WORK/before"
	refused 1 'vxbr0' vx h1 up vxbr0
	unchanged h1 "$WORK/before"
}

# For the kernel another name of a device is as good as its own, in every request.
altnames() {
	local name
	mesh 2
	ip -n h1 link add mine type veth peer name enim
	for name in vxbr0 vx-h2; do
		ip -n h1 link property add dev mine altname a-name altname "$name"
		snapshot h1 >"$WORK/before"
		refused 1 "$name: cannot make the .*: the name is already an alternative name of mine" vx h1 up vxbr0
		unchanged h1 "$WORK/before"
		ip -n h1 link property del dev mine altname a-name altname "$name"
	done
	ip -n h1 link property add dev eth0 altname uplink
	sed -i '1i underlay: uplink' "$WORK/etc/h1/vxbr0.yaml"
	refused 2 'vxbr0.yaml:1: underlay uplink: this is an alternative name of eth0' vx h1 up vxbr0
}

# A tunnel of another overlay carries its readable name beside its own.
altname_of_a_tunnel() {
	local name
	mesh 2
	cp "$WORK/etc/h1/vxbr0.yaml" "$WORK/etc/h1/lab.yaml"
	rm "$WORK/etc/h1/vxbr0.yaml"
	ip -n h1 link add mine type veth peer name enim
	ip -n h1 link property add dev mine altname vx-lab-h2
	snapshot h1 >"$WORK/before"
	refused 1 'alternative name vx-lab-h2 is already used by mine' vx h1 up lab
	unchanged h1 "$WORK/before"
	ip -n h1 link property del dev mine altname vx-lab-h2
	vx h1 up lab
	# Somebody gives it another one: that is put right.
	name=$(ip -n h1 -j link show vx-lab-h2 | jq -r '.[0].ifname')
	ip -n h1 link property del dev "$name" altname vx-lab-h2
	ip -n h1 link property add dev "$name" altname vx-other
	vx h1 up lab
	expect 0 vx h1 up lab --dry-run
	assert_match '"altnames":\["vx-lab-h2"\]' "$(ip -n h1 -j link show "$name")" "names of $name"
	vx h1 down lab
	nothing_left h1
}

# At boot others make bridges, too: one that comes between our look and our request stays theirs.
bridge_made_meanwhile() {
	local nth
	mesh 2
	mesh_up h1
	mesh_down h1
	on h1 strace -f -qq -e trace=sendto -o "$WORK/calls" "$VXBPF" up vxbr0
	vx h1 down vxbr0
	nth=$(grep -n -m 1 RTM_NEWLINK "$WORK/calls" | cut -d : -f 1)
	background h1 strace -f -qq -o /dev/null -e trace=sendto \
		-e inject=sendto:delay_enter=4000000:when="$nth" "$VXBPF" up vxbr0 2>"$WORK/err"
	wait_for 10 on h1 test -e /sys/fs/bpf/vxbpf/vxbr0/links
	ip -n h1 link add vxbr0 group 7 alias theirs type bridge
	ip -n h1 -d link show vxbr0 >"$WORK/before"
	wait "$PID" && fail "up took over a bridge that was not there when it looked"
	assert_match 'vxbr0: cannot make the bridge: another device already has this name' "$(<"$WORK/err")" "what up says"
	ip -n h1 -d link show vxbr0 >"$WORK/now"
	assert_same "$WORK/before" "$WORK/now" "their bridge"
	ip -n h1 link del vxbr0
	nothing_left h1
}

# While it is up, a device that takes every VNI has the port for itself.
external_on_the_port() {
	mesh 2
	ip -n h1 link add flannel type vxlan external dstport 4789
	ip -n h1 link set flannel up
	snapshot h1 >"$WORK/before"
	refused 1 'flannel takes every VNI on port 4789' vx h1 up vxbr0
	unchanged h1 "$WORK/before"
	ip -n h1 link set flannel down
	mesh_up
	containers_each 1
	reach_all c11 c21
}

port_taken_by_a_socket() {
	mesh 2
	background h1 "$PYTHON" -IS -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 4789))
time.sleep(1000)'
	wait_for 5 on h1 bash -c 'ss -Hlun sport = 4789 | grep . >/dev/null'
	snapshot h1 >"$WORK/before"
	refused 1 '4789|in use' vx h1 up vxbr0
	unchanged h1 "$WORK/before"
	stop "$PID"
	vx h1 up vxbr0
	vx h1 down vxbr0
	nothing_left h1
}

# Somebody else's words in an ifalias do not make a device ours.
foreign_alias_is_no_mark() {
	mesh 2
	ip -n h1 link add mine type veth peer name enim
	ip -n h1 link set mine alias "vxbpf:other:h9"
	ip -n h1 link set enim alias "see vxbpf:vxbr0:h2"
	snapshot h1 >"$WORK/before"
	mesh_up
	vx h1 down vxbr0
	unchanged h1 "$WORK/before"
}

# Nor does our tunnels' group, which goes in one request.
group_is_no_mark() {
	local group
	mesh 3
	mesh_up h1
	group=$(ip -n h1 -j link show vx-h2 | jq -r '.[0].group') # signed, as ip has it
	ip -n h1 link add mine type veth peer name enim
	on h1 sh -c "echo $((group & 0xffffffff)) >/sys/class/net/mine/netdev_group"
	vx h1 down vxbr0
	assert_match mine "$(ip -n h1 link show)" "devices"
	ip -n h1 link del mine
	nothing_left h1
	# A tunnel that is not in it any more goes all the same.
	vx h1 up vxbr0
	ip -n h1 link set vx-h2 group 5
	vx h1 down vxbr0
	nothing_left h1
}

run_tests
