/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path room by room: what it makes of a frame is what the kernel's own tunnel makes of it, to
 * the last byte; what is not plain, not young or not the flow that was learned is left alone.
 */
#include "flows.h"

#include "rows_fast.h"

/* A room, and how a frame of the flow comes to it. */
enum room { PORT_IN, TUN_OUT, WIRE_IN };

/* One cmocka test: an odd frame or packet of a flow in a room. */
struct odd_test {
	char name[96];
	const struct odd *odd;
	const struct pair *pair;
	enum room room;
	bool outside; /* the packet is odd, not the frame */
};

static struct shot shot_at(enum room room, const struct pair *p)
{
	switch (room) {
	case PORT_IN:
		return (struct shot){ "port_in", PORT1 };
	case TUN_OUT:
		return (struct shot){ "tun_out", tunnel_of(p->out), FOREIGN };
	default:
		return (struct shot){ "wire_in", UNDER };
	}
}

/* The flow is known in that room. */
static struct vxbpf_bpf *begin_at(enum room room, const struct pair *p)
{
	struct vxbpf_bpf *o = begin(p);
	struct pkt_buf frame;

	if (room == TUN_OUT) {
		empty(bpf_map__fd(o->maps.doors), sizeof(struct vx_ifindex));
		put_mac(o, 'a', VX_AT_PORT, FOREIGN, 20);
	}
	make_frame(p, room == WIRE_IN, MTU + ETH - headers_len(p), &frame);
	if (room == WIRE_IN)
		teach_rx(o, p, &frame);
	else
		teach_from(o, p, &frame, room == TUN_OUT ? FOREIGN : PORT1);
	assert_int_equal(flows_known(o), 1);
	return o;
}

/* What comes to the room: of the flow, with `payload` bytes. */
static void make_input(enum room room, const struct pair *p, int payload, struct pkt_buf *b)
{
	struct pkt_buf frame;

	make_frame(p, room == WIRE_IN, payload, &frame);
	if (room == WIRE_IN)
		wrap(p->out, &frame, b);
	else
		*b = frame;
}

static int at_of(const struct odd *odd, int ip)
{
	return ip == 4 ? odd->at4 : odd->at6;
}

static void make_odd(const struct odd *odd, int ip, struct pkt_buf *b)
{
	int at = at_of(odd, ip);

	b->data[at] ^= (uint8_t)odd->flip;
	if (ip == 4 && at > ETH && at < ETH + 20 && at != ETH + 10)
		pkt_sum(b->data + ETH);
	if (odd->tag)
		put_tag(b);
	pkt_put(b, (size_t)odd->pad, 0);
	b->len -= (size_t)odd->cut;
}

/* Before and after it frames of the flow that are not odd are taken. */
static void odd_ones_are_left(void **state)
{
	const struct odd_test *t = *state;
	const struct pair *p = t->pair;
	struct vxbpf_bpf *o = begin_at(t->room, p);
	struct shot s = shot_at(t->room, p);
	struct pkt_buf plain, odd;

	make_input(t->room, p, 3, &plain);
	assert_taken(o, p, "before it", &s, &plain);
	if (t->outside) {
		make_input(t->room, p, 30, &odd);
		make_odd(t->odd, p->out, &odd);
	} else {
		make_frame(p, t->room == WIRE_IN, 0, &odd);
		make_odd(t->odd, p->in, &odd);
		if (t->room == WIRE_IN) {
			struct pkt_buf frame = odd;

			wrap(p->out, &frame, &odd);
		}
	}
	if (t->odd->fine)
		assert_taken(o, p, t->name, &s, &odd);
	else
		assert_left(o, p, t->name, &s, &odd);
	if (t->room != TUN_OUT || !t->odd->moves)
		assert_taken(o, p, "after it", &s, &plain);
}

