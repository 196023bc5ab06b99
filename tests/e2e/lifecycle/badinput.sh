#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Bad input and the wrong state each get one sentence and exit 1 or 2, and nothing is changed.
#
#     h1 ____ sw ___ h2

ALL_TESTS="
	malformed_yaml
	binary_garbage
	ten_megabytes
	directory
	missing_file
	unreadable_file
	no_regular_file
	line_ends
	config_folder
	two_files
	unknown_key
	wrong_type
	out_of_range
	duplicates
	bad_addresses
	own_address_missing_or_twice
	no_common_family
	usage
	wrong_underlay
	peer_without_a_route
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/refuse.sh
. "$LIB/refuse.sh"

malformed_yaml() {
	prepare
	bad_text 'line [23]|:[23]' $'port: 4789\npeers: [ { name: h1, address: 192.0.2.1 '
	bad_text 'yaml|line|parse|tab' $'peers:\n\t- { name: h1, address: 192.0.2.1 }'
	bad_text 'empty|peers|missing' ''
	bad_text 'peers|missing' 'port: 4789'
	bad_text 'peers|empty' 'peers: []'
	# The right file is right.
	printf '%s\n' "$PEERS_OK" >"$FILE"
	expect 3 vx h1 up vxbr0 --dry-run
}

binary_garbage() {
	prepare
	head -c 4096 /dev/urandom >"$FILE"
	bad vxbr0.yaml
	cp /bin/true "$FILE"
	bad vxbr0.yaml
	printf 'peers:\n  - { name: h1\0, address: 192.0.2.1 }\n' >"$FILE"
	bad vxbr0.yaml
}

ten_megabytes() {
	prepare
	{ echo "$PEERS_OK" && head -c 10485760 /dev/zero | tr '\0' '#'; } >"$FILE"
	bad 'large|big|size|long|bytes|MiB'
	head -c 10485760 /dev/zero | tr '\0' '[' >"$FILE"
	bad 'vxbr0.yaml'
}

directory() {
	prepare
	rm "$FILE"
	mkdir "$FILE"
	snapshot h1 >"$WORK/before"
	bad 'directory'
	refused 1,2 'directory' vx h1 up "/etc/vxbpf/vxbr0.yaml"
}

missing_file() {
	prepare
	rm "$FILE"
	snapshot h1 >"$WORK/before"
	bad 'No such file|does not exist|not found'
	refused 1,2 'No such file|does not exist|not found' vx h1 up /nowhere/vxbr0.yaml
	refused 1,2 '.' vx h1 up
	unchanged h1 "$WORK/before"
}

unreadable_file() {
	prepare
	printf '%s\n' "$PEERS_OK" >"$FILE"
	chown 65534 "$FILE"
	chmod 000 "$FILE"
	refused 1,2 'Permission denied|not readable|read' on h1 \
		setpriv --bounding-set -dac_override,-dac_read_search --inh-caps -dac_override,-dac_read_search \
		"$VXBPF" up vxbr0
	unchanged h1 "$WORK/before"
}

no_regular_file() {
	prepare
	rm "$FILE"
	mkfifo "$FILE" && snapshot h1 >"$WORK/before"
	bad 'not a regular file'
	rm "$FILE" && ln -s /dev/zero "$FILE"
	bad 'not a regular file'
	ln -sf vxbr0.yaml "$FILE"
	bad 'symbolic links'
}

# However an editor ends lines, and a byte order mark first, is all YAML. What would take libyaml
# minutes is refused at once: 45,000 directives.
line_ends() {
	prepare
	printf '%s\r\n' "${PEERS_OK//$'\n'/$'\r\n'}" >"$FILE"
	expect 3 vx h1 up vxbr0 --dry-run
	printf '\xef\xbb\xbf%s\n' "$PEERS_OK" >"$FILE"
	expect 3 vx h1 up vxbr0 --dry-run
	tr '\n' '\r' <<<"$PEERS_OK" >"$FILE"
	expect 3 vx h1 up vxbr0 --dry-run
	{ printf '#\r' && seq -f '%%TAG !%g! x' 45000 | tr '\n' '\r' && printf -- '---\r' && tr '\n' '\r' <<<"$PEERS_OK"; } >"$FILE"
	refused 2 'directives' timeout 5 nsenter --target "$(<"$WORK/h1.pid")" --net --mount "$VXBPF" up vxbr0
}

config_folder() {
	prepare
	rm "$FILE"
	refused 2 '^vxbpf: /etc/vxbpf: no overlay was named' vx h1 up
	on h1 umount /etc/vxbpf
	mv /etc/vxbpf "$WORK/aside" && touch /etc/vxbpf
	refused 2 '^vxbpf: /etc/vxbpf: cannot list: Not a directory' vx h1 up
	rm /etc/vxbpf && mv "$WORK/aside" /etc/vxbpf
}

# What two files together get wrong is seen before either is up.
two_files() {
	prepare
	printf '%s\n' "$PEERS_OK" | tee "$FILE" >"$WORK/etc/h1/blue.yaml"
	sed -i '1i bridge: vxbr0' "$WORK/etc/h1/blue.yaml"
	snapshot h1 >"$WORK/before"
	for verb in up reload restart 'watch --once' watch; do
		# shellcheck disable=SC2086 # a verb and its option
		refused 2 'vxbr0.yaml: bridge: vxbr0 is already the bridge of /etc/vxbpf/blue.yaml' vx h1 $verb
	done
	echo 'prot: 1' >"$WORK/etc/h1/blue.yaml"
	refused 2 'blue.yaml:1: prot' vx h1 up
	unchanged h1 "$WORK/before"
}

