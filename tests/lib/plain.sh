# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The same mesh from the kernel's own parts, by `ip`: what vxbpf is compared with, and what proves
# the topology and the counting of these tests without it.

# pair_vni H1 H2: some number both ends agree on.
pair_vni() {
	local a b
	a=$(number "$1") b=$(number "$2")
	echo $((a < b ? 5000 + a * 100 + b : 5000 + b * 100 + a))
}

# pair_ends LOCAL REMOTE: the two underlay addresses, IPv4 if both have it.
pair_ends() {
	local l r
	l=$(families_of "$(number "$1")") r=$(families_of "$(number "$2")")
	if [[ $l == *4* && $r == *4* ]]; then
		echo "local $(address4 "$1") remote $(address4 "$2")"
	else
		echo "local $(address6 "$1") remote $(address6 "$2")"
	fi
}

plain_up() {
	local me=$1 peer ends
	ip -n "$me" link add vxbr0 type bridge stp_state 0
	for peer in "${HOSTS[@]}"; do
		[ "$peer" != "$me" ] || continue
		read -r -a ends <<<"$(pair_ends "$me" "$peer")"
		ip -n "$me" link add "vx-$peer" mtu 1450 type vxlan id "$(pair_vni "$me" "$peer")" \
			"${ends[@]}" dstport 4789 nolearning
		ip -n "$me" link set "vx-$peer" master vxbr0 addrgenmode none
		ip -n "$me" link set "vx-$peer" type bridge_slave isolated on
		ip -n "$me" link set "vx-$peer" up
	done
	ip -n "$me" link set vxbr0 mtu 1450 up
}

plain_down() {
	local me=$1 peer
	for peer in "${HOSTS[@]}"; do
		[ "$peer" = "$me" ] || ip -n "$me" link del "vx-$peer"
	done
	ip -n "$me" link del vxbr0
}
