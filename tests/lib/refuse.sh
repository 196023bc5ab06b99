# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A host h1 without peers, and a config file that is refused.
#
#   prepare               h1 and its empty file, in FILE; its state in $WORK/before
#   up_settled            `vxbpf up`, and what the kernel does a moment later
#   bad REGEX             the file as it is now is refused, and nothing happens
#   bad_text REGEX TEXT   likewise this text

# shellcheck disable=SC2034 # of the scripts
PEERS_OK='peers:
  - { name: h1, address: 192.0.2.1 }
  - { name: h2, address: 192.0.2.2 }'

prepare() {
	hosts 1
	FILE=$WORK/etc/h1/vxbr0.yaml
	: >"$FILE"
	snapshot h1 >"$WORK/before"
}

# Some of what `up` does comes about a moment later: the bridge's carrier, and with it its own address.
up_settled() {
	vx h1 up vxbr0
	wait_for 10 on h1 bash -c 'ip -6 -o address show dev vxbr0 scope link | grep . >/dev/null'
}

# bad REGEX: the file as it is now is refused, and nothing happens.
bad() {
	refused 1,2 "$1" vx h1 up vxbr0
	refused 1,2 "$1" vx h1 up vxbr0 --dry-run
	unchanged h1 "$WORK/before"
}

# bad_text REGEX TEXT
bad_text() {
	printf '%s\n' "$2" >"$FILE"
	refused 2 "$1" vx h1 up vxbr0
	assert_match 'vxbr0\.yaml' "$ERR" "names the file"
	unchanged h1 "$WORK/before"
}
