/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What teaches the fast path, and what does not: at wire_out the kernel's own packet of a MAC that is
 * here to one that is at this very peer, at port_out a frame that the bridge brings from a peer.
 *
 * lines: a table of lessons, and how each is bent.
 */
#include "flows.h"

/* One lesson, bent before it is given. */
struct lesson {
	struct vxbpf_bpf *o;
	const struct pair *p;
	struct pkt_buf b;
	struct shot s;
	__u32 port; /* that the frame to be sent comes from */
};

struct row_of_learning {
	const char *name;
	void (*bend)(struct lesson *l);
	bool receive, learned;
};

static uint8_t *outer_at(struct lesson *l, int at4, int at6)
{
	return l->b.data + (l->p->out == 4 ? at4 : at6);
}

static uint8_t *inner_at(struct lesson *l, int at4, int at6)
{
	bool outside = !strcmp(l->s.program, "wire_out");

	return l->b.data + (outside ? outer_len(l->p->out) : 0) + (l->p->in == 4 ? at4 : at6);
}

static void forget_mac(struct lesson *l, char mac)
{
	struct vx_fdb_key key = fdb_key(&(struct known){ .mac = mac });

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(l->o->maps.fdb), &key), 0);
}

static void no_doors(struct lesson *l)
{
	empty(bpf_map__fd(l->o->maps.doors), sizeof(struct vx_ifindex));
}

static void nothing(struct lesson *l)
{
	(void)l;
}

static void from_a_device(struct lesson *l)
{
	l->s.ingress = PORT1;
}

static void with_checksum(struct lesson *l)
{
	outer_at(l, 41, 61)[0] = 1;
}

static void from_elsewhere(struct lesson *l)
{
	outer_at(l, 29, 37)[0] ^= 1;
}

static void to_elsewhere(struct lesson *l)
{
	outer_at(l, 33, 53)[0] ^= 1;
}

static void to_another_peer(struct lesson *l)
{
	outer_at(l, 48, 68)[0] ^= 1;
}

static void to_another_port(struct lesson *l)
{
	outer_at(l, 37, 57)[0] ^= 1;
}

static void tagged_outside(struct lesson *l)
{
	put_tag(&l->b);
}

static void with_syn(struct lesson *l)
{
	if (l->p->l4 == 't')
		inner_at(l, 47, 67)[0] |= 2;
	else
		inner_at(l, 23, 20)[0] = 132;
}

static void tagged(struct lesson *l)
{
	memcpy(inner_at(l, 12, 12), "\x81\0\0\5", 4);
}

static void sender_unknown(struct lesson *l)
{
	forget_mac(l, l->s.ingress ? 'b' : 'a');
}

static void sender_at_a_peer(struct lesson *l)
{
	put_mac(l->o, 'a', VX_AT_PEER, ETA, 20);
}

static void receiver_unknown(struct lesson *l)
{
	forget_mac(l, l->s.ingress ? 'a' : 'b');
}

static void receiver_here(struct lesson *l)
{
	put_mac(l->o, 'b', VX_AT_PORT, PORT2, 20);
}

static void receiver_at_another_peer(struct lesson *l)
{
	put_mac(l->o, 'b', VX_AT_PEER, ETA, 20);
}

static void receiver_long_silent(struct lesson *l)
{
	put_mac(l->o, 'b', VX_AT_PEER, vni_of(l->p->out), 301000);
}

static void receiver_silent(struct lesson *l)
{
	put_mac(l->o, 'b', VX_AT_PEER, vni_of(l->p->out), 290000);
}

static void to_a_group(struct lesson *l)
{
	inner_at(l, 0, 0)[0] |= 1;
	put_mac(l->o, '+', VX_AT_PEER, vni_of(l->p->out), 20);
	put_mac(l->o, '*', VX_AT_PEER, vni_of(l->p->out), 20);
	pkt_mac(inner_at(l, 0, 0), '+');
}

