#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What tests/bench/exact runs inside the virtual machine: guest.sh bare|kernel|vxbpf, with CONFIG
# (lines for the overlay's file), BEFORE (shell code run when all stands) and WORKS from outside.
# Prints "figure WORK COUNT NANOSECONDS", where one nanosecond is one instruction.

IPV6=0
# shellcheck source=tests/bench/mesh.sh
. "$(dirname "$0")/mesh.sh"
set -euo pipefail

pingpong=$TOP/$BUILD/pingpong

mapfile -t lines < <(printf '%s' "${CONFIG:-}")
mesh 2 "${lines[@]}"
join "$1" h1 h2
background "$TO" "$pingpong" serve "$TO4"
sleep 10 # costs nothing here: until the kernel is done with what booting left behind
eval "${BEFORE:-}"

# For tests/bench/profile: where every function is, then one work without end.
if [ -n "${PROFILE:-}" ]; then
	grep -i ' t ' /proc/kallsyms | gzip | base64 | sed 's/^/symbols /'
	echo "profile begins"
	on "$FROM" "$pingpong" "$PROFILE" "$TO4" 2000 4000000000
fi

# shellcheck disable=SC2153
while read -r work warm count; do
	echo "figure $(on "$FROM" "$pingpong" "$work" "$TO4" "$warm" "$count")"
done <<<"$WORKS"

[ "$1" != vxbpf ] || vx h1 status || true
echo "guest done"
