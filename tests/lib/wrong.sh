# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What `check` finds in the surroundings of an overlay.
#
#   found HOST             the verdicts there, in WRONG
#   wrong HOST ID REGEX    that one, and nothing else
#   right HOST             none
#   mend HOST N            does what the Nth command in the verdicts says, word by word
#   two                    h1 and h2 up, with c11 and c21

# Of all verdicts those of this script.
ABOUT='port_shared|port_filtered|bridge_filtered|conntrack|managed|second_path|spanning_tree'
ABOUT+='|nat|mark_shared|neighbours|bridge_full|checksums|hypervisor|kernel'

# found HOST: the verdicts there, in WRONG.
found() {
	expect 0,3 vx "$1" check vxbr0
	assert_eq "" "$ERR" "what check says on stderr"
	WRONG=$(grep -E "^vxbr0: ($ABOUT): " <<<"$OUT" || true)
}

# wrong HOST ID REGEX: that one, and nothing else.
wrong() {
	found "$1"
	assert_eq 1 "$(grep -c . <<<"$WRONG")" "verdicts of $1 ($WRONG)"
	assert_match "^vxbr0: $2: .*$3" "$WRONG" "verdict"
	assert_eq 3 "$STATUS" "exit status"
}

right() {
	found "$1"
	assert_eq "" "$WRONG" "verdicts of $1"
}

# mend HOST N: does what the N-th command in the verdict says, word by word.
mend() {
	local command
	command=$(grep -o '`[^`]*`' <<<"$WRONG" | sed -n "$2s/\`//gp")
	echo "mend: $command"
	on "$1" env PATH="${VXBPF%/*}:$PATH" bash -c "$command"
}

two() {
	mesh 2
	mesh_up
	containers_each 1
	mesh_up
}
