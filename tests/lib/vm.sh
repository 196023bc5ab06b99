# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian's own kernels in a virtual machine: fetched, given a root of their own, booted by qemu in
# software emulation (needs no KVM). Sourced by tests/kernels/* and tests/bench/exact.
#
#   vm_kernel SUITE             downloads it (once) below $BUILD/kernels; sets DIR, UNPACKED, RELEASE
#   vm_root ROOT PROGRAM...     an empty root with these programs, busybox and the modules in MODULES
#   vm_demo_root ROOT           the same with what `vxbpf demo` runs
#   vm_init ROOT <<COMMANDS     what it does (busybox sh) before it powers off; packs it as ROOT.cpio
#   vm_boot ROOT SECONDS        boots it, with two CPUs and no network; prints its console
#
# Packages are unpacked, never installed, and the list for backports is kept away from the system's.
# Needs qemu-system-x86, busybox-static, cpio, kmod (KERNEL_PACKAGES in the Makefile).

KERNELS=$(realpath "${BUILD:-build}")/kernels
MODULES="llc stp bridge udp_tunnel ip6_udp_tunnel vxlan veth sch_ingress cls_bpf overlay"

# The newest cloud kernel of a suite, unpacked into $1.
vm_fetch() {
	local dir=$1 suite=$2 apt package
	mkdir -p "$dir/lists/partial"
	# Debian of today has no sources.list, only the folder.
	{ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
		sed -n "s|^URIs: *\(.*/debian\)/*\$|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \1 $suite main|p
			s|^deb  *\(\[[^]]*\] *\)*\([a-z]*://[^ ]*/debian\)/* .*|deb \2 $suite main|p" |
		sed -n 1p >"$dir/suite.list"
	apt=(-q -o "Dir::Etc::SourceList=$dir/suite.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o APT::Sandbox::User=root)
	apt-get "${apt[@]}" update >"$dir/apt.log" 2>&1
	package=$(apt-cache "${apt[@]}" depends linux-image-cloud-amd64 |
		sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | tail -n 1)
	(cd "$dir" && apt-get "${apt[@]}" download "$package" >>apt.log 2>&1)
	dpkg-deb -x "$dir/$package"_*.deb "$dir/unpacked"
	depmod -b "$dir/unpacked" "$(ls "$dir/unpacked/lib/modules")"
}

vm_kernel() {
	DIR=$KERNELS/$1
	UNPACKED=$DIR/unpacked
	mkdir -p "$DIR"
	[ -e "$UNPACKED" ] || vm_fetch "$DIR" "$1"
	RELEASE=$(ls "$UNPACKED/lib/modules")
}

# The modules wanted and what they depend on, in loading order, by the package's own list.
vm_modules() {
	local name
	for name in $MODULES; do
		modprobe -d "$UNPACKED" -S "$RELEASE" --show-depends "$name" 2>/dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
	done | awk '!seen[$0]++'
}

# A program and the libraries it loads, into the root of the virtual machine; as $3, if given.
vm_put() {
	local root=$1 path lib
	path=$(command -v "$2")
	install -D "$path" "$root${3:-$path}"
	{ ldd "$path" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | while read -r lib; do
		[ -e "$root$lib" ] || install -D "$lib" "$root$lib"
	done
}

vm_root() {
	local root=$1 file n=0
	shift
	rm -rf "$root"
	mkdir -p "$root"/{proc,sys,dev,tmp,etc,run,mnt,media,srv,modules,usr/bin,usr/sbin,usr/lib,usr/lib64}
	for file in bin sbin lib lib64; do ln -s usr/$file "$root/$file"; done
	for file; do vm_put "$root" "$file"; done
	install -D "$(command -v busybox)" "$root/usr/bin/busybox"
	while read -r file; do
		cp "$file" "$root/modules/$(printf %02d $n)-$(basename "$file")"
		n=$((n + 1))
	done < <(vm_modules)
}

vm_init() {
	local root=$1
	{
		cat <<-'END'
			#!/bin/busybox sh
			export PATH=/usr/sbin:/usr/bin
			busybox mount -t proc proc /proc
			busybox mount -t sysfs sysfs /sys
			busybox mount -t devtmpfs dev /dev
			busybox mount -t tmpfs tmpfs /tmp
			ln -s /proc/self/fd /dev/fd 2>/dev/null
			for m in /modules/*; do busybox insmod $m || echo "insmod $m failed"; done
			mount -t tmpfs tmpfs /run
			echo "kernel $(busybox uname -r)"
		END
		cat
		echo "busybox dmesg | busybox grep -E 'WARNING|BUG|Oops|RIP:' && echo 'kernel complained'"
		echo "busybox poweroff -f"
	} >"$root/init"
	chmod +x "$root/init"
	# The same files make the same image, whenever it is packed.
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible -R 0:0) >"$root.cpio"
}

vm_boot() {
	# -cx16: qemu 7.2 corrupts flags around cmpxchg16b, and newer kernels use it.
	timeout "$2" qemu-system-x86_64 -accel tcg -cpu max,-cx16 -m 2G -smp 2 -nographic -no-reboot -nic none \
		-kernel "$UNPACKED/boot/vmlinuz-$RELEASE" -initrd "$1.cpio" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off" </dev/null 2>&1 | tr -d '\r' || true
}

# What `vxbpf demo` runs, besides vxbpf.
vm_demo_root() {
	vm_root "$1" bash ip tc ping perl nsenter unshare mount sed sleep tail cat mkdir
	mkdir -p "$1/usr/lib/x86_64-linux-gnu"
	cp -r /usr/lib/x86_64-linux-gnu/perl-base "$1/usr/lib/x86_64-linux-gnu/"
}
