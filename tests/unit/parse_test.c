/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs' parser on the host, under sanitizers: every frame below in a buffer that ends where
 * the frame ends, and in one for every shorter length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bpf/parse.h"
#include "pkt.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* What a whole packet is, all the way down; as read_packet does it in the programs. */
static enum vx_parse parse_all(const uint8_t *data, size_t readable, size_t len, bool ethernet,
			       bool gso, struct vx_pkt *p)
{
	uint8_t *start = (uint8_t *)(uintptr_t)data;
	struct vx_cursor c = { .start = start, .pos = start, .end = start + readable };
	enum vx_parse parsed = parse_outer(&c, ethernet, PKT_PORT, p);

	if (parsed == VX_PARSED)
		parsed = parse_vxlan(&c, (__u32)len, gso, p);
	if (parsed == VX_PARSED)
		parsed = parse_macs(&c, p);
	if (parsed == VX_PARSED)
		parsed = parse_tags(&c, p);
	if (parsed == VX_PARSED)
		parsed = parse_headers(&c, p);
	return parsed;
}

struct row {
	const char *name;
	struct pkt pkt;
	enum vx_parse parsed;
	__u32 l2, l3, headers; /* of the inner frame */
	__u32 vlan;
	bool gso;
};

#define V4 .ip = 4, .from = "192.0.2.2", .vni = 0xabcdef
#define V6 .ip = 6, .from = "2001:db8::2", .vni = 0xabcdef
/* clang-format off */
#define TCP4 { .ip = 4, .l4 = 't', .payload = 5 }

