# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A `vxbpf watch` under test, and traffic that must not notice.
#
#   watch HOST [ARGS...]     started with -v, its first pass done; pid in WATCH, words in OUT_FILE, ERR_FILE
#   unwatch SIGNAL STATUS    ended
#   passes                   how often it has checked something since OUT_FILE was emptied
#   settled HOST             waits until the config is met and it has stopped looking
#   hooked HOST IFNAME       is the port's program there?
#   pair                     h1 and h2 up, with c11 and c21; the lines of YAML in CONFIG
#   load                     pings from c11 to c21, in the manner of PING, until
#   unloaded AT_MOST         no more of them were lost

CONFIG=()
# shellcheck disable=SC2034 # read by load in traffic.sh
PING=(-f)
OUT_FILE=$WORK/watch.out
ERR_FILE=$WORK/watch.err

# watch HOST [ARGS...]: started there, with its first pass done; its pid is in WATCH.
watch() {
	enter "$1"
	"${ENTER[@]}" env ${NO_TCX:+VXBPF_NO_TCX=1} "$VXBPF" watch -v "${@:2}" >"$OUT_FILE" 2>"$ERR_FILE" &
	WATCH=$!
	on_exit stop $WATCH
	wait_for 10 grep -q ' checked everything' "$OUT_FILE"
}

unwatch() { # SIGNAL STATUS
	local status=0
	kill "-$1" "$WATCH"
	wait "$WATCH" || status=$?
	assert_eq "$2" $status "exit status after SIG$1"
}

passes() {
	grep -c ' checked ' "$OUT_FILE" || true
}

right() {
	vx "$1" up vxbr0 --dry-run
}

# settled HOST: the config is met, and it has stopped looking.
settled() {
	local before
	wait_for 10 right "$1"
	for _ in $(seq 40); do
		before=$(passes)
		sleep 0.5
		[ "$before" != "$(passes)" ] || return 0
	done
	fail "watch goes on and on: $(tail -n 4 "$OUT_FILE")"
}

hooked() { # HOST IFNAME
	hooks "$1" | grep "^$2 in port_in" >/dev/null
}

pins_of() {
	on "$1" find /sys/fs/bpf/vxbpf -mindepth 1 | sort
}

entries() { # HOST MAP
	on "$1" bpftool -j map dump pinned "/sys/fs/bpf/vxbpf/vxbr0/$2" | jq length
}

# unloaded AT_MOST: no more of them were lost.
unloaded() {
	local sent got
	kill -INT "$LOAD"
	wait "$LOAD" || true
	sent=$(sed -n 's/^\([0-9]*\) packets transmitted.*/\1/p' "$WORK/load")
	got=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$WORK/load")
	assert_ge 200 "$sent" "pings"
	# One may be under way when it ends, and a second if the machine was slow just then.
	assert_le $(($1 + 2)) $((sent - got)) "pings lost of $sent"
	echo "pings: $sent sent, $got answered"
}

pair() {
	mesh 2 "${CONFIG[@]}"
	mesh_up
	containers_each 1
	mesh_up
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
}

