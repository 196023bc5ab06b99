/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries of the fast path: which are good for how long and for which frame, and what wire_out says of
 * frames that were sent by one.
 *
 * lines: one test after the other, which share little.
 */
#include "flows.h"

static const struct pair plain = { 4, 4, 't' };

/* The rooms alike: one flow learned, a frame of it, and the shot. */
struct known_flow {
	struct vxbpf_bpf *o;
	struct pkt_buf in;
	struct shot shot;
};

static void know(const struct pair *p, bool receive, struct known_flow *k)
{
	struct pkt_buf frame;

	k->o = begin(p);
	make_frame(p, receive, 3, &frame);
	if (receive) {
		teach_rx(k->o, p, &frame);
		wrap(p->out, &frame, &k->in);
		k->shot = (struct shot){ "wire_in", UNDER };
	} else {
		teach_tx(k->o, p, &frame);
		k->in = frame;
		k->shot = (struct shot){ "port_in", PORT1 };
	}
	assert_int_equal(flows_known(k->o), 1);
	assert_taken(k->o, p, "at first", &k->shot, &k->in);
}

/* So many milliseconds since it was learned, and since a frame last went to renew it; 0 = never. */
static bool taken_at(struct known_flow *k, int age, int renewed)
{
	__u64 begun;

	do {
		struct vx_flow f = only_flow(k->o);

		begun = coarse_now();
		f.learned_ns = begun - (__u64)age * MS;
		f.refresh_ns = renewed ? begun - (__u64)renewed * MS : 0;
		put_flow(k->o, &f);
		shoot(k->o, &k->shot, &k->in);
	} while (coarse_now() - begun > 40 * MS);
	return is_taken(&k->shot);
}

static void verdicts_get_old(void **state)
{
	const bool *receive = *state;
	struct known_flow k;
	bool second;
	__u64 begun;

	know(&plain, *receive, &k);
	assert_true(taken_at(&k, 0, 0));
	assert_true(taken_at(&k, 900, 0));
	assert_false(taken_at(&k, 1100, 0));
	assert_true(taken_at(&k, 1100, 50));
	assert_false(taken_at(&k, 1100, 150));
	assert_true(taken_at(&k, 1400, 50));
	assert_false(taken_at(&k, 1500, 50));
	assert_false(taken_at(&k, 60000, 50));
	/* By a CPU whose clock is ahead; no clock is that much. */
	assert_true(taken_at(&k, -100, 50));
	assert_false(taken_at(&k, -1200, 50));
	/* One frame renews it, the next ones go on. */
	do {
		begun = coarse_now();
		assert_false(taken_at(&k, 1200, 0));
		shoot(k.o, &k.shot, &k.in);
		second = is_taken(&k.shot);
	} while (coarse_now() - begun > 50 * MS);
	assert_true(second);
}

