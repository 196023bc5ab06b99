# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Flows of known ports made of raw frames, and processes that forge. After netns.sh.
#
#   prov_mesh N [YAML LINE...]    N hosts up, one container on each and those of MORE, c11 and c21 acquainted, no
#                                 stray IPv6, the fast path as FAST says
#   standing N [YAML LINE...]     the same before `run_tests`, for all cases together
#   settings [YAML LINE...]       other ones for the mesh that stands, until the case ends
#   flow_words                    the layers inside: c11 to c21, UDP from port 7000 to 7001
#   flow COUNT GAP                that flow, as c11 sends it, in the background; its pid in FLOW
#   flow_over                     waits for its end
#   nobody HOST ARGS...           speak.py as uid 65534 without any capability
#   theirs HOST ARGS...           tcx_words.py there, until the case ends
#   others_dropped HOST           what it has dropped for any reason but `nested`
#   arrived_at_least N CAPTURE    so far
#   went_fast HOST PEER rx|tx     of all packets since `mark HOST PEER`, in percent

# shellcheck disable=SC2034 # netns.sh reads it
IPV6=0
FAST=on
MORE=() # HOST:CONTAINER
FLOW_FILTER=(udp src port 7000)

prov_mesh() {
	local more
	[ -n "${PLAIN:-}" ] || set -- "$@" "fastpath: $FAST"
	mesh "$@"
	mesh_up
	containers_each 1
	for more in "${MORE[@]}"; do container "${more%:*}" "${more#*:}"; done
	[ -n "${PLAIN:-}" ] || leased_up "${HOSTS[@]}"
	acquainted c11 c21
	pings c11 "$(ip4_of c21)" 2
	cp "$LIB/speak.py" "$WORK/speak.py"
}

standing() {
	set -Eeuo pipefail
	prov_mesh "$@" >&2
	set +Eeuo pipefail
}

settings() {
	on_exit reloaded
	reloaded "$@"
}

# leased_up HOST...: `up`, and the doors into veths are open, see `leased`.
leased_up() {
	local host
	for host; do
		vx "$host" up vxbr0
		[ "$FAST" = off ] || leased "$host"
	done
}

reloaded() {
	local host
	config vxbr0 "$@" "fastpath: $FAST"
	for host in "${HOSTS[@]}"; do vx "$host" reload vxbr0; done
	leased_up "${HOSTS[@]}"
	pings c11 "$(ip4_of c21)" 2
}

flow_words() {
	echo eth "dst=$(mac_of c21)" "src=$(mac_of c11)" ip "src=$(ip4_of c11)" "dst=$(ip4_of c21)" \
		udp sport=7000 dport=7001
}

flow() {
	local words
	read -r -a words <<<"$(flow_words)"
	background c11 "$PYTHON" -IS "$LIB/frame.py" send eth0 count="$1" gap="$2" "${words[@]}" data text=flow.@
	FLOW=$PID
}

flow_over() {
	wait "$FLOW" || fail "the flow was not sent"
}

nobody() {
	on "$1" setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
		"$PYTHON" -IS "$WORK/speak.py" "${@:2}"
}

# Programs of others that come by tcx; those that come by clsact are in front.sh.
has_tcx() {
	grep -qw tcx_prog_attach /proc/kallsyms || skip "this kernel has no tcx"
}

theirs() {
	has_tcx
	background "$1" "$PYTHON" -IS "$LIB/tcx_words.py" "${@:2}" stay >"$WORK/theirs"
	wait_for 5 grep -q there "$WORK/theirs"
}

others_dropped() {
	[ -z "${PLAIN:-}" ] || return 0
	status_json "$1" | jq -c '.[0] | [.drops, .peers[].drops] | map(to_entries) | add | group_by(.key) |
		map({key: .[0].key, value: (map(.value) | add)}) | map(select(.key != "nested")) | from_entries'
}

# Both of the same moment.
fast_of() {
	status_json "$1" | jq -r --arg peer "$2" '.[0].peers[] | select(.name == $peer) |
		"\(.rx_packets) \(.rx_fast_packets) \(.tx_packets) \(.tx_fast_packets)"'
}

mark() {
	fast_of "$1" "$2" >"$WORK/mark.$1.$2"
}

went_fast() {
	paste -d ' ' "$WORK/mark.$1.$2" <(fast_of "$1" "$2") | awk -v way="$3" '{
		all = way == "rx" ? $5 - $1 : $7 - $3
		fast = way == "rx" ? $6 - $2 : $8 - $4
		print "# " way ": " fast " of " all " fast" >"/dev/stderr"
		print int(fast * 100 / (all ? all : 1))
	}'
}

arrived_at_least() {
	[ "$(captured "$2")" -ge "$1" ]
}
