#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# plan/ and show/ decide and describe, and touch nothing: no socket, file, clock, environment or printing of theirs.

ALL_TESTS="
	tree
	bad_sample
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

IMPURE='socket|send|sendto|sendmsg|recv|recvfrom|recvmsg|ioctl|open|openat|fopen|opendir|read|write|stat|unlink|rename|system|popen|fork|execve?|getenv|time|clock_gettime|gettimeofday|nanosleep|usleep|sleep|printf|puts|putchar|stdout|stderr|getrandom|rand|mnl_socket_.*|bpf_.*|nl_.*|bpfobj_.*|pins_.*'

impure() {
	nm -A -u "$@" | sed -E 's/@.*//' | grep -wE "U ($IMPURE)$"
}

tree() {
	local layer
	for layer in plan show; do clean impure "$BUILD/user/$layer"/*.o; done
}

bad_sample() {
	sample bad.c <<-'C'
		#include <stdio.h>
		#include <stdlib.h>
		int f(void);
		int f(void) { return puts(getenv("HOME")); }
	C
	"${CC:-gcc}" -c "$SAMPLE" -o "$SAMPLE.o"
	caught impure "$SAMPLE.o"
}

run_tests
