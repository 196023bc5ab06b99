/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Probes room by room: what is answered, to the last byte, what is written down, what is only dropped,
 * and that nothing is counted or learned; and that a frame which is no probe goes as any other.
 */
#include "run.h"

enum { ETH = 14, ANSWERED = TC_ACT_REDIRECT, NONCE = 0x77, WIDE = 1500 };

/* The frame, and what of it is odd. */
struct asked {
	int size; /* behind the Ethernet header; 0 = the least */
	int kind; /* 0 = a question */
	int version, magic, type, group; /* added to what is right */
	int sequence;
	bool tagged;
	bool by_us; /* this host's operator has asked */
};

static void make_probe(const struct asked *a, struct pkt_buf *b)
{
	static const uint8_t dst[] = VX_PROBE_DST, src[] = VX_PROBE_SRC;
	int size = a->size ? a->size : (int)sizeof(struct vx_probe);
	struct vx_probe p = { .magic = htonl(VX_PROBE_MAGIC + (unsigned)a->magic),
			      .version = (__u8)(VX_PROBE_VERSION + a->version),
			      .kind = (__u8)(a->kind ? a->kind : VX_PROBE_REQUEST),
			      .nonce = NONCE,
			      .sequence = htonl((unsigned)a->sequence),
			      .sent = htonl((unsigned)size) };
	uint8_t *at;

	b->len = 0;
	b->frame_off = 0;
	memcpy(pkt_put(b, 6, 0), dst, 6);
	b->data[5] = (uint8_t)(b->data[5] + a->group);
	memcpy(pkt_put(b, 6, 0), src, 6);
	pkt_tag(b, 0x8100, a->tagged ? 7 : 0);
	pkt_type(b, (unsigned)(VX_PROBE_TYPE + a->type));
	at = pkt_put(b, (size_t)size, 0);
	memcpy(at, &p, (size_t)size < sizeof(p) ? (size_t)size : sizeof(p));
}

/* What it has to become. */
static void make_answer(const struct pkt_buf *in, struct pkt_buf *b)
{
	struct vx_probe p;

	memcpy(b->data, in->data, ETH + sizeof(p));
	b->len = ETH + sizeof(p);
	memcpy(&p, b->data + ETH, sizeof(p));
	p.kind = VX_PROBE_ANSWER;
	p.received = htonl((unsigned)in->len - ETH);
	p.mtu = htonl(MTU);
	memcpy(b->data + ETH, &p, sizeof(p));
}

static void forget_probes(struct vxbpf_bpf *o)
{
	empty(bpf_map__fd(o->maps.probes), sizeof(struct vx_probe_key));
}

static void want(struct vxbpf_bpf *o, __u32 vni, __u32 sequence)
{
	struct vx_probe_key key = { .nonce = NONCE, .vni = vni, .sequence = sequence };
	struct vx_probe_answer value = { .sent_ns = 5 };

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.probes), &key, &value, 0), 0);
}

static struct vx_probe_answer answer_of(struct vxbpf_bpf *o, __u32 vni, __u32 sequence)
{
	struct vx_probe_key key = { .nonce = NONCE, .vni = vni, .sequence = sequence };
	struct vx_probe_answer value = { 0 };

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.probes), &key, &value), 0);
	return value;
}

/* The maps are as the row says, which says nothing where nothing may have happened. */
static void check_maps(struct vxbpf_bpf *o, const struct row *row, const struct pkt_buf *in,
		       __u64 now)
{
	check_counters(o, row, now);
	check_drops(o, row);
	check_witness(o, row, in, now);
	check_ports(o, row);
	check_fdb(o, row, now);
}

/* One probe into one room. */
struct probe_row {
	struct row row;
	struct asked asked;
	int verdict;
};

#define FROM_BETA .ifindex = TUN_BETA, .ingress = TUN_BETA
#define SEEN FROM_BETA, .was_marked = true
#define IN(what, cfg, ...)                                                                         \
	{                                                                                          \
		what, "tun_in", cfg, ##__VA_ARGS__                                                 \
	}
#define OUT(what, cfg, dev, ...)                                                                   \
	{                                                                                          \
		what, "tun_out", cfg, .ifindex = TUN_BETA, .ingress = (dev), ##__VA_ARGS__         \
	}

