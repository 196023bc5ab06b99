/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What makes a flow: port or VNI, MACs, addresses, protocol, ports. Read once from the packet's bytes
 * by the fast path and by what teaches it, so that both mean the same. TCP and UDP only, without
 * tags, options, extension headers or fragments: all else is the slow path's.
 */
#ifndef VXBPF_FLOW_H
#define VXBPF_FLOW_H

#include "locate.h"

enum {
	VX_ETH_LEN = 14,
	VX_IP4_LEN = 20,
	VX_IP6_LEN = 40,
	VX_UDP_LEN = 8,
	VX_TCP_SYN_FIN_RST = 0x07,
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a frame's bytes are compared as numbers");

/* A frame's identity as numbers, as they stand in struct vx_flow. */
struct vx_id {
	__u64 macs; /* the frame's first 8 bytes, */
	__u64 rest; /* the next 4, and both ports */
	__u64 addrs;
	__u32 proto; /* bytes 12 to 15 */
	__u8 protocol;
	bool six;
};

/* The frame at `at`, readable up to `end`; false if it is none for the fast path. */
static __always_inline bool id_read(const __u8 *at, const __u8 *end, struct vx_id *id)
{
	const __u8 *l4;

	if (at + VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN > end)
		return false;
	id->macs = load64(at);
	id->proto = load32(at + 12);
	if ((id->proto & bpf_htonl(0xffffff00)) == bpf_htonl(ETH_P_IP << 16 | 0x4500)) {
		if (load16(at + 20) & bpf_htons(0x3fff))
			return false; /* a fragment */
		id->six = false;
		id->protocol = at[23];
		id->addrs = load64(at + 26);
		l4 = at + VX_ETH_LEN + VX_IP4_LEN;
	} else if ((id->proto & bpf_htonl(0xfffff000)) == bpf_htonl((__u32)ETH_P_IPV6 << 16 | 0x6000)) {
		if (at + VX_ETH_LEN + VX_IP6_LEN + VX_UDP_LEN > end)
			return false;
		id->six = true;
		id->protocol = at[20];
		id->addrs = load64(at + 22) ^ load64(at + 30) * 3 ^ load64(at + 38) * 5 ^
			    load64(at + 46) * 7;
		l4 = at + VX_ETH_LEN + VX_IP6_LEN;
	} else {
		return false;
	}
	if (id->protocol == VX_PROTO_TCP) {
		/* Beginnings and ends go by the kernel, so that it sees each connection. */
		if (l4 + sizeof(struct tcphdr) > end || l4[13] & VX_TCP_SYN_FIN_RST)
			return false;
	} else if (id->protocol != VX_PROTO_UDP) {
		return false;
	}
	id->rest = load32(at + 8) | (__u64)load32(l4) << 32;
	return !(id->macs & 1); /* a group's */
}

/* IPv4 TOS or IPv6 traffic class. */
static __always_inline __u8 id_tos(const struct vx_id *id)
{
	return id->six ? (__u8)(bpf_ntohl(id->proto) >> 4) : (__u8)bpf_ntohl(id->proto);
}

/* What else makes the flow: struct vx_flow's `from` to `outer_six`. */
static __always_inline __u64 id_kind(const struct vx_id *id, __u32 from, bool receive, bool outer_six)
{
	_Static_assert(offsetof(struct vx_flow, outer_six) == offsetof(struct vx_flow, from) + 7, "kind");
	return from | (__u64)id->protocol << 32 | (__u64)id->six << 40 | (__u64)receive << 48 |
	       (__u64)outer_six << 56;
}

/* Salted, so that nobody can choose ports to push other people's flows out. */
static __always_inline __u64 id_hash(const struct vx_id *id, __u64 kind)
{
	__u64 h = (id->macs ^ cfg.secret) * 0xbf58476d1ce4e5b9ULL;

	h = (h ^ h >> 29 ^ id->rest) * 0x94d049bb133111ebULL;
	h = (h ^ h >> 31 ^ id->addrs) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ h >> 29 ^ kind) * 0x94d049bb133111ebULL;
	return h ^ h >> 32;
}

/* Is `f` this very flow? `at` is the frame id was read from. */
static __always_inline bool id_is(const struct vx_id *id, __u64 kind, const __u8 *at, const __u8 *end,
				  const struct vx_flow *f)
{
	const __u8 *addrs = at + VX_ETH_LEN + 8;

	_Static_assert(offsetof(struct vx_flow, dst_port) == offsetof(struct vx_flow, dst_mac) + 14, "rest");
	if (load64(f->dst_mac) != id->macs || load64(f->dst_mac + 8) != id->rest ||
	    f->addrs != id->addrs || load64(&f->from) != kind)
		return false;
	return !id->six ||
	       (addrs + 32 <= end && load64(addrs) == load64(f->source.bytes) &&
		load64(addrs + 8) == load64(f->source.bytes + 8) &&
		load64(addrs + 16) == load64(f->dest.bytes) &&
		load64(addrs + 24) == load64(f->dest.bytes + 8));
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

#endif
