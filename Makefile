# SPDX-License-Identifier: GPL-2.0
# vxbpf: one Makefile, everything it makes is below build/. `make V=1` shows the commands.

# What the programs and tests run with; tests/kernels/suite puts the same into its virtual machines.
RUN_PACKAGES := bpftool libbpf-dev libelf-dev zlib1g-dev libmnl-dev libyaml-dev \
	libjson-c-dev libcmocka-dev libcap2-bin iproute2 bridge-utils ebtables iptables nftables \
	iputils-ping ethtool iperf3 tcpdump python3-scapy strace jq procps util-linux bsdextrautils \
	iputils-arping tmux

# What builds vxbpf and shows it: all that `make demo` and `make deps` install. No service is among them.
BUILD_PACKAGES := make gcc clang llvm pkg-config linux-libc-dev bpftool libbpf-dev libelf-dev zlib1g-dev \
	libmnl-dev libyaml-dev libjson-c-dev iproute2 iputils-ping util-linux

# Besides, for `make test`. Where systemd runs Debian starts the two prometheus as services; nothing here
# needs them running.
TEST_PACKAGES := clang-format clang-tidy libclang-rt-14-dev git shellcheck cppcheck mandoc systemd prometheus \
	prometheus-node-exporter $(RUN_PACKAGES)

# Besides, for `make test-kernels` alone.
KERNEL_PACKAGES := qemu-system-x86 busybox-static cpio kmod e2fsprogs

# For `make test-compilers`, as far as the archive has them; clang above brings its own version.
COMPILER_PACKAGES := clang-16 clang-19

# And for `make bench-exact`.
EXACT_PACKAGES := $(KERNEL_PACKAGES) lz4 zstd

# And for `make bench`.
BENCH_PACKAGES := gnuplot-nox python3

# And for `make deb`.
DEB_PACKAGES := debhelper dpkg-dev lintian

PREFIX ?= /usr/local
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
LLVM_OBJDUMP ?= llvm-objdump
VERSION := 0.1.0

# Empty before `make deps` has installed a compiler.
TARGET := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter-out clean dist uninstall,$(or $(MAKECMDGOALS),all)),)
ifneq ($(filter-out x86_64-%,$(TARGET)),)
$(error vxbpf supports x86_64 only, and $(CC) builds for $(TARGET))
endif
endif

# Bytes of stack that a chain of calls in the BPF object may need; the verifier allows 512.
BPF_STACK := 400

# On all CPUs, unless -j says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' "$(1)" "$(2)")

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Werror
CPPFLAGS += -D_GNU_SOURCE -DVXBPF_VERSION='"$(VERSION)"' -Iinclude -Iuser -I$(BUILD)
CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 $(WARN)
LDLIBS := -lbpf -lelf -lz -lmnl -lyaml -ljson-c -lpthread
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Wshadow -Wimplicit-int-conversion \
	-Werror -I. -Iinclude -idirafter /usr/include/$(subst -pc-,-,$(TARGET))