/* Hooks, but no way in: a kind of port, or a qdisc, that the fast path leaves alone. */
static void hooked_without_door(struct lesson *l)
{
	no_doors(l);
	name_port(l->o, PORT1);
}

static void no_port(struct lesson *l)
{
	no_doors(l);
	empty(bpf_map__fd(l->o->maps.ports), sizeof(struct vx_ifindex));
	l->port = 0;
}

/* Back from the peer. */
static void by_the_fast_path(struct lesson *l)
{
	l->s.ingress = UNDER;
}

static void from_no_tunnel(struct lesson *l)
{
	l->s.ingress = PORT2;
}

static void from_another_tunnel(struct lesson *l)
{
	l->s.ingress = TUN_ETA;
}

static void sender_here(struct lesson *l)
{
	put_mac(l->o, 'b', VX_AT_PORT, PORT2, 20);
}

static void receiver_at_another_port(struct lesson *l)
{
	put_mac(l->o, 'a', VX_AT_PORT, PORT2, 20);
}

static void to_a_group_here(struct lesson *l)
{
	put_mac(l->o, '+', VX_AT_PORT, PORT1, 20);
	pkt_mac(l->b.data, '+');
}

/* clang-format off */
static const struct row_of_learning rows[] = {
	{ "plain", nothing, .learned = true },
	{ "forwarded by this host", from_a_device },
	{ "with a checksum", with_checksum },
	{ "from an address of no pair", from_elsewhere },
	{ "to an address of no pair", to_elsewhere },
	{ "by another VNI", to_another_peer },
	{ "to another UDP port", to_another_port },
	{ "tagged outside", tagged_outside },
	{ "a beginning, or no flow", with_syn },
	{ "tagged", tagged },
	{ "from a MAC that was not known", sender_unknown, .learned = true },
	{ "from a MAC that was at a peer", sender_at_a_peer, .learned = true },
	{ "to an unknown MAC: flooded", receiver_unknown },
	{ "to a MAC that is here: flooded", receiver_here },
	{ "to a MAC at another peer: flooded", receiver_at_another_peer },
	{ "to a MAC the bridge has forgotten: flooded", receiver_long_silent },
	{ "to a MAC the bridge has not forgotten", receiver_silent, .learned = true },
	{ "to a group", to_a_group },
	{ "from a port with hooks and no door", hooked_without_door },
	{ "from a port without hooks", no_doors, .learned = true },
	{ "from no port", no_port },

	{ "back", nothing, true, true },
	{ "back, brought by the fast path", by_the_fast_path, true },
	{ "back, no door", no_doors, true },
	{ "back, from no tunnel", from_no_tunnel, true },
	{ "back, from another tunnel", from_another_tunnel, true },
	{ "back, a beginning, or no flow", with_syn, true },
	{ "back, tagged", tagged, true },
	{ "back, from an unknown MAC", sender_unknown, true },
	{ "back, from a MAC that is here", sender_here, true },
	{ "back, to an unknown MAC: flooded", receiver_unknown, true },
	{ "back, to a MAC at another port: flooded", receiver_at_another_port, true },
	{ "back, to a MAC at a peer: flooded", sender_at_a_peer, true },
	{ "back, to a group", to_a_group_here, true },
};
/* clang-format on */

/* The frame inside of what the kernel will have made of it. */
static __u64 enter(const struct lesson *l)
{
	size_t outer = (size_t)outer_len(l->p->out) + (l->b.data[12] == 0x81 ? 4 : 0);
	struct pkt_buf frame = { .len = l->b.len - outer };

	memcpy(frame.data, l->b.data + outer, frame.len);
	return let_in(l->o, l->p, &frame, l->port);
}

