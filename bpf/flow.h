/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of a flow: port or VNI, MACs, addresses, protocol, ports. Read once from the packet's bytes
 * by the fast path and by what teaches it, so that both mean the same. TCP and UDP only, without tags,
 * options, extension headers or fragments: all else is the slow path's.
 */
#ifndef VXBPF_FLOW_H
#define VXBPF_FLOW_H

#include "account.h"

enum { VX_TCP_SYN_FIN_RST = 0x07 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "a frame's bytes are compared as numbers");

/* A frame's identity as numbers, as they stand in struct vx_flow. */
struct vx_id {
	__u64 macs; /* the frame's first 8 bytes, */
	__u64 rest; /* the next 4, and both ports */
	__u64 addrs;
	__u8 protocol;
	__u8 tos; /* IPv4 TOS or IPv6 traffic class */
	bool six;
};

/*
 * Two flows that differ in MACs, ports or kind collide with a chance of 2^-32 for anyone without the
 * keys: both halves of a word, each with a secret added, are multiplied (NH, RFC 4418). Addresses alone
 * do not collide. The steps that follow lose nothing, they only spread.
 */
static __always_inline __u64 nh(__u64 word, __u64 key)
{
	return (__u64)((__u32)word + (__u32)key) * ((__u32)(word >> 32) + (__u32)(key >> 32));
}

/* Both IPv6 addresses as one number; `src` and `dst` are where they stand. */
static __always_inline __u64 mix_addrs(const __u8 *src, const __u8 *dst)
{
	return nh(load64(src), cfg.keys[VX_KEY_ADDRS]) +
	       nh(load64(src + 8), cfg.keys[VX_KEY_ADDRS + 1]) +
	       nh(load64(dst), cfg.keys[VX_KEY_ADDRS + 2]) +
	       nh(load64(dst + 8), cfg.keys[VX_KEY_ADDRS + 3]);
}

/* Bytes 12 to 15 of a frame: its type and how its IP header begins. */
static __always_inline bool is_plain4(__u32 bytes)
{
	return (bytes & bpf_htonl(0xffffff00)) == bpf_htonl((__u32)ETH_P_IP << 16 | 0x4500);
}

static __always_inline bool is_plain6(__u32 bytes)
{
	return (bytes & bpf_htonl(0xfffff000)) == bpf_htonl((__u32)ETH_P_IPV6 << 16 | 0x6000);
}

/*
 * The frame at `at`, readable up to `end`, which is_plain4 or is_plain6; false if it is none for the
 * fast path. Where `six` is a constant the rest is for that version alone, and half as long.
 */
static __always_inline bool id_read(const __u8 *at, const __u8 *end, bool six, struct vx_id *id)
{
	__u32 headers = VX_ETH_LEN + (six ? VX_IP6_LEN : VX_IP4_LEN);

	if (at + headers + VX_UDP_LEN > end)
		return false;
	id->six = six;
	if (six) {
		id->protocol = at[20];
		id->tos = (__u8)(bpf_ntohs(load16(at + 14)) >> 4);
		id->addrs = mix_addrs(at + 22, at + 38);
	} else {
		if (load16(at + 20) & bpf_htons(0x3fff))
			return false; /* a fragment */
		id->protocol = at[23];
		id->tos = at[15];
		id->addrs = load64(at + 26);
	}
	if (id->protocol == VX_PROTO_TCP) {
		/* Beginnings and ends go by the kernel, so that it sees each connection. */
		if (at + headers + sizeof(struct tcphdr) > end ||
		    at[headers + 13] & VX_TCP_SYN_FIN_RST)
			return false;
	} else if (id->protocol != VX_PROTO_UDP) {
		return false;
	}
	id->macs = load64(at);
	id->rest = load32(at + 8) | (__u64)load32(at + headers) << 32;
	return !(id->macs & 1); /* a group's */
}

/* For those in no hurry. */
static __always_inline bool id_read_any(const __u8 *at, const __u8 *end, struct vx_id *id)
{
	__u32 bytes;

	if (at + VX_ETH_LEN + VX_IP4_LEN > end)
		return false;
	bytes = load32(at + 12);
	return is_plain4(bytes) ? id_read(at, end, false, id)
				: is_plain6(bytes) && id_read(at, end, true, id);
}

