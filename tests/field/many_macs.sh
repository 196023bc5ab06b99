#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a container shows tens of thousands of MACs with one IP address, by a broken bond, a MAC randomiser, or on
#            purpose.
# Kernel: its bridge learns up to its limit, and `bridge fdb` lists what it has.
# vxbpf: `vxbpf who` lists the 16 that sent last and says how many more there are, in one pass over the flows; it took
#        minutes, and lost the end of what it had to say.

ALL_TESTS="who_is_bounded"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0
MACS=20000

# Flows as the programs learn them, from MACS sources with one address; what is written is the map's own first entry,
# with another key, source MAC and time.
MANY='import json, struct, subprocess, sys
pin, mac, n = "/sys/fs/bpf/vxbpf/vxbr0/flows", bytes.fromhex(sys.argv[1].replace(":", "")), int(sys.argv[2])
def octets(values):
    return bytes(int(v, 16) for v in values)
out = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", pin], capture_output=True, check=True).stdout
entry = next(e for e in json.loads(out) if mac in octets(e["value"]))
key, value = octets(entry["key"]), octets(entry["value"])
at = value.index(mac)
with open(sys.argv[3], "w") as f:
    for i in range(n):
        new = value[:at] + b"\x02\xdd\0" + i.to_bytes(3, "big") + value[at + 6:]
        k = key[:-4] + struct.pack("<I", 0x10000 + i)
        f.write("map update pinned %s key hex %s value hex %s\n" % (pin, k.hex(" "), new.hex(" ")))'

who_is_bounded() {
	FASTPATH=on
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
	tcp c11 c21 1M
	on h1 "$PYTHON" -c "$MANY" "$(mac_of c11)" "$MACS" "$WORK/updates"
	on h1 bpftool batch file "$WORK/updates" >/dev/null
	vx h1 who "$(ip4_of c11)" >"$WORK/said"
	assert_le 17 "$(grep -c 'has MAC' "$WORK/said")" "owners listed"
	assert_match 'and [0-9]{5} more MACs, in older flows' "$(<"$WORK/said")" "the others"
	assert_match '2000[01] MACs use .*duplicate' "$(<"$WORK/said")" "the sum"
	vx h1 who "$(ip4_of c11)" --json | jq -e 'length >= 16' >/dev/null
}

run_tests
