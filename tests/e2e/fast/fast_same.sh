#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The same two hundred flows of all sorts, once with the fast path off and once with it on: what comes
# out of the far end is the same, byte for byte, in the same order, and what can be fast was.
#
#    c11        c21
#     |          |
#   vxbr0 h1   vxbr0 h2
#     |          |
#   --+----------+--   sw, 192.0.2.0/24 or 2001:db8::/64
# time limit: 300

ALL_TESTS="
	frames_over_ipv4
	frames_over_ipv6
	frames_through_a_queue
	sockets_over_ipv4
	sockets_over_ipv6
	forged_copies_of_a_fast_flow
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$(dirname "$0")/../../lib/fast.sh"

# Over IPv6 less fits in.
overlay_mtu() {
	case $FAMILIES in 6) echo 1430 ;; *) echo 1450 ;; esac
}

flows() {
	MTU=$(overlay_mtu) "$PYTHON" -IS "$HERE/flows.py" "$@"
}

# What iptables would say to bridged frames is another matter.
two_hosts() {
	fast_mesh 2
	on h1 sysctl -qw net.bridge.bridge-nf-call-{ip,ip6,arp}tables=0 || true
	on h2 sysctl -qw net.bridge.bridge-nf-call-{ip,ip6,arp}tables=0 || true
	acquainted c11 c21
	# So that a frame too large for the overlay gets as far as the overlay.
	ip -n h1 link set c11 mtu 1500
	ip -n c11 link set eth0 mtu 1500
}

fastpath() { # off|on
	local host
	for host in h1 h2; do
		sed -i "s/^fastpath: .*/fastpath: $1/" "$WORK/etc/$host/vxbr0.yaml"
		vx "$host" reload vxbr0
	done
	pings c11 "$(ip4_of c21)" 2
}

sent_with_fastpath() { # off|on
	fastpath "$1"
	SNAP=65535 capture "$1" c21 eth0 -Q in
	mark h2 h1
	on c11 env "MTU=$(overlay_mtu)" "$PYTHON" -IS "$HERE/flows.py" send eth0 "$(mac_of c21)"
	capture_end "$1"
	FAST=$(($(counter h2 h1 rx_fast_packets) - FAST0))
}

same_frames() {
	local must may all
	read -r must may all <<<"$(flows count)"
	assert_ge 200 "$all" "flows"
	sent_with_fastpath off
	assert_eq 0 "$FAST" "fast frames with the fast path off"
	flows arrived "$WORK/off.pcap" "$(mac_of c21)"
	sent_with_fastpath on
	flows same "$WORK/off.pcap" "$WORK/on.pcap"
	# Of eight frames the first is learned from, and one more after the break; a slow machine may lose more.
	echo "# $FAST frames of $must to $((must + may)) flows were fast"
	assert_ge $((must * 4)) "$FAST" "fast frames of $must flows"
	assert_le $(((must + may) * 7)) "$FAST" "fast frames"
}

frames_over_ipv4() {
	two_hosts
	same_frames
}

frames_over_ipv6() {
	FAMILIES=6
	two_hosts
	same_frames
}

# Not straight to the other end of the port but out by the port.
frames_through_a_queue() {
	two_hosts
	on h2 tc qdisc add dev c21 root pfifo limit 10000
	vx h2 up vxbr0
	same_frames
}

# Being known does not help a flow's forger: from another host, to another address of ours.
forged_copies_of_a_fast_flow() {
	two_hosts
	node s9
	ip -n h2 addr add 192.0.2.102/24 dev eth0
	local inner=(eth "src=$(mac_of c11)" "dst=$(mac_of c21)"
		ip src=198.51.100.101 dst=198.51.100.102 udp data)
	local outer=(eth "dst=$(underlay_mac h2)" ip)
	capture forged c21 eth0 -Q in udp and greater 200
	background c11 "$PYTHON" -IS "$LIB/frame.py" send eth0 count=100000 gap=0.002 "${inner[@]}" zeros=50
	wait_for 5 is_fast
	frames s9 eth0 count=23 "${outer[@]}" src=192.0.2.9 dst=192.0.2.2 \
		udp dport=4789 sum=0 vxlan "vni=$(vni h2 h1)" "${inner[@]}" zeros=200
	frames s9 eth0 count=31 "${outer[@]}" src=192.0.2.1 dst=192.0.2.102 \
		udp dport=4789 sum=0 vxlan "vni=$(vni h2 h1)" "${inner[@]}" zeros=200
	wait_for 5 is_fast
	exactly 0 forged
	drops_are h2 "unguarded=31 unknown_source=23"
}

