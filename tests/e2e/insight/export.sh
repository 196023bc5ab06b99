#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# `vxbpf export`: what is in the text, and that the file is whole at any time. `watch --export` is in
# export_watch.sh, and Prometheus itself reads it in prometheus.sh.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2
# time limit: 300

ALL_TESTS="
	says_what_is_counted
	works_without_config
	overlay_that_is_down_says_so
	two_overlays_share_the_file
	files_that_can_be_no_overlay
	names_of_any_bytes
	what_is_broken_shows
	stdout_unless_told
	readers_see_whole_files
	what_fails_leaves_the_old_file
	what_is_no_file_is_left_alone
	links_of_others_are_not_followed
	killed_writer_is_cleared_up_after
	writers_at_once
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"
# shellcheck source=tests/lib/prom.sh
. "$LIB/prom.sh"

IPV6=0
says_what_is_counted() {
	local reason
	pair
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" data zeros=86
	drops_are h1 ""
	vx h1 export --output - >"$WORK/text"
	whole "$WORK/text"
	assert_eq 1 "$(metric h1 'vxbpf_overlay_up{overlay="vxbr0"}')" "up"
	assert_eq 0 "$(metric h1 'vxbpf_overlay_degraded{overlay="vxbr0"}')" "degraded"
	assert_eq 1 "$(metric h1 "vxbpf_peer_info{overlay=\"vxbr0\",peer=\"h2\",device=\"vx-h2\",remote=\"192.0.2.2\",vni=\"$(vni h1 h2)\"}")" "info"
	assert_eq 1 "$(metric h1 'vxbpf_peer_up{overlay="vxbr0",peer="h2"}')" "peer up"
	assert_eq "$(counter h1 h2 tx_bytes)" "$(metric h1 'vxbpf_peer_transmit_bytes_total{overlay="vxbr0",peer="h2"}')" "sent"
	assert_eq "$(counter h1 h2 tx_bum_packets)" "$(metric h1 'vxbpf_peer_transmit_bum_packets_total{overlay="vxbr0",peer="h2"}')" "BUM"
	assert_ge 23 "$(counter h1 h2 tx_bum_packets)" "broadcasts"
	while read -r reason; do
		assert_eq 0 "$(metric h1 "vxbpf_dropped_packets_total{overlay=\"vxbr0\",peer=\"\",reason=\"$reason\"}")" "$reason, nobody's"
		assert_eq 0 "$(metric h1 "vxbpf_dropped_packets_total{overlay=\"vxbr0\",peer=\"h2\",reason=\"$reason\"}")" "$reason of h2"
	done < <(sed -n 's/^VX_REASON([A-Z_]*, "\([a-z_]*\)".*/\1/p' "$TOP/include/vxbpf/reasons.def")
	frames c11 eth0 count=7 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" vlan id=7 data zeros=60
	assert_eq "$(entries h1 fdb)" "$(metric h1 'vxbpf_fdb_entries{overlay="vxbr0"}')" "MAC addresses"
	assert_eq "$(entries h1 flows)" "$(metric h1 'vxbpf_flows{overlay="vxbr0"}')" "flows"
	assert_ge 2 "$(entries h1 fdb)" "MAC addresses"
	"$PYTHON" -IS -c 'import sys, time
heard, now = map(float, sys.argv[1:])
assert now - 60 < heard <= now + 1 and abs(now - time.time()) < 60, (heard, now)' \
		"$(metric h1 'vxbpf_peer_last_receive_timestamp_seconds{overlay="vxbr0",peer="h2"}')" \
		"$(metric h1 vxbpf_export_timestamp_seconds)"
	# What a container sends too large is its port's and the peer's.
	ip -n h1 link set c11 mtu 1500
	ip -n c11 link set eth0 mtu 1500
	frames c11 eth0 count=23 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" \
		ip "src=$(ip4_of c11)" dst=198.51.100.200 proto=253 data zeros=1431
	drops_are h1 "oversize=23"
	assert_eq 23 "$(metric h1 'vxbpf_dropped_packets_total{overlay="vxbr0",peer="h2",reason="oversize"}')" "oversize to h2"
	assert_eq 23 "$(metric h1 'vxbpf_port_oversize_packets_total{overlay="vxbr0",port="c11"}')" "oversize of c11"
	assert_eq 1451 "$(metric h1 'vxbpf_port_oversize_largest_bytes{overlay="vxbr0",port="c11"}')" "the largest"
}

