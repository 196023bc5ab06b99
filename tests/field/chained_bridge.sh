#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a bridge of its own sits between a VM and the overlay's bridge, joined by a veth pair with MTU 1500 on both
#            ends, as Proxmox's firewall makes it (tap, fwbr, fwln, fwpr, vmbr).
# Kernel: carries it; packets that do not fit the tunnel vanish.
# vxbpf: carries it, fast, and the VM is told the right MTU by ICMP. `check` used to call fwln "the container's end" and
#        wanted its MTU at 1450, which would have let large packets vanish before anybody could tell the VM.

ALL_TESTS="
	vm_behind_another_bridge
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

# The container stands for the VM: what matters is what is between it and the overlay's bridge.
put_behind() { # CONTAINER
	ip -n h1 -batch - <<-END
		link add fwbr0 type bridge
		link set fwbr0 up
		link add fwln type veth peer name fwpr
		link set fwln master fwbr0 up
		link set fwpr master vxbr0 up
		link set $1 master fwbr0
		link set $1 mtu 1500
	END
	ip -n "$1" link set eth0 mtu 1500
}

vm_behind_another_bridge() {
	calm_mesh 2
	containers_each 1
	put_behind c11
	mesh_up
	wait_for 5 on c11 ping -n -q -c 1 -W 1 "$(ip4_of c21)"
	pings c11 "$(ip4_of c21)" 5
	pings c21 "$(ip4_of c11)" 5
	well h1
	expect 1,2 on c11 ping -n -c 2 -i 0.2 -W 1 -M "do" -s 1472 "$(ip4_of c21)"
	assert_match 'mtu ?= ?1450' "$OUT$ERR" "the VM is told"
	wrong h1 oversize 'fwpr sent 1 frame of up to 1500 bytes, too large for the overlay; set the MTU of the device behind it to 1450'
	tcp c11 c21 20M
	tcp c21 c11 20M
}

run_tests
