#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every system call of `up`, `reload` and `down` fails once, and kill -9 comes at each that changes
# something, with tcx and without: `make test-faults`. It takes an hour or two; EVERY=N takes each Nth.
# time limit: 14400
# also with: VXBPF_NO_TCX=1

ALL_TESTS="
	up_fails
	up_killed
	reload_fails
	reload_killed
	down_fails
	down_killed
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

IPV6=0
# shellcheck source=tests/lib/faults.sh
. "$LIB/faults.sh"

up_fails() { up_with_faults; }
up_killed() { up_with_kills; }
reload_fails() { reload_with_faults; }
reload_killed() { reload_with_kills; }
down_fails() { down_with_faults; }
down_killed() { down_with_kills; }

run_tests
