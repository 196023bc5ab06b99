#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Some of the system calls that change something fail, and the answer to each netlink request gets lost
# (I7): what a run did is undone, or ended where it cannot be undone. All of them: `make test-faults`.
# also with: VXBPF_NO_TCX=1

ALL_TESTS="
	reload_fails
	down_fails
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0
FAULTS=CHANGES
EVERY=${EVERY:-30}
# shellcheck source=tests/lib/faults.sh
. "$LIB/faults.sh"

reload_fails() { reload_with_faults; }
down_fails() { down_with_faults; }

run_tests