/* The headers of a segment: up to the payload, the Ethernet header included. `at` is the frame. */
static __always_inline __u32 headers_of(const struct vx_id *id, const __u8 *at, const __u8 *end)
{
	__u32 headers = VX_ETH_LEN + (id->six ? VX_IP6_LEN : VX_IP4_LEN);

	if (id->protocol == VX_PROTO_UDP)
		return headers + VX_UDP_LEN;
	return at + headers + sizeof(struct tcphdr) <= end ? headers + (at[headers + 12] >> 4) * 4u
							   : headers;
}

/* The other parts of the flow: struct vx_flow's `from` to `reserved`. */
static __always_inline __u64 id_kind(const struct vx_id *id, __u32 from, enum vx_hop hop)
{
	_Static_assert(offsetof(struct vx_flow, hop) == offsetof(struct vx_flow, from) + 6, "kind");
	return from | (__u64)id->protocol << 32 | (__u64)id->six << 40 | (__u64)hop << 48;
}

static __always_inline __u64 id_hash(const struct vx_id *id, __u64 kind)
{
	__u64 h = nh(id->macs, cfg.keys[VX_KEY_MACS]) + nh(id->rest, cfg.keys[VX_KEY_REST]) +
		  nh(kind, cfg.keys[VX_KEY_KIND]);

	h = (h ^ id->addrs) * 0x94d049bb133111ebULL;
	return h ^ h >> 32;
}

/* Is `f` this very flow? `at` is the frame id was read from. */
static __always_inline bool id_is(const struct vx_id *id, __u64 kind, const __u8 *at,
				  const __u8 *end, const struct vx_flow *f)
{
	const __u8 *addrs = at + VX_ETH_LEN + 8;

	_Static_assert(offsetof(struct vx_flow, dst_port) == offsetof(struct vx_flow, dst_mac) + 14,
		       "rest");
	if (load64(f->dst_mac) != id->macs || load64(f->dst_mac + 8) != id->rest ||
	    f->addrs != id->addrs || load64(&f->from) != kind)
		return false;
	return !id->six || (addrs + 32 <= end && load64(addrs) == load64(f->source.bytes) &&
			    load64(addrs + 8) == load64(f->source.bytes + 8) &&
			    load64(addrs + 16) == load64(f->dest.bytes) &&
			    load64(addrs + 24) == load64(f->dest.bytes + 8));
}

/* The answers to frames of `f`, whose identity `id` is. */
static __always_inline struct vx_id id_back(const struct vx_id *id, const struct vx_flow *f)
{
	__u64 src = id->macs >> 48 | (id->rest & 0xffffffff) << 16;
	__u64 dst = id->macs & 0xffffffffffffULL;
	__u32 pair = (__u32)(id->rest >> 32);
	struct vx_id back = *id;

	back.macs = src | dst << 48;
	back.rest = dst >> 16 | (__u64)(pair << 16 | pair >> 16) << 32;
	back.addrs = id->addrs << 32 | id->addrs >> 32;
	if (id->six)
		back.addrs = mix_addrs(f->dest.bytes, f->source.bytes);
	return back;
}

/*
 * Around the reading of an entry, see struct vx_flow. Between them the compiler moves nothing in or
 * out; x86 keeps loads in order by itself, and other processors are refused (see abi.h).
 */
static __always_inline __u64 read_stamp(const struct vx_flow *f)
{
	__u64 stamp = f->stamp_again;

	asm volatile("" ::: "memory");
	return stamp;
}

static __always_inline bool is_rewritten(const struct vx_flow *f, __u64 stamp)
{
	asm volatile("" ::: "memory");
	return f->stamp != stamp;
}

/* The entry of this flow, NULL if there is none: of another flow if their hashes are alike. */
static __always_inline struct vx_flow *find_flow(__u64 hash)
{
	struct vx_flow_key key = { hash };
	__u32 slot = hash & (VX_HOT - 1);
	struct vx_flow *f = bpf_map_lookup_elem(&hot, &slot);

	if (f && f->hash == hash)
		return f;
	return bpf_map_lookup_elem(&flows, &key);
}

/* How often the MACs of `f` have moved. */
static __always_inline __u32 moves_of(const struct vx_flow *f)
{
	const __u32 *src = bpf_map_lookup_elem(&moves, &f->moves_src);
	const __u32 *dst = bpf_map_lookup_elem(&moves, &f->moves_dst);

	return src && dst ? *src + *dst : 0;
}

/* The kernel drops an IPv4 header whose sum is wrong, and no device is bound to have looked. */
static __always_inline bool is_sum_right(const __u8 *ip)
{
	__u64 sum = 0;

	for (int i = 0; i < VX_IP4_LEN; i += 4)
		sum += load32(ip + i);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

#endif
