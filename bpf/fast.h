/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cut-through: a frame of a flow that the kernel carried a moment ago goes straight to where the
 * kernel would bring it. Whatever is not plain stays untouched and takes the slow path: "go on".
 */
#ifndef VXBPF_FAST_H
#define VXBPF_FAST_H

#include "flow.h"

#define VX_CB_MAGIC 0x56586250U

/*
 * Young enough, and neither MAC has moved since. Of a verdict past its youth one frame at a time is
 * sent the slow way to renew it while the others go on: were all to go the slow way until it is
 * renewed, the first fast one would overtake those still under way.
 */
static __always_inline bool is_good(struct vx_flow *f, __u64 now)
{
	__u64 age = now - f->learned_ns;

	if (age >= VX_FLOW_NS || moves_of(f->src_mac) != f->moved_src ||
	    moves_of(f->dst_mac) != f->moved_dst)
		return false;
	if (age > VX_FLOW_OLD_NS && now - f->refresh_ns > VX_FLOW_RETRY_NS) {
		f->refresh_ns = now;
		return false;
	}
	return true;
}

/* Segments of a frame of `len` bytes, the Ethernet header included, and their bytes together. */
static __always_inline void fast_measure(struct vx_walk *w, __u32 len, __u32 headers)
{
	__u32 gso_size = VX_SKB(w)->gso_size;

	w->packets = 1;
	w->bytes = len;
	if (gso_size && len > headers) {
		w->packets = (len - headers + gso_size - 1) / gso_size;
		w->bytes += (w->packets - 1) * headers;
	}
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
	__u32 len = skb->len, from = skb->ifindex, size, outer, base = 0;
	__u64 head[9], now, flags, stamp;
	struct vx_counters *sum;
	struct vx_flow_key key;
	struct vx_flow *f;
	struct vx_id id;
	struct vx_vni vni;
	__u8 *at;
	__u16 id16;

	if (!cfg.fastpath || skb->vlan_present || !id_read(c.start, c.end, &id))
		return VX_GO_ON;
	key = id_key(&id, from, false);
	f = bpf_map_lookup_elem(&flows, &key);
	if (!f || !id_is(&id, c.start, c.end, f, from, false))
		return VX_GO_ON;
	now = bpf_ktime_get_coarse_ns();
	if (!is_good(f, now))
		return VX_GO_ON;
	size = skb->gso_size;
	size = size ? id.headers + size : len;
	if (size - VX_ETH_LEN > cfg.mtu)
		return VX_GO_ON; /* tun_out says so */
	/* All that is needed of the entry, before it may change under us. */
	stamp = f->stamp;
	for (int i = 0; i < 9; i++)
		head[i] = load64(f->header + 8 * i);
	outer = f->header_len;
	w->to = f->to;
	vni.vni = f->vni;
	id16 = (__u16)f->outer_id++;
	if (f->stamp != stamp || f->stamp_again != stamp)
		return VX_GO_ON;
	fast_measure(w, len, id.headers);
	sum = bpf_map_lookup_elem(&counters, &vni);
	if (!sum)
		return VX_GO_ON;
	flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET |
		BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |
		(__u64)VX_ETH_LEN << BPF_ADJ_ROOM_ENCAP_L2_SHIFT;
	if (outer == VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN) {
		if (bpf_skb_adjust_room(skb, 50, BPF_ADJ_ROOM_MAC,
					flags | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4))
			return VX_GO_ON;
		c = hook_cursor(w);
		at = c.start;
		if (at + 64 > c.end)
			return VX_DROP;
		/* The inner Ethernet header first: it stands where the outer one will. */
		id.macs = load64(at);
		id.macs_more = load32(at + 8);
		*(__u64 *)(at + 50) = id.macs;
		*(__u32 *)(at + 58) = id.macs_more;
		*(__u16 *)(at + 62) = id.six ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
		for (int i = 0; i < 6; i++)
			*(__u64 *)(at + 8 * i) = head[i];
		*(__u16 *)(at + 48) = (__u16)head[6];
		base = (__u32)(head[6] >> 32);
		at[15] |= outer_ecn(id.tos);
		*(__u16 *)(at + 16) = bpf_htons((__u16)(len + 36));
		*(__u16 *)(at + 18) = bpf_htons(id16);
		*(__u16 *)(at + 24) = outer_check(base, bpf_htons((__u16)(len + 36)),
						  bpf_htons(id16), outer_ecn(id.tos));
		*(__u16 *)(at + 38) = bpf_htons((__u16)(len + 16));
	} else {
		if (bpf_skb_adjust_room(skb, 70, BPF_ADJ_ROOM_MAC,
					flags | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6))
			return VX_GO_ON;
		c = hook_cursor(w);
		at = c.start;
		if (at + 84 > c.end)
			return VX_DROP;
		id.macs = load64(at);
		id.macs_more = load32(at + 8);
		*(__u64 *)(at + 70) = id.macs;
		*(__u32 *)(at + 78) = id.macs_more;
		*(__u16 *)(at + 82) = id.six ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
		for (int i = 0; i < 8; i++)
			*(__u64 *)(at + 8 * i) = head[i];
		*(__u32 *)(at + 64) = (__u32)head[8];
		*(__u16 *)(at + 68) = (__u16)(head[8] >> 32);
		/* Traffic class: bits 4 to 11 of the header; its low two are the ECN. */
		at[15] |= (__u8)(outer_ecn(id.tos) << 4);
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

/*
 * wire_in: a plain VXLAN packet over IPv4 or IPv6 in a plain Ethernet frame, of a known flow. The pair's
 * addresses are part of the entry, so the guard has had its say.
 */
static __always_inline enum vx_step fast_rx(struct vx_walk *w)
{
	struct __sk_buff *skb = VX_SKB(w);
	struct vx_cursor c = hook_cursor(w);
	__u32 len = skb->len, gso_size = skb->gso_size, outer, vni32, way, to;
	const __u8 *at = c.start, *ip = at + VX_ETH_LEN, *udp, *frame;
	struct vx_counters *sum;
	struct vx_flow_key key;
	struct vx_vni vni;
	struct vx_flow *f;
	struct vx_id id;
	__u64 now, stamp, flags;
	bool six;
	__u8 tos;
	long err;

	if (!cfg.fastpath || skb->vlan_present ||
	    at + VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN > c.end)
		return VX_GO_ON;
	six = load16(at + 12) == bpf_htons(ETH_P_IPV6);
	if (!six) {
		if (load16(at + 12) != bpf_htons(ETH_P_IP) || ip[0] != 0x45 ||
		    ip[9] != VX_PROTO_UDP || load16(ip + 6) & bpf_htons(0x3fff))
			return VX_GO_ON;
		outer = VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN + VX_VXLAN_LEN;
		udp = ip + VX_IP4_LEN;
		tos = ip[1];
		if (!gso_size && bpf_ntohs(load16(ip + 2)) != len - VX_ETH_LEN)
			return VX_GO_ON;
	} else {
		if (at + VX_ETH_LEN + VX_IP6_LEN + VX_UDP_LEN + VX_VXLAN_LEN > c.end ||
		    ip[6] != VX_PROTO_UDP)
			return VX_GO_ON;
		outer = VX_ETH_LEN + VX_IP6_LEN + VX_UDP_LEN + VX_VXLAN_LEN;
		udp = ip + VX_IP6_LEN;
		tos = (__u8)(bpf_ntohs(load16(ip)) >> 4);
		if (!gso_size && bpf_ntohs(load16(ip + 4)) != len - VX_ETH_LEN - VX_IP6_LEN)
			return VX_GO_ON;
	}
	/* Our port, no outer checksum, the VNI flag alone. */
	if (load16(udp + 2) != bpf_htons(cfg.port) || load16(udp + 6) ||
	    load32(udp + 8) != bpf_htonl(VX_VXLAN_HAS_VNI << 24) ||
	    (!gso_size && bpf_ntohs(load16(udp + 4)) != len - (outer - VX_UDP_LEN - VX_VXLAN_LEN)))
		return VX_GO_ON;
	vni32 = bpf_ntohl(load32(udp + 12));
	frame = at + outer;
	if (vni32 & 0xff || !id_read(frame, c.end, &id))
		return VX_GO_ON;
	/* RFC 6040 at the exit: anything to combine is the kernel's. */
	if (tos & 3 && (tos ^ id.tos) & 3)
		return VX_GO_ON;
	vni.vni = vni32 >> 8;
	key = id_key(&id, vni.vni, true);
	f = bpf_map_lookup_elem(&flows, &key);
	if (!f || !id_is(&id, frame, c.end, f, vni.vni, true))
		return VX_GO_ON;
	if (six) {
		if (load64(ip + 8) != load64(f->outer_source.bytes) ||
		    load64(ip + 16) != load64(f->outer_source.bytes + 8) ||
		    load64(ip + 24) != load64(f->outer_dest.bytes) ||
		    load64(ip + 32) != load64(f->outer_dest.bytes + 8))
			return VX_GO_ON;
	} else if (load32(ip + 12) != load32(f->outer_source.bytes + 12) ||
		   load32(ip + 16) != load32(f->outer_dest.bytes + 12) ||
		   load64(f->outer_source.bytes) ||
		   load32(f->outer_source.bytes + 8) != bpf_htonl(0xffff)) {
		return VX_GO_ON;
	}
	now = bpf_ktime_get_coarse_ns();
	if (!is_good(f, now))
		return VX_GO_ON;
	stamp = f->stamp;
	way = f->way;
	to = f->to;
	if (f->stamp_again != stamp)
		return VX_GO_ON;
	/* Shrinking leaves the tunnel's mark on a super-packet: harmless where TCP takes it, and wrong
	 * where the next device has to segment. UDP's own segmentation would take it for a tunnel's. */
	if (gso_size && (way != VX_WAY_PEER || id.protocol != VX_PROTO_TCP))
		return VX_GO_ON;
	fast_measure(w, len - outer, id.headers);
	sum = bpf_map_lookup_elem(&counters, &vni);
	if (!sum)
		return VX_GO_ON;
	flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	if (six != id.six)
		flags |= id.six ? BPF_F_ADJ_ROOM_DECAP_L3_IPV6 : BPF_F_ADJ_ROOM_DECAP_L3_IPV4;
	/* Kernels before 6.3 refuse to change the IP version, and nothing has happened. */
	err = bpf_skb_adjust_room(skb, -(__s32)outer, BPF_ADJ_ROOM_MAC, flags);
	if (err)
		return VX_GO_ON;
	c = hook_cursor(w);
	at = c.start;
	if (at + VX_ETH_LEN > c.end)
		return VX_DROP;
	*(__u64 *)at = id.macs;
	*(__u32 *)(at + 8) = id.macs_more;
	*(__u16 *)(at + 12) = id.six ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	sum->rx_packets += w->packets;
	sum->rx_bytes += w->bytes;
	sum->rx_fast_packets += w->packets;
	sum->last_rx_ns = now;
	w->verdict = (int)(way == VX_WAY_PEER ? bpf_redirect_peer(to, 0) : bpf_redirect(to, 0));
	return VX_SENT;
}

#endif
