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
	VX_SECOND_NS = 1000000000,
};

/* A frame's identity as numbers, to be compared with a struct vx_flow piece by piece. */
struct vx_id {
	__u64 macs; /* the frame's first 8 bytes */
	__u32 macs_more; /* and the next 4 */
	__u32 ports;
	__u64 addrs; /* IPv4: both; IPv6: a part of each, mixed */
	__u32 off; /* of the addresses, from the frame's first byte */
	__u32 headers; /* length up to the payload */
	__u8 protocol;
	__u8 tos; /* IPv4 TOS or IPv6 traffic class */
	bool six;
};

/* The frame at `at`, readable up to `end`; false if it is none for the fast path. */
static __always_inline bool id_read(const __u8 *at, const __u8 *end, struct vx_id *id)
{
	const __u8 *ip = at + VX_ETH_LEN, *l4;
	__u16 proto;

	if (at + VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN > end || at[0] & 1)
		return false;
	proto = load16(at + 12);
	if (proto == bpf_htons(ETH_P_IP)) {
		if (ip[0] != 0x45 || load16(ip + 6) & bpf_htons(0x3fff))
			return false;
		l4 = ip + VX_IP4_LEN;
		id->six = false;
		id->protocol = ip[9];
		id->tos = ip[1];
		id->addrs = load64(ip + 12);
		id->off = VX_ETH_LEN + 12;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		if (at + VX_ETH_LEN + VX_IP6_LEN + VX_UDP_LEN > end)
			return false;
		l4 = ip + VX_IP6_LEN;
		id->six = true;
		id->protocol = ip[6];
		id->tos = (__u8)(bpf_ntohs(load16(ip)) >> 4);
		id->addrs = load64(ip + 8) ^ load64(ip + 16) * 3 ^ load64(ip + 24) * 5 ^
			    load64(ip + 32) * 7;
		id->off = VX_ETH_LEN + 8;
	} else {
		return false;
	}
	if (id->protocol == VX_PROTO_UDP) {
		id->headers = VX_UDP_LEN;
	} else if (id->protocol == VX_PROTO_TCP) {
		/* Beginnings and ends go by the kernel, so that it sees each connection. */
		if (l4 + sizeof(struct tcphdr) > end || l4[13] & VX_TCP_SYN_FIN_RST)
			return false;
		id->headers = (l4[12] >> 4) * 4u;
	} else {
		return false;
	}
	id->headers += (__u32)(l4 - at);
	id->macs = load64(at);
	id->macs_more = load32(at + 8);
	id->ports = load32(l4);
	return true;
}

static __always_inline struct vx_flow_key id_key(const struct vx_id *id, __u32 from, bool receive)
{
	__u64 h = (id->macs ^ 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;

	h = (h ^ h >> 29 ^ ((__u64)id->ports << 32 | id->macs_more)) * 0x94d049bb133111ebULL;
	h = (h ^ h >> 31 ^ id->addrs) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ h >> 29 ^ ((__u64)from << 16 | id->protocol << 8 | id->six << 1 | receive)) *
	    0x94d049bb133111ebULL;
	return (struct vx_flow_key){ h ^ h >> 32 };
}

/* Is `f` this very flow? `at` is the frame id was read from. */
static __always_inline bool id_is(const struct vx_id *id, const __u8 *at, const __u8 *end,
				  const struct vx_flow *f, __u32 from, bool receive)
{
	const __u8 *addrs = at + VX_ETH_LEN + 8;

	if (load64(f->dst_mac) != id->macs || load32(f->src_mac + 2) != id->macs_more ||
	    load32(&f->src_port) != id->ports || f->from != from || f->protocol != id->protocol ||
	    f->six != id->six || f->receive != receive)
		return false;
	if (!id->six)
		return ((__u64)load32(f->dest.bytes + 12) << 32 | load32(f->source.bytes + 12)) ==
		       id->addrs;
	return addrs + 32 <= end && load64(addrs) == load64(f->source.bytes) &&
	       load64(addrs + 8) == load64(f->source.bytes + 8) &&
	       load64(addrs + 16) == load64(f->dest.bytes) &&
	       load64(addrs + 24) == load64(f->dest.bytes + 8);
}

static __always_inline __u32 moves_of(const __u8 *mac)
{
	__u32 key = moves_key(mac), *count = bpf_map_lookup_elem(&moves, &key);

	return count ? *count : 0;
}

/*
 * Ports where someone routes. What fast_rx opens keeps the tunnel's state, and a super-packet that has
 * it is cut up in software where it is sent on to a tap, or into a tunnel: the kernel opens theirs.
 */
static __always_inline void note_router(__u32 ifindex, __u64 now)
{
	struct vx_ifindex key = { ifindex };
	struct vx_port *port = bpf_map_lookup_elem(&ports, &key);

	if (port)
		port->routed_s = (__u32)(now / VX_SECOND_NS);
}

static __always_inline bool is_router(__u32 ifindex, __u64 now)
{
	struct vx_ifindex key = { ifindex };
	const struct vx_port *port = bpf_map_lookup_elem(&ports, &key);

	return port && port->routed_s && now / VX_SECOND_NS - port->routed_s < VX_ROUTED_S;
}

#endif