/* By the clock, not by the test: which a CPU asks anew in each tick. */
static void time_goes_on(void **state)
{
	const bool *receive = *state;
	struct known_flow k;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	know(&plain, *receive, &k);
	usleep(1100000);
	shoot(k.o, &k.shot, &k.in);
	assert_false(is_taken(&k.shot));
	CPU_ZERO(&one);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

/* Any ARP that shows a MAC: let into a tunnel from a port, or out of one. */
static void show_mac(struct vxbpf_bpf *o, char mac, bool at_peer)
{
	const struct pkt pkt = { .i = { .src = mac, .dst = '*' } };
	struct shot s = { "tun_out", TUN_ETA, PORT2 };
	struct pkt_buf b;

	if (at_peer)
		s = (struct shot){ "tun_in", TUN_ETA, .marked = true };
	pkt_build(&pkt, &b);
	shoot(o, &s, &b);
	assert_int_equal(s.verdict, TC_ACT_UNSPEC);
}

static void a_move_voids_what_was_known(void **state)
{
	static const struct {
		char mac;
		bool at_peer, voids;
	} steps[] = { { 'a', false, true },
		      { 'a', true, true },
		      { 'b', false, true },
		      { 'b', true, true },
		      { 'q', false, false } };
	const bool *receive = *state;
	struct known_flow k;

	for (size_t i = 0; i < LEN(steps); i++) {
		know(&plain, *receive, &k);
		show_mac(k.o, steps[i].mac, steps[i].at_peer);
		if (steps[i].voids)
			assert_left(k.o, &plain, "moved", &k.shot, &k.in);
		else
			assert_taken(k.o, &plain, "another's", &k.shot, &k.in);
		know(&plain, *receive, &k); /* learned anew, it is good again */
	}
}

static void half_written_is_not_read(void **state)
{
	const bool *receive = *state;
	struct vx_flow f, torn;
	struct known_flow k;

	know(&plain, *receive, &k);
	f = only_flow(k.o);
	assert_int_equal(f.stamp, f.stamp_again);
	torn = f;
	torn.stamp += 256;
	put_flow(k.o, &torn);
	assert_left(k.o, &plain, "begun", &k.shot, &k.in);
	torn = f;
	torn.stamp_again += 256;
	put_flow(k.o, &torn);
	assert_left(k.o, &plain, "not ended", &k.shot, &k.in);
	put_flow(k.o, &f);
	assert_taken(k.o, &plain, "whole", &k.shot, &k.in);
}

/* The entry under this hash is another flow's in one byte. */
static void bend(struct known_flow *k, const struct pair *p, size_t from, size_t to)
{
	const struct vx_flow f = only_flow(k->o);

	for (size_t at = from; at < to; at++) {
		struct vx_flow other = f;
		char what[32];

		((__u8 *)&other)[at] ^= 1;
		snprintf(what, sizeof(what), "byte %zu of the entry", at);
		put_flow(k->o, &other);
		assert_left(k->o, p, what, &k->shot, &k->in);
	}
	put_flow(k->o, &f);
	assert_taken(k->o, p, "the flow's own", &k->shot, &k->in);
}

#define END_OF(field) (offsetof(struct vx_flow, field) + sizeof(((struct vx_flow *)0)->field))

static void another_flow_of_this_hash_is_another(void **state)
{
	const struct pair *p = *state;
	struct known_flow k;

	for (int receive = 0; receive < 2; receive++) {
		know(p, receive, &k);
		bend(&k, p, offsetof(struct vx_flow, dst_mac), END_OF(reserved));
		if (p->in == 6)
			bend(&k, p, offsetof(struct vx_flow, source), END_OF(dest));
	}
	bend(&k, p, offsetof(struct vx_flow, outer_source) + (p->out == 4 ? 12 : 0),
	     END_OF(outer_source));
	bend(&k, p, offsetof(struct vx_flow, outer_dest) + (p->out == 4 ? 12 : 0),
	     END_OF(outer_dest));
}

/* Nor does it say that this flow's sender forwards for nobody. */
static void another_flow_is_not_the_way_back(void **state)
{
	static const size_t bytes[] = { offsetof(struct vx_flow, dst_mac),
					offsetof(struct vx_flow, src_mac),
					offsetof(struct vx_flow, addrs) };
	const struct pair *p = *state;
	struct pkt_buf frame;
	struct known_flow k;
	struct vx_flow f, back;

	for (size_t i = 0; i <= LEN(bytes); i++) {
		struct vx_flow_key key;

		know(p, true, &k);
		key.hash = only_flow(k.o).hash;
		know(p, false, &k);
		f = only_flow(k.o);
		if (i < LEN(bytes))
			((__u8 *)&f)[bytes[i]] ^= 4;
		put_flow(k.o, &f);
		make_frame(p, true, 3, &frame);
		teach_rx(k.o, p, &frame);
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(k.o->maps.flows), &key, &back), 0);
		assert_int_equal(back.super, p->l4 == 't' && i == LEN(bytes));
	}
}

