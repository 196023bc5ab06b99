#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What a host may lack - rights, descriptors, bpffs, somewhere to print to - gets one sentence, too, and
# nothing is changed.
#
#     h1 ____ sw ___ h2

ALL_TESTS="
	stdout_full_or_closed
	no_root
	user_namespace
	few_descriptors
	no_bpffs
	folder_of_another_user
	read_only_bpffs
	pins_of_another_layout
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/refuse.sh
. "$LIB/refuse.sh"

# Printed to where nothing can be written is not done; and no socket or map of ours takes the place of
# a closed one.
stdout_full_or_closed() {
	local words
	prepare
	printf '%s\n' "$PEERS_OK" >"$FILE"
	up_settled
	printf 'LOCALIP=192.0.2.1\nREMOTEIPS=(192.0.2.2)\nBRIDGE_DEV=vxbr0\nPORT=4789\n' >"$WORK/script"
	for words in version help 'up --help' status 'status --json' check 'check --json' 'export --output -' \
		'top -n 1' 'down --dry-run' "import $WORK/script"; do
		# shellcheck disable=SC2086 # several words
		refused 1 'write to stdout: (No space left|the output is incomplete)' on h1 bash -c '"$0" "$@" >/dev/full' "$VXBPF" $words
		# shellcheck disable=SC2086
		refused 1 'write to stdout: (Bad file descriptor|the output is incomplete)' on h1 bash -c '"$0" "$@" >&-' "$VXBPF" $words
	done
	snapshot h1 >"$WORK/before"
	expect 0 on h1 bash -c '"$0" reload <&- >&- 2>&-' "$VXBPF"
	unchanged h1 "$WORK/before"
	vx h1 down
	expect 0 on h1 bash -c '"$0" up <&- >&- 2>&-' "$VXBPF"
	expect 0 vx h1 up --dry-run
}

no_root() {
	prepare
	printf '%s\n' "$PEERS_OK" >"$FILE"
	cp "$VXBPF" "$WORK/vxbpf" && chmod 755 "$WORK" "$WORK/etc" "$WORK/vxbpf"
	refused 1 'CAP_NET_ADMIN|CAP_BPF|root' on h1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		--inh-caps=-all --bounding-set=-all "$WORK/vxbpf" up vxbr0
	refused 1 'CAP_BPF|root' on h1 setpriv --inh-caps=-all --bounding-set=-all,+net_admin "$WORK/vxbpf" up vxbr0
	refused 1 'CAP_PERFMON is missing' on h1 setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+bpf \
		"$WORK/vxbpf" up vxbr0
	refused 1 'CAP_NET_ADMIN is missing' on h1 setpriv --inh-caps=-all --bounding-set=-all,+bpf,+perfmon \
		"$WORK/vxbpf" up vxbr0
	unchanged h1 "$WORK/before"
	expect 0 on h1 setpriv --reuid 65534 --regid 65534 --clear-groups "$WORK/vxbpf" version
	# These are enough, here, where the file and the pins are of the user it runs as.
	expect 0 on h1 setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+bpf,+perfmon "$WORK/vxbpf" up vxbr0
	expect 0 on h1 setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+bpf "$WORK/vxbpf" status vxbr0
	expect 0 on h1 setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+bpf "$WORK/vxbpf" down vxbr0
	nothing_left h1
}

# Root there has every capability and may load nothing.
user_namespace() {
	prepare
	printf 'local: h1\n%s\n' "$PEERS_OK" >"$FILE"
	refused 1 "needs root of the host.*user namespace" on h1 unshare --user --map-root-user "$VXBPF" up vxbr0
	refused 1 "needs root of the host.*user namespace" on h1 unshare --user --map-root-user --net "$VXBPF" up vxbr0
	unchanged h1 "$WORK/before"
}

few_descriptors() {
	local n
	prepare
	printf '%s\n' "$PEERS_OK" >"$FILE"
	snapshot h1 >"$WORK/before"
	for n in 4 5 8; do
		refused 1 'Too many open files' on h1 bash -c 'ulimit -n "$0" && exec "$@"' "$n" "$VXBPF" up vxbr0
		unchanged h1 "$WORK/before"
	done
}

# A bpffs mounted in a mount namespace that ends with the command would take the programs with it.
no_bpffs() {
	prepare
	printf '%s\n' "$PEERS_OK" >"$FILE"
	on h1 umount /sys/fs/bpf
	snapshot h1 >"$WORK/before"
	refused 1 'nsenter -t 1 -m mount -t bpf' vx h1 up vxbr0
	unchanged h1 "$WORK/before"
}

# On a BPF file system that anybody may write to, anybody can make our folder first, and what is in it.
folder_of_another_user() {
	local words
	prepare
	printf '%s\n' "$PEERS_OK" >"$FILE"
	on h1 bash -c 'mkdir -p /sys/fs/bpf/vxbpf/vxbr0 && chown -R 65534 /sys/fs/bpf/vxbpf'
	for words in 'up vxbr0' status check export 'top -n 1' 'who 192.0.2.9' 'ping h2' 'down vxbr0'; do
		# shellcheck disable=SC2086 # several words
		refused 1 '/sys/fs/bpf/vxbpf: cannot use the folder: users other than root can change it' vx h1 $words
	done
	on h1 rm -r /sys/fs/bpf/vxbpf
	expect 0 vx h1 up vxbr0
}

read_only_bpffs() {
	prepare
	printf '%s\n' "$PEERS_OK" >"$FILE"
	on h1 mount -o remount,ro /sys/fs/bpf
	snapshot h1 >"$WORK/before"
	refused 1 'Read-only|/sys/fs/bpf' vx h1 up vxbr0
	unchanged h1 "$WORK/before"
	on h1 mount -o remount,rw /sys/fs/bpf
	up_settled
	on h1 mount -o remount,ro /sys/fs/bpf
	snapshot h1 >"$WORK/before"
	refused 1 'Read-only|/sys/fs/bpf' vx h1 down vxbr0
	unchanged h1 "$WORK/before"
}

# A tree some other version made: taken over, or refused in a sentence; never a mess.
pins_of_another_layout() {
	local other
	mesh 2
	mesh_up
	containers_each 1
	for other in layout_0 layout_99 none; do
		on h1 bash -c "rmdir /sys/fs/bpf/vxbpf/vxbr0/layout_*"
		[ "$other" = none ] || on h1 mkdir "/sys/fs/bpf/vxbpf/vxbr0/$other"
		expect 0,1 vx h1 up vxbr0
		if [ -n "$ERR" ]; then assert_match 'layout|version|vxbpf down' "$ERR" "$other"; fi
		vx h1 down vxbr0
		vx h1 up vxbr0
		expect 0 vx h1 up vxbr0 --dry-run
	done
	reach_all c11 c21
}

run_tests
