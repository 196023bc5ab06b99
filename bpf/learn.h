/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where flows are learned: only behind the kernel's own work. Transmit from its finished packet at
 * wire_out, so that next hop, firewall, routing and IPsec have had their say; receive at the port the
 * bridge gave the frame to.
 */
#ifndef VXBPF_LEARN_H
#define VXBPF_LEARN_H

#include "flow.h"
#include "read.h"
#include "tunnel.h"

/* Before the places of its MACs are looked up, see note_move. */
static __always_inline void flow_begin(struct vx_flow *f, const struct vx_id *id)
{
	__builtin_memcpy(f->dst_mac, &id->macs, 8);
	__builtin_memcpy(f->dst_mac + 8, &id->rest, 8);
	f->moves_src = moves_key(f->src_mac);
	f->moves_dst = moves_key(f->dst_mac);
	f->moved = moves_of(f);
}

static __always_inline void flow_fill(struct vx_flow *f, const struct vx_id *id, const __u8 *at,
				      __u64 now)
{
	f->addrs = id->addrs;
	f->protocol = id->protocol;
	f->six = id->six;
	if (id->six) {
		copy_addr(&f->source, at + VX_ETH_LEN + 8);
		copy_addr(&f->dest, at + VX_ETH_LEN + 24);
	} else {
		copy_addr4(&f->source, (__u32)id->addrs);
		copy_addr4(&f->dest, (__u32)(id->addrs >> 32));
	}
	f->learned_ns = now;
}

/*
 * The frame's TTL is one that systems begin with, so its sender does not forward it for others. To
 * such an address nothing is forwarded either.
 */
static __always_inline bool is_first(const struct vx_id *id, const __u8 *at)
{
	__u8 ttl = id->six ? at[21] : at[22];

	return ttl == 64 || ttl == 128 || ttl == 255;
}

/* The answers come from where the frame goes: not from behind it. */
static __always_inline bool ends_here(const struct vx_id *id, const __u8 *at, __u32 ifindex)
{
	struct vx_id back = id_back(id, at);
	const struct vx_flow *f = find_flow(id_hash(&back, id_kind(&back, ifindex, VX_HOP_PORT)));

	return f && load64(f->dst_mac) == back.macs && f->addrs == back.addrs && f->first;
}

/* The same verdict as before: then only its age is new. `at` is in the table or in `hot`. */
static __always_inline bool flow_renew(struct vx_flow *at, const struct vx_flow *f)
{
	const __u32 parts[][2] = {
		{ offsetof(struct vx_flow, hash), offsetof(struct vx_flow, learned_ns) },
		{ offsetof(struct vx_flow, moves_src), offsetof(struct vx_flow, moved) },
		{ offsetof(struct vx_flow, way), offsetof(struct vx_flow, outer_id) },
		{ offsetof(struct vx_flow, header_len), offsetof(struct vx_flow, stamp_again) },
	};
	__u64 stamp = read_stamp(at);

	for (int part = 0; part < 4; part++)
		for (__u32 i = parts[part][0]; i < parts[part][1]; i += 4)
			if (load32((__u8 *)at + i) != load32((const __u8 *)f + i))
				return false;
	if (is_rewritten(at, stamp))
		return false;
	at->moved = f->moved;
	at->fits = f->fits;
	at->learned_ns = f->learned_ns;
	return true;
}

/* Into the table, and into its slot of `hot` unless a flow of our time has that. */
static __always_inline void flow_keep(struct vx_flow *f, const struct vx_id *id)
{
	__u64 hash = id_hash(id, id_kind(id, f->from, f->hop)), old;
	struct vx_flow_key key = { hash };
	__u32 slot = hash & (VX_HOT - 1);
	struct vx_flow *h;

	f->hash = hash;
	f->stamp = bpf_ktime_get_ns() << 8 | (__u8)bpf_get_smp_processor_id();
	f->stamp_again = f->stamp;
	h = bpf_map_lookup_elem(&flows, &key);
	if (!h || !flow_renew(h, f))
		bpf_map_update_elem(&flows, &key, f, BPF_ANY);
	h = bpf_map_lookup_elem(&hot, &slot);
	if (!h || (h->hash != hash && is_within(h->learned_ns, f->learned_ns, VX_FLOW_NS)) ||
	    flow_renew(h, f))
		return;
	/* One writer at a time: while one is at it the stamps differ. */
	old = h->stamp;
	if (old != h->stamp_again || __sync_val_compare_and_swap(&h->stamp, old, f->stamp) != old)
		return;
	for (__u32 i = 8; i < offsetof(struct vx_flow, stamp_again); i += 8)
		*(volatile __u64 *)((__u8 *)h + i) = *(__u64 *)((__u8 *)f + i);
	*(volatile __u64 *)&h->stamp_again = f->stamp;
}

