/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cut-through: a frame of a flow that the kernel carried a moment ago goes straight to where the
 * kernel would bring it. Whatever is not plain stays untouched and takes the slow path: "go on".
 */
#ifndef VXBPF_FAST_H
#define VXBPF_FAST_H

#include "flow.h"

#define VX_CB_MAGIC 0x56586250U

/* The coarse clock, asked once a tick. */
static __always_inline __u64 tick_time(struct vx_counters *sum)
{
	__u64 tick = bpf_jiffies64();

	if (sum->tick != tick) {
		sum->tick_ns = bpf_ktime_get_coarse_ns();
		sum->tick = tick;
	}
	return sum->tick_ns;
}

/*
 * Young enough, and neither MAC has moved since. Of a verdict past its youth one frame at a time is
 * sent the slow way to renew it while the others go on: were all to go the slow way until it is
 * renewed, the first fast one would overtake those still under way.
 */
static __always_inline bool is_good(struct vx_flow *f, __u64 now)
{
	__u64 age = now - f->learned_ns;

	if (age > VX_FLOW_OLD_NS) {
		/* Learned by another CPU, whose tick came first. */
		if (age > -VX_FLOW_OLD_NS)
			age = 0;
		if (age >= VX_FLOW_NS)
			return false;
		if (age > VX_FLOW_OLD_NS && now - f->refresh_ns > VX_FLOW_RETRY_NS) {
			f->refresh_ns = now;
			return false;
		}
	}
	return moves_of(f) == f->moved;
}

/* Fills in the segments of the frame of `len` bytes at `at` and their bytes together, Ethernet headers
 * included. Returns the size of the largest. */
static __always_inline __u32 fast_measure(struct vx_walk *w, const struct vx_id *id, const __u8 *at,
					  const __u8 *end, __u32 len)
{
	__u32 gso_size = VX_SKB(w)->gso_size, headers = VX_ETH_LEN + (id->six ? VX_IP6_LEN : VX_IP4_LEN);

	w->packets = 1;
	w->bytes = len;
	if (!gso_size)
		return len;
	if (id->protocol == VX_PROTO_UDP)
		headers += VX_UDP_LEN;
	else if (at + headers + sizeof(struct tcphdr) <= end)
		headers += (at[headers + 12] >> 4) * 4u;
	if (len > headers) {
		w->packets = (len - headers + gso_size - 1) / gso_size;
		w->bytes += (w->packets - 1) * headers;
	}
	return headers + gso_size;
}