/* clang-format off */
static const struct probe_row rows[] = {
	{ IN("question", "e", SEEN), { 0 }, ANSWERED },
	{ IN("question, observe", "o", SEEN), { 0 }, ANSWERED },
	{ IN("question, off", "f", FROM_BETA), { 0 }, ANSWERED },
	{ IN("question of 64", "e", SEEN), { .size = 64 }, ANSWERED },
	{ IN("question of 1450", "e", SEEN), { .size = 1450 }, ANSWERED },
	{ IN("question above the MTU", "e", SEEN), { .size = WIDE }, ANSWERED },
	{ IN("question by IPsec", "e", .ifindex = TUN_DELTA, .ingress = TUN_DELTA,
	     .was_marked = true), { 0 }, ANSWERED },
	{ IN("unseen question", "e", FROM_BETA, .drop = true, .reason = VX_REASON_UNGUARDED,
	     .packets = 1, .bytes = 46, .from = TUN_BETA, .vni = BETA), { 0 }, TC_ACT_SHOT },
	{ IN("question, index", "ei", SEEN), { 0 }, TC_ACT_SHOT },
	{ IN("answer, index", "ei", SEEN), { .kind = VX_PROBE_ANSWER }, TC_ACT_SHOT },
	{ IN("answer nobody wants", "e", SEEN), { .kind = VX_PROBE_ANSWER }, TC_ACT_SHOT },
	{ IN("another version", "e", SEEN), { .version = 1 }, TC_ACT_SHOT },
	{ IN("another kind", "e", SEEN), { .kind = 3 }, TC_ACT_SHOT },
	{ IN("kind 0", "e", SEEN), { .kind = 256 }, TC_ACT_SHOT },
	{ IN("one byte short", "e", SEEN), { .size = 31 }, TC_ACT_SHOT },
	{ IN("no tunnel of ours", "e", .ifindex = FOREIGN, .ingress = FOREIGN), { 0 }, TC_ACT_UNSPEC },

	{ OUT("host asks", "e", 0), { .by_us = true }, TC_ACT_UNSPEC },
	{ OUT("host asks, off", "f", 0), { .by_us = true }, TC_ACT_UNSPEC },
	{ OUT("host asks above the MTU", "e", 0), { .size = WIDE, .by_us = true }, TC_ACT_UNSPEC },
	{ OUT("somebody asks by the bridge device", "e", 0), { 0 }, TC_ACT_SHOT },
	{ OUT("the same, short", "e", 0), { .size = 31, .by_us = true }, TC_ACT_SHOT },
	{ OUT("answer goes back", "e", TUN_BETA), { .kind = VX_PROBE_ANSWER }, TC_ACT_UNSPEC },
	{ OUT("port asks", "e", PORT1), { 0 }, TC_ACT_SHOT },
	{ OUT("another tunnel asks", "e", TUN_GAMMA), { 0 }, TC_ACT_SHOT },
	{ OUT("another tunnel answers", "f", TUN_GAMMA), { .kind = VX_PROBE_ANSWER }, TC_ACT_SHOT },
};

/* No probes: learned from and counted as any frame of a group. */
#define V .after = { 'v', 0, VX_AT_PEER, .vni = BETA, .seen = NOW }
#define SENT(bytes) .tx = { BETA, 1, (bytes), 1, true }, .after = { 'v', 0, VX_AT_PORT, PORT1, .seen = NOW, .local = NOW }
static const struct probe_row others[] = {
	{ IN("magic", "e", SEEN, V), { .magic = 1 }, TC_ACT_UNSPEC },
	{ IN("type", "e", SEEN, V), { .type = 1 }, TC_ACT_UNSPEC },
	{ IN("group", "e", SEEN, V), { .group = 1 }, TC_ACT_UNSPEC },
	{ IN("tag", "e", SEEN, .after = { 'v', 7, VX_AT_PEER, .vni = BETA, .seen = NOW }),
	  { .tagged = true }, TC_ACT_UNSPEC },
	{ IN("ends in the magic", "e", SEEN, V), { .size = 3 }, TC_ACT_UNSPEC },
	{ OUT("magic sent", "e", PORT1, SENT(46)), { .magic = 1 }, TC_ACT_UNSPEC },
	{ OUT("type sent", "e", PORT1, SENT(46)), { .type = 1 }, TC_ACT_UNSPEC },
	{ OUT("group sent", "e", PORT1, SENT(46)), { .group = 1 }, TC_ACT_UNSPEC },
};
/* clang-format on */

