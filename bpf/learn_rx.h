/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where receive flows are learned, and local MACs located: at the port the bridge gave the frame to.
 */
#ifndef VXBPF_LEARN_RX_H
#define VXBPF_LEARN_RX_H

#include "keep.h"

/* Does somebody watch which XDP is at the other ends of veths? Each way in passes by one kind of it. */
static __always_inline bool is_watched(__u64 now)
{
	__u32 key = 0;
	const struct vx_lease *l = bpf_map_lookup_elem(&lease, &key);

	return l && l->until_ns > now;
}

/* A frame that has reached this port teaches this: its sender is at `peer`, so the answer to whether
 * the bridge brings such frames here is known if their destination has shown itself here. */
static __always_inline void learn_rx(struct vx_walk *w, enum vx_door door,
				     const struct vx_peer *peer, __u32 vni)
{
	struct vx_note *note = find_note();
	const struct vx_fdb *src, *dst;
	__u32 port = hook_ifindex(w);
	struct vx_flow *f;
	struct vx_cursor c;
	struct vx_id id;

	/* Without the kernel's policies nobody could tell a peer's ESP from a stranger's plain VXLAN. */
	if (!note || !peer || peer->ipsec || peer->slow_rx || hook_tagged(w) || door == VX_DOOR_OUT)
		return;
	w->now = bpf_ktime_get_coarse_ns();
	if ((door == VX_DOOR_PEER || door == VX_DOOR_NEAR) && !is_watched(w->now))
		return;
	c = hook_cursor(w);
	if (!id_read_any(c.start, c.end, &id))
		return;
	f = &note->flow;
	note->vni = VX_NO_VNI;
	flow_begin(f, &id);
	src = find_src(&id);
	dst = find_mac(id.macs);
	if (!src || src->place != VX_AT_PEER || src->vni != vni || !dst ||
	    dst->place != VX_AT_PORT || dst->ifindex != port)
		return;
	if (!flow_fill(f, &id, c.start, c.end, w->now))
		return;
	f->hop = is_addr4(&peer->remote) ? VX_HOP_WIRE4 : VX_HOP_WIRE6;
	f->from = vni;
	f->slot = peer->slot;
	f->owner = peer->owner;
	f->to = port;
	f->way = door == VX_DOOR_PEER	? VX_WAY_PEER
		 : door == VX_DOOR_HOST ? VX_WAY_HOST
					: VX_WAY_PORT;
	f->super = f->way != VX_WAY_PORT && id.protocol == VX_PROTO_TCP && ends_here(&id, f, port);
	f->outer_source = peer->remote;
	f->outer_dest = peer->local;
	flow_keep(f, &id);
}

/* The frame as a room behind the bridge sees it, except at a tunnel: from a local port, it says where
 * its sender is. */
static __always_inline void learn_local(struct vx_walk *w, __u32 ifindex)
{
	if (read_frame(w, VX_ADDRESSES) != VX_PARSED)
		return;
	w->now = bpf_ktime_get_coarse_ns();
	learn_port(w, ifindex);
}

/* port_out: the bridge's word on where a frame goes. A frame from the fast path shows the device it
 * came from, which is neither a tunnel nor, in a word, a port. */
static __always_inline enum vx_step learn_out(struct vx_walk *w)
{
	struct vx_ifindex port = { hook_ifindex(w) };
	const struct vx_door_value *door;
	const struct vx_peer *peer;
	__u32 said = hook_said(w), vni;

	if (said)
		hook_say(w, 0);
	if (!cfg.fastpath)
		return VX_PASS;
	if (is_from_port(said)) {
		learn_local(w, hook_ingress(w));
		return VX_PASS;
	}
	peer = find_tunnel(hook_ingress(w), &vni);
	door = peer ? bpf_map_lookup_elem(&doors, &port) : NULL;
	if (door)
		learn_rx(w, door->door, peer, vni);
	return VX_PASS;
}

/* host_out: the same on the bridge itself, where the device no longer shows. Which peer's it is tun_in
 * has said; which port's, port_in. A frame from the fast path is marked and teaches nothing. */
static __always_inline enum vx_step learn_host(struct vx_walk *w)
{
	const struct vx_note *note;
	const struct vx_peer *peer;
	const struct vx_fdb *src;
	__u32 said = hook_said(w);
	struct vx_fdb_key mac;
	struct vx_vni vni;

	if (said)
		hook_say(w, 0);
	if (hook_marked(w)) {
		hook_unmark(w);
		return VX_PASS;
	}
	if (!cfg.fastpath)
		return VX_PASS;
	if (is_from_port(said)) {
		note = find_note();
		if (note && ((note->port ^ said) & VX_SAID_PORTS) == 0)
			learn_local(w, note->port);
		return VX_PASS;
	}
	if (!is_from_peer(said))
		return VX_PASS;
	if (read_frame(w, VX_ADDRESSES) != VX_PARSED)
		return VX_PASS;
	mac = w->pkt.src;
	src = bpf_map_lookup_elem(&fdb, &mac);
	if (!src || src->place != VX_AT_PEER)
		return VX_PASS;
	vni.vni = src->vni;
	peer = bpf_map_lookup_elem(&peers, &vni);
	if (peer && peer->slot == (said & VX_SAID_PEERS))
		learn_rx(w, VX_DOOR_HOST, peer, vni.vni);
	return VX_PASS;
}

#endif