/* Sum of the outer IPv4 header as 16-bit words, folded and complemented. `base` is over the template. */
static __always_inline __u16 outer_check(__u32 base, __u16 total, __u16 id, __u8 ecn)
{
	__u32 sum = base + total + id + bpf_htons(ecn);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* RFC 6040 at the entry: the inner ECN is copied, congestion already marked becomes ECT(0). */
static __always_inline __u8 outer_ecn(__u8 tos)
{
	return (tos & 3) == 3 ? 2 : tos & 3;
}

/*
 * port_in: encapsulate as the kernel did, and out by the same device. From here the packet is ours:
 * should a helper fail half way, it is dropped, which the kernel would do for want of memory too.
 */
static __always_inline enum vx_step fast_tx(struct vx_walk *w)
{
	struct __sk_buff *skb = VX_SKB(w);
	struct vx_cursor c = hook_cursor(w);
	__u64 head[9], now, flags, stamp, kind;
	__u32 len = skb->len;
	struct vx_counters *sum;
	struct vx_flow *f;
	struct vx_id id;
	__u16 id16;
	bool four;
	__u8 *at;

	if (!cfg.fastpath || !id_read(c.start, c.end, &id) || skb->vlan_present)
		return VX_GO_ON;
	kind = id_kind(&id, skb->ifindex, false, false);
	f = find_flow(id_hash(&id, kind));
	if (!f)
		return VX_GO_ON;
	stamp = f->stamp_again;
	if (!id_is(&id, kind, c.start, c.end, f))
		return VX_GO_ON;
	sum = bpf_map_lookup_elem(&counters, &f->vni);
	if (!sum)
		return VX_GO_ON;
	now = tick_time(sum);
	if (!is_good(f, now))
		return VX_GO_ON;
	if (fast_measure(w, &id, c.start, c.end, len) > cfg.mtu + VX_ETH_LEN)
		return VX_GO_ON; /* tun_out says so */
	/* All that is needed of the entry, before it may change under us. */
	for (int i = 0; i < 7; i++)
		head[i] = load64(f->header + 8 * i);
	four = f->header_len == VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN;
	if (!four) {
		head[7] = load64(f->header + 56);
		head[8] = load64(f->header + 64);
	}
	w->to = f->to;
	id16 = (__u16)f->outer_id++;
	if (f->stamp != stamp)
		return VX_GO_ON;
	flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET |
		BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |
		(__u64)VX_ETH_LEN << BPF_ADJ_ROOM_ENCAP_L2_SHIFT;
	if (four) {
		__u16 total = bpf_htons((__u16)(len + 36)), id_be = bpf_htons(id16);
		__u8 ecn = outer_ecn(id_tos(&id));

		if (bpf_skb_adjust_room(skb, 50, BPF_ADJ_ROOM_MAC,
					flags | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4))
			return VX_GO_ON;
		c = hook_cursor(w);
		at = c.start;
		if (at + 64 > c.end)
			return VX_DROP;
		/* The inner Ethernet header first: it stands where the outer one will. */
		*(__u64 *)(at + 50) = load64(at);
		*(__u32 *)(at + 58) = load32(at + 8);
		*(__u16 *)(at + 62) = (__u16)id.proto;
		*(__u64 *)at = head[0];
		*(__u64 *)(at + 8) = head[1] | (__u64)ecn << 56;
		*(__u64 *)(at + 16) = head[2] | total | (__u32)id_be << 16;
		*(__u64 *)(at + 24) = head[3] | outer_check((__u32)(head[6] >> 32), total, id_be, ecn);
		*(__u64 *)(at + 32) = head[4] | (__u64)bpf_htons((__u16)(len + 16)) << 48;
		*(__u64 *)(at + 40) = head[5];
		*(__u16 *)(at + 48) = (__u16)head[6];
	} else {
		if (bpf_skb_adjust_room(skb, 70, BPF_ADJ_ROOM_MAC,
					flags | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6))
			return VX_GO_ON;
		c = hook_cursor(w);
		at = c.start;
		if (at + 84 > c.end)
			return VX_DROP;
		*(__u64 *)(at + 70) = load64(at);
		*(__u32 *)(at + 78) = load32(at + 8);
		*(__u16 *)(at + 82) = (__u16)id.proto;
		for (int i = 0; i < 8; i++)
			*(__u64 *)(at + 8 * i) = head[i];
		*(__u32 *)(at + 64) = (__u32)head[8];
		*(__u16 *)(at + 68) = (__u16)(head[8] >> 32);
		/* Traffic class: bits 4 to 11 of the header; its low two are the ECN. */
		at[15] |= (__u8)(outer_ecn(id_tos(&id)) << 4);
		*(__u16 *)(at + 18) = bpf_htons((__u16)(len + 16));
		*(__u16 *)(at + 58) = bpf_htons((__u16)(len + 16));
	}
	sum->tx_packets += w->packets;
	sum->tx_bytes += w->bytes;
	sum->tx_fast_packets += w->packets;
	sum->last_unicast_tx_ns = now;
	skb->cb[0] = cfg.secret;
	skb->cb[1] = VX_CB_MAGIC;
	skb->queue_mapping = 0;
	w->verdict = (int)bpf_redirect(w->to, 0);
	return VX_SENT;
}

/* wire_out: what fast_tx sent here needs no second look. */
static __always_inline enum vx_step pass_fast(struct vx_walk *w)
{
	return VX_SKB(w)->cb[0] == cfg.secret && VX_SKB(w)->cb[1] == VX_CB_MAGIC ? VX_PASS
										 : VX_GO_ON;
}

/* Bytes 12 on of an outer Ethernet frame: plain UDP to our port, no checksum, the VNI flag alone; its
 * lengths, if there is one packet, those of the frame. 0 = not so, else where the inner frame is. */
static __always_inline __u32 fast_outer(const __u8 *at, const __u8 *end, __u32 len, __u32 gso_size)
{
	__u32 proto, outer = VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN;
	const __u8 *udp = at + VX_ETH_LEN + VX_IP4_LEN;

	if (at + VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN > end)
		return 0;
	proto = load32(at + 12);
	if ((proto & bpf_htonl(0xffffff00)) == bpf_htonl(ETH_P_IP << 16 | 0x4500)) {
		/* No fragment, UDP. */
		if ((load32(at + 20) & bpf_htonl(0x3fff00ff)) != bpf_htonl(VX_PROTO_UDP) ||
		    (!gso_size && bpf_ntohs(load16(at + 16)) != len - VX_ETH_LEN))
			return 0;
	} else if ((proto & bpf_htonl(0xfffff000)) == bpf_htonl((__u32)ETH_P_IPV6 << 16 | 0x6000)) {
		udp = at + VX_ETH_LEN + VX_IP6_LEN;
		outer = VX_ETH_LEN + VX_IP6_LEN + VX_UDP_LEN + VX_VXLAN_LEN;
		if (at + VX_ETH_LEN + VX_IP6_LEN + VX_UDP_LEN + VX_VXLAN_LEN > end ||
		    at[20] != VX_PROTO_UDP ||
		    (!gso_size && bpf_ntohs(load16(at + 18)) != len - VX_ETH_LEN - VX_IP6_LEN))
			return 0;
	} else {
		return 0;
	}
	if (load16(udp + 2) != bpf_htons(cfg.port) || load16(udp + 6) ||
	    load32(udp + 8) != bpf_htonl(VX_VXLAN_HAS_VNI << 24) || udp[15] ||
	    (!gso_size && bpf_ntohs(load16(udp + 4)) != len - (outer - VX_UDP_LEN - VX_VXLAN_LEN)))
		return 0;
	return outer;
}

static __always_inline bool is_outer(const struct vx_flow *f, const __u8 *at, bool six)
{
	if (!six)
		return load32(at + 26) == load32(f->outer_source.bytes + 12) &&
		       load32(at + 30) == load32(f->outer_dest.bytes + 12);
	return load64(at + 22) == load64(f->outer_source.bytes) &&
	       load64(at + 30) == load64(f->outer_source.bytes + 8) &&
	       load64(at + 38) == load64(f->outer_dest.bytes) &&
	       load64(at + 46) == load64(f->outer_dest.bytes + 8);
}

/*
 * wire_in: a plain VXLAN packet over IPv4 or IPv6 in a plain Ethernet frame, of a known flow. The pair's
 * addresses are part of the entry, so the guard has had its say.
 */
static __always_inline enum vx_step fast_rx(struct vx_walk *w)
{
	struct __sk_buff *skb = VX_SKB(w);
	struct vx_cursor c = hook_cursor(w);
	__u32 len = skb->len, gso_size = skb->gso_size, outer, way, to;
	__u64 now, stamp, flags, kind, macs;
	const __u8 *at = c.start, *frame;
	struct vx_counters *sum;
	struct vx_flow *f;
	struct vx_id id;
	__u32 macs_more;
	bool six;
	__u8 tos;

	if (!cfg.fastpath)
		return VX_GO_ON;
	outer = fast_outer(at, c.end, len, gso_size);
	if (!outer || skb->vlan_present)
		return VX_GO_ON;
	six = outer != VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN;
	frame = at + outer;
	if (!id_read(frame, c.end, &id))
		return VX_GO_ON;
	/* RFC 6040 at the exit: anything to combine is the kernel's. */
	tos = six ? (__u8)(bpf_ntohs(load16(at + 14)) >> 4) : at[15];
	if (tos & 3 && (tos ^ id_tos(&id)) & 3)
		return VX_GO_ON;
	kind = id_kind(&id, bpf_ntohl(load32(frame - 4)) >> 8, true, six);
	f = find_flow(id_hash(&id, kind));
	if (!f)
		return VX_GO_ON;
	stamp = f->stamp_again;
	if (!id_is(&id, kind, frame, c.end, f) || !is_outer(f, at, six))
		return VX_GO_ON;
	sum = bpf_map_lookup_elem(&counters, &f->vni);
	if (!sum)
		return VX_GO_ON;
	now = tick_time(sum);
	if (!is_good(f, now))
		return VX_GO_ON;
	way = f->way;
	to = f->to;
	if (f->stamp != stamp)
		return VX_GO_ON;
	/* Shrinking leaves the tunnel's mark on a super-packet: harmless where TCP takes it, and wrong
	 * where the next device has to segment. */
	if (gso_size && way != VX_WAY_PEER)
		return VX_GO_ON;
	fast_measure(w, &id, frame, c.end, len - outer);
	macs = id.macs;
	macs_more = (__u32)id.rest;
	flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	if (six != id.six)
		flags |= id.six ? BPF_F_ADJ_ROOM_DECAP_L3_IPV6 : BPF_F_ADJ_ROOM_DECAP_L3_IPV4;
	/* Kernels before 6.3 refuse to change the IP version, and nothing has happened. */
	if (bpf_skb_adjust_room(skb, -(__s32)outer, BPF_ADJ_ROOM_MAC, flags))
		return VX_GO_ON;
	c = hook_cursor(w);
	at = c.start;
	if (at + VX_ETH_LEN > c.end)
		return VX_DROP;
	*(__u64 *)at = macs;
	*(__u32 *)(at + 8) = macs_more;
	*(__u16 *)(at + 12) = (__u16)id.proto;
	sum->rx_packets += w->packets;
	sum->rx_bytes += w->bytes;
	sum->rx_fast_packets += w->packets;
	sum->last_rx_ns = now;
	w->verdict = (int)(way == VX_WAY_PEER ? bpf_redirect_peer(to, 0) : bpf_redirect(to, 0));
	return VX_SENT;
}

#endif
