#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: Calico runs on the same host. Its default mask of mark bits (0xffff0000) includes the overlay's default
#            mark 0x40000000, and each takes, sets and clears the bits it thinks its own.
# Kernel: a plain VXLAN device uses no mark.
# vxbpf: `check` names Calico and a bit that is free; `mark: 0x00001000` in the config ends it. The same for kube-proxy
#        and Tailscale where `mark:` is one of theirs.

ALL_TESTS="calicos_mask_includes_our_mark"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/wrong.sh
. "$LIB/wrong.sh"

# As Felix makes them.
felix() {
	on "$1" iptables -N cali-INPUT
	on "$1" iptables -A cali-INPUT -i cali+ -j MARK --set-xmark 0x10000/0x10000
	on "$1" iptables -I INPUT -j cali-INPUT
}

calicos_mask_includes_our_mark() {
	local said='Calico runs on this host \(chain cali-INPUT\) and marks packets with bits of 0xffff0000, which include the'
	two
	right h1
	felix h1
	wrong h1 mark_shared "$said overlay's mark 0x40000000, .*set .mark: 0x00001000. in the config \(or .*IptablesMarkMask"
	right h2
	config vxbr0 "mark: 0x00001000"
	vx h1 reload vxbr0
	right h1
	reach_all c11 c21
	# In nftables mode, with names of its own.
	config vxbr0 "mark: 0x00010000"
	vx h1 reload vxbr0
	on h1 iptables -F INPUT
	on h1 iptables -F cali-INPUT
	on h1 iptables -X cali-INPUT
	right h1
	on h1 nft "table ip calico { chain filter-cali-FORWARD { type filter hook forward priority 0; }; }"
	wrong h1 mark_shared 'Calico runs on this host \(chain filter-cali-FORWARD\)'
	on h1 nft delete table ip calico
	on h1 iptables -N my-kali-chain
	right h1
	on h1 iptables -N ts-input
	wrong h1 mark_shared 'Tailscale runs on this host \(chain ts-input\) and marks packets with bits of 0x00ff0000'
}

run_tests