/* Every row for every pair; the frame passes, whatever is made of it. */
static void learned_or_not(void **state)
{
	const struct row_of_learning *row = *state;

	for (size_t i = 0; i < LEN(pairs); i++) {
		struct lesson l = { .o = begin(&pairs[i]), .p = &pairs[i], .port = PORT1 };
		struct pkt_buf frame;
		__u64 begun;
		int learned;

		do {
			begun = coarse_now();
			l.o = begin(l.p);
			make_frame(l.p, row->receive, 30, &frame);
			if (row->receive) {
				l.b = frame;
				l.s = (struct shot){ "port_out", PORT1, tunnel_of(l.p->out) };
			} else {
				kernel_made(l.p->out, &frame, &l.b);
				l.s = (struct shot){ "wire_out", UNDER };
			}
			row->bend(&l);
			if (!row->receive)
				l.s.word = enter(&l);
			shoot(l.o, &l.s, &l.b);
			learned = flows_known(l.o);
		} while (coarse_now() - begun > 90 * MS);
		if (learned != row->learned)
			fail_msg("%s (%d%c in %d): %d flows learned", row->name, l.p->in, l.p->l4,
				 l.p->out, learned);
		if (!l.s.ingress || row->receive)
			assert_int_equal(l.s.verdict, TC_ACT_UNSPEC);
		assert_memory_equal(l.s.out.data, l.b.data, l.b.len);
		assert_int_equal(l.s.left.mark, OTHER_BITS); /* without ours, if it was there */
	}
}

/* Where it is taken from then on, and where it goes. */
static void entries_say_where(void **state)
{
	const struct pair *p = *state;
	struct vxbpf_bpf *o = begin(p);
	struct pkt_buf frame;
	struct vx_flow f;

	make_frame(p, false, 3, &frame);
	teach_tx(o, p, &frame);
	f = only_flow(o);
	assert_int_equal(f.hop, VX_HOP_PORT);
	assert_int_equal(f.from, PORT1);
	assert_int_equal(f.to, UNDER);
	assert_int_equal(f.way, VX_WAY_WIRE);
	forget_flows(o);
	empty(bpf_map__fd(o->maps.doors), sizeof(struct vx_ifindex));
	teach_tx(o, p, &frame);
	f = only_flow(o);
	assert_int_equal(f.hop, VX_HOP_TUNNEL);
	assert_int_equal(f.from, vni_of(p->out));
	assert_int_equal(f.to, UNDER);
	assert_int_equal(f.way, VX_WAY_WIRE);
	for (enum vx_door door = VX_DOOR_PEER; door <= VX_DOOR_NEAR; door++) {
		static const enum vx_way ways[] = { 0, VX_WAY_PEER, VX_WAY_PORT, VX_WAY_HOST,
						    VX_WAY_PORT };

		o = begin(p);
		put_door(o, PORT1, door);
		make_frame(p, true, 3, &frame);
		teach_rx(o, p, &frame);
		f = only_flow(o);
		assert_int_equal(f.hop, p->out == 4 ? VX_HOP_WIRE4 : VX_HOP_WIRE6);
		assert_int_equal(f.from, vni_of(p->out));
		assert_int_equal(f.to, PORT1);
		assert_int_equal(f.way, ways[door]);
	}
}

/* Into a veth only while somebody watches, and not at all where no way is right. */
static void doors_of_veths_are_leased(void **state)
{
	const struct pair *p = *state;
	struct pkt_buf frame;

	for (enum vx_door door = VX_DOOR_PEER; door <= VX_DOOR_OUT; door++) {
		struct vxbpf_bpf *o = begin(p);
		bool veth = door == VX_DOOR_PEER || door == VX_DOOR_NEAR;

		put_door(o, PORT1, door);
		lease_until(o, 0);
		make_frame(p, true, 3, &frame);
		teach_rx(o, p, &frame);
		assert_int_equal(flows_known(o), !veth && door != VX_DOOR_OUT);
		forget_flows(o);
		lease_until(o, coarse_now() - 1000 * MS);
		teach_rx(o, p, &frame);
		assert_int_equal(flows_known(o), !veth && door != VX_DOOR_OUT);
		forget_flows(o);
		lease_until(o, coarse_now() + 10000 * MS);
		teach_rx(o, p, &frame);
		assert_int_equal(flows_known(o), door != VX_DOOR_OUT);
		/* What it sends needs no lease. */
		forget_flows(o);
		lease_until(o, 0);
		put_mac(o, 'a', VX_AT_PORT, PORT1, 20);
		make_frame(p, false, 3, &frame);
		teach_tx(o, p, &frame);
		assert_int_equal(only_flow(o).hop, VX_HOP_PORT);
	}
}