/* A frame begins with both MACs: 6 bytes of each 12 are a key without a VLAN (little endian). */
static __always_inline const struct vx_fdb *find_mac(__u64 mac)
{
	__u64 key = mac & 0xffffffffffffULL;

	_Static_assert(sizeof(key) == sizeof(struct vx_fdb_key), "key");
	return bpf_map_lookup_elem(&fdb, &key);
}

static __always_inline const struct vx_fdb *find_src(const struct vx_id *id)
{
	return find_mac(id->macs >> 48 | (id->rest & 0xffffffff) << 16);
}

/* The outer IPv4 header without what differs from packet to packet, and the sum of the rest. */
static __always_inline void template4(struct vx_flow *f)
{
	__u32 sum = 0;

	f->header[15] &= 0xfc;
	__builtin_memset(f->header + 16, 0, 4);
	__builtin_memset(f->header + 24, 0, 2);
	for (int i = 0; i < 10; i++)
		sum += load16(f->header + VX_ETH_LEN + 2 * i);
	__builtin_memcpy(f->header + 52, &sum, 4);
}

/* Which frames of a local MAC go fast: those of a port with a door, there, and those of one without
 * hooks (it has no name in `ports`), behind the bridge. */
static __always_inline bool find_hop(const struct vx_fdb *src, __u32 vni, struct vx_flow *f)
{
	struct vx_ifindex key = { src->ifindex };
	const struct vx_port *port;

	if (bpf_map_lookup_elem(&doors, &key)) {
		f->hop = VX_HOP_PORT;
		f->from = key.ifindex;
		return true;
	}
	port = bpf_map_lookup_elem(&ports, &key);
	f->hop = VX_HOP_TUNNEL;
	f->from = vni;
	return key.ifindex && (!port || !port->name[0]);
}

/*
 * wire_out: the kernel's own VXLAN to a peer. Not where the bridge may only have flooded the frame.
 */
static __always_inline enum vx_step learn_tx(struct vx_walk *w)
{
	const struct vx_fdb *src, *dst;
	struct vx_flow f = {};
	const struct vx_peer *peer;
	struct vx_cursor c;
	struct vx_vni vni;
	struct vx_id id;
	__u32 outer;
	__u8 *at;

	if (!cfg.fastpath || hook_ingress(w) || hook_tagged(w))
		return VX_GO_ON;
	if (read_packet(w, VX_WIRE_OUT) != VX_PARSED)
		return VX_GO_ON;
	outer = w->pkt.ip.six ? VX_OUTER6 : VX_OUTER4;
	if (w->pkt.frame_off != outer)
		return VX_GO_ON;
	vni.vni = w->pkt.vni;
	peer = bpf_map_lookup_elem(&peers, &vni);
	if (!peer || peer->queued || !addr_equal(&w->pkt.ip.source, &peer->local) ||
	    !addr_equal(&w->pkt.ip.dest, &peer->remote))
		return VX_GO_ON;
	c = hook_cursor(w);
	at = c.start + outer;
	if (at > c.end || !id_read_any(at, c.end, &id))
		return VX_GO_ON;
	if (id.six && at + VX_ETH_LEN + VX_IP6_LEN > c.end)
		return VX_GO_ON;
	w->now = bpf_ktime_get_coarse_ns();
	flow_begin(&f, &id);
	src = find_src(&id);
	dst = find_mac(id.macs);
	if (!src || src->place != VX_AT_PORT || !dst || dst->place != VX_AT_PEER ||
	    dst->vni != vni.vni || !is_within(dst->seen_ns, w->now, VX_FDB_AGE_NS))
		return VX_GO_ON;
	if (!find_hop(src, vni.vni, &f))
		return VX_GO_ON;
	flow_fill(&f, &id, at, w->now);
	f.first = is_first(&id, at);
	if (bpf_skb_load_bytes(VX_SKB(w), 0, f.header, VX_OUTER4))
		return VX_GO_ON;
	if (w->pkt.ip.six &&
	    bpf_skb_load_bytes(VX_SKB(w), VX_OUTER4, f.header + VX_OUTER4, VX_OUTER6 - VX_OUTER4))
		return VX_GO_ON;
	if (w->pkt.ip.six) {
		/* No checksum outside, as every packet will be sent. */
		if (load16(f.header + 60))
			return VX_GO_ON;
		f.header[15] &= 0xcf;
		__builtin_memset(f.header + 18, 0, 2);
		__builtin_memset(f.header + 58, 0, 2);
	} else {
		if (load16(f.header + 40) || f.header[14] != 0x45)
			return VX_GO_ON;
		f.outer_id = (__u16)(bpf_ntohs(load16(f.header + 18)) + 1);
		__builtin_memset(f.header + 38, 0, 2);
		template4(&f);
	}
	f.header_len = (__u16)outer;
	f.fits = (__u16)(hook_gso_size(w) ? headers_of(&id, at, c.end) + hook_gso_size(w)
					  : hook_len(w) - outer);
	f.way = VX_WAY_WIRE;
	f.to = hook_ifindex(w);
	f.slot = peer->slot;
	f.owner = peer->owner;
	flow_keep(&f, &id);
	return VX_GO_ON;
}

