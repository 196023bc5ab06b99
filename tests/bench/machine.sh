# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A virtual machine whose clock ticks once for each instruction, and the same from boot to boot: the
# rig of tests/bench/exact and tests/bench/profile, which run from the top of the tree.
#
#	machine_files SUITE WORKS		kernel and root file system, with VXBPF, CONFIG, BEFORE inside
#	machine SCENARIO QEMU-OPTION...		boots it to do the WORKS (see guest.sh), and off
#
# Pitfalls, all met: only one processor counts right; cmpxchg16b corrupts flags in qemu 7.2 (-cx16);
# `rep movsb` counts each byte (-erms,-fsrm); kernel addresses, random numbers and the times of files
# must not differ.

# shellcheck source=tests/lib/vm.sh
. tests/lib/vm.sh

build=${BUILD:-build}
vxbpf=$(realpath "${VXBPF:-$build/vxbpf}")
work_dir=$(mktemp -d "${TMPDIR:-/tmp}/vxbpf-bench.XXXXXX")
trap 'rm -rf "$work_dir"' EXIT

# The kernel as it is in memory, from inside its compressed image: not a step of unpacking is counted.
vmlinux() {
	local image=$1 out=$2 setup offset length unpack
	[ ! -e "$out" ] || return 0
	number_at() { od -An -v -j "$1" -N "$2" -t "u$2" "$image" | tr -d ' '; }
	setup=$(number_at 497 1)
	offset=$(((setup + 1) * 512 + $(number_at 584 4)))
	length=$(($(number_at 588 4) - 4)) # the last four bytes say how long it is unpacked
	case $(od -An -v -j $offset -N 4 -t x1 "$image" | tr -d ' ') in
	28b52ffd) unpack="zstd -dcq" ;;
	02214c18) unpack="lz4 -dcq" ;;
	fd377a58) unpack="xz -dcq" ;;
	1f8b*) unpack="gzip -dcq" ;;
	*) echo "exact: $image: unknown compression" >&2 && return 1 ;;
	esac
	head -c $((offset + length)) "$image" | tail -c +$((offset + 1)) | $unpack >"$out.tmp"
	mv "$out.tmp" "$out"
}

make_root() { # ROOT WORKS
	local root=$1 applet
	vm_root "$root" bash ip tc nsenter unshare mount realpath sed
	vm_put "$root" "$vxbpf" /vxbpf/build/vxbpf
	vm_put "$root" "$(realpath "$build/tests/bench/pingpong")" /vxbpf/build/pingpong
	mkdir -p "$root"/vxbpf/tests/{lib,bench}
	cp tests/lib/*.sh "$root/vxbpf/tests/lib"
	cp tests/bench/*.sh "$root/vxbpf/tests/bench"
	for applet in base64 cat chmod cp cut date dirname env grep gzip head id mkdir mktemp mv rm sleep sort stat tail \
		touch tr true wc; do
		[ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
	done
	printf 'export CONFIG=%q BEFORE=%q WORKS=%q PROFILE=%q\n' "${CONFIG:-}" "${BEFORE:-}" "$2" "${PROFILE:-}" \
		>"$root/settings"
	vm_init "$root" <<-'END'
		for word in $(cat /proc/cmdline); do case $word in scenario=*) scenario=${word#*=} ;; esac; done
		export HOME=/ BUILD=build
		bash -c '. /settings; exec bash "$@"' - /vxbpf/tests/bench/guest.sh $scenario 2>&1
	END
}

machine_files() {
	vm_kernel "$1"
	vmlinux "$UNPACKED/boot/vmlinuz-$RELEASE" "$DIR/vmlinux"
	make_root "$work_dir/root" "$2"
}

machine() {
	timeout 900 qemu-system-x86_64 -accel tcg -icount shift=0,sleep=off -smp 1 -m 1G \
		-cpu max,-cx16,-erms,-fsrm -seed 1 -rtc base=2024-01-01,clock=vm -no-reboot -nic none "${@:2}" \
		-kernel "$DIR/vmlinux" -initrd "$work_dir/root.cpio" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr norandmaps tsc=reliable scenario=$1"
}