/* Is a frame of `f` taken where only these tables know it? Learned a moment ago, in any case. */
static bool taken_from(struct known_flow *k, struct vx_flow f, bool flows, bool hot)
{
	static const struct vx_flow none;
	__u64 begun;

	do {
		begun = f.learned_ns = coarse_now();
		put_flow(k->o, &f);
		if (!hot)
			put_hot(k->o, slot_in_hot(f.hash), &none);
		if (!flows)
			bpf_map_delete_elem(bpf_map__fd(k->o->maps.flows), &f.hash);
		shoot(k->o, &k->shot, &k->in);
	} while (coarse_now() - begun > 300 * MS);
	return is_taken(&k->shot);
}

/* Both tables are good for themselves. */
static void found_in_either_table(void **state)
{
	const bool *receive = *state;
	struct known_flow k;
	struct vx_flow f;

	know(&plain, *receive, &k);
	f = only_flow(k.o);
	assert_true(taken_from(&k, f, true, true));
	assert_true(taken_from(&k, f, true, false));
	assert_true(taken_from(&k, f, false, true));
	assert_false(taken_from(&k, f, false, false));
}

/* A slot of `hot` is for one flow as long as that is of our time. */
static void hot_slots_are_kept(void **state)
{
	struct vx_flow f, other;
	struct known_flow k;
	__u64 hash;

	(void)state;
	know(&plain, true, &k);
	f = only_flow(k.o);
	hash = f.hash;
	other = f;
	other.hash ^= (__u64)VX_HOT << 4;
	other.learned_ns = coarse_now() + 1000 * MS; /* young until this test is over */
	put_hot(k.o, slot_in_hot(hash), &other);
	make_frame(&plain, true, 3, &k.in);
	teach_rx(k.o, &plain, &k.in);
	assert_int_equal(get_hot(k.o, hash).hash, other.hash);
	other.learned_ns = coarse_now() - 1600 * MS;
	other.stamp_again++;
	put_hot(k.o, slot_in_hot(hash), &other);
	teach_rx(k.o, &plain, &k.in);
	assert_int_equal(get_hot(k.o, hash).hash, other.hash); /* another CPU is at it */
	other.stamp_again--;
	put_hot(k.o, slot_in_hot(hash), &other);
	teach_rx(k.o, &plain, &k.in);
	f = get_hot(k.o, hash);
	assert_int_equal(f.hash, hash);
	assert_int_equal(f.stamp, f.stamp_again);
	/* Its own it writes anew. */
	f.learned_ns = 1;
	put_hot(k.o, slot_in_hot(hash), &f);
	teach_rx(k.o, &plain, &k.in);
	assert_true(get_hot(k.o, hash).learned_ns > 1);
}

/* At wire_out what port_in has sent still shows the port it came in by: as what workloads forge. Only the
 * word tells them apart, and there is one for each way. */
static void words_are_demanded_at_wire_out(void **state)
{
	const struct pair *p = *state;
	struct known_flow k;
	__u64 fast, slow;

	know(p, false, &k);
	fast = k.shot.left.tstamp;
	assert_in_range(fast, 1, UINT32_MAX);
	slow = let_in(k.o, p, &k.in, PORT2);
	assert_true(slow != fast);
	{
		const struct {
			__u64 word;
			__u32 ingress;
			bool pass;
		} cases[] = { { fast, PORT1, true },
			      { fast, 0, true }, /* the host's own */
			      { slow, 0, true },
			      { slow, PORT1, false }, /* the kernel's VXLAN shows no device */
			      { 0, 0, false },
			      { 0, PORT1, false },
			      { fast ^ 1, PORT1, false },
			      { slow ^ 0x80000000, 0, false },
			      { slow | 1ULL << 32, 0, false } };

		for (size_t i = 0; i < LEN(cases); i++) {
			struct shot s = { "wire_out", UNDER, cases[i].ingress,
					  .word = cases[i].word };
			struct tally t = shoot_young(k.o, p, &s, &k.shot.out);

			assert_int_equal(s.verdict, cases[i].pass ? TC_ACT_UNSPEC : TC_ACT_SHOT);
			assert_int_equal(s.left.tstamp, cases[i].pass ? 0 : cases[i].word);
			assert_tally("at wire_out", t, (struct tally){});
			assert_int_equal(s.out.len, k.shot.out.len);
			assert_memory_equal(s.out.data, k.shot.out.data, s.out.len);
		}
	}
}