/* Does somebody watch which XDP is at the other ends of veths? Each way in passes by one kind of it. */
static __always_inline bool is_watched(__u64 now)
{
	__u32 key = 0;
	const struct vx_lease *l = bpf_map_lookup_elem(&lease, &key);

	return l && l->until_ns > now;
}

/*
 * port_out: the bridge's word on where a frame from a peer goes. On the bridge itself it no longer
 * shows which tunnel the frame came by, but tun_in has just written it down. What fast_rx has brought
 * there is marked and teaches nothing.
 */
static __always_inline enum vx_step learn_rx(struct vx_walk *w)
{
	const struct vx_door_value *door;
	const struct vx_fdb *src, *dst;
	struct vx_ifindex port;
	struct vx_flow f = {};
	const struct vx_peer *peer;
	struct vx_cursor c;
	struct vx_vni vni;
	struct vx_id id;

	if (hook_marked(w)) {
		hook_unmark(w);
		return VX_PASS;
	}
	if (!cfg.fastpath || hook_tagged(w))
		return VX_PASS;
	port.ifindex = hook_ifindex(w);
	door = bpf_map_lookup_elem(&doors, &port);
	if (!door || door->door == VX_DOOR_OUT)
		return VX_PASS;
	c = hook_cursor(w);
	if (!id_read_any(c.start, c.end, &id) ||
	    (id.six && c.start + VX_ETH_LEN + VX_IP6_LEN > c.end))
		return VX_PASS;
	w->now = bpf_ktime_get_coarse_ns();
	if ((door->door == VX_DOOR_PEER || door->door == VX_DOOR_NEAR) && !is_watched(w->now))
		return VX_PASS;
	flow_begin(&f, &id);
	src = find_src(&id);
	dst = find_mac(id.macs);
	if (!src || src->place != VX_AT_PEER || !dst || dst->place != VX_AT_PORT ||
	    dst->ifindex != port.ifindex)
		return VX_PASS;
	vni.vni = src->vni;
	if (door->door == VX_DOOR_HOST) {
		if (!is_within(src->seen_ns, w->now, 2 * VX_REFRESH_NS))
			return VX_PASS;
		peer = bpf_map_lookup_elem(&peers, &vni);
	} else {
		peer = find_tunnel(hook_ingress(w), &vni.vni);
	}
	/* Without the kernel's policies nobody could tell a peer's ESP from a stranger's plain VXLAN. */
	if (!peer || peer->ipsec || vni.vni != src->vni)
		return VX_PASS;
	flow_fill(&f, &id, c.start, w->now);
	f.hop = is_addr4(&peer->remote) ? VX_HOP_WIRE4 : VX_HOP_WIRE6;
	f.from = vni.vni;
	f.slot = peer->slot;
	f.owner = peer->owner;
	f.to = port.ifindex;
	f.way = door->door == VX_DOOR_PEER   ? VX_WAY_PEER
		: door->door == VX_DOOR_HOST ? VX_WAY_HOST
					     : VX_WAY_PORT;
	f.super = f.way != VX_WAY_PORT && id.protocol == VX_PROTO_TCP &&
		  ends_here(&id, c.start, port.ifindex);
	f.outer_source = peer->remote;
	f.outer_dest = peer->local;
	flow_keep(&f, &id);
	return VX_PASS;
}

#endif
