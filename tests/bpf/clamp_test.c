/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The MSS clamp, both ways through a tunnel: each frame comes out to the last byte as the row says, with a
 * checksum made anew from all of it, or as it went in.
 */
#include "run.h"

enum { ETH = 14, FIN = 0x01, SYN = 0x02, ACK = 0x10 };

struct syn {
	const char *name;
	int ip, flags;
	const char *options, *after; /* as hex; `after` NULL: nothing has changed */
	const char *config;
	int tag, outer_tag; /* whole, as they stand in the frame */
	int ip_options, ext; /* IPv4: words of options; IPv6: destination options headers */
	int fragment; /* IPv4: the field as it is */
	int protocol; /* not TCP */
	int words; /* the TCP header's length, by its own word */
};

#define NOPS9 "010101010101010101"

/* The overlay's MTU is 1450: 1410 (0x0582) for IPv4, 1390 (0x056e) for IPv6. */
/* clang-format off */
static const struct syn syns[] = {
	{ "1460", 4, SYN, "020405b4", "02040582" },
	{ "1411", 4, SYN, "02040583", "02040582" },
	{ "1410", 4, SYN, "02040582" },
	{ "536", 4, SYN, "02040218" },
	{ "65535", 4, SYN, "0204ffff", "02040582" },
	{ "IPv6, 1440", 6, SYN, "020405a0", "0204056e" },
	{ "IPv6, 1391", 6, SYN, "0204056f", "0204056e" },
	{ "IPv6, 1390", 6, SYN, "0204056e" },
	{ "the answer", 4, SYN | ACK, "020405b4", "02040582" },
	{ "the answer by IPv6", 6, SYN | ACK, "020405a0", "0204056e" },
	{ "no SYN", 4, ACK, "020405b4" },
	{ "no SYN by IPv6", 6, ACK | FIN, "020405b4" },
	{ "switched off", 4, SYN, "020405b4", .config = "e" },
	{ "guard off", 4, SYN, "020405b4", "02040582", .config = "fc" },
	{ "index", 4, SYN, "020405b4", "02040582", .config = "eic" },

	{ "tag", 4, SYN, "020405b4", "02040582", .tag = 7 },
	{ "tag that looks like an IP header", 4, SYN, "020405b4", "02040582", .tag = 0x4507 },
	{ "tag that looks like IPv6", 6, SYN, "020405a0", "0204056e", .tag = 0x6007 },
	{ "two tags", 6, SYN, "020405a0", "0204056e", .tag = 7, .outer_tag = 9 },
	{ "IP options", 4, SYN, "020405b4", "02040582", .ip_options = 10 },
	{ "IP options, no SYN", 4, ACK, "020405b4", .ip_options = 1 },
	{ "IP options, no TCP", 4, SYN, "020405b4", .ip_options = 1, .protocol = 17 },
	{ "extension headers", 6, SYN, "020405a0", "0204056e", .ext = 2 },
	{ "extension header, no SYN", 6, ACK, "020405a0", .ext = 1 },
	{ "extension header, no TCP", 6, SYN, "020405a0", .ext = 1, .protocol = 17 },
	{ "first fragment", 4, SYN, "020405b4", "02040582", .fragment = 0x2000 },
	{ "later fragment", 4, SYN, "020405b4", .fragment = 0x0001 },
	{ "no TCP", 4, SYN, "020405b4", .protocol = 132 },
	{ "no TCP by IPv6", 6, SYN, "020405b4", .protocol = 132 },

	{ "last of all", 4, SYN, "0402080a0000000100000000020405b4", "0402080a000000010000000002040582" },
	{ "at an odd place", 4, SYN, "01020405b4030307", "0102040582030307" },
	{ "at an odd place by IPv6", 6, SYN, "01020405a0030307", "010204056e030307" },
	{ "the last of forty bytes", 4, SYN, NOPS9 NOPS9 NOPS9 NOPS9 "020405b4",
	  NOPS9 NOPS9 NOPS9 NOPS9 "02040582" },
	{ "none", 4, SYN, "0402080a0000000100000000" },
	{ "no options", 4, SYN, "" },
	{ "only the first of two", 4, SYN, "020405b4020405b4", "02040582020405b4" },
	{ "behind the end", 4, SYN, "00000000020405b4" },
	{ "behind the end, and odd", 4, SYN, "00020405b4000000" },
	{ "behind the end, by a step", 4, SYN, "00040000020405b4" },
	{ "of three bytes", 4, SYN, "020305b4" },
	{ "of five bytes", 4, SYN, "020505b400000000" },
	{ "an option of one byte", 4, SYN, "0801020405b40000" },
	{ "an option of none", 4, SYN, "0800020405b40000" },
	{ "an option longer than all", 4, SYN, "0828020405b40000" },
	{ "cut short", 4, SYN, "010101020405b400", .words = 6 },
	{ "header too short", 4, SYN, "020405b4", .words = 4 },
	{ "header of nothing", 4, SYN, "020405b4", .words = 0x10 },
	{ "longer than the packet", 4, SYN, "020405b4", .words = 15 },
};
/* clang-format on */

