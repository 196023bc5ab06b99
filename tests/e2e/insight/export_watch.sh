#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf watch --export`: when it writes, what it knows besides, and what it says when it cannot.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2

ALL_TESTS="
	watch_writes_it
	watch_says_what_it_cannot_mend
	watch_tells_a_failing_write_once
	watch_refuses_what_makes_no_sense
	others_cannot_block_it
	others_cannot_keep_it_busy
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"
# shellcheck source=tests/lib/prom.sh
. "$LIB/prom.sh"

IPV6=0

later_than() { # STAMP
	[ "$(in_file vxbpf_export_timestamp_seconds)" != "$1" ]
}

watch_writes_it() {
	local stamp i
	mesh 2
	mesh_up h2
	place
	watch h1 vxbr0 --export "$PROM" --interval 1
	# At once, and that is after the first pass.
	wait_for 10 test -e "$PROM"
	assert_eq 1 "$(in_file 'vxbpf_overlay_up{overlay="vxbr0"}')" "up"
	whole "$PROM"
	for i in 1 2 3; do
		stamp=$(in_file vxbpf_export_timestamp_seconds)
		wait_for 10 later_than "$stamp"
	done
	containers_each 1
	vx h2 up vxbr0
	wait_for 10 file_says 'vxbpf_port_hooked{overlay="vxbr0",port="c11"}' 1
	assert_eq 0 "$(in_file 'vxbpf_overlay_unmet{overlay="vxbr0"}')" "unmet"
	reach_all c11 c21
	wait_for 10 file_says 'vxbpf_peer_receive_packets_total{overlay="vxbr0",peer="h2"}' "$(counter h1 h2 rx_packets)"
	# Other overlays of the host are in it, too: there is one file.
	config vxbr1 "port: 4790" "vni_salt: 1"
	wait_for 10 file_says 'vxbpf_overlay_up{overlay="vxbr1"}' 0
	assert_eq "" "$(in_file 'vxbpf_overlay_unmet{overlay="vxbr1"}')" "what it knows of vxbr1"
	vx h1 up vxbr1
	wait_for 10 file_says 'vxbpf_overlay_up{overlay="vxbr1"}' 1
	whole "$PROM"
	# Time stands still when it has ended; the mesh is up.
	unwatch TERM 0
	assert_eq "" "$(cat "$ERR_FILE")" "stderr"
	stamp=$(in_file vxbpf_export_timestamp_seconds)
	sleep 2
	later_than "$stamp" && fail "written after the end"
	nothing_but_the_file
	pings c11 "$(ip4_of c21)" 2
	# One pass, one file.
	rm "$PROM"
	expect 0 vx h1 watch --once vxbr0 --export "$PROM"
	whole "$PROM"
}

watch_says_what_it_cannot_mend() {
	pair
	place
	watch h1 "$WORK/etc/h1/vxbr0.yaml" --export "$PROM" --interval 1
	wait_for 10 file_says 'vxbpf_overlay_unmet{overlay="vxbr0"}' 0
	ip -n h1 addr del 192.0.2.1/24 dev eth0
	wait_for 20 file_says 'vxbpf_overlay_unmet{overlay="vxbr0"}' 1
	assert_eq 1 "$(in_file 'vxbpf_overlay_degraded{overlay="vxbr0"}')" "degraded"
	address h1 eth0
	wait_for 20 file_says 'vxbpf_overlay_unmet{overlay="vxbr0"}' 0
	assert_eq 0 "$(in_file 'vxbpf_overlay_degraded{overlay="vxbr0"}')" "degraded"
	unwatch TERM 0
}

watch_tells_a_failing_write_once() {
	pair
	place
	watch h1 vxbr0 --export "$PROM" --interval 1
	wait_for 10 test -e "$PROM"
	mv "$WORK/prom" "$WORK/away"
	wait_for 10 grep -q "$PROM: cannot write: No such file or directory" "$ERR_FILE"
	sleep 3
	assert_eq 1 "$(wc -l <"$ERR_FILE")" "lines on stderr"
	mv "$WORK/away" "$WORK/prom"
	wait_for 10 grep -q "$PROM: written again after errors" "$OUT_FILE"
	# And its own work goes on all the while.
	container h1 c12
	wait_for 5 hooked h1 c12
	unwatch TERM 0
	assert_eq 1 "$(wc -l <"$ERR_FILE")" "lines on stderr"
}

watch_refuses_what_makes_no_sense() {
	local n
	mesh 1
	for n in 0 3601 x 1.5 -1; do
		refused 2 'is not a whole number between 1 and 3600' vx h1 watch vxbr0 --export "$PROM" "--interval=$n"
	done
	refused 2 'interval' vx h1 watch vxbr0 --interval 5
	refused 2 'requires a file' vx h1 watch vxbr0 --export -
	refused 2 'does not accept that option' vx h1 status --export "$PROM"
	assert_eq "" "$(hooks h1)" "hooks"
}

# A file that a killed writer left readable, and that somebody without rights keeps locked.
others_cannot_block_it() {
	local name
	mesh 1
	mesh_up
	place
	chmod 755 "$WORK" "$WORK/prom"
	for name in tmp tmpAAAAAA; do
		echo left >"$PROM.$name"
		chmod 644 "$PROM.$name"
		background h1 setpriv --reuid 65534 --clear-groups flock "$PROM.$name" sleep 60
		wait_for 5 on h1 bash -c '! flock -n "$0" true' "$PROM.$name"
	done
	vx h1 export --output "$PROM"
	whole "$PROM"
	background h1 "$VXBPF" watch vxbr0 --export "$PROM" --interval 1
	rm "$PROM"
	wait_for 10 test -e "$PROM"
	whole "$PROM"
	stop "$PID"
}

# In a folder of theirs they take each temporary file away; what is not one of ours stays.
others_cannot_keep_it_busy() {
	mesh 1
	mesh_up
	place
	chmod 755 "$WORK"
	echo kept >"$PROM.tmpl"
	vx h1 export --output "$PROM"
	assert_eq kept "$(cat "$PROM.tmpl")" "a file with a name like that"
	chown 65534 "$WORK/prom"
	background h1 setpriv --reuid 65534 --clear-groups bash -c 'while :; do for f in "$0".tmp??????; do rm -f "$f"; done; done' "$PROM"
	for _ in {1..20}; do
		expect 0,1 on h1 timeout 20 "$VXBPF" export --output "$PROM"
		[ "$STATUS" -eq 0 ] || assert_match "cannot write: No such file" "$ERR" "what export says"
	done
}

run_tests