works_without_config() {
	pair
	echo 'peers: [' >"$WORK/etc/h1/vxbr0.yaml"
	assert_eq 1 "$(metric h1 'vxbpf_overlay_up{overlay="vxbr0"}')" "up, config broken"
	rm "$WORK/etc/h1/vxbr0.yaml"
	assert_eq "$(counter h1 h2 rx_bytes)" "$(metric h1 'vxbpf_peer_receive_bytes_total{overlay="vxbr0",peer="h2"}')" "received"
}

overlay_that_is_down_says_so() {
	pair
	vx h1 down vxbr0
	vx h1 export --output - >"$WORK/text"
	whole "$WORK/text"
	assert_eq 0 "$(metric h1 'vxbpf_overlay_up{overlay="vxbr0"}')" "up"
	assert_eq "" "$(grep 'peer=' "$WORK/text" || true)" "peers of an overlay that is down"
	refused 2 'the overlay is not up, and .* does not exist' vx h1 export nothing
	rm "$WORK/etc/h1/vxbr0.yaml"
	expect 0 vx h1 export --output -
	assert_eq "" "$(grep overlay= <<<"$OUT" || true)" "overlays where there is none"
}

two_overlays_share_the_file() {
	mesh 2
	config vxbr1 "port: 4790" "vni_salt: 1"
	vx h1 up
	container h1 c11
	vx h1 up
	vx h1 export --output - >"$WORK/text"
	whole "$WORK/text"
	assert_eq 1 "$(in_text 'vxbpf_overlay_up{overlay="vxbr0"}' <"$WORK/text")" "vxbr0"
	assert_eq 1 "$(in_text 'vxbpf_overlay_up{overlay="vxbr1"}' <"$WORK/text")" "vxbr1"
	assert_eq 2 "$(grep -c '^vxbpf_peer_up{' "$WORK/text")" "peers"
	assert_eq 1 "$(grep -c '^vxbpf_port_hooked{overlay="vxbr1"' "$WORK/text")" "ports of vxbr1"
	expect 0 vx h1 export vxbr1
	assert_eq 1 "$(grep -c '^vxbpf_peer_up{' <<<"$OUT")" "peers of the one asked for"
}

# A name is 15 characters at most, and is never cut down to one that is up.
files_that_can_be_no_overlay() {
	local up=datacenter-east file
	mesh 2
	mv "$WORK/etc/h1/vxbr0.yaml" "$WORK/etc/h1/$up.yaml"
	vx h1 up
	mv "$WORK/etc/h1/$up.yaml" "$WORK/elsewhere.yaml"
	for file in "$up-a" "$up-b" "$up-old" dotted.name; do
		echo 'peers: [' >"$WORK/etc/h1/$file.yaml"
	done
	vx h1 export --output - >"$WORK/text"
	whole "$WORK/text"
	assert_eq "vxbpf_overlay_up{overlay=\"$up\"} 1" "$(grep '^vxbpf_overlay_up{' "$WORK/text")" "overlays"
	assert_eq 1 "$(vx h1 top -n 1 | grep -c ' h2 ')" "rows of top"
	# Who judges configs names each of them, whole.
	expect 3 vx h1 status --json
	assert_eq "[\"$up\",\"$up-a\",\"$up-b\",\"$up-old\",\"dotted.name\"]" \
		"$(jq -c '[.[].overlay]' <<<"$OUT")" "status --json"
	assert_eq '["down"]' "$(jq -c '[.[1:][].state] | unique' <<<"$OUT")" "states"
	for file in "$up-a" "$up-b" "$up-old" dotted.name; do
		expect 3 vx h1 status
		assert_match "^$file: down" "$OUT" "status"
		expect 3 vx h1 check
		assert_match "^$file: .*/etc/vxbpf/$file.yaml: file name: must be OVERLAY.yaml" "$OUT" "check"
		refused 2 "$file.yaml: file name: must be OVERLAY.yaml" vx h1 export "/etc/vxbpf/$file.yaml"
		refused 2 "$file.yaml: file name: must be OVERLAY.yaml" vx h1 down "/etc/vxbpf/$file.yaml"
	done
	refused 2 "$up-a.yaml: file name: must be OVERLAY.yaml" vx h1 up
	assert_eq 1 "$(metric h1 "vxbpf_overlay_up{overlay=\"$up\"}")" "after all that"
	expect 0 vx h1 down
	assert_eq "" "$(metric h1 "vxbpf_overlay_up{overlay=\"$up\"}")" "once it is down"
}

