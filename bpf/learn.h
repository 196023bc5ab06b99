/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where flows are learned: only behind the kernel's own work. Transmit in two halves: tun_out notes from
 * which port the bridge has let the frame into the tunnel, wire_out completes the note from the kernel's
 * finished packet, so that next hop, firewall, routing and IPsec have had their say. Receive at the port
 * the bridge gave the frame to.
 */
#ifndef VXBPF_LEARN_H
#define VXBPF_LEARN_H

#include "fast.h"
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
		{ offsetof(struct vx_flow, way), offsetof(struct vx_flow, fits) },
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
	c = hook_cursor(w);
	if (!w->peer || w->peer->queued || hook_tagged(w) || !id_read_any(c.start, c.end, &id) ||
	    (id.six && c.start + VX_ETH_LEN + VX_IP6_LEN > c.end))
		return VX_GO_ON;
	flow_begin(&note->flow, &id);
	flow_fill(&note->flow, &id, c.start, w->now);
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
		*ident = 0x10000 | (__u16)(bpf_ntohs(load16(at + 18)) + 0x8000);
	for (int i = 0; i < 6; i++)
		*(__u64 *)(f->header + 8 * i) = load64(at + 8 * i);
	*(__u64 *)(f->header + 48) = load16(at + 48);
	*(__u64 *)(f->header + 56) = 0;
	*(__u64 *)(f->header + 64) = 0;
	__builtin_memset(f->header + 38, 0, 2);
	template4(f);
}

static __always_inline void fill_header6(struct vx_flow *f, const __u8 *at)
{
	for (int i = 0; i < 8; i++)
		*(__u64 *)(f->header + 8 * i) = load64(at + 8 * i);
	*(__u64 *)(f->header + 64) = load32(at + 64) | (__u64)load16(at + 68) << 32;
	f->header[15] &= 0xcf;
	__builtin_memset(f->header + 18, 0, 2);
	__builtin_memset(f->header + 58, 0, 2);
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

/* Does somebody watch which XDP is at the other ends of veths? Each way in passes by one kind of it. */
static __always_inline bool is_watched(__u64 now)
{
	__u32 key = 0;
	const struct vx_lease *l = bpf_map_lookup_elem(&lease, &key);

	return l && l->until_ns > now;
}

/* What a frame that has reached this port teaches: its sender is at `peer`, so the answer to whether the
 * bridge brings such frames here is known if their destination has shown itself here. */
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
	if (!note || !peer || peer->ipsec || hook_tagged(w) || door == VX_DOOR_OUT)
		return;
	w->now = bpf_ktime_get_coarse_ns();
	if ((door == VX_DOOR_PEER || door == VX_DOOR_NEAR) && !is_watched(w->now))
		return;
	c = hook_cursor(w);
	if (!id_read_any(c.start, c.end, &id) ||
	    (id.six && c.start + VX_ETH_LEN + VX_IP6_LEN > c.end))
		return;
	f = &note->flow;
	note->vni = VX_NO_VNI;
	flow_begin(f, &id);
	src = find_src(&id);
	dst = find_mac(id.macs);
	if (!src || src->place != VX_AT_PEER || src->vni != vni || !dst ||
	    dst->place != VX_AT_PORT || dst->ifindex != port)
		return;
	flow_fill(f, &id, c.start, w->now);
	f->hop = is_addr4(&peer->remote) ? VX_HOP_WIRE4 : VX_HOP_WIRE6;
	f->from = vni;
	f->slot = peer->slot;
	f->owner = peer->owner;
	f->to = port;
	f->way = door == VX_DOOR_PEER	? VX_WAY_PEER
		 : door == VX_DOOR_HOST ? VX_WAY_HOST
					: VX_WAY_PORT;
	f->super = f->way != VX_WAY_PORT && id.protocol == VX_PROTO_TCP &&
		   ends_here(&id, c.start, port);
	f->outer_source = peer->remote;
	f->outer_dest = peer->local;
	flow_keep(f, &id);
}

/* The frame in reach of a room behind the bridge that is no tunnel: from a local port, it says where its
 * sender is. */
static __always_inline void learn_local(struct vx_walk *w, __u32 ifindex)
{
	if (read_frame(w, VX_ADDRESSES) != VX_PARSED)
		return;
	w->now = bpf_ktime_get_coarse_ns();
	learn_port(w, ifindex);
}

/* port_out: the bridge's word on where a frame goes. What the fast path has brought here shows the device
 * it came from, which is neither a tunnel nor, in a word, a port. */
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

/* host_out: the same on the bridge itself, where the device no longer shows. Which peer's it is tun_in has
 * said; which port's, port_in. What the fast path has brought is marked and teaches nothing. */
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
