# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# One system call of `up`, `reload` or `down` fails, or kill -9 comes there (I7): cases for tests/faults
# (every one of them) and tests/e2e/lifecycle/faults.sh (some). After an error all is done or all is as it was,
# with one sentence; after either, `up` converges and `down` leaves nothing. Needs netns.sh.
#
#   EVERY      take each Nth point only; of netlink's changes all, and some entries that are removed
#   FAULTS     which calls fail: ALL, or CHANGES, those that ask the kernel to change something
#
#     c11
#      |
#    vxbr0 (h1; its peers are addresses and nothing more)

EVERY=${EVERY:-1}
FAULTS=${FAULTS:-ALL}

# Left out: what a process does with its own memory and descriptors.
CALLS=bpf,sendto,sendmsg,recvmsg,recvfrom,socket,bind,getsockname,fcntl,ioctl,openat,read,write,access
CALLS+=,faccessat2,getdents64,newfstatat,statfs,mount,flock,mkdir,rmdir,unlink,rename,readlink
CHANGES='RTM_(NEW|DEL|SET)|BPF_(MAP_CREATE|PROG_LOAD|PROG_TEST_RUN|LINK_CREATE|LINK_UPDATE|OBJ_PIN|MAP_UPDATE|MAP_DELETE)'
CHANGES+='|^[0-9]+ +(write|mount|mkdir|rmdir|unlink|rename)\('

# A host with a container and three peers: one that a reload leaves alone, one it removes, one it
# moves elsewhere; it adds a fourth.
one_host() {
	hosts 1
	ip -n h1 route add default via 192.0.2.254
	to_old
	snapshot h1 >"$WORK/empty"
}

to_old() {
	PEERS="h1 h2 h3 h4" config vxbr0
}

to_new() {
	PEERS="h1 h2 h4 h5" config vxbr0 "mtu: 1400"
	sed -i 's/192\.0\.2\.4 /192.0.2.44 /' "$WORK/etc/h1/vxbr0.yaml"
}

