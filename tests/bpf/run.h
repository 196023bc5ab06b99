/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One row: a frame into one program of the real object through BPF_PROG_TEST_RUN, and the whole state
 * of all maps held against what the row says. What a row leaves out must not have happened.
 *
 * What the kernel allows here (6.18): mark, priority, ingress_ifindex, ifindex (of a device that
 * exists), wire_len (not below len), gso_segs, gso_size in the context; a frame of at most a page,
 * for tc not cut inside its IP header; a VLAN tag can be in the frame, not beside it; all bytes are
 * readable at once, so no pull is seen.
 * A tc program always gets the frame from its first byte: for the *_l3 programs that is an IP header,
 * which test_run takes for an Ethernet header and hands over untouched.
 */
#ifndef VXBPF_TESTS_RUN_H
#define VXBPF_TESTS_RUN_H

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <cmocka.h>

#include <vxbpf/abi.h>
#include "pkt.h"
#include "vxbpf.skel.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { CPUS_MAX = 1024 };

/* The mesh as this host sees it: beta by IPv4, gamma and eta by IPv6, delta by IPv4
 * and IPsec. */
enum { BETA = 5001, GAMMA = 5002, DELTA = 5003, ETA = 5004, STRANGE_VNI = 77, MTU = 1450 };
#define BETA4 "192.0.2.2"
#define GAMMA6 "2001:db8::3"
#define DELTA4 "192.0.2.4"
#define ETA6 "2001:db8::5"
#define STRANGER4 "198.51.100.9"
#define STRANGER6 "2001:db8:9::9"
#define OTHER4 "203.0.113.1"
#define OTHER6 "2001:db8:7::1"

/* Devices in the test's own network namespace; lo is 1. */
enum {
	UNDER = 10,
	TUN_BETA,
	TUN_GAMMA,
	TUN_DELTA,
	TUN_ETA,
	PORT1,
	PORT2,
	BRIDGE,
	FOREIGN,
	DEVICES,
	TUN_GONE = 99, /* of a peer that is no more, and no device */
};

enum { BIT = 0x40000000, OTHER_BITS = 0x11 };

/* A time: 0 never, NOW the test's own moment, else so many milliseconds before it. */
#define NOW 1

struct known {
	char mac;
	int vlan;
	enum vx_place place;
	__u32 ifindex, vni, moves;
	int seen, local, contested;
};

struct sum {
	__u32 vni;
	__u64 packets, bytes, bum;
	bool group; /* sent: no unicast */
};

struct row {
	const char *name, *program;
	const char *config; /* e enforce, o observe, f off; i index; p the fast path; c the clamp */
	struct pkt pkt;
	__u32 ifindex, ingress, gso_size, gso_segs, wire_add;
	bool was_marked;
	struct known before[2];

	bool drop, marked;
	enum vx_reason reason;
	const char *blame; /* NULL = nobody */
	__u64 packets, bytes; /* with a reason */
	__u32 from, to, vni; /* its witness */
	bool blind; /* its witness saw no frame */
	struct sum rx, tx;
	__u64 flood; /* flood copies, of GAMMA's tunnel */
	__u32 port, largest; /* of an oversize frame; the port's ifindex + 1 */
	struct known after; /* the one entry that is new or not as before */
};

static struct vxbpf_bpf *objects[32];
static bool reasons_hit[VX_REASON_MAX];

static __u64 coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (__u64)t.tv_sec * 1000000000ULL + (__u64)t.tv_nsec;
}

static struct vx_addr addr(const char *text)
{
	struct vx_addr a;

	pkt_addr(a.bytes, text);
	return a;
}

/* Any that are not in the order of VNIs, nor from zero. */
static __u32 slot_of(__u32 vni)
{
	return 9 - (vni - BETA);
}

