/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames and packets of a known flow with one thing odd about each. Part of fast_test.c.
 *
 * `at4` and `at6` are the byte of an IPv4 or IPv6 frame, `flip` its bits that are not as they should
 * be; 0 = there is no such frame. `fine` rows show that a difference does not matter.
 */
#ifndef VXBPF_TESTS_ROWS_FAST_H
#define VXBPF_TESTS_ROWS_FAST_H

struct odd {
	const char *name;
	char l4; /* of TCP or UDP alone */
	int at4, at6;
	int flip;
	bool fine;
	bool tag; /* an 802.1Q tag more */
	bool moves; /* its MAC is new here, and all that is known of MACs with its hash void */
	int pad; /* so many bytes more at the end, */
	int cut; /* or so many less */
};

/* clang-format off */

/* Of the frame itself: at port_in, and at wire_in inside. */
static const struct odd odd_frames[] = {
	{ "SYN", 't', 47, 67, 0x02 },
	{ "FIN", 't', 47, 67, 0x01 },
	{ "RST", 't', 47, 67, 0x04 },
	{ "PSH", 't', 47, 67, 0x08, .fine = true },
	{ "URG", 't', 47, 67, 0x20, .fine = true },
	{ "TCP options", 't', 46, 66, 0x50 ^ 0x80, .fine = true },
	{ "first fragment", 0, 20, 0, 0x20 },
	{ "second fragment", 0, 21, 0, 0x01 },
	{ "far fragment", 0, 20, 0, 0x10 },
	{ "DF", 0, 20, 0, 0x40, .fine = true },
	{ "fragment header", 't', 0, 20, 6 ^ 44 },
	{ "hop-by-hop header", 'u', 0, 20, 17 ^ 0 },
	{ "IP options", 0, 14, 0, 0x45 ^ 0x46 },
	{ "short IP header", 0, 14, 0, 0x45 ^ 0x44 },
	{ "wrong IP version", 0, 14, 14, 0x40 ^ 0x60 },
	{ "ARP's type", 0, 13, 13, 0x06 },
	{ "type of no kind", 0, 12, 12, 0x10 },
	{ "tag", .tag = true, .moves = true },
	{ "ICMP", 't', 23, 20, 6 ^ 1 },
	{ "SCTP", 'u', 23, 20, 17 ^ 132 },
	{ "TCP for UDP", 'u', 23, 20, 17 ^ 6 },
	{ "flow label", 0, 0, 17, 0x01, .fine = true },
	{ "TTL", 0, 22, 21, 0x01, .fine = true },
	{ "DSCP", 0, 15, 14, 0x08, .fine = true },
	{ "other MAC", 0, 5, 5, 0x01 },
	{ "other source MAC", 0, 11, 11, 0x01 },
	{ "other source MAC's begin", 0, 7, 7, 0x01, .moves = true },
	{ "other source", 0, 29, 29, 0x01 },
	{ "other source's begin", 0, 26, 22, 0x01 },
	{ "other source's end", 0, 0, 37, 0x01 },
	{ "other destination", 0, 33, 53, 0x01 },
	{ "other destination's middle", 0, 0, 45, 0x01 },
	{ "other destination's begin", 0, 30, 38, 0x01 },
	{ "other source port", 0, 35, 55, 0x01 },
	{ "other destination port", 0, 36, 56, 0x80 },
	{ "padding", .pad = 6, .fine = true },
	{ "cut in TCP", 't', .cut = 8 },
	{ "cut in UDP", 'u', .cut = 1 },
};

/* Of what is around it: at wire_in. */
static const struct odd odd_packets[] = {
	{ "outer first fragment", 0, 20, 0, 0x20 },
	{ "outer second fragment", 0, 21, 0, 0x01 },
	{ "outer DF", 0, 20, 0, 0x40, .fine = true },
	{ "outer options", 0, 14, 0, 0x45 ^ 0x46 },
	{ "outer version", 0, 14, 14, 0x40 ^ 0x60 },
	{ "outer tag", .tag = true },
	{ "outer TCP", 0, 23, 20, 17 ^ 6 },
	{ "outer hop-by-hop header", 0, 0, 20, 17 },
	{ "outer TTL", 0, 22, 21, 0x01, .fine = true },
	{ "outer DSCP", 0, 15, 14, 0x08, .fine = true },
	{ "outer header sum", 0, 24, 0, 0x01 },
	{ "outer flow label", 0, 0, 17, 0x01, .fine = true },
	{ "outer source port", 0, 35, 55, 0x01, .fine = true },
	{ "outer source MAC", 0, 11, 11, 0x01, .fine = true },
	{ "other UDP port", 0, 37, 57, 0x01 },
	{ "checksum", 0, 41, 61, 0x01 },
	{ "checksum's other half", 0, 40, 60, 0x01 },
	{ "reserved flags", 0, 42, 62, 0x04 },
	{ "no VNI flag", 0, 42, 62, 0x08 },
	{ "reserved byte", 0, 43, 63, 0x01 },
	{ "group policy", 0, 45, 65, 0x01 },
	{ "reserved last byte", 0, 49, 69, 0x01 },
	{ "other VNI", 0, 48, 68, 0x01 },
	{ "other VNI's begin", 0, 46, 66, 0x01 },
	{ "IP length", 0, 17, 19, 0x01 },
	{ "UDP length", 0, 39, 59, 0x01 },
	{ "outer padding", .pad = 4 },
	{ "outer cut", .cut = 1 },
	{ "other peer's end", 0, 29, 37, 0x40 },
	{ "other peer's begin", 0, 26, 22, 0x01 },
	{ "other peer's middle", 0, 0, 30, 0x01 },
	{ "other address of ours", 0, 33, 53, 0x40 },
	{ "other address's begin", 0, 30, 38, 0x01 },
	{ "other address's middle", 0, 0, 46, 0x01 },
};
/* clang-format on */

#endif
