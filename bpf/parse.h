/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From bytes to struct vx_pkt: Ethernet, VLAN tags, IP, UDP, VXLAN, and the frame inside. Reads
 * through a cursor and writes values and offsets, never pointers; compiles for the host too. It says
 * what a packet is and judges nothing: who may send it is guard.h's business.
 */
#ifndef VXBPF_PARSE_H
#define VXBPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include <vxbpf/abi.h>

#include "cursor.h"

enum vx_parse {
	VX_PARSED,
	VX_OTHER, /* something else than was looked for: none of our business */
	VX_SHORT, /* the readable bytes end too early */
	VX_BROKEN, /* claims to be what was looked for, and is not */
};

enum {
	VX_PROTO_HOP = 0,
	VX_JUMBO_LEN =
		8, /* a hop-by-hop header with this option alone (RFC 2675), as Linux makes it for BIG TCP */
	VX_PROTO_TCP = 6,
	VX_PROTO_UDP = 17,
	VX_PROTO_ROUTING = 43,
	VX_PROTO_FRAGMENT = 44,
	VX_PROTO_ESP = 50,
	VX_PROTO_AH = 51,
	VX_PROTO_DEST = 60,
	VX_PORT_NAT_T = 4500,
	VX_EXT_MAX = 4, /* IPv6 extension headers we walk */
	VX_TAGS_MAX = 2, /* VLAN tags we step over */
	VX_TAG_LEN = 4,
	VX_VLAN_ID = 0x0fff,
	VX_IP_OFFSET = 0x1fff, /* in units of 8 bytes */
	VX_IP_MORE = 0x2000,
	VX_IP6_OFFSET = 0xfff8,
	VX_IP6_MORE = 0x0001,
	VX_ETH_LEN = 14,
	VX_IP4_LEN = 20, /* without options */
	VX_IP6_LEN = 40, /* without extension headers */
	VX_UDP_LEN = 8,
	VX_VXLAN_LEN = 8,
	VX_VXLAN_HAS_VNI = 0x08,
	/* The headers in front of an inner IP header's frame: the outer headers, of IPv4 and of IPv6. */
	VX_OUTER4 = VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN,
	VX_OUTER6 = VX_ETH_LEN + VX_IP6_LEN + VX_UDP_LEN + VX_VXLAN_LEN,
};

struct vx_ip {
	struct vx_addr source __attribute__((aligned(8)));
	struct vx_addr dest __attribute__((aligned(8)));
	__u32 end; /* where the packet ends by its own word, from the packet's first byte */
	bool jumbo; /* it does not say, `end` is 0 (IPv6 payload length 0 and options) */
	bool six; /* IPv6 */
	bool fragment; /* the first fragment of several */
	bool later_fragment; /* not the first: no ports, no VXLAN to be seen */
	__u8 protocol;
};

/* Addresses and MACs are kept in the very form they are looked up by. */
struct vx_pkt {
	struct vx_ip ip; /* outer */
	struct vx_fdb_key src __attribute__((aligned(8))); /* inner */
	struct vx_fdb_key dst __attribute__((aligned(8)));
	__u32 udp_len; /* by the outer UDP header's word */
	__u32 payload_off; /* of the outer UDP payload, from the packet's first byte */
	__u32 vni;
	__u32 reserved; /* not 0: bits that mean nothing are set in the VXLAN header */
	__u32 frame_off; /* the inner frame, from the packet's first byte */
	__u32 frame_len; /* all segments together */
	__be16 proto; /* its type, behind the tags */
	__u32 l2_len; /* its Ethernet header with the tags inside the frame */
	__u32 l3_len; /* its IP header with options; only for GSO, 0 if not known */
	__u32 header_len; /* all its headers up to the TCP or UDP payload; likewise */
	__u32 jumbo_len; /* its jumbo payload option, in neither of them: segments do not have it */
};

static __always_inline void copy_mac(__u8 *to, const __u8 *from)
{
	__u32 low = load32(from);
	__u16 high = load16(from + 4);

	__builtin_memcpy(to, &low, sizeof(low));
	__builtin_memcpy(to + 4, &high, sizeof(high));
}

static __always_inline void copy_addr(struct vx_addr *to, const __u8 *from)
{
	__u32 words[4] = { load32(from), load32(from + 4), load32(from + 8), load32(from + 12) };

	__builtin_memcpy(to, words, sizeof(*to));
}

static __always_inline void copy_addr4(struct vx_addr *to, __u32 address)
{
	__u32 words[4] = { 0, 0, bpf_htonl(0xffff), address };

	__builtin_memcpy(to, words, sizeof(*to));
}

/* ::ffff:a.b.c.d */
static __always_inline bool is_addr4(const struct vx_addr *a)
{
	return !load64(a->bytes) && load32(a->bytes + 8) == bpf_htonl(0xffff);
}

static __always_inline bool addr_equal(const struct vx_addr *a, const struct vx_addr *b)
{
	return load64(a->bytes) == load64(b->bytes) && load64(a->bytes + 8) == load64(b->bytes + 8);
}

