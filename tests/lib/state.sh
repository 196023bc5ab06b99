# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the kernel of a host looks like, as text to compare: whole (nothing may change) or only what
# is vxbpf's (nothing may be left). And vxbpf under strace: counted, broken or killed.
#
#   snapshot HOST >FILE             links, addresses, routes, qdiscs, filters, tcx, rules, sysctls, pins
#   hooks HOST                      what is attached at tcx: DEVICE in|out PROGRAM
#   nothing_left HOST               no device, qdisc, filter, link or pin of vxbpf's
#   calls HOST ARGS...              its sendmsg/sendto/bpf calls into $WORK/calls
#   points K                        of these calls, each as CALL:N, the Nth call of that name
#   killed_at CALL:N HOST ARGS...   kill -9 there
#   broken_at CALL:N ERRNO HOST ARGS...  that call fails

# What moves by itself is left out: timers, and whether a carrier has been noticed yet.
snapshot() {
	on "$1" bash -c '
		ip -d link | sed -E "s/ [a-z_]+_timer +[0-9.]+//g; s/ fdb_n_learned [0-9]+//
			s/NO-CARRIER,|,LOWER_UP//g; s/ state (UP|DOWN|UNKNOWN|LOWERLAYERDOWN) / /"
		ip -o address | sed -E "s/(valid|preferred)_lft [0-9]+sec//g; s/ tentative//"
		ip -4 route show table all; ip -6 route show table all; ip rule; ip -6 rule
		bridge link | sed -E "s/NO-CARRIER,|,LOWER_UP//g"; bridge vlan
		tc qdisc show | sed -E "s, (refcnt|direct_packets_stat) [0-9]+,,g"
		# Filters hang on a qdisc; noqueue has none.
		tc qdisc show | awk "\$2 ~ /^(clsact|ingress)\$/ { print \$5, \"ingress\"; print \$5, \"egress\" }
				\$2 !~ /^(clsact|ingress|noqueue)\$/ { print \$5, \"root\" }" | sort -u | while read -r d way; do
			tc filter show dev "$d" "$way" | sed "s/^/$d $way /"
		done
		'"$PYTHON"' -IS "'"$LIB"'/hooks.py"
		nft -a list ruleset | sed -E "s/counter packets [0-9]+ bytes [0-9]+/counter/"
		cd /proc/sys/net && grep -rHs "" bridge core ipv4 ipv6 |
			grep -vE "stable_secret|/nf_conntrack_|rt_cache|_mem:|random"
		find /sys/fs/bpf -mindepth 1 | sort
		ls -A /etc/vxbpf
	' 2>/dev/null
}

# hooks HOST: `DEVICE in|out PROGRAM` of every tcx program there.
hooks() {
	on "$1" "$PYTHON" -IS "$LIB/hooks.py"
}

remains() {
	on "$1" bash -c '
		ip -o -d link 2>&1 | sed -nE "/alias vxbpf:|[0-9]+: (vx-[^:@]*|vxbr0)[:@]/s/^/device: /p; /prog\/xdp/s/^/xdp: /p"
		tc qdisc show | sed -nE "/clsact|ingress/s/^/qdisc: /p"
		'"$PYTHON"' -IS "'"$LIB"'/hooks.py" | sed "s/^/program: /"
		find /sys/fs/bpf -mindepth 1 ! -name "*.debug" | sed "s/^/pin: /"
	'
}

nothing_left() {
	local found
	found=$(remains "$1") || true
	[ -z "$found" ] || fail "left on $1: $found"
}

unchanged() { # HOST FILE: nothing in the kernel has changed since `snapshot HOST >FILE`
	snapshot "$1" >"$WORK/now"
	assert_same "$2" "$WORK/now" "state of $1"
}

CALLS=sendmsg,sendto,bpf

calls() {
	local host=$1
	shift
	on "$host" strace -f -qq -s 4096 -e abbrev=none -e trace=$CALLS -e signal=none \
		-o "$WORK/calls" "$VXBPF" "$@"
}

# changing: how many of the recorded calls asked the kernel to change something.
changing() {
	grep -cE 'RTM_(NEW|DEL|SET)|BPF_(MAP_CREATE|PROG_LOAD|LINK_CREATE|LINK_UPDATE|OBJ_PIN|MAP_UPDATE|MAP_DELETE)' \
		"$WORK/calls" || true
}

# strace counts each system call by itself, so a point is a name and a number.
killed_at() {
	local point=$1 host=$2 status=0
	shift 2
	on "$host" strace -f -qq -o /dev/null -e trace="${point%:*}" \
		-e inject="${point%:*}":signal=KILL:when="${point#*:}" "$VXBPF" "$@" >/dev/null 2>&1 || status=$?
	assert_eq 137 $status "exit status of $* killed at $point"
}

broken_at() {
	local point=$1 errno=$2 host=$3
	shift 3
	on "$host" strace -f -qq -o /dev/null -e trace="${point%:*}" \
		-e inject="${point%:*}":error="$errno":when="${point#*:}" "$VXBPF" "$@"
}

# Every netlink request that changes something (they are few; one that only asks leaves the kernel as the one before it
# did), and K of the many bpf calls, from the first to nearly the last: a second run may need a call less.
points() {
	sed -E 's/^[0-9]+ +//' "$WORK/calls" | awk -v k="$1" '
		{ name = $0; sub(/\(.*/, "", name) }
		name != "bpf" { ++n[name] }
		name != "bpf" && /RTM_(NEW|DEL|SET)/ { print name ":" n[name] }
		name == "bpf" { at[++bpf] = "bpf:" bpf }
		END { for (i = 0; i < k; i++) print at[1 + int(i * (bpf * 24 / 25 - 1) / (k - 1))] }' | uniq
}