# One strange name must not cost all metrics of the host.
names_of_any_bytes() {
	local port other=$'p\xff'
	pair
	for port in 'p"x' 'p\x' $'p\x1b' $'p\xff' 'p\xff' 'p{},='; do
		ip -n h1 link add "$port" type veth peer name "x$(printf '%s' "$port" | md5sum | cut -c 1-10)"
		ip -n h1 link set "$port" master vxbr0
	done
	vx h1 export --output - >"$WORK/text"
	whole "$WORK/text"
	iconv -f utf-8 -t utf-8 "$WORK/text" >"$WORK/text8"
	assert_eq 8 "$(grep -c '^vxbpf_port_hooked{' "$WORK/text8")" "ports"
	grep -qF 'port="p\\xff"' "$WORK/text" || fail "no word about $other"
}

what_is_broken_shows() {
	pair
	ip -n h1 link set vx-h2 down
	assert_eq 0 "$(metric h1 'vxbpf_peer_tunnel_up{overlay="vxbr0",peer="h2"}')" "tunnel that is down"
	assert_eq 1 "$(metric h1 'vxbpf_overlay_degraded{overlay="vxbr0"}')" "degraded"
	ip -n h1 link set vx-h2 up
	assert_eq 1 "$(metric h1 'vxbpf_peer_tunnel_up{overlay="vxbr0",peer="h2"}')" "tunnel that is up"
	assert_eq 0 "$(metric h1 'vxbpf_overlay_degraded{overlay="vxbr0"}')" "degraded"
	ip -n h1 link set vx-h2 nomaster
	assert_eq 0 "$(metric h1 'vxbpf_peer_tunnel_up{overlay="vxbr0",peer="h2"}')" "tunnel off the bridge"
	vx h1 up vxbr0
	container h1 c12
	assert_eq 0 "$(metric h1 'vxbpf_port_hooked{overlay="vxbr0",port="c12"}')" "port without programs"
	assert_eq 1 "$(metric h1 'vxbpf_port_hooked{overlay="vxbr0",port="c11"}')" "port with programs"
	assert_eq 1 "$(metric h1 'vxbpf_overlay_degraded{overlay="vxbr0"}')" "degraded"
	vx h1 up vxbr0
	assert_eq 0 "$(metric h1 'vxbpf_overlay_degraded{overlay="vxbr0"}')" "degraded"
	ip -n h1 link del vx-h2
	assert_eq 0 "$(metric h1 'vxbpf_peer_tunnel_up{overlay="vxbr0",peer="h2"}')" "tunnel that is gone"
}

# A folder of the node exporter changes nothing: `vxbpf export | promtool check metrics` has something to check.
stdout_unless_told() {
	local collectors=/var/lib/prometheus/node-exporter
	mesh 1
	on h1 mount -t tmpfs tmpfs /var/lib
	on h1 mkdir -p "$collectors"
	expect 0 vx h1 export
	assert_match 'vxbpf_overlay_up' "$OUT" "on stdout"
	expect 0 vx h1 export --output -
	assert_match 'vxbpf_overlay_up' "$OUT" "with --output -"
	assert_eq "" "$(on h1 ls "$collectors")" "files"
	expect 0 vx h1 export --output "$collectors/vxbpf.prom"
	assert_eq "" "$OUT$ERR" "what it says"
	assert_eq "644 root" "$(on h1 stat -c '%a %U' "$collectors/vxbpf.prom")" "mode and owner"
	on h1 cat "$collectors/vxbpf.prom" >"$WORK/text"
	whole "$WORK/text"
}

