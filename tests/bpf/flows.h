/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs have learned, read and bent by the tests, and shots that must or must not be
 * taken off their slow way. On top of world.h.
 */
#ifndef VXBPF_TESTS_FLOWS_H
#define VXBPF_TESTS_FLOWS_H

#include "world.h"

#define MS 1000000ULL
#define PAIRS                                                                                      \
	{                                                                                          \
		{ 4, 4, 't' }, { 4, 6, 't' }, { 6, 4, 't' }, { 6, 6, 't' }, { 4, 4, 'u' },         \
			{ 4, 6, 'u' }, { 6, 4, 'u' },                                              \
		{                                                                                  \
			6, 6, 'u'                                                                  \
		}                                                                                  \
	}

static const struct pair pairs[] = PAIRS;

struct tally {
	__u64 rx, rx_bytes, rx_fast, tx, tx_bytes, tx_fast;
	__u64 last_rx, last_tx; /* when */
};

static inline void clear_counters(struct vxbpf_bpf *o)
{
	static const struct row none = { "nothing" };

	reset(o, &none, coarse_now());
}

static inline struct tally tally_of(struct vxbpf_bpf *o, __u32 vni)
{
	static struct vx_counters c[CPUS_MAX];
	__u32 slot = slot_of(vni);
	struct tally t = {};

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.counters), &slot, c), 0);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++) {
		t.rx += c[i].rx_packets;
		t.rx_bytes += c[i].rx_bytes;
		t.rx_fast += c[i].rx_fast_packets;
		t.tx += c[i].tx_packets;
		t.tx_bytes += c[i].tx_bytes;
		t.tx_fast += c[i].tx_fast_packets;
		if (t.last_rx < c[i].last_rx_ns)
			t.last_rx = c[i].last_rx_ns;
		if (t.last_tx < c[i].last_unicast_tx_ns)
			t.last_tx = c[i].last_unicast_tx_ns;
	}
	return t;
}

static inline __u32 slot_in_hot(__u64 hash)
{
	return (__u32)(hash & (VX_HOT - 1));
}

static inline void put_hot(struct vxbpf_bpf *o, __u32 slot, const struct vx_flow *f)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.hot), &slot, f, 0), 0);
}

static inline struct vx_flow get_hot(struct vxbpf_bpf *o, __u64 hash)
{
	__u32 slot = slot_in_hot(hash);
	struct vx_flow f;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.hot), &slot, &f), 0);
	return f;
}

/* Where its hash leads, both times. */
static inline void put_flow(struct vxbpf_bpf *o, const struct vx_flow *f)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.flows), &f->hash, f, 0), 0);
	put_hot(o, slot_in_hot(f->hash), f);
}

static inline int flows_known(struct vxbpf_bpf *o)
{
	struct vx_flow_key key, *last = NULL;
	int n = 0;

	for (; !bpf_map_get_next_key(bpf_map__fd(o->maps.flows), last, &key); n++)
		last = &key;
	return n;
}

/* The only one, as the programs find it. */
static inline struct vx_flow only_flow(struct vxbpf_bpf *o)
{
	struct vx_flow_key key;
	struct vx_flow f, h;

	assert_int_equal(flows_known(o), 1);
	assert_int_equal(bpf_map_get_next_key(bpf_map__fd(o->maps.flows), NULL, &key), 0);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.flows), &key, &f), 0);
	h = get_hot(o, key.hash);
	return h.hash == key.hash ? h : f;
}

static inline void forget_flows(struct vxbpf_bpf *o)
{
	static const struct vx_flow none;
	struct vx_flow_key key;
	int fd = bpf_map__fd(o->maps.flows);

	while (!bpf_map_get_next_key(fd, NULL, &key)) {
		put_hot(o, slot_in_hot(key.hash), &none);
		assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
	}
}

