#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The man pages are sound mdoc, and name every drop reason, command and config key there is.

ALL_TESTS="
	pages_are_sound
	unsound_sample
	reasons_are_explained
	missing_reason_sample
	verdicts_are_explained
	missing_verdict_sample
	commands_are_explained
	keys_are_explained
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

unsound() {
	mandoc -Tlint -Wwarning "$@"
}

# Every label of reasons.def ($1) stands in the text of a page ($2).
unexplained() {
	local label text
	text=$(mandoc -Tascii "$2" | col -b)
	sed -n 's/^VX_REASON([A-Z0-9_]*, *"\([a-z0-9_]*\)".*/\1/p' "$1" | while read -r label; do
		grep -qw "$label" <<<"$text" || echo "$2: no word about $label"
	done
}

# Every id of verdicts.def ($1) is an item of the page's ($2) section VERDICTS.
unlisted() {
	local id items
	items=$(sed -n '/^\.Sh VERDICTS/,/^\.Sh [^V]/s/^\.It Li //p' "$2")
	sed -n 's/^VERDICT([A-Z0-9_]*, *"\([a-z0-9_]*\)".*/\1/p' "$1" | while read -r id; do
		grep -qw "$id" <<<"$items" || echo "$2: no item $id in VERDICTS"
	done
}

need_pages() {
	if [ ! -e man/vxbpf.8 ]; then skip "no man pages"; fi
}

pages_are_sound() {
	need_pages
	clean unsound man/*.[578]
}

unsound_sample() {
	sample bad.8 <<-'M'
		.Dd $Mdocdate$
		.Sh NAME
		.Nm
		.Bl -tag
		.It
	M
	caught unsound "$SAMPLE"
}

reasons_are_explained() {
	need_pages
	assert_ge 7 "$(grep -c '^VX_REASON(' include/vxbpf/reasons.def)" "reasons"
	clean unexplained include/vxbpf/reasons.def man/vxbpf-check.7
}

missing_reason_sample() {
	sample reasons.def <<-'D'
		VX_REASON(BLUE_MOON, "blue_moon", "frames that come once")
	D
	sample page.8 <<-'M'
		.Dd November 1, 2026
		.Dt PAGE 8
		.Os
		.Sh NAME
		.Nm page
		.Nd nothing about the moon
	M
	caught unexplained "$TAP_DIR/reasons.def" "$TAP_DIR/page.8"
}

verdicts_are_explained() {
	need_pages
	assert_ge 27 "$(grep -c '^VERDICT(' user/base/verdicts.def)" "verdicts"
	clean unlisted user/base/verdicts.def man/vxbpf-check.7
}

missing_verdict_sample() {
	sample page.8 <<-'M'
		.Dd November 1, 2026
		.Sh VERDICTS
		.It Li blue_moon , new_moon
		.Sh MOONS
		.It Li half_moon
	M
	printf 'VERDICT(X, "%s", "it is there")\n' blue_moon new_moon >"$TAP_DIR/verdicts.def"
	clean unlisted "$TAP_DIR/verdicts.def" "$SAMPLE"
	echo 'VERDICT(HALF_MOON, "half_moon", "it is there, in another section")' >"$TAP_DIR/verdicts.def"
	caught unlisted "$TAP_DIR/verdicts.def" "$SAMPLE"
}

commands_are_explained() {
	local command text
	need_pages
	[ -x "$BUILD/vxbpf" ] || fail "$BUILD/vxbpf is not built"
	text=$(mandoc -Tascii man/vxbpf.8 | col -b)
	for command in $("$BUILD/vxbpf" help | sed -n 's/^  *\([a-z]*\)[ ,|].*/\1/p' | sort -u); do
		grep -qw "$command" <<<"$text" || fail "man/vxbpf.8: no word about $command"
	done
}

keys_are_explained() {
	local key text
	need_pages
	text=$(mandoc -Tascii man/vxbpf.yaml.5 | col -b)
	for key in port mtu vni vni_salt guard fastpath xdp clamp_mss mark underlay bridge local peers \
		name address address6 bridge_address; do
		grep -qw "$key" <<<"$text" || fail "man/vxbpf.yaml.5: no word about $key"
	done
}

run_tests
