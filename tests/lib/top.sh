# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests of `vxbpf top` share: a mesh with traffic, and numbers to hold against those shown.

# shellcheck disable=SC2034
FASTPATH=on # netns.sh writes it into the config

# Traffic between c11 and c21 until the case ends, none with h3.
busy_mesh() {
	mesh 3
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	acquainted c11 c31
	pings c11 "$(ip4_of c31)" 1
	background c11 ping -n -q -i 0.01 -s 1000 "$(ip4_of c21)" >/dev/null
}

top_runs() {
	entered "vxbpf top $*"
	wait_for 20 sees '^vxbpf top  '
}

top_pid() {
	pgrep -x vxbpf
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# 12.3k -> 12300
plain_number() {
	awk -v text="$1" 'BEGIN {
		n = text + 0; u = substr(text, length(text))
		print int(n * (u == "k" ? 1e3 : u == "M" ? 1e6 : u == "G" ? 1e9 : 1)) }'
}

# cell PEER COLUMN: on the screen.
cell() {
	pane | awk -v peer="$1" -v n="$2" '$1 == peer { print $n; exit }'
}

known() {
	[[ $(cell "$1" "$2") =~ ^[0-9] ]]
}

# about WANTED GOT WHAT: rates of one second beside those of many.
about() {
	assert_ge $(($1 / 3)) "$2" "$3"
	assert_le $(($1 * 3)) "$2" "$3"
}

# counted_bits: bits a second received from h2, by the counters, over three seconds.
counted_bits() {
	local before after start end
	before=$(counter h1 h2 rx_bytes) start=$(date +%s%N)
	sleep 3
	after=$(counter h1 h2 rx_bytes) end=$(date +%s%N)
	echo $(((after - before) * 8 * 1000 / ((end - start) / 1000000)))
}

# rows FILE [PEER]: plain rows without heads.
rows() {
	grep -v '^time ' "$1" | awk -v peer="${2:-}" 'peer == "" || $3 == peer'
}

row_is() { # FILE REGEX: one of the last round's
	tail -n 4 "$1" | grep -E "$2" >/dev/null
}
