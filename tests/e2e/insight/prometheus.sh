#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The whole way, with Debian's own programs: `vxbpf watch` writes, the node exporter's textfile collector
# reads, Prometheus scrapes it, answers with the very bytes that were sent, and its alerts go off. The
# contents of the file are export.sh's.
#
#     c11 (its pings are counted)   c21
#      |                             |
#    vxbr0                         vxbr0
#     h1 ___________ sw ___________ h2
#      watch > vxbpf.prom > prometheus-node-exporter > prometheus, all on h1
# time limit: 240

ALL_TESTS="
	rules_do_what_their_tests_say
	bytes_arrive_in_prometheus
	silent_peer_alerts
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"
# shellcheck source=tests/lib/watch.sh
. "$LIB/watch.sh"

# A peer's bytes are compared with the kernel's, and those of its tunnel are all of them without fast path.
IPV6=0
FASTPATH=off
SERVER=http://127.0.0.1:9090

rules_do_what_their_tests_say() {
	promtool check rules "$TOP/contrib/prometheus/vxbpf.rules.yml"
	(cd "$TOP/contrib/prometheus" && promtool test rules vxbpf.rules.test.yml)
}

# query EXPRESSION: the one value it has.
query() {
	on h1 promtool query instant "$SERVER" "$1" >"$WORK/answer" || return 1
	[ "$(wc -l <"$WORK/answer")" -eq 1 ] && sed 's/.* => \([^ ]*\) @.*/\1/' "$WORK/answer"
}

answers() { # EXPRESSION VALUE
	[ "$(query "$1")" = "$2" ]
}

# servers: on h1, all three of them.
servers() {
	mkdir "$WORK/prom" "$WORK/tsdb"
	on_exit rm -rf "$WORK/prom" "$WORK/tsdb"
	watch h1 vxbr0 --export "$WORK/prom/vxbpf.prom" --interval 1
	background h1 prometheus-node-exporter --collector.disable-defaults --collector.textfile \
		"--collector.textfile.directory=$WORK/prom" --web.listen-address=127.0.0.1:9100 >"$WORK/node.log" 2>&1
	cat >"$WORK/prometheus.yml" <<-Y
		global: { scrape_interval: 1s, evaluation_interval: 1s }
		rule_files: [$TOP/contrib/prometheus/vxbpf.rules.yml]
		scrape_configs:
		  - job_name: node
		    static_configs: [{ targets: ["127.0.0.1:9100"], labels: { instance: alpha } }]
	Y
	background h1 prometheus "--config.file=$WORK/prometheus.yml" "--storage.tsdb.path=$WORK/tsdb" \
		--web.listen-address=127.0.0.1:9090 >"$WORK/prometheus.log" 2>&1
	wait_for 60 answers 'vxbpf_overlay_up{overlay="vxbr0"}' 1
}

ready() {
	pair
	capture underlay sw br0 udp port 4789
	servers
	quiet
}

# kernel rx|tx: of vx-h2's statistics, as inner Ethernet bytes: they are without the 14 of each header.
kernel() {
	ip -n h1 -s -j link show vx-h2 | jq ".[0].stats64.$1 | .bytes + 14 * .packets"
}

series() { # rx|tx UNIT
	local way=transmit
	[ "$1" = tx ] || way=receive
	echo "vxbpf_peer_${way}_$2_total{instance=\"alpha\",overlay=\"vxbr0\",peer=\"h2\"}"
}

bytes_arrive_in_prometheus() {
	local way before kernel expr n=0
	declare -A before kernel sent
	ready
	for way in rx tx; do
		wait_for 30 answers "$(series "$way" bytes)" "$(counter h1 h2 "${way}_bytes")"
		before[$way]=$(counter h1 h2 "${way}_bytes") kernel[$way]=$(kernel "$way")
	done
	# 14 + 20 + 8 + 100 bytes each way, 23 times; and 7 times 100 bytes one way.
	on c11 ping -n -q -i 0.01 -c 23 -s 100 "$(ip4_of c21)"
	frames c11 eth0 count=7 eth "src=$(mac_of c11)" "dst=$(mac_of c21)" data zeros=86
	sent=([rx]=$((23 * 142)) [tx]=$((23 * 142 + 700)))
	for way in rx tx; do
		wait_for 30 answers "$(series "$way" bytes)" $((before[$way] + sent[$way]))
		assert_eq "${sent[$way]}" $(($(kernel "$way") - kernel[$way])) "$way bytes by the kernel's own count"
	done
	exactly 46 underlay len = $((142 + 50))
	wait_for 30 answers 'node_textfile_scrape_error' 0
	assert_eq 1 "$(query 'count(vxbpf_build_info)')" "build info"
	assert_eq 14 "$(query 'count(vxbpf_dropped_packets_total)')" "reasons, of h2 and of nobody"
	assert_eq 1 "$(query 'time() - vxbpf_export_timestamp_seconds < bool 30')" "age of the numbers"
	# Every expression of the dashboard is one to this Prometheus.
	"$PYTHON" -IS "$LIB/metrics.py" queries "$TOP/contrib/grafana/vxbpf.json" >"$WORK/queries"
	while read -r expr; do
		n=$((n + 1))
		on h1 promtool query instant "$SERVER" "$expr" >"$WORK/answer" 2>&1 || fail "$expr: $(cat "$WORK/answer")"
	done <"$WORK/queries"
	assert_ge 20 "$n" "expressions"
	# The tables join what belongs together.
	assert_eq 1 "$(grep -c . <(on h1 promtool query instant "$SERVER" "$(grep -m 1 'peer_info.*peer_up' "$WORK/queries")"))" "peers in the table"
	assert_eq "" "$(query ALERTS)" "alerts"
	unwatch TERM 0
	assert_eq "" "$(cat "$ERR_FILE")" "what watch says"
}

silent_peer_alerts() {
	ready
	assert_eq 1 "$(query vxbpf_peer_up)" "peer up"
	on h2 nft -f - <<-'N'
		table netdev wall { chain in { type filter hook ingress device eth0 priority -500; udp dport 4789 drop; }; }
	N
	background c11 ping -n -q -i 0.2 "$(ip4_of c21)" >"$WORK/ping" 2>&1
	wait_for 90 answers vxbpf_peer_up 0
	wait_for 30 answers 'ALERTS{alertname="VxbpfPeerSilent",alertstate="pending",peer="h2"}' 1
	on h2 nft delete table netdev wall
	wait_for 30 answers vxbpf_peer_up 1
	stopped() { [ -z "$(query 'ALERTS{alertname="VxbpfPeerSilent"}')" ]; }
	wait_for 30 stopped
}

run_tests