# Two writers, and a reader that never sees less than a whole file.
readers_see_whole_files() {
	local i
	pair
	place
	vx h1 export --output "$PROM"
	for i in 1 2; do
		background h1 bash -c 'while "$0" export --output "$1"; do :; done' "$VXBPF" "$PROM" 2>"$WORK/writer$i"
	done
	"$PYTHON" -IS - "$PROM" <<-'P' || fail "a reader has seen a part"
		import re, sys, time
		series = re.compile(r'[a-z_]+(\{([a-z]+="[^"\\]*",?)*\})? [0-9]+(\.[0-9]+)?')
		written, names, reads, end = set(), set(), 0, time.time() + 120
		while reads < 10000 or len(written) < 100:
		    text = open(sys.argv[1]).read()
		    lines = text.split("\n")
		    assert lines.pop() == "" and lines[0].startswith("# HELP vxbpf_build_info "), text
		    name, stamp = lines[-1].split(" ")
		    assert name == "vxbpf_export_timestamp_seconds", text
		    if stamp not in written:
		        found = [line for line in lines if not line.startswith("#")]
		        for line in found:
		            assert series.fullmatch(line), line
		        names.add(tuple(line.rsplit(" ", 1)[0] for line in found))
		    written.add(stamp)
		    reads += 1
		    assert time.time() < end, f"only {len(written)} files written"
		assert len(names) == 1, "some have other series than others"
		print(f"{reads} reads, {len(written)} files")
	P
	assert_eq "" "$(cat "$WORK"/writer[12])" "what the writers say"
}

# old_stays STATUS REGEX CMD...: refused, with the file as it was and nothing beside it.
old_stays() {
	cp "$PROM" "$WORK/old"
	refused "$@"
	assert_same "$WORK/old" "$PROM" "the old file"
	nothing_but_the_file
}

inject() { # WHAT HOST ARGS...
	on "$2" strace -f -qq -o /dev/null -e "trace=${1%%:*}" -e "inject=$1" "$VXBPF" "${@:3}"
}

what_fails_leaves_the_old_file() {
	mesh 1
	mesh_up
	refused 1 '/run/test/prom/vxbpf.prom: cannot write: No such file or directory' vx h1 export --output "$PROM"
	place
	vx h1 export --output "$PROM"
	old_stays 1 "$PROM: cannot write: Input/output error" inject fsync:error=EIO:when=1 h1 export --output "$PROM"
	old_stays 1 "$PROM: cannot write: Input/output error" inject write:error=EIO:when=1 h1 export --output "$PROM"
	old_stays 1 "$PROM: cannot write: Permission denied" inject rename:error=EACCES:when=1 h1 export --output "$PROM"
	old_stays 1 "$PROM: cannot write: Operation not permitted" inject fchmod:error=EPERM:when=1 h1 export --output "$PROM"
	# A disk that is full, and one that may not be written.
	on h1 mount -t tmpfs -o size=64k tmpfs "$(dirname "$PROM")"
	full_disk() {
		vx h1 export --output "$PROM"
		on h1 cp "$PROM" "$WORK/old"
		on h1 dd if=/dev/zero of="$(dirname "$PROM")/fill" bs=4k 2>/dev/null || true
		refused 1 "$PROM: cannot write: No space left on device" vx h1 export --output "$PROM"
		on h1 cmp "$WORK/old" "$PROM"
		assert_eq "fill vxbpf.prom" "$(on h1 ls -A "$(dirname "$PROM")" | paste -s -d ' ')" "files"
		on h1 rm "$(dirname "$PROM")/fill"
		vx h1 export --output "$PROM"
	}
	full_disk
	on h1 mount -o remount,ro "$(dirname "$PROM")"
	refused 1 "$PROM: cannot write: Read-only file system" vx h1 export --output "$PROM"
	on h1 umount "$(dirname "$PROM")"
	expect 1 on h1 bash -c '"$0" export --output - >/dev/full' "$VXBPF"
	assert_match 'write to stdout: No space left' "$ERR" "full stdout"
}