static void check_probe_row(void **state)
{
	const struct probe_row *r = *state;
	struct vxbpf_bpf *o = load(r->row.config);
	struct pkt_buf in, out = {}, wanted;
	__u64 now = coarse_now();

	make_probe(&r->asked, &in);
	reset(o, &r->row, now);
	forget_probes(o);
	if (r->asked.by_us)
		want(o, BETA, (__u32)r->asked.sequence);
	assert_int_equal(run(o, &r->row, &in, &out), r->verdict);
	wanted = in;
	if (r->verdict == ANSWERED)
		make_answer(&in, &wanted);
	assert_int_equal(out.len, wanted.len);
	assert_memory_equal(out.data, wanted.data, wanted.len);
	check_maps(o, &r->row, &in, now);
}

/* The same, from an address the other tests have no letter for. */
static void check_other_row(void **state)
{
	const struct probe_row *r = *state;
	struct vxbpf_bpf *o = load(r->row.config);
	static const uint8_t v[] = { 0x02, 0, 0, 0, 0, 'v' };
	struct pkt_buf in, out = {};
	__u64 now = coarse_now();

	make_probe(&r->asked, &in);
	memcpy(in.data + 6, v, 6);
	reset(o, &r->row, now);
	assert_int_equal(run(o, &r->row, &in, &out), r->verdict);
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.data, in.data, in.len);
	check_maps(o, &r->row, &in, now);
}

/* --- the wire */

/* beta's packet around the frame; a first fragment ends `cut` bytes early. */
static void wrap_probe(const struct pkt_buf *frame, int family, char fragment, int cut,
		       struct pkt_buf *b)
{
	struct pkt pkt = { .o = { .ip = family, .from = family == 4 ? BETA4 : GAMMA6 } };
	uint8_t *vxlan;

	pkt.o.raw = RAW((int)frame->len + 8);
	pkt.o.fragment = family == 4 ? fragment : 0;
	pkt.o.ext = family == 6 && fragment ? "f" : NULL;
	pkt_build(&pkt, b);
	vxlan = b->data + b->len - frame->len - 8;
	memset(vxlan, 0, 8);
	vxlan[0] = 0x08;
	pkt_put16(vxlan + 5, family == 4 ? BETA : GAMMA);
	memcpy(vxlan + 8, frame->data, frame->len);
	b->frame_off = b->len - frame->len;
	b->len -= (size_t)cut;
	if (cut)
		pkt_put16(b->data + ETH + (family == 4 ? 2 : 4),
			  (unsigned)(b->len - ETH - (family == 4 ? 0 : 40)));
}

static void wire(const struct asked *asked, int family, char fragment, int cut, int verdict,
		 const struct row *row)
{
	struct vxbpf_bpf *o = load(row->config);
	struct pkt_buf frame, in, out = {};
	__u64 now = coarse_now();

	make_probe(asked, &frame);
	wrap_probe(&frame, family, fragment, cut, &in);
	reset(o, row, now);
	assert_int_equal(run(o, row, &in, &out), verdict);
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.data, in.data, in.len);
	check_maps(o, row, &in, now);
}

#define WIRE(what, cfg, ...)                                                                       \
	{                                                                                          \
		what, "wire_in", cfg, .ifindex = UNDER, .marked = true, ##__VA_ARGS__              \
	}

static void the_wire_marks_and_does_not_count(void **state)
{
	static const struct row quiet = WIRE("probe", "e"), off = WIRE("probe, off", "f"),
				counted = WIRE("no probe", "e", .rx = { BETA, 1, 114, 1 });
	static const struct asked probe = { .size = 100 }, other = { .size = 100, .magic = 1 };
	static const struct asked answer = { .kind = VX_PROBE_ANSWER };

	(void)state;
	wire(&probe, 4, 0, 0, TC_ACT_UNSPEC, &quiet);
	wire(&probe, 6, 0, 0, TC_ACT_UNSPEC, &quiet);
	wire(&probe, 4, 0, 0, TC_ACT_UNSPEC, &off);
	wire(&answer, 4, 0, 0, TC_ACT_UNSPEC, &quiet);
	wire(&other, 4, 0, 0, TC_ACT_UNSPEC, &counted);
}

static void one_in_fragments_does_not_arrive(void **state)
{
	static const struct row quiet = WIRE("fragment", "e"), off = WIRE("fragment, off", "f"),
				counted = WIRE("no probe's", "e", .rx = { BETA, 1, 1014, 1 });
	static const struct asked probe = { .size = 1000 }, other = { .size = 1000, .magic = 1 };

	(void)state;
	wire(&probe, 4, 'f', 400, TC_ACT_SHOT, &quiet);
	wire(&probe, 6, 'f', 400, TC_ACT_SHOT, &quiet);
	wire(&probe, 4, 'f', 400, TC_ACT_SHOT, &off);
	wire(&other, 4, 'f', 400, TC_ACT_UNSPEC, &counted);
}

