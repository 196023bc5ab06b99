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

tree() {
	local files
	mapfile -t files < <(scripts)
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