what_is_no_file_is_left_alone() {
	mesh 1
	mesh_up
	place
	mkfifo "$WORK/prom/pipe"
	refused 1 'it exists and is not a regular file' vx h1 export --output "$WORK/prom/pipe"
	refused 1 'it exists and is not a regular file' vx h1 export --output "$WORK/prom"
	refused 1 'it exists and is not a regular file' vx h1 export --output /dev/null
	test -p "$WORK/prom/pipe"
	test -c /dev/null
	rm "$WORK/prom/pipe"
	# A link stays, and the file it names is replaced.
	echo old >"$WORK/named"
	ln -s "$WORK/named" "$PROM"
	vx h1 export --output "$PROM"
	test -L "$PROM"
	whole "$WORK/named"
	rm "$PROM"
	# In a folder of others: neither their link nor a second name of something else is written to.
	echo precious >"$WORK/precious"
	ln -s "$WORK/precious" "$PROM.tmp"
	vx h1 export --output "$PROM"
	test -L "$PROM.tmp"
	ln -f "$WORK/precious" "$PROM.tmp"
	vx h1 export --output "$PROM"
	whole "$PROM"
	assert_eq precious "$(cat "$WORK/precious")" "what they point to"
}

# A link lends its maker root's right to replace a file.
links_of_others_are_not_followed() {
	local refusal='not following a symbolic link that another user owns or can change'
	mesh 1
	mesh_up
	place
	echo precious >"$WORK/precious"
	not_followed() {
		refused 1 "$refusal" vx h1 export --output "$PROM"
		assert_eq precious "$(cat "$WORK/precious")" "what it points to"
		test -L "$PROM"
		nothing_but_the_file
	}
	chown 65534 "$WORK/prom"
	ln -s "$WORK/precious" "$PROM"
	chown -h 65534 "$PROM"
	not_followed
	chown -h 0 "$PROM" # made by root, but they can put another one there
	not_followed
	chown 0 "$WORK/prom"
	chmod 1777 "$WORK/prom"
	not_followed
	chown -h 65534 "$PROM"
	not_followed
	chmod 755 "$WORK/prom"
	not_followed
	# One behind a link of ours.
	mkdir "$WORK/prom/ours"
	ln -s ../vxbpf.prom "$WORK/prom/ours/link"
	refused 1 "$refusal" vx h1 export --output "$WORK/prom/ours/link"
	assert_eq precious "$(cat "$WORK/precious")" "what both point to"
	# All of them ours: also a link to where nothing is so far.
	chown -h 0 "$PROM"
	vx h1 export --output "$WORK/prom/ours/link"
	whole "$WORK/precious"
	rm "$WORK/precious"
	vx h1 export --output "$PROM"
	whole "$WORK/precious"
	test -L "$PROM"
	# A name of theirs that is no link is replaced, whoever has the folder.
	rm -r "$PROM" "$WORK/prom/ours"
	chown 65534 "$WORK/prom"
	echo theirs >"$PROM"
	chown 65534 "$PROM"
	vx h1 export --output "$PROM"
	nothing_but_the_file
	whole "$PROM"
	assert_eq 0 "$(stat -c %u "$PROM")" "whose it is"
}

killed_writer_is_cleared_up_after() {
	local call
	pair
	place
	vx h1 export --output "$PROM"
	for call in write fsync rename; do
		cp "$PROM" "$WORK/old"
		expect 137 inject "$call:signal"=KILL:when=1 h1 export --output "$PROM"
		[ "$call" = rename ] || assert_same "$WORK/old" "$PROM" "the file after a kill at $call"
		whole "$PROM"
		echo "$call: $(ls "$WORK/prom")"
		vx h1 export --output "$PROM"
		nothing_but_the_file
		whole "$PROM"
	done
	# What is left of a longer text is not left at the end of a shorter one.
	head -c 100000 /dev/zero >"$PROM.tmp"
	vx h1 export --output "$PROM"
	nothing_but_the_file
	whole "$PROM"
}

writers_at_once() {
	local i pids=()
	pair
	place
	for i in {1..8}; do
		vx h1 export --output "$PROM" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	vx h1 export --output "$PROM"
	whole "$PROM"
	nothing_but_the_file
}

run_tests
