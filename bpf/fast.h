/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cut-through: a frame of a flow that the kernel carried a moment ago goes straight to where the
 * kernel would bring it. Whatever is not plain stays untouched and takes the slow path: "go on".
 */
#ifndef VXBPF_FAST_H
#define VXBPF_FAST_H

#include "flow.h"

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
 * Young enough, and neither MAC has moved since. Once a verdict is no longer young, one frame at a time
 * is sent the slow way to renew it while the others go on: were all to go the slow way until it is
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

/* Segments of a frame of `len` bytes, and their bytes together, Ethernet headers included. */
static __always_inline void fast_measure(struct vx_walk *w, __u32 len, __u32 gso_size,
					 __u32 headers)
{
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

enum {
	VX_ENCAP_FLAGS = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET |
			 BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH,
};

/*
 * Room for an outer header of `outer` bytes, and behind it the inner Ethernet header, which until then
 * stands where the outer one will. Should it fail half way the frame is ours to drop: the kernel would for want of
 * memory, too.
 */
static __always_inline enum vx_step make_room(struct vx_walk *w, __u32 outer, __u64 flags,
					      const struct vx_id *inner, __u8 **out)
{
	struct vx_cursor c;
	__u8 *at;

	if (bpf_skb_adjust_room(VX_SKB(w), (__s32)outer, BPF_ADJ_ROOM_MAC,
				VX_ENCAP_FLAGS | flags |
					(__u64)VX_ETH_LEN << BPF_ADJ_ROOM_ENCAP_L2_SHIFT))
		return VX_GO_ON;
	c = hook_cursor(w);
	at = c.start;
	if (at + outer + VX_ETH_LEN > c.end)
		return VX_DROP;
	*(__u64 *)(at + outer) = load64(at);
	*(__u32 *)(at + outer + 8) = load32(at + 8);
	*(__u16 *)(at + outer + 12) = inner->six ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	*out = at;
	return VX_SENT;
}

/* The outer header of a frame of `len` bytes, by the template `head`; `id` is the IP id. */
static __always_inline enum vx_step encap4(struct vx_walk *w, const __u64 *head, __u16 id,
					   __u32 len, const struct vx_id *inner)
{
	__u16 total = bpf_htons((__u16)(len + VX_OUTER4 - VX_ETH_LEN));
	__u16 udp = bpf_htons((__u16)(len + VX_UDP_LEN + VX_VXLAN_LEN));
	__u8 ecn = outer_ecn(inner->tos), *at;
	enum vx_step step = make_room(w, VX_OUTER4, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4, inner, &at);

	if (step != VX_SENT)
		return step;
	*(__u64 *)at = head[0];
	*(__u64 *)(at + 8) = head[1] | (__u64)ecn << 56;
	*(__u64 *)(at + 16) = head[2] | total | (__u32)bpf_htons(id) << 16;
	*(__u64 *)(at + 24) =
		head[3] | outer_check((__u32)(head[6] >> 32), total, bpf_htons(id), ecn);
	*(__u64 *)(at + 32) = head[4] | (__u64)udp << 48;
	*(__u64 *)(at + 40) = head[5];
	*(__u16 *)(at + 48) = (__u16)head[6];
	return VX_SENT;
}

static __always_inline enum vx_step encap6(struct vx_walk *w, const __u64 *head, __u32 len,
					   const struct vx_id *inner)
{
	__u16 payload = bpf_htons((__u16)(len + VX_UDP_LEN + VX_VXLAN_LEN));
	__u8 *at;
	enum vx_step step = make_room(w, VX_OUTER6, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6, inner, &at);

	if (step != VX_SENT)
		return step;
	*(__u64 *)at = head[0];
	/* Traffic class: bits 4 to 11 of the header; its low two are the ECN. */
	*(__u64 *)(at + 8) = head[1] | (__u64)(outer_ecn(inner->tos) << 4) << 56;
	*(__u64 *)(at + 16) = head[2] | (__u32)payload << 16;
	for (int i = 3; i < 7; i++)
		*(__u64 *)(at + 8 * i) = head[i];
	*(__u64 *)(at + 56) = head[7] | (__u32)payload << 16;
	*(__u32 *)(at + 64) = (__u32)head[8];
	*(__u16 *)(at + 68) = (__u16)(head[8] >> 32);
	return VX_SENT;
}

/* The first of n IDs that no packet to this peer has had for long, on any CPU or flow (RFC 6864). Each
 * segment of a super-packet gets the next one. */
static __always_inline __u16 next_ident(__u32 slot, __u32 packets)
{
	__u32 *ident = bpf_map_lookup_elem(&idents, &slot);

	return ident ? (__u16)__sync_fetch_and_add(ident, packets) : 0;
}

/* Encapsulate as the kernel did, and out by the same device. `six` is the frame's own IP. */
static __always_inline enum vx_step fast_tx_ip(struct vx_walk *w, struct vx_cursor c, __u32 from,
					       enum vx_hop hop, bool six)
{
	__u32 len, size, gso_size, headers = 0, to, slot;
	struct __sk_buff *skb = VX_SKB(w);
	__u64 head[9], now, stamp, kind;
	struct vx_counters *sum;
	struct vx_flow *f;
	enum vx_step step;
	struct vx_id id;
	bool four;

	if (!id_read(c.start, c.end, six, &id) || skb->vlan_present)
		return VX_GO_ON;
	kind = id_kind(&id, from, hop);
	f = find_flow(id_hash(&id, kind));
	if (!f)
		return VX_GO_ON;
	stamp = read_stamp(f);
	if (!id_is(&id, kind, c.start, c.end, f))
		return VX_GO_ON;
	sum = bpf_map_lookup_elem(&counters, &f->slot);
	if (!sum || sum->owner != f->owner)
		return VX_GO_ON;
	now = tick_time(sum);
	if (!is_good(f, now))
		return VX_GO_ON;
	len = skb->len;
	gso_size = skb->gso_size;
	size = len;
	if (gso_size) {
		if (len > 0xffff - (VX_OUTER4 - VX_ETH_LEN))
			return VX_GO_ON; /* BIG TCP */
		headers = headers_of(&id, c.start, c.end);
		size = headers + gso_size;
	}
	if (size > cfg.mtu + VX_ETH_LEN)
		return VX_GO_ON; /* tun_out says so */
	/* All that is needed of the entry, before it may change under us. */
	four = f->header_len == VX_OUTER4;
	if (size > f->fits)
		return VX_GO_ON;
	for (int i = 0; i < 7; i++)
		head[i] = load64(f->header + 8 * i);
	if (!four) {
		head[7] = load64(f->header + 56);
		head[8] = load64(f->header + 64);
	}
	to = f->to;
	slot = f->slot & (VX_IDENTS - 1);
	if (is_rewritten(f, stamp))
		return VX_GO_ON;
	fast_measure(w, len, gso_size, headers);
	step = four ? encap4(w, head, next_ident(slot, w->packets), len, &id)
		    : encap6(w, head, len, &id);
	if (step != VX_SENT)
		return step;
	sum->tx_packets += w->packets;
	sum->tx_bytes += w->bytes;
	sum->tx_fast_packets += w->packets;
	sum->last_unicast_tx_ns = now;
	hook_set_fast_word(w);
	skb->queue_mapping = 0;
	w->verdict = (int)bpf_redirect(to, 0);
	return VX_SENT;
}

static __always_inline enum vx_step fast_tx(struct vx_walk *w, __u32 from, enum vx_hop hop)
{
	struct vx_cursor c = hook_cursor(w);
	__u32 bytes;

	if (!cfg.fastpath || c.start + VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN > c.end)
		return VX_GO_ON;
	bytes = load32(c.start + 12);
	if (is_plain4(bytes))
		return fast_tx_ip(w, c, from, hop, false);
	return is_plain6(bytes) ? fast_tx_ip(w, c, from, hop, true) : VX_GO_ON;
}

/* port_in: past the bridge and the tunnel stack. */
static __always_inline enum vx_step fast_port(struct vx_walk *w)
{
	return fast_tx(w, hook_ifindex(w), VX_HOP_PORT);
}

/* tun_out: what came by a port without hooks, or the bridge's own, at least past the tunnel stack. */
static __always_inline enum vx_step fast_tunnel(struct vx_walk *w)
{
	return fast_tx(w, w->vni, VX_HOP_TUNNEL);
}

/*
 * Plain UDP to our port, no checksum, the VNI flag alone; its lengths, if it is one packet, those of
 * the frame. The caller knows which IP it is.
 */
static __always_inline bool is_plain_vxlan(const __u8 *at, const __u8 *end, bool six, __u32 len,
					   __u32 gso_size)
{
	const __u8 *udp = at + VX_ETH_LEN + (six ? VX_IP6_LEN : VX_IP4_LEN);

	if (udp + VX_UDP_LEN + VX_VXLAN_LEN > end)
		return false;
	if (six) {
		if (at[20] != VX_PROTO_UDP)
			return false;
	} else if ((load32(at + 20) & bpf_htonl(0x3fff00ff)) != bpf_htonl(VX_PROTO_UDP) ||
		   !is_sum_right(at + VX_ETH_LEN)) {
		return false; /* or a fragment */
	}
	if (load16(udp + 2) != bpf_htons(cfg.port) || load16(udp + 6) ||
	    load32(udp + 8) != bpf_htonl(VX_VXLAN_HAS_VNI << 24) || udp[15])
		return false;
	if (gso_size)
		return true;
	len -= VX_ETH_LEN;
	if (six)
		len -= VX_IP6_LEN;
	if (bpf_ntohs(load16(at + (six ? 18 : 16))) != len)
		return false;
	return bpf_ntohs(load16(udp + 4)) == (six ? len : len - VX_IP4_LEN);
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
 * wire_in: a plain VXLAN packet in a plain Ethernet frame, of a known flow. The pair's addresses are
 * part of the entry, so the guard has had its say. `outer_six` and `six` are the IP outside and inside.
 */
static __always_inline enum vx_step fast_rx_ip(struct vx_walk *w, struct vx_cursor c,
					       bool outer_six, bool six)
{
	__u32 outer = outer_six ? VX_OUTER6 : VX_OUTER4, gso_size, headers = 0, way, to;
	__u64 now, stamp, kind, flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	struct __sk_buff *skb = VX_SKB(w);
	const __u8 *at = c.start, *frame = at + outer;
	struct vx_counters *sum;
	struct vx_flow *f;
	struct vx_id id;
	__u8 tos, *out;

	gso_size = skb->gso_size;
	if (!is_plain_vxlan(at, c.end, outer_six, skb->len, gso_size) ||
	    !id_read(frame, c.end, six, &id) || skb->vlan_present)
		return VX_GO_ON;
	/* RFC 6040 at the exit: anything to combine is the kernel's. */
	tos = outer_six ? (__u8)(bpf_ntohs(load16(at + 14)) >> 4) : at[15];
	if (tos & 3 && (tos ^ id.tos) & 3)
		return VX_GO_ON;
	kind = id_kind(&id, bpf_ntohl(load32(frame - 4)) >> 8,
		       outer_six ? VX_HOP_WIRE6 : VX_HOP_WIRE4);
	f = find_flow(id_hash(&id, kind));
	if (!f)
		return VX_GO_ON;
	stamp = read_stamp(f);
	if (!id_is(&id, kind, frame, c.end, f) || !is_outer(f, at, outer_six))
		return VX_GO_ON;
	sum = bpf_map_lookup_elem(&counters, &f->slot);
	if (!sum || sum->owner != f->owner)
		return VX_GO_ON;
	now = tick_time(sum);
	if (!is_good(f, now))
		return VX_GO_ON;
	if (gso_size) {
		/* Shrinking leaves the tunnel's mark on a super-packet: harmless where a TCP socket takes
		 * it, and wrong where another device, or UDP, has to segment it. */
		if (!f->super)
			return VX_GO_ON;
		headers = headers_of(&id, frame, c.end);
	}
	way = f->way;
	to = f->to;
	if (is_rewritten(f, stamp))
		return VX_GO_ON;
	/* Kernels before 6.3 refuse to change the IP version, and nothing has happened. */
	if (outer_six != six)
		flags |= six ? BPF_F_ADJ_ROOM_DECAP_L3_IPV6 : BPF_F_ADJ_ROOM_DECAP_L3_IPV4;
	if (bpf_skb_adjust_room(skb, -(__s32)outer, BPF_ADJ_ROOM_MAC, flags))
		return VX_GO_ON;
	/* The device's knowledge of the outer checksum, zero or not, says nothing about the inner one. */
	bpf_csum_level(skb, BPF_CSUM_LEVEL_DEC);
	c = hook_cursor(w);
	out = c.start;
	if (out + VX_ETH_LEN > c.end)
		return VX_DROP;
	*(__u64 *)out = id.macs;
	*(__u32 *)(out + 8) = (__u32)id.rest;
	*(__u16 *)(out + 12) = six ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	fast_measure(w, skb->len, gso_size, headers);
	sum->rx_packets += w->packets;
	sum->rx_bytes += w->bytes;
	sum->rx_fast_packets += w->packets;
	sum->last_rx_ns = now;
	if (way == VX_WAY_PEER) {
		w->verdict = (int)bpf_redirect_peer(to, 0);
	} else {
		hook_say(w, 0);
		if (way == VX_WAY_HOST)
			hook_mark(w);
		w->verdict = (int)bpf_redirect(to, way == VX_WAY_HOST ? BPF_F_INGRESS : 0);
	}
	return VX_SENT;
}

static __always_inline enum vx_step fast_rx(struct vx_walk *w)
{
	struct vx_cursor c;
	__u32 bytes;

	/* Not for this host, seen because the device is promiscuous; or a train, which fast_rx_ip would take
	 * for one packet. */
	if (!cfg.fastpath || VX_SKB(w)->pkt_type != VX_PACKET_HOST ||
	    (VX_SKB(w)->gso_size && hook_is_datagrams(VX_SKB(w))))
		return VX_GO_ON;
	c = hook_cursor(w);
	if (c.start + VX_OUTER4 + VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN > c.end)
		return VX_GO_ON;
	bytes = load32(c.start + 12);
	if (is_plain4(bytes)) {
		bytes = load32(c.start + VX_OUTER4 + 12);
		if (is_plain4(bytes))
			return fast_rx_ip(w, c, false, false);
		return is_plain6(bytes) ? fast_rx_ip(w, c, false, true) : VX_GO_ON;
	}
	if (!is_plain6(bytes) || c.start + VX_OUTER6 + VX_ETH_LEN + VX_IP4_LEN > c.end)
		return VX_GO_ON;
	bytes = load32(c.start + VX_OUTER6 + 12);
	if (is_plain4(bytes))
		return fast_rx_ip(w, c, true, false);
	return is_plain6(bytes) ? fast_rx_ip(w, c, true, true) : VX_GO_ON;
}

#endif