/* Broadcast is a group too. */
static __always_inline bool is_group(const struct vx_fdb_key *mac)
{
	return mac->mac[0] & 1;
}

static __always_inline bool is_tag(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

static __always_inline enum vx_parse parse_ip4(struct vx_cursor *c, struct vx_ip *ip)
{
	__u32 start = c->off;
	__u8 *at = cursor_take(c, sizeof(struct iphdr));
	__u16 fragment;
	__u32 words;

	if (!at)
		return VX_SHORT;
	words = at[0] & 0x0f;
	if (at[0] >> 4 != 4 || words < sizeof(struct iphdr) / 4)
		return VX_OTHER;
	fragment = bpf_ntohs(vx_field(16, iphdr, at, frag_off));
	ip->six = false;
	ip->jumbo = false;
	ip->end = start + bpf_ntohs(vx_field(16, iphdr, at, tot_len));
	ip->later_fragment = fragment & VX_IP_OFFSET;
	ip->fragment = !ip->later_fragment && (fragment & VX_IP_MORE);
	ip->protocol = vx_field(8, iphdr, at, protocol);
	copy_addr4(&ip->source, vx_field(32, iphdr, at, saddr));
	copy_addr4(&ip->dest, vx_field(32, iphdr, at, daddr));
	return cursor_jump(c, words * 4 - (__u32)sizeof(struct iphdr)) ? VX_PARSED : VX_SHORT;
}

/* By one test and not four, each of which would be a path to the verifier. */
static __always_inline bool is_ext(__u8 protocol)
{
	const __u64 ext = 1ULL << VX_PROTO_HOP | 1ULL << VX_PROTO_ROUTING |
			  1ULL << VX_PROTO_FRAGMENT | 1ULL << VX_PROTO_DEST;

	return protocol < 64 && (ext >> protocol & 1);
}

/* Steps over the headers a packet of ours may carry; a chain longer than that is not ours. */
static __always_inline enum vx_parse parse_ip6_ext(struct vx_cursor *c, struct vx_ip *ip)
{
	for (int i = 0; i < VX_EXT_MAX; i++) {
		__u8 type = ip->protocol;
		__u8 *at;

		if (!is_ext(type))
			return VX_PARSED;
		at = cursor_take(c, 8);
		if (!at)
			return VX_SHORT;
		ip->protocol = at[0];
		if (type == VX_PROTO_FRAGMENT) {
			__u16 fragment = bpf_ntohs(load16(at + 2));

			ip->later_fragment = fragment & VX_IP6_OFFSET;
			ip->fragment = !ip->later_fragment && (fragment & VX_IP6_MORE);
			if (ip->later_fragment)
				return VX_PARSED;
		}
		if (!cursor_jump(c, type == VX_PROTO_FRAGMENT ? 0 : at[1] * 8u))
			return VX_SHORT;
	}
	return is_ext(ip->protocol) ? VX_OTHER : VX_PARSED;
}

static __always_inline enum vx_parse parse_ip6(struct vx_cursor *c, struct vx_ip *ip)
{
	__u8 *at = cursor_take(c, sizeof(struct ipv6hdr));
	__u16 payload;

	if (!at)
		return VX_SHORT;
	if (at[0] >> 4 != 6)
		return VX_OTHER;
	payload = bpf_ntohs(vx_field(16, ipv6hdr, at, payload_len));
	ip->six = true;
	ip->later_fragment = false;
	ip->fragment = false;
	ip->protocol = vx_field(8, ipv6hdr, at, nexthdr);
	ip->jumbo = !payload && ip->protocol == VX_PROTO_HOP;
	ip->end = ip->jumbo ? 0 : c->off + payload;
	copy_addr(&ip->source, at + offsetof(struct ipv6hdr, saddr));
	copy_addr(&ip->dest, at + offsetof(struct ipv6hdr, daddr));
	return parse_ip6_ext(c, ip);
}

static __always_inline enum vx_parse parse_ip(struct vx_cursor *c, __be16 proto, struct vx_ip *ip)
{
	if (proto == bpf_htons(ETH_P_IP))
		return parse_ip4(c, ip);
	if (proto == bpf_htons(ETH_P_IPV6))
		return parse_ip6(c, ip);
	return VX_OTHER;
}

/* The protocol of an IP packet without Ethernet header (WireGuard, tun); 0 if it is empty. */
static __always_inline __be16 peek_ip(struct vx_cursor *c)
{
	struct vx_cursor peek = *c;
	__u8 *at = cursor_take(&peek, 1);

	if (!at)
		return 0;
	return at[0] >> 4 == 6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
}

/* A UDP packet to `port`; the cursor is then at its payload. Later fragments are not. */
static __always_inline enum vx_parse parse_outer(struct vx_cursor *c, bool ethernet, __u16 port,
						 struct vx_pkt *p)
{
	enum vx_parse parsed;
	__be16 proto;
	__u8 *at;

	if (ethernet) {
		at = cursor_take(c, sizeof(struct ethhdr));
		if (!at)
			return VX_SHORT;
		proto = vx_field(16, ethhdr, at, h_proto);
	} else {
		proto = peek_ip(c);
		if (!proto)
			return VX_SHORT;
	}
	parsed = parse_ip(c, proto, &p->ip);
	if (parsed != VX_PARSED)
		return parsed;
	if (p->ip.protocol != VX_PROTO_UDP || p->ip.later_fragment)
		return VX_OTHER;
	at = cursor_take(c, sizeof(struct udphdr));
	if (!at)
		return VX_SHORT;
	if (vx_field(16, udphdr, at, dest) != bpf_htons(port))
		return VX_OTHER;
	p->payload_off = c->off;
	p->udp_len = bpf_ntohs(vx_field(16, udphdr, at, len));
	return VX_PARSED;
}

/*
 * Where the UDP payload ends, 0 if the headers contradict each other or the packet. The lengths in a
 * packet that is made of several (`gso`) say nothing: 16 bits may even have wrapped.
 */
static __always_inline __u32 payload_end(const struct vx_pkt *p, __u32 udp_off, __u32 len, bool gso)
{
	__u32 ip_end = p->ip.jumbo ? len : p->ip.end;
	__u32 udp_end = udp_off + p->udp_len;

	if (gso)
		return len;
	if (ip_end > len)
		return 0;
	if (p->ip.six && !p->udp_len) /* as the kernel: the whole payload */
		return ip_end;
	if (p->ip.fragment)
		return udp_end;
	return udp_end > ip_end ? 0 : udp_end;
}

/* From the UDP payload to the addresses of the frame inside; `len` is the whole packet's. */
static __always_inline enum vx_parse parse_vxlan(struct vx_cursor *c, __u32 len, bool gso,
						 struct vx_pkt *p)
{
	__u32 end = payload_end(p, c->off - (__u32)sizeof(struct udphdr), len, gso);
	__u8 *at;

	if (end < c->off + VX_VXLAN_LEN + sizeof(struct ethhdr))
		return VX_BROKEN;
	at = cursor_take(c, VX_VXLAN_LEN);
	if (!at)
		return VX_SHORT;
	if (!(at[0] & VX_VXLAN_HAS_VNI))
		return VX_BROKEN;
	p->vni = bpf_ntohl(load32(at + 4)) >> 8;
	/* No `||`: a path for each to the verifier. */
	p->reserved = (load32(at) ^ bpf_htonl(VX_VXLAN_HAS_VNI << 24)) | at[7];
	p->frame_len = end - c->off;
	return VX_PARSED;
}

/* A frame's addresses and type. */
static __always_inline enum vx_parse parse_macs(struct vx_cursor *c, struct vx_pkt *p)
{
	__u32 start = c->off;
	__u8 *at = cursor_take(c, sizeof(struct ethhdr));

	if (!at)
		return VX_SHORT;
	copy_mac(p->dst.mac, at);
	copy_mac(p->src.mac, at + ETH_ALEN);
	p->dst.vlan = 0;
	p->src.vlan = 0;
	p->frame_off = start;
	p->l2_len = sizeof(struct ethhdr);
	p->l3_len = 0;
	p->header_len = 0;
	p->jumbo_len = 0;
	p->proto = vx_field(16, ethhdr, at, h_proto);
	return VX_PARSED;
}

/* The tags after the addresses: the first one's id is the frame's VLAN. */
static __always_inline enum vx_parse parse_tags(struct vx_cursor *c, struct vx_pkt *p)
{
	for (int i = 0; i < VX_TAGS_MAX && is_tag(p->proto); i++) {
		__u8 *at = cursor_take(c, VX_TAG_LEN);

		if (!at)
			return VX_SHORT;
		if (!i) {
			p->src.vlan = bpf_ntohs(load16(at)) & VX_VLAN_ID;
			p->dst.vlan = p->src.vlan;
		}
		p->proto = load16(at + 2);
		p->l2_len += VX_TAG_LEN;
	}
	return cursor_jump(c, 0) ? VX_PARSED : VX_SHORT;
}

/* How long the headers are that each segment of a super-packet will repeat. */
static __always_inline enum vx_parse parse_headers(struct vx_cursor *c, struct vx_pkt *p)
{
	__u32 start = c->off, l4_len;
	struct vx_ip ip;
	enum vx_parse parsed = parse_ip(c, p->proto, &ip);
	__u8 *at;

	if (parsed != VX_PARSED)
		return parsed;
	p->l3_len = c->off - start;
	if (ip.later_fragment || (ip.protocol != VX_PROTO_TCP && ip.protocol != VX_PROTO_UDP))
		return VX_OTHER;
	if (ip.protocol == VX_PROTO_TCP) {
		at = cursor_take(c, sizeof(struct tcphdr));
		if (!at)
			return VX_SHORT;
		l4_len = (at[12] >> 4) * 4u; /* data offset, in words */
		if (l4_len < sizeof(struct tcphdr))
			return VX_OTHER;
	} else {
		l4_len = sizeof(struct udphdr);
	}
	p->header_len = p->l2_len + p->l3_len + l4_len;
	return VX_PARSED;
}

#endif
