#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: 1:1 NAT, as elastic or floating IPs of clouds are: a host has 10.0.1.5, and the others reach it by a public
#     address that a router translates. One side or both are behind it; two networks may use the same private address.
# Kernel: works with a script that gives each host its own `local` and `remote`; one list for all hosts does not exist.
# vxbpf: `address` is what the others send to, `bind` beside it what that host has. Who it is a host finds by `bind`; of
#     two with the same one it is the one with its host name. VNIs come from `address`, the guard from what arrives.

ALL_TESTS="
	one_side
	both_sides
	same_private_address
	public_address_on_lo
	strangers_stay_out
	bad_values
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# shellcheck disable=SC2034 # read by netns.sh
IPV6=0

# behind HOST PRIVATE: its router r<n> has the address that the others know, and translates it 1:1.
behind() {
	local host=$1 private=$2 router=r${1#h}
	host "$host"
	netns "$router"
	plug "$router" sw
	address "$router" eth0
	ip link add eth1 netns "$router" type veth peer name eth0 netns "$host"
	ip -n "$router" addr add "${private%.*}.254/24" dev eth1
	ip -n "$router" link set eth1 up
	ip -n "$host" addr add "$private/24" dev eth0
	ip -n "$host" link set eth0 up
	ip -n "$host" route add default via "${private%.*}.254"
	on "$router" sysctl -qw net.ipv4.ip_forward=1
	on "$router" nft -f - <<-END
		table ip nat {
			chain in { type nat hook prerouting priority -100; iifname eth0 ip daddr $(address4 "$host") dnat to $private; }
			chain out { type nat hook postrouting priority 100; oifname eth0 ip saddr $private snat to $(address4 "$host"); }
		}
	END
	HOSTS+=("$host")
	printf -v "PEER_MORE_$host" ', bind: %s' "$private"
}

plain() { # HOST
	host "$1"
	plug "$1" sw
	address "$1" eth0
	HOSTS+=("$1")
}

works() {
	containers_each 1
	vx h1 up vxbr0
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 5
	vx h1 ping h2 -c 1
	vx h2 ping h1 -c 1
	drops_are h1 ""
	drops_are h2 ""
	assert_eq "$(vni h1 h2)" "$(vni h2 h1)" "VNI"
	assert_eq "192.0.2.1" "$(status_json h1 | jq -r '.[0].address')" "address of h1"
}

one_side() {
	switch sw
	behind h1 10.0.1.5
	plain h2
	config vxbr0
	mesh_up
	works
	expect 0,3 vx h1 check vxbr0
	case $OUT in *peer_* | *route* | *own_address*) fail "check says $OUT" ;; esac
}

both_sides() {
	switch sw
	behind h1 10.0.1.5
	behind h2 10.0.2.5
	config vxbr0
	mesh_up
	works
}

same_private_address() {
	switch sw
	behind h1 10.0.1.5
	behind h2 10.0.1.5
	config vxbr0
	refused 2 'h1 \(line 2\) and h2 \(line 3\) both have an address of this host; select one with local: NAME' \
		vx h1 up vxbr0
	for host in h1 h2; do
		on "$host" unshare --uts bash -c "hostname $host && '$VXBPF' up vxbr0"
		echo "local: $host" >>"$WORK/etc/$host/vxbr0.yaml"
	done
	works
}

# The others' packets come for the private one all the same.
public_address_on_lo() {
	switch sw
	behind h1 10.0.1.5
	plain h2
	ip -n h1 addr add "$(address4 h1)/32" dev lo
	config vxbr0
	mesh_up
	works
}

strangers_stay_out() {
	switch sw
	behind h1 10.0.1.5
	plain h2
	node s9
	config vxbr0
	mesh_up
	containers_each 1
	capture c11 c11 eth0 -Q in ether proto 0x88b5
	frames s9 eth0 count=7 eth "dst=$(underlay_mac r1)" src=02:ee:00:00:00:01 ip "src=$(address4 s9)" "dst=$(address4 h1)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
	drops_are h1 "unknown_source=7"
	exactly 0 c11
}

bad() { # REGEX KEYS
	# shellcheck disable=SC2034 # read by peer_line
	PEER_MORE_h1=", $2"
	config vxbr0
	refused 2 "$1" vx h1 up vxbr0
}

bad_values() {
	hosts 1
	bad 'bind: must be an address of the same family as address' 'bind: "2001:db8::7"'
	bad 'bind: must be an address of the same family' 'bind: here'
	bad 'bind: 127.0.0.1 is a loopback address' 'bind: 127.0.0.1'
	bad 'the subnet of 10.0.1.9/24 holds 10.0.1.5' 'bind: 10.0.1.5, bridge_address: [10.0.1.9/24]'
	bad 'no peer has an address of this host' 'bind: 10.0.1.5'
	nothing_left h1
}

run_tests
