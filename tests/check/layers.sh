#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# user/ is folders, one for each layer: a file includes its own layer and those below, and no files include one another
# in a circle, so that a command is read in one direction.

ALL_TESTS="
	tree
	upward
	circle
	path_without_folder
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

# From the top; those on one line do not know each other.
LAYERS="
main
cmd
show watch
diagnose
snapshot
reconcile
plan
filters
conf kernel
base
"

# includes FILE...: `FROM TO` for each include of a header of ours, both without the extension.
includes() {
	grep -HoE '^#include "[^"]+\.h"' "$@" | sed -nE 's|^(.*/)?user/([^:]*)\.[ch]:#include "(.*)\.h"$|\2 \3|p' |
		grep -vE ' (vxbpf/|vxbpf\.skel$)'
}

breaches() {
	includes "$@" | awk '
		function layer(path) { sub("/.*", "", path); return path }
		FNR == NR { for (i = 1; i <= NF; i++) rank[$i] = NR; next }
		$2 !~ "/" { print "user/" $1 ": includes \"" $2 ".h\" without its folder"; next }
		layer($1) != layer($2) && rank[layer($2)] <= rank[layer($1)] {
			print "user/" $1 ": includes " $2 ".h, which is not below it"
		}' <(echo "$LAYERS") -
	includes "$@" | awk '$1 != $2' | tsort 2>&1 >/dev/null | sed -n 's/^tsort: /in a circle: /p'
}

tree() {
	local files
	mapfile -t files < <(sources '*.[ch]' | grep '^user/')
	assert_ge 150 ${#files[@]} "files"
	clean breaches "${files[@]}"
}

upward() {
	sample user/base/low.c <<<'#include "cmd/command.h"'
	caught breaches "$SAMPLE"
	sample user/show/side.c <<<'#include "watch/watched.h"'
	caught breaches "$SAMPLE"
}

circle() {
	local one
	sample user/base/one.c <<<'#include "base/two.h"'
	one=$SAMPLE
	clean breaches "$one"
	sample user/base/two.h <<<'#include "base/one.h"'
	caught breaches "$one" "$SAMPLE"
}

path_without_folder() {
	sample user/base/three.c <<<'#include "three.h"'
	caught breaches "$SAMPLE"
}

run_tests
