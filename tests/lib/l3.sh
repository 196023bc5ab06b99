# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Three hosts and a stranger on a layer-3 underlay, see tun.py; with TRAINS=1 it joins packets.

l3_mesh() {
	local name legs=()
	netns s9
	HOSTS=(h1 h2 h3)
	for name in "${HOSTS[@]}"; do host "$name"; done
	for name in "${HOSTS[@]}" s9; do legs+=("$name=$(address4 "$name"),$(address6 "$name")"); done
	"$PYTHON" -IS "$LIB/tun.py" wg0 ${TRAINS:+trains} "${legs[@]}" &
	on_exit stop $!
	wait_for 5 ip -n s9 link show wg0
	for name in "${HOSTS[@]}" s9; do
		on "$name" bash -c 'echo 0 >/proc/sys/net/ipv6/conf/wg0/disable_ipv6'
		ip -n "$name" link set wg0 mtu 1420 addrgenmode none up
		ip -n "$name" addr add "$(address4 "$name")/24" dev wg0
		ip -n "$name" addr add "$(address6 "$name")/64" dev wg0 nodad
	done
	config vxbr0
	mesh_up
	containers_each 1
	# As `up` would have given them: 1420 less 50, or 70 over IPv6.
	for name in c11 c21 c31; do ip -n "$name" link set eth0 mtu 1350; done
}