# Streams and datagrams as sockets make them: checksums unfinished, segments unmade, fragments.
TALKER='import hashlib, socket, sys, threading
address, server = sys.argv[2], sys.argv[1] == "serve"
family = socket.AF_INET6 if ":" in address else socket.AF_INET

def data(name, size):
    return (hashlib.sha256(name.encode()).digest() * (size // 32 + 1))[:size]

def wanted(name, got, size):
    if got != data(name, size):
        sys.exit("%s: other bytes, %d for %d" % (name, len(got), size))
    print(name, size, flush=True)

def read(s, size):
    parts = []
    while size:
        parts.append(s.recv(min(size, 1 << 20)))
        size -= len(parts[-1])
        if not parts[-1]:
            sys.exit("ended early")
    return b"".join(parts)

STREAM = 8 << 20
def stream(s, mine, yours):
    s.settimeout(20)
    t = threading.Thread(target=s.sendall, args=(data(mine, STREAM),), daemon=True)
    t.start()
    got = read(s, STREAM)
    t.join()
    wanted(yours, got, STREAM)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(200):
        if server:
            s.sendall(read(s, n + 1))
        else:
            s.sendall(data("small", n + 1)); wanted("small", read(s, n + 1), n + 1)

SIZES = list(range(0, 4000, 61)) + [65000]
def datagrams(s):
    s.settimeout(5)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    if server:
        for n in SIZES:
            d, a = s.recvfrom(70000); s.sendto(d, a)
        for n in range(23):
            d, a = s.recvfrom(70000); s.sendto(d, a)
        return
    for n in SIZES:
        s.send(data("datagram", n)); wanted("datagram", s.recv(70000), n)
    s.setsockopt(17, 103, 100)
    s.send(data("segments", 2300))
    wanted("segments", b"".join(s.recv(70000) for n in range(23)), 2300)

tcp = socket.socket(family, socket.SOCK_STREAM)
udp = socket.socket(family, socket.SOCK_DGRAM)
if server:
    udp.bind((address, 5000))
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, 5000)); tcp.listen(); tcp.settimeout(20)
    stream(tcp.accept()[0], "down", "up")
    datagrams(udp)
else:
    tcp.connect((address, 5000))
    stream(tcp, "up", "down")
    udp.connect((address, 5000))
    datagrams(udp)'

conversation() { # ADDRESS FILE
	local server
	background c21 "$PYTHON" -c "$TALKER" serve "$1"
	server=$PID
	wait_for 5 listening c21 5000
	on c11 "$PYTHON" -c "$TALKER" talk "$1" >>"$2" || fail "what came back of $1"
	wait "$server" || fail "what came to $1"
}

same_by_socket() {
	local mode address
	fast_mesh 2
	ip -n c11 link set eth0 mtu "$(overlay_mtu)"
	ip -n c21 link set eth0 mtu "$(overlay_mtu)"
	for mode in off on; do
		: >"$WORK/$mode.said"
		fastpath "$mode"
		mark h2 h1
		for address in "$(ip4_of c21)" "$(ip6_of c21)"; do conversation "$address" "$WORK/$mode.said"; done
		FAST=$(share h2 h1)
	done
	assert_same "$WORK/off.said" "$WORK/on.said" "what came back"
	assert_ge 90 "$FAST" "percent fast"
}

sockets_over_ipv4() {
	same_by_socket
}

sockets_over_ipv6() {
	FAMILIES=6
	same_by_socket
}

run_tests