static size_t put_hex(struct pkt_buf *b, const char *hex)
{
	size_t n = strlen(hex) / 2;

	for (uint8_t *at = pkt_put(b, n, 0); *hex; hex += 2, at++) {
		unsigned byte;

		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		*at = (uint8_t)byte;
	}
	return n;
}

static uint32_t add(uint32_t sum, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	return sum;
}

/* TCP's, over the addresses, too. */
static void put_checksum(uint8_t *ip, bool six, uint8_t *tcp, size_t len)
{
	uint32_t sum = add(6 + (uint32_t)len, ip + (six ? 8 : 12), six ? 32 : 8);

	pkt_put16(tcp + 16, 0);
	sum = add(sum, tcp, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	pkt_put16(tcp + 16, ~sum & 0xffff);
}

static void put_tag(struct pkt_buf *b, unsigned type, int tag)
{
	if (!tag)
		return;
	pkt_type(b, type);
	pkt_type(b, (unsigned)tag);
}

static void build(const struct syn *s, const char *options, struct pkt_buf *b)
{
	int proto = s->protocol ? s->protocol : 6;
	size_t ip, tcp, len;

	b->len = 0;
	b->frame_off = 0;
	pkt_mac(pkt_put(b, 6, 0), 'b');
	pkt_mac(pkt_put(b, 6, 0), 'a');
	put_tag(b, 0x88a8, s->outer_tag);
	put_tag(b, 0x8100, s->tag);
	pkt_type(b, s->ip == 4 ? 0x0800 : 0x86dd);
	ip = pkt_ip(b, s->ip, s->ip_options, &"dd"[2 - s->ext], proto);
	memset(b->data + ip + (s->ip == 4 ? 12 : 8), 0x37, s->ip == 4 ? 8 : 32);
	if (s->ip == 4)
		pkt_put16(b->data + ip + 6, (unsigned)s->fragment);
	tcp = b->len;
	pkt_put(b, 20, 0x11);
	len = 20 + put_hex(b, options);
	b->data[tcp + 12] = (uint8_t)((s->words ? s->words : (int)len / 4) << 4);
	b->data[tcp + 13] = (uint8_t)s->flags;
	pkt_put(b, 3, 0xda);
	pkt_ip_len(b, ip, s->ip, 0);
	put_checksum(b->data + ip, s->ip == 6, b->data + tcp, b->len - tcp);
}

static void check_syn(void **state)
{
	static const char *const programs[] = { "tun_in", "tun_out" };
	const struct syn *s = *state;
	struct vxbpf_bpf *o = load(s->config ? s->config : "ec");
	struct pkt_buf in, out, wanted;

	build(s, s->options, &in);
	build(s, s->after ? s->after : s->options, &wanted);
	for (size_t i = 0; i < LEN(programs); i++) {
		struct row row = { s->name, programs[i], .ifindex = TUN_BETA };

		row.was_marked = !i;
		row.ingress = i ? PORT1 : TUN_BETA;
		reset(o, &row, coarse_now());
		assert_int_equal(run(o, &row, &in, &out), TC_ACT_UNSPEC);
		assert_int_equal(out.len, wanted.len);
		assert_memory_equal(out.data, wanted.data, wanted.len);
	}
}

int main(void)
{
	static struct CMUnitTest tests[LEN(syns)];

	for (size_t i = 0; i < LEN(syns); i++)
		tests[i] = (struct CMUnitTest){ syns[i].name, check_syn, NULL, NULL,
						(void *)&syns[i] };
	return _cmocka_run_group_tests("clamp", tests, LEN(tests), make_devices, unload);
}