/* As a MAC that moves: where it was before is not forgotten. */
static inline void put_mac(struct vxbpf_bpf *o, char mac, enum vx_place place, __u32 where, int age)
{
	struct vx_fdb_key key = fdb_key(&(struct known){ .mac = mac });
	__u64 seen = coarse_now() - (__u64)age * MS;
	struct vx_fdb at = {};

	bpf_map_lookup_elem(bpf_map__fd(o->maps.fdb), &key, &at);
	at.place = place;
	at.seen_ns = seen;
	if (place == VX_AT_PORT) {
		at.ifindex = where;
		at.local_ns = seen;
	} else {
		at.vni = where;
	}
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.fdb), &key, &at, 0), 0);
}

static inline void lease_until(struct vxbpf_bpf *o, __u64 until_ns)
{
	const struct vx_lease l = { until_ns };
	__u32 key = 0;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.lease), &key, &l, 0), 0);
}

static inline void put_door(struct vxbpf_bpf *o, __u32 ifindex, enum vx_door door)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.doors), &ifindex, &door, 0), 0);
	lease_until(o, ~0ULL);
}

static inline void name_port(struct vxbpf_bpf *o, __u32 ifindex)
{
	struct vx_port port = { .name = "named" };

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.ports), &ifindex, &port, 0), 0);
}

/* a on a port with a door, b at the peer, and nothing learned. */
static inline struct vxbpf_bpf *begin(const struct pair *p)
{
	struct vxbpf_bpf *o = load("ep");

	clear_counters(o);
	forget_flows(o);
	empty(bpf_map__fd(o->maps.doors), sizeof(struct vx_ifindex));
	put_door(o, PORT1, VX_DOOR_PEER);
	put_mac(o, 'a', VX_AT_PORT, PORT1, 20);
	put_mac(o, 'b', VX_AT_PEER, vni_of(p->out), 20);
	return o;
}

/* The bridge has brought `frame` from `port` to its tunnel: the word that says so. */
static inline __u64 let_in(struct vxbpf_bpf *o, const struct pair *p, const struct pkt_buf *frame,
			   __u32 port)
{
	struct shot s = { "tun_out", tunnel_of(p->out), port };

	shoot(o, &s, frame);
	assert_int_equal(s.verdict, TC_ACT_UNSPEC);
	assert_in_range(s.left.tstamp, 1, UINT32_MAX);
	return s.left.tstamp;
}

/* The kernel has sent `frame`, which came by `port`: its packet at wire_out, which lets it pass. */
static inline void teach_from(struct vxbpf_bpf *o, const struct pair *p,
			      const struct pkt_buf *frame, __u32 port)
{
	struct shot s = { "wire_out", UNDER };
	struct pkt_buf packet;

	kernel_made(p->out, frame, &packet);
	s.word = let_in(o, p, frame, port);
	shoot(o, &s, &packet);
	assert_int_equal(s.verdict, TC_ACT_UNSPEC);
	assert_int_equal(s.left.tstamp, 0);
	assert_int_equal(s.out.len, packet.len);
	assert_memory_equal(s.out.data, packet.data, packet.len);
}

static inline void teach_tx(struct vxbpf_bpf *o, const struct pair *p, const struct pkt_buf *frame)
{
	teach_from(o, p, frame, PORT1);
}

/* The bridge has brought `frame` from the peer to a's port. */
static inline void teach_rx(struct vxbpf_bpf *o, const struct pair *p, const struct pkt_buf *frame)
{
	struct shot s = { "port_out", PORT1, tunnel_of(p->out) };

	shoot(o, &s, frame);
	assert_int_equal(s.verdict, TC_ACT_UNSPEC);
	assert_int_equal(s.out.len, frame->len);
	assert_memory_equal(s.out.data, frame->data, frame->len);
}

/* As if all of it had been learned just now. */
static inline void refresh(struct vxbpf_bpf *o)
{
	struct vx_flow_key key, *last = NULL;

	while (!bpf_map_get_next_key(bpf_map__fd(o->maps.flows), last, &key)) {
		struct vx_flow f;

		last = &key;
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.flows), &key, &f), 0);
		if (get_hot(o, key.hash).hash == key.hash)
			f = get_hot(o, key.hash);
		f.learned_ns = coarse_now();
		put_flow(o, &f);
	}
}