static bool is_whole(const uint8_t *ip)
{
	unsigned sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += get16(ip + i);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* But for the IP id, and the checksum over it. */
static void assert_as_kernel(const struct pair *p, const struct pkt_buf *frame,
			     const struct pkt_buf *is)
{
	struct pkt_buf should;

	kernel_made(p->out, frame, &should);
	assert_int_equal(is->len, should.len);
	if (p->out == 4) {
		assert_true(is_whole(should.data + ETH));
		if (!is_whole(is->data + ETH))
			fail_msg("the IP header's checksum is wrong");
		memcpy(should.data + ETH + 4, is->data + ETH + 4, 2);
		memcpy(should.data + ETH + 10, is->data + ETH + 10, 2);
	}
	assert_memory_equal(is->data, should.data, is->len);
}

static void encapsulates_as_the_kernel(enum room room, const struct pair *p)
{
	static const int tos[] = { 0, 1, 2, 3, 0xb8, 0xbb, 0xff };
	int most = MTU + ETH - headers_len(p);
	const int payloads[] = { 0, 1, 2, 255, 256, 1000, most - 1, most };
	struct vxbpf_bpf *o = begin_at(room, p);
	struct shot s = shot_at(room, p);
	struct pkt_buf frame;

	for (size_t i = 0; i < LEN(payloads); i++) {
		make_input(room, p, payloads[i], &frame);
		assert_taken(o, p, "a size", &s, &frame);
		assert_as_kernel(p, &frame, &s.out);
	}
	for (size_t i = 0; i < LEN(tos); i++) {
		make_input(room, p, 100, &frame);
		set_tos(&frame, p->in, tos[i]);
		assert_taken(o, p, "a TOS", &s, &frame);
		assert_as_kernel(p, &frame, &s.out);
	}
	assert_int_equal(s.left.mark, OTHER_BITS);
	make_input(room, p, most + 1, &frame);
	assert_too_large(o, p, &s, &frame);
}

static void port_in_sends_what_the_kernel_would(void **state)
{
	encapsulates_as_the_kernel(PORT_IN, *state);
}

static void tun_out_sends_what_the_kernel_would(void **state)
{
	encapsulates_as_the_kernel(TUN_OUT, *state);
}

/* Learned from any packet of the flow, whatever its TOS and size. */
static void learns_the_same_of_any_packet(void **state)
{
	static const int tos[] = { 1, 2, 3, 0xff };
	const struct pair *p = *state;
	struct shot s = shot_at(PORT_IN, p);
	struct vxbpf_bpf *o = begin(p);
	struct pkt_buf frame;

	for (size_t i = 0; i < LEN(tos); i++) {
		forget_flows(o);
		make_frame(p, false, 7 + (int)i * 300, &frame);
		set_tos(&frame, p->in, tos[i]);
		teach_tx(o, p, &frame);
		make_frame(p, false, 7, &frame);
		assert_taken(o, p, "next", &s, &frame);
		assert_as_kernel(p, &frame, &s.out);
	}
}

/* The kernel may know of a narrower path: what it has sent whole says nothing of longer frames. */
static void longer_ones_are_left(void **state)
{
	static const int taught[] = { 100, 300, 200 };
	const struct pair *p = *state;
	struct shot s = shot_at(PORT_IN, p);
	struct vxbpf_bpf *o = begin(p);
	struct pkt_buf frame;

	for (size_t i = 0; i < LEN(taught); i++) {
		make_frame(p, false, taught[i], &frame);
		teach_tx(o, p, &frame);
		assert_taken(o, p, "as long", &s, &frame);
		make_frame(p, false, taught[i] + 1, &frame);
		assert_left(o, p, "longer", &s, &frame);
	}
}

static void put_ident(struct vxbpf_bpf *o, __u32 ident)
{
	__u32 key = slot_of(BETA);

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.idents), &key, &ident, 0), 0);
}

/* One counter for all that goes to a peer, around the end, too; begun far from the kernel's own. */
static void ids_count_up(void **state)
{
	static const struct pair kinds[] = { { 4, 4, 't' }, { 4, 4, 'u' } };
	static const __u32 firsts[] = { 1, 0x7fff, 0xfffe, 0xffff, 0x10000, 0xffffffff };
	struct vxbpf_bpf *o = begin_at(PORT_IN, &kinds[0]);
	struct shot s = shot_at(PORT_IN, &kinds[0]), wire = { "wire_out", UNDER };
	struct pkt_buf frame, packet;
	__u32 key = slot_of(BETA), ident;

	(void)state;
	make_frame(&kinds[1], false, MTU + ETH - headers_len(&kinds[1]), &frame);
	teach_tx(o, &kinds[1], &frame);
	for (size_t i = 0; i < LEN(firsts); i++) {
		put_ident(o, firsts[i]);
		for (__u32 n = 0; n < 6; n++) {
			make_frame(&kinds[n % 2], false, 5, &frame);
			shoot_young(o, &kinds[n % 2], &s, &frame);
			assert_true(is_taken(&s));
			assert_true(is_whole(s.out.data + ETH));
			assert_int_equal(get16(s.out.data + 18), (firsts[i] + n) & 0xffff);
		}
	}
	put_ident(o, 0);
	forget_flows(o);
	make_frame(&kinds[0], false, 5, &frame);
	kernel_made(4, &frame, &packet);
	wire.word = let_in(o, &kinds[0], &frame, PORT1);
	shoot(o, &wire, &packet);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.idents), &key, &ident), 0);
	assert_int_equal((__u16)ident, (__u16)(get16(packet.data + 18) + 0x8000));
	assert_true(ident);
}

