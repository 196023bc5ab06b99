#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Situation: a host whose agent keeps 9,600 nftables chains with 28,000 rules, jumps nested 15 deep, and changes some of
#            them all the time, while containers start.
# Kernel: a port forwards at once, whatever the rules.
# vxbpf: `vxbpf watch` reads rules beside its work and hooks a new port without them: in a tenth of a second. It spends a
#        tenth of a CPU at most on rules that change all the time. A full look at them takes part of a second.
# time limit: 200

ALL_TESTS="ports_do_not_wait_for_rules maps_that_may_lead_anywhere"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/fast.sh
. "$LIB/fast.sh"
# shellcheck source=tests/lib/auto.sh
. "$LIB/auto.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

IPV6=0

# rules TABLE HOOK CHAINS: that many chains, in towers of 15, each jumped to from the one above; three rules in each.
rules() {
	awk -v table="$1" -v hook="$2" -v n="$3" 'BEGIN {
		print "table " table " many {"
		for (i = n; i > 0; i--) {
			print " chain c" i " {"
			print "  ip saddr 203.0.113." i % 250 " counter"
			if (i % 15) print "  jump c" i + 1; else print "  udp dport " i " accept"
			print "  tcp dport " i " return"
			print " }"
		}
		print " chain base { type filter hook " hook " priority 0;"
		for (i = 1; i <= n; i += 15) print "  tcp dport " i " jump c" i
		print " }"
		print "}"
	}'
}

cpu_ms() { # PID
	awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$1/stat"
}

# Makes a port every 0.4 s; prints how many microseconds later each is hooked.
PORTS='import os, subprocess, sys, time
for n in range(int(sys.argv[1])):
    subprocess.run(["ip", "link", "add", f"p{n}", "type", "veth", "peer", "name", f"q{n}"], check=True)
    index = open(f"/sys/class/net/p{n}/ifindex").read().strip()
    subprocess.run(["ip", "link", "set", f"p{n}", "up", "master", "vxbr0"], check=True)
    began = time.monotonic()
    while not os.path.exists(f"/sys/fs/bpf/vxbpf/vxbr0/links/port_in-{index}"):
        time.sleep(0.0005)
        if time.monotonic() > began + 20:
            sys.exit(f"p{n} is not hooked")
    print(int((time.monotonic() - began) * 1e6), flush=True)
    time.sleep(0.4)'

change_rules() {
	enter h2
	while :; do
		"${ENTER[@]}" nft add rule bridge many base tcp dport 7 accept
		"${ENTER[@]}" nft add rule inet many base tcp dport 7 accept
		sleep 0.05
	done
}

ports_do_not_wait_for_rules() {
	local late used began
	auto_mesh
	rules bridge forward 9600 | on h2 nft -f -
	rules inet input 600 | on h2 nft -f -
	watch h2 vxbr0
	settled h2
	# What the tool itself costs here, without a change.
	began=${EPOCHREALTIME/./}
	vx h2 status vxbr0 >/dev/null
	echo "# status takes $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
	change_rules &
	on_exit stop $!
	sleep 1
	used=$(cpu_ms "$WATCH") began=${EPOCHREALTIME/./}
	on h2 "$PYTHON" -c "$PORTS" 16 >"$WORK/ports" || fail "ports"
	late=$(sort -n "$WORK/ports" | tail -n 3 | head -n 1)
	echo "# $(sort -n "$WORK/ports" | tr '\n' ' ')"
	used=$(($(cpu_ms "$WATCH") - used)) began=$(((${EPOCHREALTIME/./} - began) / 1000))
	echo "# watch used $used ms of CPU in $began ms" >&2
	assert_le 60000 "$late" "microseconds until a new port is hooked, but for two on a busy machine"
	assert_le 20 $((used * 100 / began)) "per cent of a CPU"
}

# A map that is not read may lead anywhere: each chain is judged once all the same.
maps_that_may_lead_anywhere() {
	local ms
	auto_mesh
	awk 'BEGIN {
		print "table bridge many {"
		print " map m { type ipv4_addr : verdict; }"
		for (i = 1; i <= 9600; i++) print " chain c" i " { ip saddr vmap @m; tcp dport " i " limit rate 1/second drop; }"
		print " chain base { type filter hook forward priority 0; ip saddr vmap @m; }"
		print "}"
	}' | on h2 nft -f -
	ms=${EPOCHREALTIME/./}
	vx h2 up vxbr0
	ms=$(((${EPOCHREALTIME/./} - ms) / 1000))
	echo "# $ms ms" >&2
	assert_le 1500 "$ms" "ms for up"
	assert_match 'bridge rule in table many, chain' "$(vx h2 status vxbr0)" "status"
}

run_tests
