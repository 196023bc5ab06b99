/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two rooms of a tunnel: what comes out of it must have been seen by the guard, what goes into it
 * must not come from another tunnel (I2). Whether it fits is tell.h's business.
 */
#ifndef VXBPF_TUNNEL_H
#define VXBPF_TUNNEL_H

#include "locate.h"
#include "probe.h"
#include "read.h"

#define VX_NO_VNI 0xffffffff /* larger than any */

static __always_inline const struct vx_peer *find_tunnel(__u32 ifindex, __u32 *out_vni)
{
	struct vx_ifindex key = { ifindex };
	struct vx_vni *vni = bpf_map_lookup_elem(&tunnels, &key);

	if (!vni) {
		*out_vni = VX_NO_VNI;
		return NULL;
	}
	*out_vni = vni->vni;
	return bpf_map_lookup_elem(&peers, vni);
}

/* tun_in, tun_out: the frame, and whose tunnel `ifindex` is. */
static __always_inline enum vx_step read_tunnel(struct vx_walk *w, __u32 ifindex)
{
	if (read_frame(w, VX_FRAME) != VX_PARSED)
		return VX_PASS;
	w->peer = find_tunnel(ifindex, &w->vni);
	w->pkt.vni = w->vni;
	w->now = bpf_ktime_get_coarse_ns();
	measure_frame(w);
	return VX_GO_ON;
}

/*
 * tun_in: no mark means that no wire_in saw the packet, or that it saw only ESP. The sender's address
 * is gone by now, so nobody is blamed.
 */
static __always_inline enum vx_step check_mark(struct vx_walk *w)
{
	bool marked = hook_marked(w);

	if (!marked &&
	    hook_is_by(w, VX_BY_TUNNEL)) /* the kernel tells a sender that the path takes less */
		return VX_PASS;
	if (marked)
		hook_unmark(w);
	w->from = hook_ifindex(w);
	if (read_tunnel(w, w->from) == VX_PASS || w->vni == VX_NO_VNI)
		return VX_PASS;
	if (marked)
		return VX_GO_ON;
	if (w->peer && w->peer->ipsec)
		return is_probe(w) ? VX_GO_ON : count_rx(w);
	if (cfg.guard == VX_GUARD_OFF)
		return VX_GO_ON;
	charge(w, VX_REASON_UNGUARDED, NULL);
	return cfg.guard == VX_GUARD_ENFORCE ? VX_DROP : VX_GO_ON;
}

/* Known to be somewhere else than at this tunnel's peer: the bridge only floods this way. */
static __always_inline bool is_elsewhere(const struct vx_walk *w)
{
	struct vx_fdb_key key = w->pkt.dst;
	const struct vx_fdb *at = bpf_map_lookup_elem(&fdb, &key);

	return at && (at->place == VX_AT_PORT || at->vni != w->vni);
}

/*
 * tun_out: from one tunnel to another never, whatever the guard's mode. The bridge's flooding copies
 * are its way of working and no drops; a unicast frame sent here on purpose is a loop in the making.
 */
static __always_inline enum vx_step split_horizon(struct vx_walk *w)
{
	const struct vx_peer *sender;
	struct vx_vni vni;

	w->from = hook_ingress(w);
	w->to = hook_ifindex(w);
	if (read_tunnel(w, w->to) == VX_PASS)
		return VX_PASS;
	if (is_probe(w))
		return pass_probe(w);
	if (!w->from)
		return VX_GO_ON;
	sender = find_tunnel(w->from, &vni.vni);
	if (vni.vni == VX_NO_VNI)
		return VX_GO_ON;
	if (is_group(&w->pkt.dst) || is_elsewhere(w)) {
		struct vx_counters *sum = find_counters(sender);

		if (sum)
			sum->flood_copies += w->packets;
		return VX_DROP;
	}
	w->pkt.vni = vni.vni;
	if (!hook_counted(w))
		charge(w, VX_REASON_LOOP, sender);
	return VX_DROP;
}

/*
 * tun_in: unicast for a MAC that another peer has. The bridge will send it back into a tunnel, and
 * where tunnels are isolated ports it drops the frame without a word: so it is counted here, and
 * tun_out, should it see the frame, need not. Not dropped: the bridge may know better.
 */
static __always_inline enum vx_step see_return(struct vx_walk *w)
{
	struct vx_fdb_key key = w->pkt.dst;
	const struct vx_fdb *at;

	if (is_group(&key) || w->reason != VX_REASON_NONE)
		return VX_GO_ON;
	at = bpf_map_lookup_elem(&fdb, &key);
	if (!at || at->place != VX_AT_PEER || at->vni == w->vni ||
	    !is_within(at->seen_ns, w->now, VX_FDB_AGE_NS))
		return VX_GO_ON;
	w->to = w->from; /* some tunnel: which one is the bridge's to say */
	charge(w, VX_REASON_LOOP, w->peer);
	hook_set_counted(w);
	return VX_GO_ON;
}

/* tun_out: off to the kernel's VXLAN. Should it find the frame too large for the path it makes an answer of
 * it, which comes out of this very tunnel without any wire_in having seen it. */
static __always_inline enum vx_step send_off(struct vx_walk *w)
{
	hook_set_by(w, VX_BY_TUNNEL);
	return VX_PASS;
}

/* port_in: a frame from the local side, at the door. */
static __always_inline enum vx_step learn_here(struct vx_walk *w)
{
	if (read_frame(w, VX_ADDRESSES) != VX_PARSED)
		return VX_PASS;
	w->now = bpf_ktime_get_coarse_ns();
	return learn_port(w, hook_ifindex(w));
}

#endif
