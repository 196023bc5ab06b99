# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The hosts the benches measure between, on top of tests/lib/netns.sh: h1 and h2 on a switch, c1 on
# h1 and c2 on h2, joined one way of three. Nobody asks for an address: all neighbours are known.
#
#      c1              c2            bare      from h1 to h2 by their underlay addresses
#      | vxbr0         | vxbr0       kernel    bridge + one kernel VXLAN per peer, as by hand
#     h1 -- eth0  sw  eth0 -- h2     vxbpf     `vxbpf up` on both

FAMILIES=46

# shellcheck source=tests/lib/netns.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/netns.sh"

# script_up HOST: what vxlansetup.sh does: a device for each peer of PEERS (or HOSTS), on one bridge, at
# 1450, and with two peers or more an ebtables rule for each ordered pair of them.
script_up() {
	local me=$1 peer i=0 a b
	ip -n "$me" link add vxbr0 mtu 1450 address "$(printf '02:b0:00:00:00:%02x' "$(number "$me")")" \
		type bridge stp_state 0
	for peer in ${PEERS:-"${HOSTS[@]}"}; do
		[ "$peer" != "$me" ] || continue
		echo "link add vxlan$i mtu 1450 type vxlan id $(pair_vni "$me" "$peer") local $(address4 "$me")" \
			"remote $(address4 "$peer") dstport 4789"
		echo "link set vxlan$i master vxbr0 up"
		i=$((i + 1))
	done >"$WORK/script"
	ip -n "$me" -batch "$WORK/script"
	ip -n "$me" link set vxbr0 mtu 1450 up
	i=$(grep -c add "$WORK/script")
	[ "$i" -gt 1 ] || return 0
	{
		echo "*filter"
		for ((a = 0; a < i; a++)); do
			for ((b = 0; b < i; b++)); do
				[ $a -eq $b ] || echo "-A FORWARD -i vxlan$a -o vxlan$b -j DROP"
			done
		done
	} >"$WORK/script"
	on "$me" ebtables-restore --noflush <"$WORK/script"
}

# watched HOST: by `vxbpf watch`, which has taken its lease on the doors when this returns.
watched() {
	background "$1" "$VXBPF" watch -v vxbr0 >"$WORK/$1.watch" 2>&1
	wait_for 30 grep -q ' checked everything' "$WORK/$1.watch"
	sleep 1
}

# acquaint_hosts A B: their underlay neighbours.
acquaint_hosts() {
	local me=$1 other=$2 _
	for _ in 1 2; do
		ip -n "$me" neigh replace "$(address4 "$other")" lladdr "$(underlay_mac "$other")" dev eth0 nud permanent
		ip -n "$me" neigh replace "$(address6 "$other")" lladdr "$(underlay_mac "$other")" dev eth0 nud permanent
		me=$2 other=$1
	done
}

# join bare|kernel|vxbpf A B: sets FROM, TO, TO4 and TO6. Containers are cN on hN.
# shellcheck disable=SC2034
join() {
	local a=$2 b=$3
	acquaint_hosts "$a" "$b"
	FROM=$a TO=$b TO4=$(address4 "$b") TO6=$(address6 "$b")
	[ "$1" != bare ] || return 0
	case $1 in
	kernel) script_up "$a" && script_up "$b" ;;
	vxbpf) mesh_up "$a" "$b" ;;
	esac
	FROM=c$(number "$a") TO=c$(number "$b")
	container "$a" "$FROM"
	container "$b" "$TO"
	acquainted "$FROM" "$TO"
	# Once more, and the ports have their programs; and somebody watches, as on people's hosts.
	if [ "$1" = vxbpf ]; then
		mesh_up "$a" "$b"
		watched "$a"
		watched "$b"
	fi
	TO4=$(ip4_of "$TO") TO6=$(ip6_of "$TO")
}
