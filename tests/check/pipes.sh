#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# No `... | grep -q`: it stops reading at the first match, and under pipefail the writer's SIGPIPE
# makes what was found look missing, now and then. `| grep X >/dev/null` reads to the end.

ALL_TESTS="
	tree
	bad_sample
	alone_is_fine
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

hasty() {
	grep -HnE '^[^#]*[^|]\| *(e|f)?grep +(-[[:alnum:]]+ +)*-[[:alnum:]]*q' "$@"
}

tree() {
	local files
	mapfile -t files < <(scripts | grep -vx 'tests/check/pipes.sh')
	clean hasty "${files[@]}"
}

bad_sample() {
	sample bad.sh <<-'S'
		ip link | grep -q vxbr0
	S
	caught hasty "$SAMPLE"
	sample bad.sh <<-'S'
		ip link | grep -i -aqE vxbr0
	S
	caught hasty "$SAMPLE"
}

alone_is_fine() {
	sample good.sh <<-'S'
		[ -e file ] || grep -q here file
		ip link | grep vxbr0 >/dev/null
	S
	clean hasty "$SAMPLE"
}

run_tests
