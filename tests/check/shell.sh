#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Shell scripts parse and shellcheck has nothing to say. Left out: SC2016 (text for another shell is
# quoted on purpose), SC2317 (it does not see that run_tests calls the cases).
# time limit: 600

ALL_TESTS="
	tree
	bad_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

unsound() {
	shellcheck -x -P SCRIPTDIR -e SC2016,SC2317 -f gcc "$@"
}

# A script by itself: to read the libraries again for each takes four times as long, and a variable that nobody sets
# ends the case that uses it (set -u).
alone() {
	shellcheck -P SCRIPTDIR -e SC1091,SC2016,SC2034,SC2153,SC2154,SC2317 -f gcc "$@"
}

tree() {
	local files
	mapfile -t files < <(scripts | grep -v '^tests/lib/')
	clean alone "${files[@]}"
	mapfile -t files < <(scripts | grep '^tests/lib/')
	clean unsound "${files[@]}"
}

bad_sample() {
	sample bad.sh <<-'S'
		#!/bin/bash
		rm -rf $1/*
	S
	caught unsound "$SAMPLE"
}

run_tests
