/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where transmit flows are learned: only behind the kernel's own work, in two halves. tun_out notes from
 * which port the bridge has let the frame into the tunnel; wire_out completes the note from the kernel's
 * finished packet, so that next hop, firewall, routing and IPsec have had their say.
 */
#ifndef VXBPF_LEARN_TX_H
#define VXBPF_LEARN_TX_H

#include "keep.h"

/* Offsets in the outer header of a packet, where the template has zeros; behind it, the template's sum. */
enum {
	VX_AT_TOS = VX_ETH_LEN + 1, /* its ECN is its low two bits; in IPv6 they are bits 4 and 5 */
	VX_AT_LENGTH4 = VX_ETH_LEN + 2, /* and the ID */
	VX_AT_ID4 = VX_ETH_LEN + 4,
	VX_AT_SUM4 = VX_ETH_LEN + 10,
	VX_AT_UDP_LENGTH4 = VX_ETH_LEN + VX_IP4_LEN + 4,
	VX_AT_TEMPLATE_SUM = 52,
	VX_AT_LENGTH6 = VX_ETH_LEN + 4,
	VX_AT_UDP_LENGTH6 = VX_ETH_LEN + VX_IP6_LEN + 4,
};

/* The outer IPv4 header without what differs from packet to packet, and the sum of the rest. */
static __always_inline void template4(struct vx_flow *f)
{
	__u32 sum = 0;

	f->header[VX_AT_TOS] &= 0xfc;
	__builtin_memset(f->header + VX_AT_LENGTH4, 0, 4);
	__builtin_memset(f->header + VX_AT_SUM4, 0, 2);
	for (int i = 0; i < 10; i++)
		sum += load16(f->header + VX_ETH_LEN + 2 * i);
	__builtin_memcpy(f->header + VX_AT_TEMPLATE_SUM, &sum, 4);
}

/* Which frames of this sender go fast: those of a port with a door, there, and those of one without
 * hooks (it has no name in `ports`), behind the bridge. */
static __always_inline bool find_hop(const struct vx_walk *w, const struct vx_note *note,
				     struct vx_flow *f)
{
	bool host = hook_said(w) == VX_SAID_HOST;
	struct vx_ifindex key = { host ? note->host : w->from };
	const struct vx_port *port;

	if (!key.ifindex)
		return false;
	if (bpf_map_lookup_elem(&doors, &key)) {
		f->hop = VX_HOP_PORT;
		f->from = key.ifindex;
		return true;
	}
	port = bpf_map_lookup_elem(&ports, &key);
	f->hop = VX_HOP_TUNNEL;
	f->from = w->vni;
	return !host && (!port || !port->name[0]);
}

/* tun_out, before the place of the destination is looked up (see note_move): whose frame is this? */
static __always_inline enum vx_step begin_note(struct vx_walk *w)
{
	struct vx_note *note;
	struct vx_cursor c;
	struct vx_id id;

	if (!cfg.fastpath)
		return VX_GO_ON;
	note = find_note();
	if (!note)
		return VX_GO_ON;
	note->vni = VX_NO_VNI;
	note->finished = 0;
	c = hook_cursor(w);
	if (!w->peer || w->peer->slow_tx || hook_tagged(w) || !id_read_any(c.start, c.end, &id))
		return VX_GO_ON;
	flow_begin(&note->flow, &id);
	if (!flow_fill(&note->flow, &id, c.start, c.end, w->now))
		return VX_GO_ON;
	note->flow.first = is_first(&id, c.start);
	note->vni = w->vni;
	return VX_GO_ON;
}

/* tun_out: what the bridge has done with this frame, for wire_out, which sees what the kernel makes of it.
 * Not where the bridge may only have flooded it. */
static __always_inline enum vx_step end_note(struct vx_walk *w)
{
	const struct vx_fdb *dst = w->dst;
	struct vx_note *note;
	struct vx_flow *f;

	if (!cfg.fastpath)
		return VX_GO_ON;
	note = find_note();
	if (!note || note->vni != w->vni || !w->peer)
		return VX_GO_ON;
	f = &note->flow;
	if (!dst || dst->place != VX_AT_PEER || dst->vni != w->vni ||
	    !is_within(dst->seen_ns, w->now, VX_FDB_AGE_NS) || !find_hop(w, note, f)) {
		note->vni = VX_NO_VNI;
		return VX_GO_ON;
	}
	f->slot = w->peer->slot;
	f->owner = w->peer->owner;
	f->outer_source = w->peer->local;
	f->outer_dest = w->peer->remote;
	return VX_GO_ON;
}

/* Is what starts at `at` the kernel's plain VXLAN of the note's frame, whole? UDP without a checksum, as
 * every packet will be sent. */