static const struct row rows[] = {
	{ "v4", { { V4 }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v6", { { V6 }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v4 bare", { { V4, .bare = true }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v6 bare", { { V6, .bare = true }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v4 options", { { V4, .options = 10 }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v6 four headers", { { V6, .ext = "hdra" }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v6 five headers", { { V6, .ext = "hdrda" }, TCP4 }, VX_OTHER },
	{ "v6 unknown header", { { V6, .ext = "hx" }, TCP4 }, VX_OTHER },
	{ "v4 first fragment", { { V4, .fragment = 'f', .udp_len = 99 }, TCP4 }, VX_PARSED, 14, 20,
	  54 },
	{ "v6 first fragment", { { V6, .ext = "f", .udp_len = 99 }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v4 later fragment", { { V4, .fragment = 'l' }, TCP4 }, VX_OTHER },
	{ "v6 later fragment", { { V6, .ext = "l" }, TCP4 }, VX_OTHER },
	{ "v4 not a v4", { { V4, .version = 6 }, TCP4 }, VX_OTHER },
	{ "v6 not a v6", { { V6, .version = 4 }, TCP4 }, VX_OTHER },
	{ "v4 header too short", { { V4, .ihl = 4 }, TCP4 }, VX_OTHER },
	{ "outer tag", { { V4, .vlan = 5 }, TCP4 }, VX_OTHER },
	{ "not UDP", { { V4, .proto = 6 }, TCP4 }, VX_OTHER },
	{ "other port", { { V4, .port = 4790 }, TCP4 }, VX_OTHER },
	{ "no payload", { { V4, .raw = RAW(0) } }, VX_BROKEN },
	{ "half a VXLAN header", { { V4, .raw = RAW(4) } }, VX_BROKEN },
	{ "no I flag", { { V4, .no_flag = true }, TCP4 }, VX_BROKEN },
	{ "reserved bits", { { V4, .other_flags = true }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "v4 IP longer than it is", { { V4, .ip_len = 1 }, TCP4 }, VX_BROKEN },
	{ "v4 UDP longer than IP", { { V4, .udp_len = 1 }, TCP4 }, VX_BROKEN },
	{ "v6 UDP longer than IP", { { V6, .udp_len = 1 }, TCP4 }, VX_BROKEN },
	{ "v4 lengths wrapped", { { V4, .ip_len = -40, .udp_len = -60 }, TCP4 }, VX_PARSED, 14, 20,
	  54, .gso = true },
	{ "v6 jumbo", { { V6, .ext = "h", .jumbo = true }, TCP4 }, VX_PARSED, 14, 20, 54 },
	{ "trailing bytes", { { V4 }, TCP4, .pad = 9 }, VX_PARSED, 14, 20, 54 },
	{ "tag", { { V4 }, { .tag = 7, .ip = 4, .l4 = 'u' } }, VX_PARSED, 18, 20, 46, 7 },
	{ "two tags", { { V4 }, { .outer_tag = 9, .tag = 7, .ip = 6, .l4 = 'u' } }, VX_PARSED, 22,
	  40, 70, 9 },
	{ "options", { { V4 }, { .ip = 4, .options = 10, .l4 = 't', .tcp_options = 10 } },
	  VX_PARSED, 14, 60, 134 },
	{ "extension headers", { { V6 }, { .ip = 6, .ext = "hd", .l4 = 'u' } }, VX_PARSED, 14, 72,
	  94 },
	{ "SCTP", { { V4 }, { .ip = 4, .l4 = 's' } }, VX_OTHER, 14, 20, 0 },
	{ "ARP", { { V4 }, { .src = 'a' } }, VX_OTHER, 14, 0, 0 },
};
/* clang-format on */

static void check_frame(const struct row *row, const struct pkt_buf *b, const struct vx_pkt *p)
{
	uint8_t addr[16];

	pkt_addr(addr, row->pkt.o.from);
	assert_memory_equal(p->ip.source.bytes, addr, 16);
	pkt_addr(addr, row->pkt.o.ip == 4 ? PKT_LOCAL4 : PKT_LOCAL6);
	assert_memory_equal(p->ip.dest.bytes, addr, 16);
	assert_int_equal(p->vni, 0xabcdef);
	assert_int_equal(p->frame_off, b->frame_off);
	if (!row->gso)
		assert_int_equal(p->frame_len, b->len - b->frame_off - (size_t)row->pkt.pad +
						       (size_t)row->pkt.o.udp_len);
	assert_memory_equal(p->dst.mac, b->data + b->frame_off, 6);
	assert_memory_equal(p->src.mac, b->data + b->frame_off + 6, 6);
	assert_int_equal(p->src.vlan, row->vlan);
	assert_int_equal(p->dst.vlan, row->vlan);
	assert_int_equal(p->l2_len, row->l2);
	assert_int_equal(p->l3_len, row->l3);
	assert_int_equal(p->header_len, row->headers);
}

static void whole_packets_are_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct vx_pkt p = {};
		struct pkt_buf b;
		enum vx_parse parsed;

		pkt_build(&rows[i].pkt, &b);
		parsed = parse_all(b.data, b.len, b.len, !rows[i].pkt.o.bare, rows[i].gso, &p);
		if (parsed != rows[i].parsed)
			fail_msg("%s: parsed as %d", rows[i].name, parsed);
		if (rows[i].l2)
			check_frame(&rows[i], &b, &p);
	}
}

/* The rest is in fragments of the skb (or not there): never another verdict than "too short". */
static void short_reads_are_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct pkt_buf b;
		bool was_short = true;

		pkt_build(&rows[i].pkt, &b);
		for (size_t n = 0; n <= b.len; n++) {
			uint8_t *exact = malloc(n ? n : 1);
			struct vx_pkt p = {};
			enum vx_parse parsed;

			memcpy(exact, b.data, n);
			parsed = parse_all(exact, n, b.len, !rows[i].pkt.o.bare, rows[i].gso, &p);
			free(exact);
			if (parsed != VX_SHORT && parsed != rows[i].parsed)
				fail_msg("%s: %zu bytes parsed as %d", rows[i].name, n, parsed);
			if (parsed == VX_SHORT && !was_short)
				fail_msg("%s: %zu bytes are short, fewer were not", rows[i].name,
					 n);
			was_short = parsed == VX_SHORT;
		}
		assert_false(was_short);
	}
}

/* A packet cut anywhere behind its UDP header claims more than it has. */
static void cut_packets_are_broken(void **state)
{
	static const struct pkt cut[] = { { { V4 }, TCP4 }, { { V6 }, TCP4 } };

	(void)state;
	for (size_t i = 0; i < LEN(cut); i++) {
		struct pkt_buf b;
		size_t udp_end;

		pkt_build(&cut[i], &b);
		udp_end = b.frame_off - VX_VXLAN_LEN;
		for (size_t n = 0; n < b.len; n++) {
			uint8_t *exact = malloc(n ? n : 1);
			struct vx_pkt p = {};
			enum vx_parse parsed;

			memcpy(exact, b.data, n);
			parsed = parse_all(exact, n, n, true, false, &p);
			free(exact);
			assert_int_equal(parsed, n < udp_end ? VX_SHORT : VX_BROKEN);
		}
	}
}

/* Any bytes at all: nothing is read outside, and what parses lies inside. */
static void noise_stays_inside(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		const struct row *row = &rows[(unsigned)round % LEN(rows)];
		struct vx_pkt p = {};
		struct pkt_buf b;
		uint8_t *exact;
		size_t n;

		pkt_build(&row->pkt, &b);
		for (int flips = 0; flips < 3; flips++) {
			seed = seed * 1664525 + 1013904223;
			b.data[(seed >> 8) % b.len] = (uint8_t)(seed >> 24);
		}
		n = (seed >> 4) % (b.len + 1);
		exact = malloc(n ? n : 1);
		memcpy(exact, b.data, n);
		if (parse_all(exact, n, n, !row->pkt.o.bare, round & 1, &p) == VX_PARSED) {
			assert_true(p.frame_off + p.l2_len + p.l3_len <= n);
			assert_true(p.frame_len >= sizeof(struct ethhdr));
		}
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_packets_are_what_they_say),
		cmocka_unit_test(short_reads_are_short),
		cmocka_unit_test(cut_packets_are_broken),
		cmocka_unit_test(noise_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
