/* SPDX-License-Identifier: GPL-2.0 */
/* Every room against a table of frames: verdict, mark, frame and all maps, to the last byte. */
#include "run.h"

#include "rows_tunnel.h"
#include "rows_wire.h"

#define ROWS (LEN(wire_rows) + LEN(tunnel_rows))

static void empty_echoes(struct vxbpf_bpf *o)
{
	static const struct vx_echo none;

	for (__u32 i = 0; i < VX_ECHOES; i++)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.echoes), &i, &none, 0), 0);
}

/* Runs last: each reason of reasons.def was some row's. */
static void every_reason_has_a_row(void **state)
{
	(void)state;
#define VX_REASON(name, label, sentence)                                                           \
	if (!reasons_hit[VX_REASON_##name])                                                        \
		fail_msg("no row has the reason %s", label);
#include <vxbpf/reasons.def>
#undef VX_REASON
}

/* A real loop, frame by frame: the same frame again and again, from both sides. */
static void a_loop_is_cut(void **state)
{
	static const struct row port = { "", "tun_out", "e", F(T4(1)), TO_BETA(PORT1) };
	static const struct row peer = { "", "tun_in", "e", F(T4(1)), SEEN };
	struct vxbpf_bpf *o = load("e");
	struct pkt_buf in, out;
	__u64 begun;
	int drops;

	(void)state;
	do {
		begun = coarse_now();
		empty_echoes(o);
		reset(o, &port, begun);
		pkt_build(&port.pkt, &in);
		drops = 0;
		for (int i = 0; i < 40; i++) {
			assert_int_equal(run(o, &port, &in, &out), TC_ACT_UNSPEC);
			drops += run(o, &peer, &in, &out) == TC_ACT_SHOT;
		}
	} while (coarse_now() - begun > 900000000ULL);
	/* The first one finds no contest, and the next VX_ECHO_TIMES are no loop yet. */
	assert_int_equal(drops, 40 - 1 - VX_ECHO_TIMES);
}

/* Nobody cuts off a MAC by showing it: what is not the same frame again is delivered. */
static void a_contested_mac_is_heard(void **state)
{
	static const struct row port = { "", "tun_out", "e", F(ARP(.dst = '*')), TO_BETA(PORT1) };
	static const struct row peer = { "", "tun_in", "e", F(T4(1)), SEEN };
	struct vxbpf_bpf *o = load("e");
	struct pkt_buf spoof, in, out;

	(void)state;
	empty_echoes(o);
	reset(o, &port, coarse_now());
	pkt_build(&port.pkt, &spoof);
	pkt_build(&peer.pkt, &in);
	for (int i = 0; i < 50; i++) {
		run(o, &port, &spoof, &out);
		in.data[24] = (uint8_t)i; /* its checksum */
		assert_int_equal(run(o, &peer, &in, &out), TC_ACT_UNSPEC);
	}
}

static struct vx_fdb fdb_of(struct vxbpf_bpf *o, char mac)
{
	const struct known k = { mac };
	struct vx_fdb_key key = fdb_key(&k);
	struct vx_fdb v = {};

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.fdb), &key, &v), 0);
	return v;
}

/* Where a MAC came from, and how many moves were in a row. */
static void a_move_is_remembered(void **state)
{
	static const struct row port = { "", "tun_out", "e", F(T4(1)), TO_BETA(PORT1) };
	static const struct row other = { "", "tun_out", "e", F(T4(1)), TO_BETA(PORT2) };
	static const struct row peer = { "", "tun_in", "e", F(T4(1)), SEEN };
	struct vx_fdb_key key = fdb_key(&(struct known){ 'a' });
	struct vxbpf_bpf *o = load("e");
	struct pkt_buf in, out;
	struct vx_fdb v;

	(void)state;
	reset(o, &port, coarse_now());
	pkt_build(&port.pkt, &in);
	run(o, &port, &in, &out);
	v = fdb_of(o, 'a');
	assert_int_equal(v.moved_ns, 0);
	assert_int_equal(v.lately, 0);
	run(o, &other, &in, &out);
	run(o, &peer, &in, &out);
	v = fdb_of(o, 'a');
	assert_int_equal(v.moves, 2);
	assert_int_equal(v.lately, 2);
	assert_int_equal(v.was, VX_AT_PORT);
	assert_int_equal(v.was_at, PORT2);
	assert_in_range(coarse_now() - v.moved_ns, 0, VX_REST_NS);
	v.moved_ns -= VX_REST_NS;
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.fdb), &key, &v, 0), 0);
	run(o, &port, &in, &out);
	v = fdb_of(o, 'a');
	assert_int_equal(v.moves, 3);
	assert_int_equal(v.lately, 1);
	assert_int_equal(v.was, VX_AT_PEER);
	assert_int_equal(v.was_at, BETA);
}

/* A VNI that is none of ours says how a peer numbers its tunnels, a stranger's says nothing. */
static void another_numbering_is_noted(void **state)
{
	static const struct row rows[] = {
		{ "", "wire_in", "e", { W4(STRANGER4, STRANGE_VNI), T4(1) }, IN },
		{ "", "wire_in", "e", { W4(BETA4, STRANGE_VNI), T4(1) }, IN },
	};
	struct vx_other_key key = { .vni = STRANGE_VNI, .peer_vni = BETA }, first;
	struct vxbpf_bpf *o = load("e");
	int fd = bpf_map__fd(o->maps.other_vnis);
	struct pkt_buf in, out;
	struct vx_other seen;

	(void)state;
	empty(fd, sizeof(key));
	for (size_t i = 0; i < LEN(rows); i++) {
		reset(o, &rows[i], coarse_now());
		pkt_build(&rows[i].pkt, &in);
		assert_int_equal(run(o, &rows[i], &in, &out), TC_ACT_UNSPEC);
		assert_int_equal(bpf_map_get_next_key(fd, NULL, &first), i ? 0 : -ENOENT);
	}
	assert_memory_equal(&first, &key, sizeof(key));
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &seen), 0);
	assert_string_equal(seen.peer, "beta");
	assert_in_range(coarse_now() - seen.time_ns, 0, 1000000000);
}

/* The MTU's books: two frames, one port. */
static void oversize_adds_up(void **state)
{
	static const struct row big = { "", "tun_out", "e", F(T4(1500)), TO_BETA(PORT1) };
	static const struct row bigger = { "", "tun_out", "e", F(T4(1600)), TO_BETA(PORT1) };
	const struct row *const rows[] = { &big, &bigger, &big };
	struct vx_ifindex key = { PORT1 };
	struct vxbpf_bpf *o = load("e");
	struct pkt_buf in, out;
	struct vx_port port;

	(void)state;
	reset(o, &big, coarse_now());
	for (size_t i = 0; i < LEN(rows); i++) {
		pkt_build(&rows[i]->pkt, &in);
		assert_int_equal(run(o, rows[i], &in, &out), TC_ACT_SHOT);
	}
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(o->maps.ports), &key, &port), 0);
	assert_int_equal(port.oversize, 3);
	assert_int_equal(port.largest, 1640);
}

int main(void)
{
	static struct CMUnitTest tests[ROWS + 6];
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row =
			i < LEN(wire_rows) ? &wire_rows[i] : &tunnel_rows[i - LEN(wire_rows)];

		tests[n++] = (struct CMUnitTest){ row->name, check_row, NULL, NULL, (void *)row };
	}
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_loop_is_cut);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_contested_mac_is_heard);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_move_is_remembered);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(another_numbering_is_noted);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(oversize_adds_up);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_reason_has_a_row);
	return _cmocka_run_group_tests("rooms", tests, n, make_devices, unload);
}