static __always_inline bool is_noted(const struct vx_note *note, const __u8 *at, const __u8 *end,
				     bool six)
{
	const __u8 *udp = at + VX_ETH_LEN + (six ? VX_IP6_LEN : VX_IP4_LEN);

	if (udp + VX_UDP_LEN + VX_VXLAN_LEN > end || !is_outer(&note->flow, at, six))
		return false;
	if (six ? at[20] != VX_PROTO_UDP
		: (load32(at + 20) & bpf_htonl(0x3fff00ff)) != bpf_htonl(VX_PROTO_UDP))
		return false; /* or a fragment */
	return load16(udp + 2) == bpf_htons(cfg.port) && !load16(udp + 6) &&
	       load32(udp + 8) == bpf_htonl(VX_VXLAN_HAS_VNI << 24) &&
	       load32(udp + 12) == bpf_htonl(note->vni << 8);
}

/* The outer header as a template: without what differs from packet to packet. */
static __always_inline void fill_header4(struct vx_flow *f, const __u8 *at)
{
	__u32 key = f->slot & (VX_IDENTS - 1), *ident = bpf_map_lookup_elem(&idents, &key);

	/* Far from where the kernel goes on counting for what goes its way. */
	if (ident && !*ident)
		*ident = 0x10000 | (__u16)(bpf_ntohs(load16(at + VX_AT_ID4)) + 0x8000);
	for (int i = 0; i < 6; i++)
		*(__u64 *)(f->header + 8 * i) = load64(at + 8 * i);
	*(__u64 *)(f->header + 48) = load16(at + 48);
	*(__u64 *)(f->header + 56) = 0;
	*(__u64 *)(f->header + 64) = 0;
	__builtin_memset(f->header + VX_AT_UDP_LENGTH4, 0, 2);
	template4(f);
}

static __always_inline void fill_header6(struct vx_flow *f, const __u8 *at)
{
	for (int i = 0; i < 8; i++)
		*(__u64 *)(f->header + 8 * i) = load64(at + 8 * i);
	*(__u64 *)(f->header + 64) = load32(at + 64) | (__u64)load16(at + 68) << 32;
	f->header[VX_AT_TOS] &= 0xcf;
	__builtin_memset(f->header + VX_AT_LENGTH6, 0, 2);
	__builtin_memset(f->header + VX_AT_UDP_LENGTH6, 0, 2);
}

/* wire_out: the kernel's own packet, of the frame that tun_out has just let into the tunnel. */
static __always_inline void learn_tx_ip(struct vx_walk *w, struct vx_note *note, bool six)
{
	__u32 outer = six ? VX_OUTER6 : VX_OUTER4, gso_size = hook_gso_size(w);
	struct vx_cursor c = hook_cursor(w);
	struct vx_flow *f = &note->flow;
	const __u8 *at = c.start, *frame = at + outer;
	struct vx_id id;

	if (frame > c.end || !is_noted(note, at, c.end, six) || !id_read_any(frame, c.end, &id) ||
	    !id_is(&id, id_kind(&id, f->from, f->hop), frame, c.end, f))
		return;
	if (six)
		fill_header6(f, at);
	else
		fill_header4(f, at);
	f->header_len = (__u16)outer;
	f->fits = gso_size ? headers_of(&id, frame, c.end) + gso_size : hook_len(w) - outer;
	f->way = VX_WAY_WIRE;
	f->to = hook_ifindex(w);
	flow_keep(f, &id);
	note->finished = 1;
}

/* wire_out: the same frame once more, to somewhere else: a rule makes copies (TEE, `dup`), and the first to come
 * was one of these. Such flows stay the kernel's. */
static __always_inline void see_copy(struct vx_walk *w, struct vx_note *note)
{
	struct vx_cursor c = hook_cursor(w);
	__u32 *count, key = note->flow.moves_src;

	if (c.start + VX_ETH_LEN > c.end || (load32(c.start) == load32(note->flow.header) &&
					     load16(c.start + 4) == load16(note->flow.header + 4) &&
					     note->flow.to == hook_ifindex(w)))
		return;
	note->finished = 0;
	count = bpf_map_lookup_elem(&moves, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void learn_tx(struct vx_walk *w)
{
	struct vx_cursor c = hook_cursor(w);
	struct vx_note *note;
	__u32 bytes;

	if (!cfg.fastpath || !w->ethernet || hook_tagged(w) ||
	    c.start + VX_ETH_LEN + VX_IP4_LEN > c.end)
		return;
	note = find_note();
	if (note && note->finished)
		see_copy(w, note);
	if (!note || note->vni == VX_NO_VNI)
		return;
	bytes = load32(c.start + 12);
	if (is_plain4(bytes))
		learn_tx_ip(w, note, false);
	else if (is_plain6(bytes))
		learn_tx_ip(w, note, true);
	note->vni = VX_NO_VNI;
}

/* wire_out: what this overlay has made needs no second look. */
static __always_inline enum vx_step pass_ours(struct vx_walk *w)
{
	enum vx_word word = hook_word(w);

	if (word == VX_WORD_NONE || (word == VX_WORD_TUNNEL && hook_ingress(w)))
		return VX_GO_ON;
	hook_clear_word(w);
	if (word == VX_WORD_TUNNEL)
		learn_tx(w);
	return VX_PASS;
}

#endif