static void wire_in_opens_what_it_knows(void **state)
{
	static const struct {
		enum vx_door door;
		__u32 mark;
	} ways[] = {
		{ VX_DOOR_PEER, 0 }, { VX_DOOR_PORT, 0 }, { VX_DOOR_HOST, BIT }, { VX_DOOR_NEAR, 0 }
	};
	const struct pair *p = *state;
	int most = MTU + ETH - headers_len(p);
	const int payloads[] = { 0, 1, 2, 255, 256, 1000, most };
	struct shot s = shot_at(WIRE_IN, p);
	struct pkt_buf packet, frame;

	for (size_t w = 0; w < LEN(ways); w++) {
		struct vxbpf_bpf *o = begin(p);

		put_door(o, PORT1, ways[w].door);
		make_frame(p, true, 9, &frame);
		teach_rx(o, p, &frame);
		assert_int_equal(only_flow(o).to, PORT1);
		for (size_t i = 0; i < LEN(payloads); i++) {
			make_frame(p, true, payloads[i], &frame);
			wrap(p->out, &frame, &packet);
			assert_taken(o, p, "a size", &s, &packet);
			assert_int_equal(s.out.len, frame.len);
			assert_memory_equal(s.out.data, frame.data, frame.len);
			assert_int_equal(s.left.mark, OTHER_BITS | ways[w].mark);
		}
	}
}

/* What is marked outside would have to be combined with what is inside (RFC 6040). */
static void ecn_at_the_exit_is_the_kernels(void **state)
{
	const struct pair *p = *state;
	struct vxbpf_bpf *o = begin_at(WIRE_IN, p);
	struct shot s = shot_at(WIRE_IN, p);
	struct pkt_buf frame, packet;

	for (int ecn = 0; ecn < 16; ecn++) {
		int outside = ecn >> 2, inside = ecn & 3;

		make_frame(p, true, 9, &frame);
		set_tos(&frame, p->in, inside | 0xb8);
		wrap(p->out, &frame, &packet);
		set_tos(&packet, p->out, outside | 0x50);
		if (p->out == 4)
			pkt_sum(packet.data + ETH);
		if (outside && outside != inside) {
			assert_left(o, p, "marked outside", &s, &packet);
			continue;
		}
		assert_taken(o, p, "not marked", &s, &packet);
		assert_memory_equal(s.out.data, frame.data, frame.len);
	}
}

#define ODD_MAX ((LEN(odd_frames) * 3 + LEN(odd_packets)) * LEN(pairs))

static struct odd_test odd_tests[ODD_MAX];
static struct CMUnitTest tests[ODD_MAX + 5 * LEN(pairs) + 1];
static size_t odd_count, count;

static void add_odd(const struct odd *odd, const struct pair *p, enum room room, bool outside)
{
	static const char *const rooms[] = { "port_in", "tun_out", "wire_in" };
	struct odd_test *t = &odd_tests[odd_count];

	if ((odd->l4 && odd->l4 != p->l4) || (odd->flip && !at_of(odd, outside ? p->out : p->in)))
		return;
	*t = (struct odd_test){ .odd = odd, .pair = p, .room = room, .outside = outside };
	snprintf(t->name, sizeof(t->name), "%s: %s (%d%c in %d)", rooms[room], odd->name, p->in,
		 p->l4, p->out);
	odd_count++;
	tests[count++] =
		(struct CMUnitTest){ t->name, odd_ones_are_left, .initial_state = (void *)t };
}

#define ADD(test)                                                                                  \
	tests[count++] = (struct CMUnitTest)                                                       \
	{                                                                                          \
#test, (test), .initial_state = (void *)&pairs[i]                                  \
	}

int main(void)
{
	for (size_t i = 0; i < LEN(pairs); i++) {
		ADD(port_in_sends_what_the_kernel_would);
		ADD(tun_out_sends_what_the_kernel_would);
		ADD(learns_the_same_of_any_packet);
		ADD(longer_ones_are_left);
		ADD(wire_in_opens_what_it_knows);
		ADD(ecn_at_the_exit_is_the_kernels);
		for (size_t n = 0; n < LEN(odd_frames); n++)
			for (enum room room = PORT_IN; room <= WIRE_IN; room++)
				add_odd(&odd_frames[n], &pairs[i], room, false);
		for (size_t n = 0; n < LEN(odd_packets); n++)
			add_odd(&odd_packets[n], &pairs[i], WIRE_IN, true);
	}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(ids_count_up);
	return _cmocka_run_group_tests("fast", tests, count, make_world, unload);
}
