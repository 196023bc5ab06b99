#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The manual, the alert rules and the dashboard know the metrics of user/show/metrics.def, and no others.

ALL_TESTS="
	manual_has_all
	manual_sample
	contrib_uses_what_there_is
	metric_sample
	label_sample
	legend_sample
	rule_sample
	alerts_are_tested
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

DEF=user/show/metrics.def
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3

metrics() {
	"$PYTHON" -IS tests/lib/metrics.py "$@" 2>&1
}

manual_text() { # PAGE
	mandoc -Tascii "$1" | col -b
}

manual_has_all() {
	assert_ge 20 "$(metrics list "$DEF" | wc -l)" "metrics"
	assert_eq "$(grep -c '^METRIC(' "$DEF")" "$(metrics list "$DEF" | wc -l)" "metrics that could be read"
	manual_text man/vxbpf-metrics.7 >"$TAP_DIR/page"
	clean metrics manual "$DEF" "$TAP_DIR/page"
}

manual_sample() {
	manual_text man/vxbpf-metrics.7 | sed s/vxbpf_peer_up/vxbpf_peer_well/ >"$TAP_DIR/page"
	caught metrics manual "$DEF" "$TAP_DIR/page"
}

contrib_uses_what_there_is() {
	clean metrics used "$DEF" contrib/grafana/vxbpf.json contrib/prometheus/*.yml
}

# spoilt FILE SED: a copy with something changed in it, which must be noticed.
spoilt() {
	SAMPLE=$TAP_DIR/$(basename "$1")
	sed "$2" "$1" >"$SAMPLE"
	! cmp -s "$1" "$SAMPLE" || fail "$2 changes nothing in $1"
	caught metrics used "$DEF" "$SAMPLE"
}

metric_sample() {
	spoilt contrib/grafana/vxbpf.json s/vxbpf_fdb_entries/vxbpf_macs/
}

label_sample() {
	spoilt contrib/grafana/vxbpf.json 's/(instance, overlay, reason)/(instance, overlay, cause)/'
	spoilt contrib/grafana/vxbpf.json 's/vxbpf_fdb_entries{instance/vxbpf_fdb_entries{peer/'
	spoilt contrib/grafana/vxbpf.json 's/vxbpf_build_info, instance/vxbpf_build_info, host/'
}

legend_sample() {
	spoilt contrib/grafana/vxbpf.json 's/{{reason}}/{{cause}}/'
}

rule_sample() {
	spoilt contrib/prometheus/vxbpf.rules.yml 's/vxbpf_peer_up == 0/vxbpf_peer_silent == 1/'
	spoilt contrib/prometheus/vxbpf.rules.yml 's/labels\.device/labels.dev/'
	spoilt contrib/prometheus/vxbpf.rules.test.yml 's/port="veth1"/veth="veth1"/'
}

# Each alert has a case in which it fires and one in which it does not.
alerts_are_tested() {
	local alert n=0
	while read -r alert; do
		n=$((n + 1))
		grep -q "alertname: $alert, .*exp_alerts: \[\]" contrib/prometheus/vxbpf.rules.test.yml ||
			fail "no test in which $alert does not fire"
		grep -q -A 2 "alertname: $alert\$" contrib/prometheus/vxbpf.rules.test.yml ||
			fail "no test in which $alert fires"
	done < <(sed -n 's/^ *- alert: //p' contrib/prometheus/vxbpf.rules.yml)
	assert_ge 5 "$n" "alerts"
}

run_tests
