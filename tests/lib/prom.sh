# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What `vxbpf export` has written: on stdout, or in the file PROM.

PROM=$WORK/prom/vxbpf.prom

metric() { # HOST SERIES: its value; nothing if it is not there
	vx "$1" export --output - | in_text "$2"
}

in_text() { # SERIES: from stdin
	awk -v series="$1" 'substr($0, 1, length(series) + 1) == series " " { print $NF }'
}

in_file() {
	in_text "$1" <"$PROM"
}

file_says() { # SERIES VALUE
	[ "$(in_file "$1")" = "$2" ]
}

# whole FILE: the last line is there, no series twice, HELP and TYPE once, and promtool has nothing to say.
whole() {
	assert_match '^vxbpf_export_timestamp_seconds [0-9]+\.[0-9]{3}$' "$(tail -n 1 "$1")" "last line"
	assert_eq "" "$(sed 's/ [^ ]*$//' "$1" | grep -v '^#' | sort | uniq -d)" "series that are there twice"
	assert_eq "" "$(grep '^#' "$1" | cut -d ' ' -f 2,3 | sort | uniq -d)" "HELP or TYPE that is there twice"
	assert_eq "" "$(promtool check metrics <"$1" 2>&1)" "what promtool says"
	assert_eq "$("$PYTHON" -IS "$LIB/metrics.py" list "$TOP/user/show/metrics.def" | cut -d ' ' -f 1,2)" \
		"$(sed -n 's/^# TYPE //p' "$1")" "metrics and their types"
}

# place: the folder of PROM, and nothing in it.
place() {
	mkdir -p "$(dirname "$PROM")"
	on_exit rm -rf "$(dirname "$PROM")"
}

nothing_but_the_file() {
	assert_eq vxbpf.prom "$(ls -A "$(dirname "$PROM")")" "files in its folder"
}
