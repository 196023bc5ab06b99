/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames for tests, described by their parts: what is left out of a struct pkt is as it should be, so
 * a row of a table shows only what is odd about its frame. Checksums are zero, but for the outer IPv4
 * header's; nothing here reads the others.
 */
#ifndef VXBPF_TESTS_PKT_H
#define VXBPF_TESTS_PKT_H

#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The point of the tables that use this: they leave out what is as it should be. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum { PKT_MAX = 4096, PKT_PORT = 4789 };

#define PKT_LOCAL4 "192.0.2.1"
#define PKT_LOCAL6 "2001:db8::1"

/* RAW(n): n bytes of garbage as UDP payload in place of VXLAN, 0 included. */
#define RAW(n) ((n) + 1)

/* What is around the frame. ip == 0: nothing is. */
struct pkt_outer {
	int ip; /* 4 or 6 */
	const char *from, *to; /* `to` defaults to this host */
	bool bare; /* no Ethernet header */
	int vlan; /* 802.1Q tag in the packet */
	int ethertype; /* instead of the one that fits */
	int version; /* likewise, IP version */
	int ihl; /* likewise, IPv4 header length in words */
	int options; /* IPv4: words of options */
	const char *ext; /* IPv6: h hop-by-hop, d destination, r routing, f first fragment of
				* several, l later fragment, a the only one, x unknown */
	char fragment; /* IPv4: f or l */
	int ip_len; /* added to the right length; likewise the next */
	int udp_len;
	bool jumbo; /* IPv6: payload length 0 */
	int proto;
	int port;
	int raw;
	uint32_t vni;
	bool no_flag; /* the I flag is not set */
	bool other_flags; /* reserved bits are */
	int odd; /* one reserved bit is, in this byte of the VXLAN header, from 1 */
};

/* MACs are one letter: 02:00:00:00:00:<letter>; '*' is broadcast, '+' IPv4 multicast, '0' is zero. */
struct pkt_frame {
	char src, dst; /* default a to b */
	int tag; /* 802.1Q id */
	int outer_tag; /* 802.1ad id before it */
	int ip; /* 4, 6; 0: ARP */
	char l4; /* t TCP, u UDP, s SCTP */
	int options; /* IPv4: words of options */
	const char *ext;
	int tcp_options; /* words */
	int payload;
};

struct pkt {
	struct pkt_outer o;
	struct pkt_frame i;
	int keep; /* only so many bytes of it */
	int pad; /* and so many zeros after it */
};

struct pkt_buf {
	uint8_t data[PKT_MAX];
	size_t len;
	size_t frame_off; /* of the inner frame */
};

static inline uint8_t *pkt_put(struct pkt_buf *b, size_t len, int fill)
{
	uint8_t *at = b->data + b->len;

	assert(b->len + len <= PKT_MAX);
	memset(at, fill, len);
	b->len += len;
	return at;
}

static inline void pkt_put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void pkt_mac(uint8_t *at, char name)
{
	static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0, 0, 0xfb };

	memset(at, name == '*' ? 0xff : 0, 6);
	if (name == '+') {
		memcpy(at, group, 6);
	} else if (name != '*' && name != '0') {
		at[0] = 0x02;
		at[5] = (uint8_t)name;
	}
}

static inline int pkt_family(const char *address)
{
	return strchr(address, ':') ? 6 : 4;
}

/* As struct vx_addr has it: IPv4 mapped into IPv6. */
static inline void pkt_addr(uint8_t to[16], const char *address)
{
	memset(to, 0, 16);
	if (pkt_family(address) == 6) {
		assert(inet_pton(AF_INET6, address, to) == 1);
		return;
	}
	memset(to + 10, 0xff, 2);
	assert(inet_pton(AF_INET, address, to + 12) == 1);
}

static inline void pkt_tag(struct pkt_buf *b, unsigned type, int id)
{
	uint8_t *at;

	if (!id)
		return;
	at = pkt_put(b, 4, 0);
	pkt_put16(at, type);
	pkt_put16(at + 2, (unsigned)id | 0x6000); /* with a priority, which is no part of the id */
}

static inline void pkt_type(struct pkt_buf *b, unsigned type)
{
	pkt_put16(pkt_put(b, 2, 0), type);
}

/* Extension headers; returns what the last one says is next, and tells the first in *first. */
static inline void pkt_ext(struct pkt_buf *b, const char *ext, int last, uint8_t *first)
{
	uint8_t *next = first;

	for (; ext && *ext; ext++) {
		static const char letters[] = "hdrflax";
		static const uint8_t types[] = { 0, 60, 43, 44, 44, 44, 135 };
		bool fragment = strchr("fla", *ext);
		uint8_t *at;

		*next = types[strchr(letters, *ext) - letters];
		at = pkt_put(b, fragment ? 8 : 16, 0); /* an options header of two times 8 */
		if (fragment)
			pkt_put16(at + 2, *ext == 'f' ? 1 : *ext == 'l' ? 0x0320 : 0);
		else
			at[1] = 1;
		next = at;
	}
	*next = (uint8_t)last;
}

/* An IP header without its length; returns where it starts. */
static inline size_t pkt_ip(struct pkt_buf *b, int ip, int options, const char *ext, int proto)
{
	size_t start = b->len;
	uint8_t *at = pkt_put(b, ip == 4 ? 20 : 40, 0);

	if (ip == 4) {
		at[0] = (uint8_t)(0x45 + options);
		at[8] = 64;
		at[9] = (uint8_t)proto;
		pkt_put(b, (size_t)options * 4, 1);
		return start;
	}
	at[0] = 0x60;
	at[7] = 64;
	pkt_ext(b, ext, proto, at + 6);
	return start;
}