static void add_peer(struct vxbpf_bpf *o, __u32 vni, __u32 tunnel, const char *name,
		     const char *remote)
{
	struct vx_peer peer = {
		.remote = addr(remote), .ipsec = vni == DELTA, .slot = slot_of(vni), .owner = vni
	};
	struct vx_vni key = { vni };
	struct vx_ifindex dev = { tunnel };

	peer.local = addr(pkt_family(remote) == 4 ? PKT_LOCAL4 : PKT_LOCAL6);
	strcpy(peer.name, name);
	strcpy(peer.address, remote);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.peers), &key, &peer, 0), 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.sources), &peer.remote, &key, 0),
			 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.tunnels), &dev, &key, 0), 0);
}

static struct vxbpf_bpf *load(const char *config)
{
	bool index = strchr(config, 'i'), fast = strchr(config, 'p'), clamp = strchr(config, 'c');
	enum vx_guard guard = strchr(config, 'o')   ? VX_GUARD_OBSERVE
			      : strchr(config, 'f') ? VX_GUARD_OFF
						    : VX_GUARD_ENFORCE;
	struct vxbpf_bpf **slot = &objects[guard * 8 + clamp * 4 + fast * 2 + index], *o;
	struct vx_config *cfg;

	if (*slot)
		return *slot;
	o = vxbpf_bpf__open();
	assert_non_null(o);
	cfg = (struct vx_config *)&o->rodata->cfg;
	*cfg = (struct vx_config){ .layout = VX_LAYOUT,
				   .mtu = MTU,
				   .mark = BIT,
				   .port = PKT_PORT,
				   .guard = (__u8)guard,
				   .vni_mode = index ? VX_VNI_INDEX : VX_VNI_PAIR,
				   .fastpath = fast,
				   .clamp_mss = clamp,
				   .local4 = addr(PKT_LOCAL4),
				   .local6 = addr(PKT_LOCAL6) };
	for (size_t i = 0; i < VX_KEYS; i++)
		cfg->keys[i] = 0x5ec4e7b1a9d3f05dULL * (2 * i + 1);
	assert_int_equal(vxbpf_bpf__load(o), 0);
	add_peer(o, BETA, TUN_BETA, "beta", BETA4);
	add_peer(o, GAMMA, TUN_GAMMA, "gamma", GAMMA6);
	add_peer(o, DELTA, TUN_DELTA, "delta", DELTA4);
	add_peer(o, ETA, TUN_ETA, "eta", ETA6);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.tunnels),
					     &(struct vx_ifindex){ TUN_GONE },
					     &(struct vx_vni){ STRANGE_VNI }, 0),
			 0);
	return *slot = o;
}

static void empty(int fd, size_t key_size)
{
	uint8_t key[64];

	assert_true(key_size <= sizeof(key));
	while (!bpf_map_get_next_key(fd, NULL, key))
		assert_int_equal(bpf_map_delete_elem(fd, key), 0);
}

static struct vx_fdb_key fdb_key(const struct known *k)
{
	struct vx_fdb_key key = { .vlan = (__u16)k->vlan };

	pkt_mac(key.mac, k->mac);
	return key;
}

static __u64 when(int age, __u64 now)
{
	return age ? now - (__u64)age * 1000000 : 0;
}

static void reset(struct vxbpf_bpf *o, const struct row *row, __u64 now)
{
	static const __u32 vnis[] = { BETA, GAMMA, DELTA, ETA };
	static struct vx_counters zero[CPUS_MAX];
	struct vx_port bridge = { .name = "vxbr0" };
	struct vx_ifindex host = { 0 };

	assert_in_range(libbpf_num_possible_cpus(), 1, CPUS_MAX);
	for (size_t i = 0; i < LEN(vnis); i++) {
		__u32 slot = slot_of(vnis[i]);

		for (int cpu = 0; cpu < CPUS_MAX; cpu++)
			zero[cpu].owner = vnis[i];
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.counters), &slot, zero, 0),
				 0);
	}
	empty(bpf_map__fd(o->maps.drops), sizeof(struct vx_drop_key));
	empty(bpf_map__fd(o->maps.witness), sizeof(struct vx_reason_key));
	empty(bpf_map__fd(o->maps.ports), sizeof(struct vx_ifindex));
	empty(bpf_map__fd(o->maps.fdb), sizeof(struct vx_fdb_key));
	bpf_map_update_elem(bpf_map__fd(o->maps.ports), &host, &bridge, 0);
	for (size_t i = 0; i < LEN(row->before) && row->before[i].mac; i++) {
		const struct known *k = &row->before[i];
		struct vx_fdb_key key = fdb_key(k);
		struct vx_fdb value = { k->place,
					k->ifindex,
					k->vni,
					k->moves,
					when(k->seen, now),
					when(k->local, now),
					when(k->contested, now) };

		bpf_map_update_elem(bpf_map__fd(o->maps.fdb), &key, &value, 0);
	}
}

