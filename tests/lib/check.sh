# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the house rules in tests/check: a rule is a function that prints each breach, given files. The
# tree must have none; a sample made to break the rule must be caught.

# shellcheck source=tests/lib/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
cd "$TOP" || exit 1

# sources GLOB...: files of the tree with such a name, outside .git and build folders.
sources() {
	local glob names=()
	for glob; do names+=(-o -name "$glob"); done
	find . \( -name .git -o -path "./$BUILD" -o -name 'build*' \) -prune -o \
		-type f \( "${names[@]:1}" \) -print | sed 's|^\./||' | sort
}

c_sources() {
	sources '*.[ch]' | grep -vx 'vmlinux.h'
}

# Shell scripts are known by their name or by their first line.
scripts() {
	sources '*' | xargs -d '\n' awk '
		FNR > 1 { nextfile }
		FILENAME ~ /\.sh$/ || /^#!.*[\/ ](ba)?sh( |$)/ { print FILENAME }'
}

# sample NAME <<TEXT: a file that breaks a rule; its path is in SAMPLE.
sample() {
	SAMPLE=$TAP_DIR/$1
	mkdir -p "$(dirname "$SAMPLE")"
	cat >"$SAMPLE"
}

# clean RULE FILE...: nothing found, in something.
clean() {
	local found
	assert_ge 2 $# "rule and files"
	found=$("$@") || true
	[ -z "$found" ] || fail "$found"
}

# caught RULE FILE...: something found.
caught() {
	local found
	found=$("$@" 2>&1) || true
	[ -n "$found" ] || fail "$1 does not see what is wrong with ${*:2}"
}