/* Is a super-packet's way back by `door`, the flow's own side having sent with this TTL; 0: nothing? */
static bool is_super(const struct pair *p, int ttl, enum vx_door door, __u32 port)
{
	struct vxbpf_bpf *o;
	struct vx_flow_key key, *last = NULL;
	struct pkt_buf frame;
	struct vx_flow f;

	o = begin(p);
	put_door(o, PORT1, door);
	put_door(o, PORT2, door);
	if (ttl) {
		make_frame(p, false, 3, &frame);
		set_ttl(&frame, p->in, ttl);
		put_mac(o, 'a', VX_AT_PORT, port, 20);
		teach_from(o, p, &frame, port);
		assert_int_equal(flows_known(o), 1);
		put_mac(o, 'a', VX_AT_PORT, PORT1, 20);
	}
	make_frame(p, true, 3, &frame);
	set_ttl(&frame, p->in, 1);
	teach_rx(o, p, &frame);
	assert_int_equal(flows_known(o), ttl ? 2 : 1);
	while (!bpf_map_get_next_key(bpf_map__fd(o->maps.flows), last, &key)) {
		last = &key;
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.flows), &key, &f), 0);
		if (f.way != VX_WAY_WIRE)
			return f.super;
		assert_int_equal(f.first, ttl == 64 || ttl == 128 || ttl == 255);
	}
	fail_msg("the way back is not known");
	return false;
}

/* Only where TCP ends: what is opened by us must go no further. */
static void super_packets_end_here(void **state)
{
	static const int not_first[] = { 1, 63, 65, 127, 129, 254 };
	const struct pair *p = *state;
	bool tcp = p->l4 == 't';

	assert_int_equal(is_super(p, 64, VX_DOOR_PEER, PORT1), tcp);
	assert_int_equal(is_super(p, 128, VX_DOOR_PEER, PORT1), tcp);
	assert_int_equal(is_super(p, 255, VX_DOOR_PEER, PORT1), tcp);
	assert_int_equal(is_super(p, 64, VX_DOOR_HOST, PORT1), tcp);
	assert_false(is_super(p, 64, VX_DOOR_PORT, PORT1));
	assert_false(is_super(p, 64, VX_DOOR_NEAR, PORT1));
	assert_false(is_super(p, 64, VX_DOOR_PEER, PORT2));
	assert_false(is_super(p, 0, VX_DOOR_PEER, PORT1));
	for (size_t i = 0; i < LEN(not_first); i++)
		assert_false(is_super(p, not_first[i], VX_DOOR_PEER, PORT1));
}

int main(void)
{
	static struct CMUnitTest tests[LEN(rows) + 3 * LEN(pairs)];
	size_t n = 0;

	for (size_t i = 0; i < LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, learned_or_not,
						  .initial_state = (void *)&rows[i] };
	for (size_t i = 0; i < LEN(pairs); i++) {
		tests[n++] = (struct CMUnitTest){ "entries_say_where", entries_say_where,
						  .initial_state = (void *)&pairs[i] };
		tests[n++] =
			(struct CMUnitTest){ "doors_of_veths_are_leased", doors_of_veths_are_leased,
					     .initial_state = (void *)&pairs[i] };
		tests[n++] = (struct CMUnitTest){ "super_packets_end_here", super_packets_end_here,
						  .initial_state = (void *)&pairs[i] };
	}
	return _cmocka_run_group_tests("learn", tests, n, make_world, unload);
}
