#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: an agent attaches its program in front of ours on the underlay or on a tunnel, after `up`, and it ends there
#   (returns OK instead of passing the packet on), as many tc programs for one device do.
# Kernel: a plain VXLAN device does not care.
# vxbpf: `check` counts how often both run while it probes, says that packets do not reach vxbpf, and names the program. The
#   drops that follow are explained by it; no firewall and no forger is blamed. What passes on every packet is only named.

ALL_TESTS="
	underlay_ingress
	underlay_egress
	tunnel_ingress
	tunnel_egress
	passes_on
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

# ahead DEVICE in|out next|pass
ahead() {
	mesh 2
	mesh_up
	[ -n "$(hooks h1)" ] || skip "this kernel has no tcx"
	containers_each 1
	mesh_up
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	on h1 "$PYTHON" -IS "$LIB/tcx.py" "$1" first theirs "$2" "$3"
	on c11 ping -c 2 -W 1 -i 0.2 "$(ip4_of c21)" >/dev/null || true
	vx h1 check vxbr0 >"$WORK/check" 2>&1 || true
}

said() { # ID REGEX
	grep -E -- "^vxbr0: $1: $2" "$WORK/check" >/dev/null || fail "no '$1: $2' in: $(cat "$WORK/check")"
}

unsaid() { # REGEX
	! grep -E -- "$1" "$WORK/check" >/dev/null || fail "'$1' is in: $(cat "$WORK/check")"
}

KEEPS='the program theirs \(id [0-9]+\) keeps all packets from vxbpf: it handled [0-9]+ just now'
BLAME='firewall on the path|otherwise the packets are forged|ss -uanp'

underlay_ingress() {
	ahead eth0 in pass
	said in_front "eth0: at its ingress $KEEPS"
	said unguarded "VXLAN for vx-h2 passed eth0 unseen by the guard \(.*\), because the program theirs"
	unsaid "$BLAME"
}

underlay_egress() {
	ahead eth0 out pass
	said in_front "eth0: at its egress $KEEPS"
	unsaid "$BLAME"
}

tunnel_ingress() {
	ahead vx-h2 in pass
	said in_front "vx-h2: at its ingress $KEEPS"
	unsaid "$BLAME"
}

tunnel_egress() {
	ahead vx-h2 out pass
	said in_front "vx-h2: at its egress $KEEPS"
	said nested "frames to h2 leave its tunnel unseen by vxbpf \(.*\), because the program theirs"
	unsaid "$BLAME"
}

passes_on() {
	ahead eth0 in next
	said in_front "eth0: at its ingress the program theirs \(id [0-9]+\) runs before vxbpf; "
	unsaid "keeps|firewall on the path|forged"
	pings c11 "$(ip4_of c21)" 5
	drops_are h1 ""
}

run_tests
