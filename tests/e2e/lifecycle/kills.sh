#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kill -9 at some of the system calls that change something, and `up` that fails there (I7): `up` converges and `down`
# leaves nothing. `reload` and `down` that fail: faults.sh. All of them: `make test-faults`.
# time limit: 400

ALL_TESTS="
	up_fails
	up_killed
	reload_killed
	down_killed
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

IPV6=0
FAULTS=CHANGES
EVERY=${EVERY:-30}
# shellcheck source=tests/lib/faults.sh
. "$LIB/faults.sh"

up_fails() { up_with_faults; }
up_killed() { up_with_kills; }
reload_killed() { reload_with_kills; }
down_killed() { down_with_kills; }

run_tests
