# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sizes: of cables, containers and packets, what `status` says of them, and a transfer that would hang.

cable() { # MTU [DEV [SWITCH]]: of all hosts' cables to that switch
	local name
	for name in "${HOSTS[@]}"; do
		ip -n "$name" link set "${2:-eth0}" mtu "$1"
		ip -n "${3:-sw}" link set "$name-${2:-eth0}" mtu "$1"
	done
}

both_ends() { # HOST CONTAINER MTU
	ip -n "$1" link set "$2" mtu "$3"
	ip -n "$2" link set eth0 mtu "$3"
}

pair_on() { # MTU_OF_CABLES [YAML LINE...]
	mesh 2 "${@:2}"
	cable "$1"
	mesh_up
	containers_each 1
	mesh_up
}

# sized N SIZE 4|6 [LAYER...]: UDP from c11 to c21, IP packets of that size.
sized() {
	local n=$1 size=$2 from to head=28
	from=$(ip4_of c11) to=$(ip4_of c21)
	[ "$3" = 4 ] || { from=$(ip6_of c11) to=$(ip6_of c21) && head=48; }
	frames c11 eth0 count="$n" eth "dst=$(mac_of c21)" "src=$(mac_of c11)" "${@:4}" \
		ip "src=$from" "dst=$to" udp data zeros=$((size - head))
}

status_of() { # HOST: the page for people in one line
	local status=0
	vx "$1" status vxbr0 >"$WORK/page" || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "vxbpf status on $1: exit status $status"
	tr -s '\n ' ' ' <"$WORK/page"
}

says() { # HOST REGEX
	assert_match "$2" "$(status_of "$1")" "status of $1"
}

says_not() { # HOST REGEX
	! status_of "$1" | grep -E "$2" >/dev/null || fail "status of $1 says '$2'"
}

# transfer FROM TO ADDRESS: 5 MB, whole, within 20 s.
transfer() {
	local status=0
	[ -e "$WORK/blob" ] || head -c 5000000 /dev/urandom >"$WORK/blob"
	background "$2" timeout 30 "$PYTHON" -c '
import socket, sys
s = socket.create_server(("::", 5555), family=socket.AF_INET6, dualstack_ipv6=True)
c, _ = s.accept()
with open(sys.argv[1], "wb") as out:
    while True:
        d = c.recv(1 << 16)
        if not d: break
        out.write(d)
c.sendall(b"done")' "$WORK/blob.got"
	wait_for 5 on "$2" bash -c 'ss -Hltn sport = 5555 | grep . >/dev/null'
	on "$1" timeout 20 "$PYTHON" -c '
import socket, sys
s = socket.create_connection((sys.argv[1], 5555)); s.sendall(open(sys.argv[2], "rb").read())
s.shutdown(socket.SHUT_WR); assert s.recv(4) == b"done"' "$3" "$WORK/blob" 2>"$WORK/transfer" || status=$?
	stop "$PID"
	[ "$status" -eq 0 ] && cmp "$WORK/blob" "$WORK/blob.got"
}

# router_narrow MTU FAMILY ADDRESS: h1 reaches h2 by way of s9, whose own way there is narrow.
router_narrow() {
	node s9
	on s9 bash -c 'for f in /proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 >$f; done
		echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	ip -n s9 "-$2" route add "$3" dev eth0 mtu "$1"
	if [ "$2" = 4 ]; then
		ip -n h1 route add "$3" via "$(address4 s9)"
	else
		ip -n h1 -6 route add "$3" via "$(address6 s9)"
	fi
}