#include "state.h"

/* Returns the verdict; `out` is the frame as the program left it. */
static int run(struct vxbpf_bpf *o, const struct row *row, const struct pkt_buf *b,
	       struct pkt_buf *out)
{
	struct __sk_buff skb = { .mark = OTHER_BITS | (row->was_marked ? BIT : 0),
				 .ifindex = row->ifindex,
				 .ingress_ifindex = row->ingress,
				 .gso_size = row->gso_size,
				 .gso_segs = row->gso_segs,
				 .wire_len = row->wire_add ? (__u32)b->len + row->wire_add : 0 };
	struct __sk_buff left = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = b->data, .data_size_in = (__u32)b->len,
		    .data_out = out->data, .data_size_out = PKT_MAX, .repeat = 1);
	struct bpf_program *program = bpf_object__find_program_by_name(o->obj, row->program);
	bool xdp = !strcmp(row->program, "wire_xdp");
	int err;

	assert_non_null(program);
	if (!xdp) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
		opts.ctx_out = &left;
		opts.ctx_size_out = sizeof(left);
	}
	err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	if (err)
		fail_msg("%s: test_run: %s", row->name, strerror(-err));
	out->len = opts.data_size_out;
	if (!xdp)
		assert_sum(row, "mark", left.mark, OTHER_BITS | (row->marked ? BIT : 0));
	return (int)opts.retval;
}

static inline void check_row(void **state)
{
	const struct row *row = *state;
	struct vxbpf_bpf *o = load(row->config);
	bool xdp = !strcmp(row->program, "wire_xdp");
	struct pkt_buf in, out = {};
	__u64 now = coarse_now();
	int verdict;

	pkt_build(&row->pkt, &in);
	reset(o, row, now);
	verdict = run(o, row, &in, &out);
	if (xdp)
		assert_int_equal(verdict, row->drop ? XDP_DROP : XDP_PASS);
	else
		assert_int_equal(verdict, row->drop ? TC_ACT_SHOT : TC_ACT_UNSPEC);
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.data, in.data, in.len);
	check_counters(o, row, now);
	check_drops(o, row);
	check_witness(o, row, &in, now);
	check_ports(o, row);
	check_fdb(o, row, now);
}

/* Devices for context.ifindex, in a network namespace of our own. */
static int make_devices(void **state)
{
	char command[128];
	cpu_set_t here;

	(void)state;
	CPU_ZERO(&here);
	/* tun_out leaves its note on the CPU that wire_out will run on. */
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) || unshare(CLONE_NEWNET))
		return -1;
	for (int i = UNDER; i < DEVICES; i += 2) {
		snprintf(command, sizeof(command),
			 "ip link add d%d index %d type veth peer name d%d index %d", i, i, i + 1,
			 i + 1);
		if (system(command))
			return -1;
	}
	/* 'Y', for whom the packets of pkt.h are: what is for others the kernel would not take. */
	if (system("ip link set d10 address 02:00:00:00:00:59"))
		return -1;
	return 0;
}

static int unload(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(objects); i++)
		vxbpf_bpf__destroy(objects[i]);
	return 0;
}

#endif
