#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The build's own check of the BPF object's stack (bpf/stack.awk): it adds up the frames of the deepest
# chain of calls, of functions in any section, static ones and callbacks, and the build ends where that is
# too much. That its figures are the verifier's shows tests/kernels/compilers.

ALL_TESTS="
	frames_of_the_tree
	chains_add_up
	callbacks_count
	too_deep_is_refused
	recursion_is_refused
	nothing_is_no_success
	build_ends
"
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

LIMIT=512

# checked OBJECT: in OUT what it says of each program.
checked() {
	llvm-objdump -tdr "$1" >"$TAP_DIR/dump"
	expect "${2:-0}" awk -v object=o -v limit="$LIMIT" -v all=1 -f bpf/stack.awk "$TAP_DIR/dump"
}

# compiled <<C: as the tree's object is, in $OBJECT.
compiled() {
	sample stack.c
	OBJECT=$TAP_DIR/stack.o
	clang -target bpf -mcpu=v3 -O2 -g -c "$SAMPLE" -o "$OBJECT.tmp"
	"$(command -v bpftool || echo /usr/sbin/bpftool)" gen object "$OBJECT" "$OBJECT.tmp"
}

frames_of_the_tree() {
	local programs program
	[ -e "$BUILD/vxbpf.bpf.o" ] || skip "not built"
	checked "$BUILD/vxbpf.bpf.o"
	mapfile -t programs < <(sed -n '/^SEC("\(tc\|xdp\|syscall\)")/{n; s/^int \([a-z0-9_]*\)(.*/\1/p}' bpf/vxbpf.bpf.c)
	assert_ge 5 "${#programs[@]}" "programs"
	for program in "${programs[@]}"; do
		assert_match "^[0-9]+: $program [0-9]+" "$OUT" "figures of $program"
	done
}

# What the samples have in common: an array that stays on the stack, and functions that stay functions.
HEAD='
#define FILLS(bytes) char a[bytes]; a[0] = (char)x; asm volatile("" ::"r"(a) : "memory")
#define KEPT __attribute__((noinline))
#define SEC(name) __attribute__((section(name), used))
'

# 40 is rounded up to 64, 100 is 104 in whole words and up to 128; a frame of nothing counts 32.
chains_add_up() {
	compiled <<-C
		$HEAD
		KEPT int leaf(long x) { FILLS(40); return a[0]; }
		KEPT int thin(long x) { return leaf(x + 1) + 1; }
		static KEPT int hidden(long x) { FILLS(100); return a[0] + thin(x) + 1; }
		KEPT int near(long x) { FILLS(200); return a[0]; }
		SEC("tc") int deep(long *c) { long x = *c; FILLS(16); return hidden(x) + near(x) + a[0]; }
		SEC("xdp") int flat(long *c) { return *c > 1; }
	C
	checked "$OBJECT"
	assert_eq "256: deep 16 hidden 104 thin 0 leaf 40 near 200" "$(grep deep <<<"$OUT")" "deep"
	assert_eq "32: flat 0" "$(grep flat <<<"$OUT")" "flat"
	assert_eq 2 "$(wc -l <<<"$OUT")" "functions nobody calls"
}

# bpf_loop (181) calls what it is given the address of, and shows 24 bytes more.
callbacks_count() {
	compiled <<-C
		$HEAD
		static long (*const loop)(unsigned n, void *f, void *ctx, unsigned long flags) = (void *)181;
		static KEPT long again(unsigned x, void *ctx) { FILLS(64); return a[0]; }
		SEC("tc") int loops(long *c) { long x = *c; FILLS(32); return loop(9, again, 0, 0) + a[0]; }
	C
	checked "$OBJECT"
	assert_eq "96: loops 56 again 64" "$OUT" "with a callback"
}

too_deep_is_refused() {
	compiled <<-C
		$HEAD
		KEPT int leaf(long x) { FILLS(200); return a[0]; }
		SEC("tc") int deep(long *c) { long x = *c; FILLS(180); return leaf(x) + a[0]; }
	C
	LIMIT=416 checked "$OBJECT"
	LIMIT=400 checked "$OBJECT" 1
	assert_eq "o: deep -> leaf needs 416 bytes of stack (192 + 224), more than the 400 allowed" "$ERR" "sentence"
}

recursion_is_refused() {
	compiled <<-C
		$HEAD
		KEPT int even(long x);
		KEPT int odd(long x) { FILLS(8); return x ? even(x - 1) + a[0] : 0; }
		KEPT int even(long x) { FILLS(8); return x ? odd(x - 1) + a[0] : 1; }
		SEC("tc") int starts(long *c) { return even(*c); }
	C
	checked "$OBJECT" 1
	assert_match '^o: (even|odd) calls itself' "$ERR" "sentence"
}

# As where llvm-objdump is missing.
nothing_is_no_success() {
	: >"$TAP_DIR/dump"
	expect 1 awk -v object=o -v limit=512 -f bpf/stack.awk "$TAP_DIR/dump"
	assert_match '^o: has no functions' "$ERR" "sentence"
}

build_ends() {
	local object=$TAP_DIR/build/vxbpf.bpf.o
	expect 2 env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make BUILD="$TAP_DIR/build" BPF_STACK=100 "$object"
	assert_match "^$object: [a-z_0-9]+( -> [a-z_0-9]+)* needs [0-9]+ bytes of stack" "$ERR" "sentence"
	[ ! -e "$object" ] || fail "the object stays"
}

run_tests
