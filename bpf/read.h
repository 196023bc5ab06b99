/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fills a walk's struct vx_pkt from what the hook was handed: once from the bytes at hand and, if
 * they end too early, once more after a pull.
 */
#ifndef VXBPF_READ_H
#define VXBPF_READ_H

#include "hook.h"

/* The kinds to look for. The first two are VXLAN packets of ours, seen from outside. */
enum vx_view {
	VX_WIRE_IN,
	VX_WIRE_OUT,
	VX_FRAME, /* a frame as the bridge sees it */
	VX_ADDRESSES, /* of such a frame only its addresses */
};

static __always_inline bool is_local(const struct vx_ip *ip, enum vx_view view)
{
	struct vx_addr local = ip->six ? cfg.local6 : cfg.local4;

	return addr_equal(view == VX_WIRE_IN ? &ip->dest : &ip->source, &local);
}

/* Leaves the cursor at the inner frame. */
static __always_inline enum vx_parse read_vxlan(struct vx_walk *w, struct vx_cursor *c,
						enum vx_view view)
{
	enum vx_parse parsed = parse_outer(c, w->ethernet, cfg.port, &w->pkt);

	if (parsed != VX_PARSED)
		return parsed;
	if (!is_local(&w->pkt.ip, view))
		return VX_OTHER;
	return parse_vxlan(c, hook_len(w), hook_gso_size(w), &w->pkt);
}

/* With `last` no better look will come: tags that cannot be read are not known. */
static __always_inline enum vx_parse read_once(struct vx_walk *w, enum vx_view view, bool last)
{
	struct vx_cursor c = hook_cursor(w);
	enum vx_parse parsed;

	if (view == VX_WIRE_IN || view == VX_WIRE_OUT) {
		parsed = read_vxlan(w, &c, view);
		if (parsed != VX_PARSED)
			return parsed;
	} else {
		w->pkt.frame_len = hook_len(w);
	}
	parsed = parse_macs(&c, &w->pkt);
	if (parsed != VX_PARSED)
		return parsed;
	parsed = parse_tags(&c, &w->pkt);
	return parsed == VX_SHORT && !last ? VX_SHORT : VX_PARSED;
}

/* Headers usually are where they can be read; the pull is for drivers that leave them in pages. */
static __always_inline enum vx_parse read_packet(struct vx_walk *w, enum vx_view view)
{
	enum vx_parse parsed = read_once(w, view, w->xdp);

	if (parsed != VX_SHORT || w->xdp)
		return parsed;
	hook_pull(w, VX_PULL);
	return read_once(w, view, true);
}

/* A frame with its tag beside it is the same frame as with the tag in it. */
static __always_inline enum vx_parse read_frame(struct vx_walk *w, enum vx_view view)
{
	enum vx_parse parsed = read_packet(w, view);

	if (parsed == VX_PARSED && hook_tagged(w)) {
		w->pkt.src.vlan = hook_vlan(w);
		w->pkt.dst.vlan = w->pkt.src.vlan;
	}
	return parsed;
}

/* An address as the maps have it, from where it stands in the packet. */
static __always_inline void load_addr(struct __sk_buff *skb, __u32 off, bool six,
				      struct vx_addr *to)
{
	copy_addr4(to, 0);
	if (six)
		bpf_skb_load_bytes(skb, off, to, sizeof(*to));
	else
		bpf_skb_load_bytes(skb, off, to->bytes + 12, 4);
}

#endif
