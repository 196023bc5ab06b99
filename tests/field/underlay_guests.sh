#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: the host's address is on a bridge (vmbr0, br0) whose ports are the NIC and the taps or veths of guests; the
#            tunnels go by that bridge, too.
# Kernel: takes VXLAN from anybody, and passes on what guests send with the host's address.
# vxbpf: drops what a guest sends to this host with an address that is no peer's; what it sends with a peer's address, or
#        past the host with this host's, is a matter of that network. `check` says so, as information, and names the ports,
#        but not those of other VLANs, nor the one by which the peers are reached.

ALL_TESTS="
	guests_are_named
	other_vlans_are_not
	a_vlan_on_the_bridge
	without_guests
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

# bridged [BRIDGE OPTIONS]: h1's address moves from eth0, whose other end is in another namespace as a guest's is, to br0.
bridged() {
	calm_hosts 2
	[ $# -eq 0 ] || ip -n h1 link add br0 type bridge "$@" || skip "this kernel's bridge has no VLANs"
	ip -n h1 link show br0 >/dev/null 2>&1 || ip -n h1 link add br0 type bridge
	ip -n h1 -batch - <<-END
		addr flush dev eth0
		link set br0 address $(underlay_mac h1)
		link set eth0 master br0
		link set br0 up
		addr add $(address4 h1)/24 dev br0
	END
}

# guest PORT: on that port of br0.
guest() {
	netns "g$1"
	ip link add "$1" netns h1 type veth peer name eth0 netns "g$1"
	ip -n "g$1" addr add "192.0.2.$2/24" dev eth0
	ip -n "g$1" link set eth0 up
	ip -n h1 link set "$1" master br0 up
}

known() { # the peer has been heard
	mesh_up
	containers_each 1
	wait_for 5 on c11 ping -n -q -c 1 -W 1 "$(ip4_of c21)"
}

# informs REGEX: what `check` on h1 says besides that nothing is wrong; "" = nothing.
informs() {
	vx h1 up vxbr0
	wait_for 5 is_well h1
	expect 0 vx h1 check vxbr0
	assert_eq "vxbr0: nothing is wrong" "$(head -n 1 <<<"$OUT")" "what check says"
	if [ -n "$1" ]; then
		assert_match "^vxbr0: underlay_guests: $1" "$(tail -n +2 <<<"$OUT")" "what check says besides"
	else
		assert_eq "" "$(tail -n +2 <<<"$OUT")" "what check says besides"
	fi
}

guests_are_named() {
	bridged
	guest tap1 71
	known
	informs 'br0 carries the tunnels, and guests share its bridge \(tap1\); vxbpf does not see what they send there'
	assert_eq "underlay_guests br0" "$(vx h1 check vxbr0 --json | jq -r '.[0].information[] | "\(.id) \(.about)"')" "JSON"
	# It sees what a guest sends to the host itself.
	frames gtap1 eth0 count=7 eth "dst=$(underlay_mac h1)" src=02:ee:00:00:00:01 ip src=192.0.2.71 "dst=$(address4 h1)" \
		udp vxlan "vni=$(vni h1 h2)" eth "dst=$(mac_of c11)" src=02:ee:00:00:00:02 data text=forged
	drops_are h1 "unknown_source=7"
	guest tap2 72
	guest tap3 73
	guest tap4 74
	vx h1 check vxbr0 >"$WORK/check" || true
	assert_match 'underlay_guests: .* \(tap1, tap2, tap3 and 1 more\)' "$(<"$WORK/check")" "names"
	config vxbr0 "guard: off"
	vx h1 reload vxbr0
	vx h1 check vxbr0 >"$WORK/check" || true
	! grep underlay_guests "$WORK/check" || fail "said although there is no guard"
}

other_vlans_are_not() {
	bridged vlan_filtering 1
	guest tap1 71
	guest tap2 72
	on h1 bridge vlan del dev tap1 vid 1
	on h1 bridge vlan add dev tap1 vid 7 pvid untagged
	on h1 bridge vlan add dev tap1 vid 20-30
	known
	informs 'br0 carries the tunnels, and guests share its bridge \(tap2\)'
	on h1 bridge vlan del dev tap2 vid 1
	informs ""
}

# The tunnels go by br0.1, where eth0 brings frames without a tag.
a_vlan_on_the_bridge() {
	bridged vlan_filtering 1
	guest tap1 71
	guest tap2 72
	ip -n h1 link add br0.9 link br0 type vlan id 9 || skip "this kernel has no VLAN devices"
	ip -n h1 -batch - <<-END
		addr flush dev br0
		link set br0.9 up
		addr add $(address4 h1)/24 dev br0.9
	END
	on h1 bridge vlan add dev br0 self vid 9
	on h1 bridge vlan add dev eth0 vid 9 pvid untagged
	on h1 bridge vlan add dev tap2 vid 5-9
	known
	informs 'br0.9 carries the tunnels, and guests share its bridge \(tap2\)'
}

without_guests() {
	bridged
	known
	informs ""
}

run_tests