unknown_key() {
	prepare
	bad_text 'prot' "prot: 4789
$PEERS_OK"
	bad_text 'adress' 'peers:
  - { name: h1, adress: 192.0.2.1 }'
}

wrong_type() {
	prepare
	bad_text 'port' "port: many
$PEERS_OK"
	bad_text 'mtu' "mtu: [1450]
$PEERS_OK"
	bad_text 'guard' "guard: perhaps
$PEERS_OK"
	bad_text 'clamp_mss' "clamp_mss: 7
$PEERS_OK"
	bad_text 'peers' 'peers: h1'
	bad_text 'peers|map|line' 'peers: [ h1, h2 ]'
}

out_of_range() {
	local line
	prepare
	for line in "port: 0" "port: 65536" "port: -1" "mtu: 10" "mtu: 70000" "mark: 0" "mark: 0x3" \
		"vni_salt: -1" "bridge: a/b" "bridge: a-name-that-is-too-long" "local: nobody"; do
		bad_text "${line%%:*}" "$line
$PEERS_OK"
	done
}

duplicates() {
	prepare
	bad_text 'h2' "$PEERS_OK
  - { name: h2, address: 192.0.2.3 }"
	bad_text '192\.0\.2\.2' "$PEERS_OK
  - { name: h3, address: 192.0.2.2 }"
	bad_text 'port' "port: 4789
port: 4790
$PEERS_OK"
}

bad_addresses() {
	local address
	prepare
	for address in 192.0.2.300 127.0.0.1 0.0.0.0 224.0.0.1 255.255.255.255 '"::1"' '"::"' '"ff02::1"' \
		'"2001:db8::g"' example.org 192.0.2.2/24; do
		bad_text 'address' "$PEERS_OK
  - { name: h3, address: $address }"
	done
	bad_text 'name' "$PEERS_OK
  - { name: 'a b', address: 192.0.2.3 }"
	bad_text 'name' "$PEERS_OK
  - { name: a-name-of-more-than-thirty-two-chars, address: 192.0.2.3 }"
}

own_address_missing_or_twice() {
	prepare
	bad_text 'this host|local|address' 'peers:
  - { name: h3, address: 192.0.2.3 }
  - { name: h2, address: 192.0.2.2 }'
	ip -n h1 addr add 192.0.2.2/24 dev eth0
	snapshot h1 >"$WORK/before"
	bad_text 'h1.*h2|h2.*h1' "$PEERS_OK"
	# An address that is not here yet: the file may say who we are.
	ip -n h1 addr flush dev eth0
	printf 'local: h1\n%s\n' "$PEERS_OK" >"$FILE"
	expect 3 vx h1 up vxbr0 --dry-run
}

no_common_family() {
	prepare
	bad_text 'h[12].*h3|h3.*h[12]' "$PEERS_OK
  - { name: h3, address: \"2001:db8::3\" }"
}

usage() {
	prepare
	refused 2 'frobnicate' vx h1 frobnicate
	refused 2 'upp' vx h1 upp vxbr0
	refused 2 'colour|option' vx h1 up --colour
	refused 2 '.' vx h1 up vxbr0 blue
	refused 2 'import: missing SCRIPT' vx h1 import
	refused 2 'overlay|name' vx h1 up 'a name with spaces'
	refused 2 'overlay|name' vx h1 up a-name-that-is-too-long
	refused 2 "^vxbpf: '': not an overlay" vx h1 up ''
	refused 2 '^vxbpf: -x: unknown option' vx h1 up -vx vxbr0
	refused 2 '^vxbpf: --dry-run=1: this option does not take a value' vx h1 up --dry-run=1
	refused 2 '^vxbpf: --help=1: this option does not take a value' vx h1 --help=1
	refused 2 '^vxbpf: import: missing SCRIPT' vx h1 import
	refused 2 '^vxbpf: -x: cannot read: No such file' vx h1 import -- -x
	# Asked for its version, it does nothing else.
	printf '%s\n' "$PEERS_OK" >"$FILE"
	expect 0 vx h1 up vxbr0 --version
	assert_match '^vxbpf [0-9]' "$OUT" "--version"
	expect 0 vx h1 help
	expect 0 vx h1 up --help
	expect 0 vx h1 version
	unchanged h1 "$WORK/before"
}

wrong_underlay() {
	prepare
	printf 'underlay: eth7\n%s\n' "$PEERS_OK" >"$FILE"
	bad 'eth7'
	switch sw2
	plug h1 sw2 eth1 02:a1:00:00:00:01
	ip -n h1 addr add 203.0.113.1/24 dev eth1
	snapshot h1 >"$WORK/before"
	# The peers are not reached by it, and our address is not on it.
	printf 'underlay: eth1\n%s\n' "$PEERS_OK" >"$FILE"
	bad 'eth1'
}

# No route now may be one later: it is set up all the same, and said.
peer_without_a_route() {
	hosts 2
	config vxbr0
	sed -i '$a\  - { name: far, address: 203.0.113.9 }' "$WORK"/etc/*/vxbr0.yaml
	expect 0 vx h1 up vxbr0
	assert_match far "$OUT$ERR" "what up says"
	mesh_up h2
	containers_each 1
	reach_all c11 c21
	expect 0,3 vx h1 status
	assert_match 'far' "$OUT" "status"
}

run_tests