/* Not by a packet that has the word and is of another frame, nor twice by one note. */
static void a_note_is_for_one_frame(void **state)
{
	const struct pair *p = *state;
	struct vxbpf_bpf *o = begin(p);
	struct shot s = { "wire_out", UNDER };
	struct pkt_buf frame, other, packet;

	make_frame(p, false, 3, &frame);
	other = frame;
	other.data[headers_len(p) - (p->l4 == 't' ? 20 : 8) + 1] ^= 1; /* another port */
	kernel_made(p->out, &other, &packet);
	s.word = let_in(o, p, &frame, PORT1);
	shoot(o, &s, &packet);
	assert_int_equal(flows_known(o), 0);
	kernel_made(p->out, &frame, &packet);
	shoot(o, &s, &packet);
	assert_int_equal(flows_known(o), 0);
	s.word = let_in(o, p, &frame, PORT1);
	shoot(o, &s, &packet);
	assert_int_equal(flows_known(o), 1);
}

static __u32 moves_of(struct vxbpf_bpf *o, __u32 key)
{
	__u32 moves = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.moves), &key, &moves), 0);
	return moves;
}

/* Nor learned. */
static void switched_off_nothing_is_taken(void **state)
{
	const bool *receive = *state;
	struct vxbpf_bpf *off = load("e");
	struct pkt_buf frame;
	struct known_flow k;
	struct vx_flow f;

	know(&plain, *receive, &k);
	f = only_flow(k.o);
	forget_flows(off);
	clear_counters(off);
	put_door(off, PORT1, VX_DOOR_PEER);
	put_mac(off, 'a', VX_AT_PORT, PORT1, 20);
	put_mac(off, 'b', VX_AT_PEER, BETA, 20);
	make_frame(&plain, *receive, 3, &frame);
	if (*receive)
		teach_rx(off, &plain, &frame);
	else
		teach_tx(off, &plain, &frame);
	assert_int_equal(flows_known(off), 0);
	f.moved = moves_of(off, f.moves_src) + moves_of(off, f.moves_dst);
	put_flow(off, &f);
	assert_left(off, &plain, "off", &k.shot, &k.in);
}

int main(void)
{
	static struct CMUnitTest tests[6 * 2 + 4 * LEN(pairs) + 1];
	static const bool ways[] = { false, true };
	size_t n = 0;

#define ADD(test, with)                                                                            \
	tests[n++] = (struct CMUnitTest)                                                           \
	{                                                                                          \
#test, (test), .initial_state = (void *)(with)                                     \
	}
	for (size_t i = 0; i < LEN(ways); i++) {
		ADD(verdicts_get_old, &ways[i]);
		ADD(time_goes_on, &ways[i]);
		ADD(a_move_voids_what_was_known, &ways[i]);
		ADD(half_written_is_not_read, &ways[i]);
		ADD(found_in_either_table, &ways[i]);
		ADD(switched_off_nothing_is_taken, &ways[i]);
	}
	for (size_t i = 0; i < LEN(pairs); i++) {
		ADD(another_flow_of_this_hash_is_another, &pairs[i]);
		ADD(another_flow_is_not_the_way_back, &pairs[i]);
		ADD(words_are_demanded_at_wire_out, &pairs[i]);
		ADD(a_note_is_for_one_frame, &pairs[i]);
	}
	ADD(hot_slots_are_kept, NULL);
	return _cmocka_run_group_tests("flows", tests, n, make_world, unload);
}