SRC := $(wildcard user/*.c user/*/*.c)
OBJ := $(SRC:user/%.c=$(BUILD)/user/%.o)
SAN_OBJ := $(SRC:user/%.c=$(BUILD)/san/%.o)
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.c))
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))
LOADS := $(BUILD)/tests/kernels/loads
PAGES := $(wildcard man/*.[578])
BPFTEST := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/*_test.c))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps install uninstall demo test check test-faults test-kernels test-compilers bench bench-exact clean dist deb
.PHONY: programs

all: $(BUILD)/vxbpf

$(BUILD)/vxbpf.bpf.o: bpf/vxbpf.bpf.c $(wildcard bpf/*.h include/vxbpf/*) bpf/stack.awk vmlinux.h Makefile
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm -f $@.tmp
	$(Q)$(LLVM_OBJDUMP) -tdr $@ | awk -v object=$@ -v limit=$(BPF_STACK) -f bpf/stack.awk

$(BUILD)/vxbpf.skel.h: $(BUILD)/vxbpf.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name vxbpf_bpf > $@

# A script inside the binary: one file to copy to a host.
$(BUILD)/%.sh.inc: user/cmd/%.sh
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g' > $@

GENERATED := $(BUILD)/vxbpf.skel.h $(patsubst user/cmd/%.sh,$(BUILD)/%.sh.inc,$(wildcard user/cmd/*.sh))

$(BUILD)/user/%.o: user/%.c $(GENERATED) Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/san/%.o: user/%.c $(GENERATED) Makefile
	$(call say,CC SAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN) -MMD -MP -c $< -o $@

$(BUILD)/libvxbpf.a: $(filter-out %/main.o,$(OBJ))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libvxbpf-san.a: $(filter-out %/main.o,$(SAN_OBJ))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/vxbpf: $(OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Unit tests: pure code on the host, under ASan and UBSan.
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libvxbpf-san.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -I. -Itests/lib $(CFLAGS) $(SAN) -MMD -MP $< $(BUILD)/libvxbpf-san.a -lcmocka $(LDLIBS) -o $@

# Golden tests: plans as text, from a kernel as text.
$(BUILD)/tests/golden: $(wildcard tests/golden/*.[ch]) $(BUILD)/libvxbpf-san.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN) $(filter %.c,$^) $(BUILD)/libvxbpf-san.a $(LDLIBS) -o $@

# Program tests: the real BPF object through BPF_PROG_TEST_RUN.
$(BUILD)/tests/bpf/%: tests/bpf/%.c $(BUILD)/libvxbpf.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -I. -Itests/lib $(CFLAGS) -MMD -MP $< $(BUILD)/libvxbpf.a -lcmocka $(LDLIBS) -o $@

# Loads the object into whatever kernel runs; see tests/kernels/compilers.
$(LOADS): tests/kernels/loads.c $(BUILD)/vxbpf.skel.h
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $< -lbpf -lelf -lz -o $@

# What the benches run at both ends; static, so that it runs anywhere.
$(BUILD)/tests/bench/%: tests/bench/%.c
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -static -MMD -MP $< -o $@

programs: $(UNIT) $(BPFTEST) $(BUILD)/tests/golden $(LOADS) $(BENCH)

# Installs only what is missing, so that a second run needs no network, and says first what that is.
deps:
	$(Q)missing=$$(for p in $(BUILD_PACKAGES) $(MORE_PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -z "$$missing" ] || { echo "installing Debian packages:" $$missing && apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; }

# deps first, even under -j: what follows needs the compilers it installs.
demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(BUILD)/vxbpf demo

test:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(TEST_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory all programs
	$(Q)BUILD=$(BUILD) tests/run

check:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(TEST_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/run check

# Every system call of up, reload and down fails once, and is where kill -9 comes. Hours; EVERY=N: each Nth.
test-faults:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(TEST_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/run faults

# The demo and some tests on Debian's 6.1 and 6.12 kernels, in virtual machines; and such a machine on our
# bridge. TESTS="e2e/NAME...": these tests instead.
test-kernels:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(TEST_PACKAGES) $(KERNEL_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(BUILD) tests/kernels/run
	$(Q)BUILD=$(BUILD) tests/kernels/guest
	$(Q)BUILD=$(BUILD) tests/kernels/suite $(SUITES) $(if $(TESTS),-- $(TESTS))

# Several versions of clang build the programs; each object loads on this kernel and on Debian's 6.1 and 6.12.
test-compilers:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(TEST_PACKAGES) $(KERNEL_PACKAGES)"
	$(Q)for p in $(COMPILER_PACKAGES); do $(MAKE) --no-print-directory deps MORE_PACKAGES=$$p || :; done
	$(Q)BUILD=$(BUILD) tests/kernels/compilers

# What a packet costs in instructions, counted in virtual machines and compared with docs/bench-exact.md.
bench-exact:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(RUN_PACKAGES) $(EXACT_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory all $(BENCH)
	$(Q)BUILD=$(BUILD) tests/bench/exact $(if $(WRITE),--write) $(SUITES)

# Speed on this machine, compared with the kernel's bridge and VXLAN; docs/bench.md. About seven minutes.
bench:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(RUN_PACKAGES) $(BENCH_PACKAGES)"
	$(Q)$(MAKE) --no-print-directory all $(BENCH)
	$(Q)BUILD=$(BUILD) tests/bench/run $(PARTS)

install: all
	$(call say,INSTALL,$(DESTDIR)$(PREFIX)/sbin/vxbpf)
	$(Q)install -D -m 0755 $(BUILD)/vxbpf $(DESTDIR)$(PREFIX)/sbin/vxbpf
	$(Q)for page in $(PAGES); do \
		install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; done

# The files of `install`. Configs and overlays that are up stay: `vxbpf down` comes first.
uninstall:
	$(call say,REMOVE,$(DESTDIR)$(PREFIX)/sbin/vxbpf)
	$(Q)rm -f $(DESTDIR)$(PREFIX)/sbin/vxbpf
	$(Q)for page in $(PAGES); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done

# Built and looked at in a copy of the tree, as dpkg leaves its output beside that.
deb:
	$(Q)$(MAKE) --no-print-directory deps MORE_PACKAGES="$(RUN_PACKAGES) $(DEB_PACKAGES)"
	$(Q)rm -rf $(BUILD)/deb $(BUILD)/vxbpf_*.deb && mkdir -p $(BUILD)/deb/vxbpf
	$(call say,DEB,$(BUILD)/vxbpf_*.deb)
	$(Q)git ls-files -z | tar -c --null -T - | tar -x -C $(BUILD)/deb/vxbpf
	$(Q)cd $(BUILD)/deb/vxbpf && env -u BUILD -u V -u MAKEFLAGS -u MAKELEVEL \
		dpkg-buildpackage -b -us -uc $(if $(V),,>../log 2>&1 || { cat ../log; exit 1; })
	$(Q)mv $(BUILD)/deb/vxbpf_*.deb $(BUILD)/
	$(Q)BUILD=$(BUILD) tests/deb/run $(BUILD)/vxbpf_$(VERSION)_*.deb

dist:
	$(call say,DIST,$(BUILD)/vxbpf-$(VERSION).tar.gz)
	$(Q)mkdir -p $(BUILD)
	$(Q)git archive --prefix=vxbpf-$(VERSION)/ -o $(BUILD)/vxbpf-$(VERSION).tar.gz HEAD

clean:
	$(Q)rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(SAN_OBJ:.o=.d) $(UNIT:%=%.d) $(BPFTEST:%=%.d) $(LOADS:%=%.d) $(BENCH:%=%.d)
