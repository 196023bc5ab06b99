#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a VM is migrated live; qemu announces its MAC at the new host by a broadcast RARP, and the VM itself sends
#            nothing for a while, because it only receives.
# Kernel: the bridges learn the new place from that frame, and the next one goes there.
# vxbpf: the same, also for a flow that was on the fast path.

ALL_TESTS="next_frame_goes_there"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0
# shellcheck disable=SC2034 # netns.sh reads it
FASTPATH=auto

SINK='import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 7))
while True:
    s.recv(100)'
SOURCE='import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    s.sendto(b"x", (sys.argv[1], 7)); time.sleep(0.005)'

is_fast() {
	[ "$(counter h1 h2 tx_fast_packets)" -gt 100 ]
}

next_frame_goes_there() {
	local old new
	calm_hosts 3
	mesh_up
	containers_each 1
	acquainted c11 c21
	pings c21 "$(ip4_of c11)" 2
	background c21 "$PYTHON" -c "$SINK"
	wait_for 5 on c21 bash -c "ss -Hlun 'sport = :7' | grep ."
	background c11 "$PYTHON" -c "$SOURCE" "$(ip4_of c21)"
	[ -n "${PLAIN:-}" ] || wait_for 5 is_fast
	capture old c21 eth0 -Q in udp port 7
	capture new c31 eth0 -Q in udp port 7
	frames c31 eth0 eth dst=ff:ff:ff:ff:ff:ff "src=$(mac_of c21)" type=0x8035 data zeros=46
	pause 0.3
	old=$(captured old) new=$(captured new)
	assert_ge 10 "$new" "frames at the new place"
	sleep 0.5
	assert_eq "$old" "$(captured old)" "frames at the old place"
	assert_ge $((new + 20)) "$(captured new)" "frames at the new place later"
}

run_tests