/* --- answers */

static const struct row seen = IN("answer", "e", SEEN);

static void arrive(struct vxbpf_bpf *o, const struct row *row, int sequence, unsigned received)
{
	const struct asked asked = { .kind = VX_PROBE_ANSWER, .sequence = sequence };
	__be32 fields[2] = { htonl(received), htonl(1400) };
	struct pkt_buf in, out = {};

	make_probe(&asked, &in);
	memcpy(in.data + ETH + offsetof(struct vx_probe, received), fields, sizeof(fields));
	assert_int_equal(run(o, row, &in, &out), TC_ACT_SHOT);
}

static void an_answer_is_written_down_once(void **state)
{
	struct vxbpf_bpf *o = load("e");
	struct vx_probe_answer first;
	struct timespec t;

	(void)state;
	reset(o, &seen, coarse_now());
	forget_probes(o);
	want(o, BETA, 3);
	want(o, BETA, 4);
	arrive(o, &seen, 3, 999);
	first = answer_of(o, BETA, 3);
	clock_gettime(CLOCK_MONOTONIC, &t);
	assert_in_range((__u64)t.tv_sec * 1000000000ULL + (__u64)t.tv_nsec - first.answered_ns, 0,
			10000000000ULL);
	assert_int_equal(first.received, 999);
	assert_int_equal(first.mtu, 1400);
	assert_int_equal(first.sent_ns, 5);
	arrive(o, &seen, 3, 888);
	assert_int_equal(answer_of(o, BETA, 3).answered_ns, first.answered_ns);
	assert_int_equal(answer_of(o, BETA, 3).received, 999);
	assert_int_equal(answer_of(o, BETA, 4).answered_ns, 0);
}

static void nobody_answers_for_another(void **state)
{
	static const struct row gamma =
		IN("by gamma", "e", .ifindex = TUN_GAMMA, .ingress = TUN_GAMMA, .was_marked = true);
	static const struct row unseen = IN("unseen", "e", FROM_BETA);
	struct vxbpf_bpf *o = load("e");

	(void)state;
	reset(o, &seen, coarse_now());
	forget_probes(o);
	want(o, BETA, 3);
	arrive(o, &gamma, 3, 999);
	arrive(o, &unseen, 3, 999);
	arrive(o, &seen, 5, 999);
	assert_int_equal(answer_of(o, BETA, 3).answered_ns, 0);
	assert_int_equal(answer_of(o, BETA, 3).received, 0);
}

/* On one CPU; time goes on meanwhile. */
static void answers_are_rationed(void **state)
{
	static const struct row gamma =
		IN("gamma's", "e", .ifindex = TUN_GAMMA, .ingress = TUN_GAMMA, .was_marked = true);
	const struct asked question = { .size = 64 };
	struct vxbpf_bpf *o = load("e");
	unsigned answered = 0, more;
	struct pkt_buf in, out = {};
	cpu_set_t cpus;
	__u64 start;

	(void)state;
	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	assert_int_equal(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
	reset(o, &seen, coarse_now());
	make_probe(&question, &in);
	start = coarse_now();
	for (int i = 0; i < 3000; i++)
		answered += run(o, &seen, &in, &out) == ANSWERED;
	more = (unsigned)((coarse_now() - start) / VX_PROBE_NS);
	assert_in_range(answered, VX_PROBE_BURST, VX_PROBE_BURST + more + 2);
	assert_true(answered < 3000);
	assert_int_equal(run(o, &gamma, &in, &out), ANSWERED); /* has a ration of its own */
	usleep(200000);
	assert_int_equal(run(o, &seen, &in, &out), ANSWERED);
}

int main(void)
{
	static struct CMUnitTest tests[LEN(rows) + LEN(others) + 5];
	size_t n = 0;

	for (size_t i = 0; i < LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].row.name, check_probe_row, NULL, NULL,
						  (void *)&rows[i] };
	for (size_t i = 0; i < LEN(others); i++)
		tests[n++] = (struct CMUnitTest){ others[i].row.name, check_other_row, NULL, NULL,
						  (void *)&others[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_wire_marks_and_does_not_count);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(one_in_fragments_does_not_arrive);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_answer_is_written_down_once);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(nobody_answers_for_another);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(answers_are_rationed);
	return _cmocka_run_group_tests("probes", tests, n, make_devices, unload);
}