/* Counters from zero, what was learned young, and all of it soon enough even on a busy machine. */
static inline struct tally shoot_young(struct vxbpf_bpf *o, const struct pair *p, struct shot *s,
				       const struct pkt_buf *b)
{
	struct tally t, was;
	__u64 begun;

	do {
		begun = coarse_now();
		refresh(o);
		was = tally_of(o, vni_of(p->out));
		shoot(o, s, b);
	} while (coarse_now() - begun > 300 * MS);
	t = tally_of(o, vni_of(p->out));
	t.rx -= was.rx;
	t.rx_bytes -= was.rx_bytes;
	t.rx_fast -= was.rx_fast;
	t.tx -= was.tx;
	t.tx_bytes -= was.tx_bytes;
	t.tx_fast -= was.tx_fast;
	return t;
}

static inline void assert_tally(const char *what, struct tally is, struct tally should)
{
	const __u64 *a = (const __u64 *)&is, *b = (const __u64 *)&should;
	static const char *const names[] = { "rx", "rx bytes", "rx fast",
					     "tx", "tx bytes", "tx fast" };

	for (size_t i = 0; i < LEN(names); i++)
		if (a[i] != b[i])
			fail_msg("%s: %s %llu, not %llu", what, names[i], (unsigned long long)a[i],
				 (unsigned long long)b[i]);
}

static inline bool is_taken(const struct shot *s)
{
	return s->verdict == TC_ACT_REDIRECT;
}

/* Taken, and counted once; the bytes are the caller's to look at. */
static inline void assert_taken(struct vxbpf_bpf *o, const struct pair *p, const char *what,
				struct shot *s, const struct pkt_buf *b)
{
	bool in = !strcmp(s->program, "wire_in");
	__u64 begun = coarse_now();
	struct tally t = shoot_young(o, p, s, b);

	if (!is_taken(s))
		fail_msg("%s: verdict %d, but it should be taken", what, s->verdict);
	assert_int_equal(s->out.len, (int)b->len + outer_len(p->out) * (in ? -1 : 1));
	assert_tally(what, t,
		     in ? (struct tally){ .rx = 1, .rx_bytes = s->out.len, .rx_fast = 1 }
			: (struct tally){ .tx = 1, .tx_bytes = b->len, .tx_fast = 1 });
	assert_true((in ? t.last_rx : t.last_tx) + 50 * MS >= begun); /* ticks may lag */
}

/* Not taken: whatever the slow way makes of it, it is not touched nor counted as fast. */
static inline void assert_left(struct vxbpf_bpf *o, const struct pair *p, const char *what,
			       struct shot *s, const struct pkt_buf *b)
{
	struct tally t = shoot_young(o, p, s, b);

	if (is_taken(s))
		fail_msg("%s: is taken, but should not be", what);
	assert_int_equal(s->out.len, b->len);
	assert_memory_equal(s->out.data, b->data, b->len);
	assert_int_equal(t.rx_fast, 0);
	assert_int_equal(t.tx_fast, 0);
	if (!strcmp(s->program, "port_in"))
		assert_int_equal(t.tx, 0); /* tun_out will */
}

/* Too large: not sent on and not counted as sent. The sender may be told, by where it came. */
static inline void assert_too_large(struct vxbpf_bpf *o, const struct pair *p, struct shot *s,
				    const struct pkt_buf *b)
{
	struct tally t = shoot_young(o, p, s, b);

	assert_true(s->verdict == TC_ACT_REDIRECT || s->verdict == TC_ACT_SHOT);
	assert_true(s->out.len < b->len);
	assert_int_equal(t.tx, 0);
	assert_int_equal(t.tx_fast, 0);
}

#endif
