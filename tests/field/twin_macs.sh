#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: two containers on one host have the same MAC, as after a cloned config or when Docker gives one twice; they
#            lose packets in turn.
# Kernel: its bridge moves the MAC from port to port with each frame and says nothing.
# vxbpf: the same, but `check` names the MAC and both ports; it used to say "in two places, port c11" where both send in
#        turn, so that each look found it at the same port.

ALL_TESTS="both_ports_are_named"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/verdicts.sh
. "$LIB/verdicts.sh"

IPV6=0

# Fifty times a second a frame of the shared MAC from c12, and right after it one from c11.
TWINS='import ctypes, socket, sys, time
def sender(netns, dev):
    with open("/run/netns/" + netns) as f:
        assert ctypes.CDLL(None).setns(f.fileno(), 0) == 0
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((dev, 0))
    return s
own, to = (bytes.fromhex(mac.replace(":", "")) for mac in sys.argv[1:])
frame = to + own + b"\x88\xb5" + bytes(46)
one, two = sender("c11", "eth0"), sender("c12", "eth0")
while True:
    two.send(frame)
    one.send(frame)
    time.sleep(0.02)'

both_ports_are_named() {
	calm_mesh 2
	containers_each 1
	container h1 c12
	mesh_up
	ip -n c12 link set eth0 address "$(mac_of c11)"
	well h1
	"$PYTHON" -c "$TWINS" "$(mac_of c11)" "$(mac_of c21)" &
	on_exit stop $!
	appears h1 mac_moves "$(mac_of c11) is in two places"
	assert_match "in two places, port c1[12] and port c1[12], and moved" "$OUT" "check"
	about h1 mac_moves "$(mac_of c11)"
}

run_tests