# The points of a run: CALL:N, the Nth of that name, from the program's own first call on.
recorded() { # ALL|CHANGES ARGS...
	local changes=.
	[ "$1" = ALL ] || changes=$CHANGES
	calls h1 "${@:2}"
	awk -v changes="$changes" -v every="$EVERY" '
		{ name = $2; sub(/\(.*/, "", name); n[name]++ }
		name == "bpf" { begun = 1 }
		name ~ /^send/ { asked = $0 ~ /RTM_(NEW|DEL|SET)/ }
		!begun { next }
		asked && name ~ /^(send|recv)/ || $0 ~ changes && ++m % every == 0 ||
			/BPF_MAP_DELETE/ && ++d % 3 == 0 { print name ":" n[name] }
		name ~ /^recv/ && every > 1 { asked = 0 }
	' "$WORK/calls" >"$WORK/points"
}

# What is there, whatever the numbers of devices; with what the maps say.
picture() {
	{
		snapshot h1
		on h1 bash -c 'cd /sys/fs/bpf/vxbpf/vxbr0 2>/dev/null || exit 0
			for map in overlay peers sources tunnels doors; do
				[ ! -e $map ] || { printf "%s " "\"$map\"" && bpftool -j map dump pinned $map; }
			done' | jq -c -n 'def pairs: try (input as $map | input as $rows | [$map, $rows], pairs) catch empty;
				pairs | .[0] as $map | .[1][].formatted | select(any(.value | .. | numbers; . != 0)) |
				if $map == "tunnels" or $map == "doors" then del(.key) else . end' 
	} | sed -E 's/^[0-9]+: //; s/:\[[0-9]+\]//; s/ id [0-9]+ name / name /; / bpf chain 0 *$/d; s,(/links/[a-z0-9_]+-|/qdiscs/)[0-9]+,\1,' | LC_ALL=C sort
}

# each FUNCTION [BACK]: with every recorded point; BACK puts right what a bad one has left.
each() {
	local point result bad=()
	while read -r point <&3; do
		set +e
		(set -e && "$1" "$point") >"$WORK/log" 2>&1
		result=$?
		set -e
		[ $result -ne 0 ] || { [ -z "${V:-}" ] || cat "$WORK/log"; continue; }
		bad+=("$point")
		echo "--- $point"
		cat "$WORK/log"
		"${2:-true}" >/dev/null 2>&1 || true
	done 3<"$WORK/points"
	echo "$(wc -l <"$WORK/points") points"
	[ ${#bad[@]} -eq 0 ] || fail "at ${bad[*]}"
}

dry_run() { expect "$1" vx h1 "$2" vxbr0 --dry-run; }

# One call fails. Exit 0: what was wanted is there, or it is said what is not, and the next run mends
# it. Else one sentence, and all is as it was, or all is done and only the second look failed.
fails() { # POINT VERB
	expect 0,1,2 broken_at "$1" ENOMEM h1 "$2" vxbr0
	echo "$1: $STATUS $ERR"
	[[ $ERR != *"vx-h"*"continuing without it"* && $ERR != *"eth0"*"continuing without it"* ]] || fail "$1: $ERR"
	case "$STATUS $ERR" in
	"0 "*"continuing without it"* | "0 "*"the next run will retry"*) vx h1 "$2" vxbr0 ;;
	esac
	if [ "$STATUS" -ne 0 ]; then
		assert_eq 1 "$(wc -l <<<"$ERR")" "lines on stderr"
		assert_match '^vxbpf: .*: .*' "$ERR" "$1"
		picture >"$WORK/now"
		! diff -u "$WORK/before" "$WORK/now" >"$WORK/differs" || return 0
	fi
	# Pins that nothing needs any more are the last to go and cannot come back: only they may be left.
	if [ "$2" = down ]; then
		assert_eq "" "$(remains h1 | grep -v '^pin: ' || true)" "left besides pins, $ERR $(grep '^[-+]' "$WORK/differs" || true)"
		return
	fi
	expect 0,3 vx h1 "$2" vxbr0 --dry-run
	OUT=$(grep -vE '^- (program|map|tree) ' <<<"$OUT" || true)
	[ -z "$OUT" ] || fail "half done: $(grep '^[-+]' "$WORK/differs"); to do: $OUT"
}

gone() {
	vx h1 down vxbr0
	unchanged h1 "$WORK/empty"
}

up_failing() {
	fails "$1" up
	gone
}

up_with_faults() {
	one_host
	recorded "$FAULTS" up vxbr0
	gone
	picture >"$WORK/before"
	each up_failing gone
}

up_killing() {
	killed_at "$1" h1 up vxbr0
	vx h1 up vxbr0
	dry_run 0 up
	gone
	killed_at "$1" h1 up vxbr0
	gone
}

up_with_kills() {
	one_host
	recorded CHANGES up vxbr0
	gone
	each up_killing gone
}

with_container() {
	one_host
	vx h1 up vxbr0
	container h1 c11
	vx h1 up vxbr0
}

back() {
	to_old
	vx h1 up vxbr0
	dry_run 0 up
}

reload_failing() {
	to_new
	fails "$1" reload
	back
}

without_container() {
	picture >"$WORK/now"
	assert_same "$WORK/before" "$WORK/now" "after all of them"
	ip -n h1 link del c11
	gone
}

reload_with_faults() {
	with_container
	to_new
	recorded "$FAULTS" reload vxbr0
	back
	picture >"$WORK/before"
	each reload_failing back
	without_container
}

reload_killing() {
	to_new
	killed_at "$1" h1 reload vxbr0
	vx h1 up vxbr0
	dry_run 0 up
	back
	to_new
	killed_at "$1" h1 reload vxbr0
	back
	picture >"$WORK/now"
	assert_same "$WORK/before" "$WORK/now" "the old one again"
}

reload_with_kills() {
	with_container
	to_new
	recorded CHANGES reload vxbr0
	back
	picture >"$WORK/before"
	each reload_killing back
	without_container
}

# An overlay that comes up anew has another secret, and so other programs.
anew() {
	back
	picture >"$WORK/before"
}

down_failing() {
	fails "$1" down
	vx h1 down vxbr0
	unchanged h1 "$WORK/empty"
	anew
}

down_with_faults() {
	one_host
	vx h1 up vxbr0
	recorded "$FAULTS" down vxbr0
	unchanged h1 "$WORK/empty"
	anew
	each down_failing anew
	gone
}

down_killing() {
	killed_at "$1" h1 down vxbr0
	gone
	vx h1 up vxbr0
	killed_at "$1" h1 down vxbr0
	back
}

down_with_kills() {
	one_host
	vx h1 up vxbr0
	recorded CHANGES down vxbr0
	vx h1 up vxbr0
	each down_killing back
	gone
}