static inline void pkt_ip_len(struct pkt_buf *b, size_t start, int ip, int add)
{
	int whole = (int)(b->len - start);

	pkt_put16(b->data + start + (ip == 4 ? 2 : 4),
		  (unsigned)(whole - (ip == 6 ? 40 : 0) + add));
}

static inline void pkt_inner(struct pkt_buf *b, const struct pkt_frame *f)
{
	uint8_t *macs = pkt_put(b, 12, 0);
	int proto = f->l4 == 't' ? 6 : f->l4 == 'u' ? 17 : 132;
	size_t start;
	uint8_t *at;

	pkt_mac(macs, f->dst ? f->dst : 'b');
	pkt_mac(macs + 6, f->src ? f->src : 'a');
	pkt_tag(b, 0x88a8, f->outer_tag);
	pkt_tag(b, 0x8100, f->tag);
	if (!f->ip) {
		pkt_type(b, 0x0806);
		pkt_put(b, f->payload ? (size_t)f->payload : 28, 0);
		return;
	}
	pkt_type(b, f->ip == 4 ? 0x0800 : 0x86dd);
	start = pkt_ip(b, f->ip, f->options, f->ext, proto);
	at = pkt_put(b, f->l4 == 't' ? 20 + (size_t)f->tcp_options * 4 : f->l4 == 'u' ? 8 : 12, 0);
	if (f->l4 == 't')
		at[12] = (uint8_t)((5 + f->tcp_options) << 4);
	pkt_put(b, (size_t)f->payload, 0xda);
	pkt_ip_len(b, start, f->ip, 0);
}

/* Fills in the sum of an IPv4 header. */
static inline void pkt_sum(uint8_t *ip)
{
	unsigned sum = 0;

	pkt_put16(ip + 10, 0);
	for (int i = 0; i < (ip[0] & 0x0f) * 4; i += 2)
		sum += (unsigned)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	pkt_put16(ip + 10, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
}

static inline void pkt_addresses(uint8_t *ip, const struct pkt_outer *o)
{
	const char *to = o->to ? o->to : o->ip == 4 ? PKT_LOCAL4 : PKT_LOCAL6;
	int family = o->ip == 4 ? AF_INET : AF_INET6;

	assert(inet_pton(family, o->from, ip + (o->ip == 4 ? 12 : 8)) == 1);
	assert(inet_pton(family, to, ip + (o->ip == 4 ? 16 : 24)) == 1);
}

static inline void pkt_udp(struct pkt_buf *b, const struct pkt *p)
{
	const struct pkt_outer *o = &p->o;
	size_t start = b->len;
	uint8_t *udp = pkt_put(b, 8, 0);

	pkt_put16(udp, 40000);
	pkt_put16(udp + 2, (unsigned)(o->port ? o->port : PKT_PORT));
	if (o->raw) {
		pkt_put(b, (size_t)o->raw - 1, 0xee);
	} else {
		uint8_t *vxlan = pkt_put(b, 8, o->other_flags ? 0xff : 0);

		vxlan[0] = (uint8_t)((o->no_flag ? 0 : 0x08) | (o->other_flags ? 0xf7 : 0));
		vxlan[4] = (uint8_t)(o->vni >> 16);
		pkt_put16(vxlan + 5, o->vni & 0xffff);
		if (o->odd)
			vxlan[o->odd - 1] |= 1;
		b->frame_off = b->len;
		pkt_inner(b, &p->i);
	}
	pkt_put16(udp + 4, (unsigned)((int)(b->len - start) + o->udp_len));
}

static inline void pkt_wrap(struct pkt_buf *b, const struct pkt *p)
{
	const struct pkt_outer *o = &p->o;
	uint8_t *macs;
	size_t start;

	if (!o->bare) {
		macs = pkt_put(b, 12, 0);
		pkt_mac(macs, 'Y');
		pkt_mac(macs + 6, 'Z');
		pkt_tag(b, 0x8100, o->vlan);
		pkt_type(b, o->ethertype ? (unsigned)o->ethertype : o->ip == 4 ? 0x0800 : 0x86dd);
	}
	start = pkt_ip(b, o->ip, o->options, o->ext, o->proto ? o->proto : 17);
	pkt_addresses(b->data + start, o);
	if (o->fragment)
		pkt_put16(b->data + start + 6, o->fragment == 'f' ? 0x2000 : 0x2064);
	pkt_udp(b, p);
	pkt_ip_len(b, start, o->ip, o->ip_len);
	if (o->jumbo)
		pkt_put16(b->data + start + 4, 0);
	if (o->version)
		b->data[start] = (uint8_t)((b->data[start] & 0x0f) | o->version << 4);
	if (o->ihl)
		b->data[start] = (uint8_t)((b->data[start] & 0xf0) | o->ihl);
	else if (o->ip == 4)
		pkt_sum(b->data + start);
}

static inline void pkt_build(const struct pkt *p, struct pkt_buf *b)
{
	b->len = 0;
	b->frame_off = 0;
	if (p->o.ip)
		pkt_wrap(b, p);
	else
		pkt_inner(b, &p->i);
	if (p->keep) {
		assert((size_t)p->keep <= b->len);
		b->len = (size_t)p->keep;
	}
	pkt_put(b, (size_t)p->pad, 0);
}

#endif
