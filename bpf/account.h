/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every number, and the one exit. Packets are frames as they are, or will be, on the wire: what GSO
 * or GRO has made one counts its segments, each with its own headers. Bytes are inner Ethernet bytes.
 *
 * Per-CPU numbers need no atomics: all rooms run with bottom halves off, so no room interrupts
 * another on the same CPU.
 */
#ifndef VXBPF_ACCOUNT_H
#define VXBPF_ACCOUNT_H

#include "hook.h"

#define VX_GSO_BY_FRAGS 0xffff /* the kernel's gso_size for SCTP: segments differ in size */

/* Names what is wrong; says nothing about what becomes of the frame. The first reason stays. */
static __always_inline void charge(struct vx_walk *w, enum vx_reason reason,
				   const struct vx_peer *blame)
{
	if (w->reason != VX_REASON_NONE)
		return;
	w->reason = reason;
	w->blame = blame;
}

/* Fills w->packets and w->bytes for the frame in w->pkt. */
static __always_inline void measure(struct vx_walk *w)
{
	__u32 gso_size = hook_gso_size(w), len = w->pkt.frame_len, headers, segs;

	w->packets = 1;
	w->bytes = len;
	if (!gso_size)
		return;
	hook_headers(w);
	headers = w->pkt.header_len;
	segs = hook_gso_segs(w);
	/* On egress the kernel knows best: it sees through a workload's own tunnels. But where netfilter has looked at
	 * a bridged frame it takes a jumbo payload option for the TCP header. */
	if (segs && hook_wire_len(w) > hook_len(w) && w->pkt.frame_off == 0 && !w->pkt.jumbo_len) {
		w->packets = segs;
		w->bytes += hook_wire_len(w) - hook_len(w);
		return;
	}
	if (headers && gso_size != VX_GSO_BY_FRAGS) {
		len -= w->pkt.jumbo_len;
		if (len > headers)
			w->packets = (len - headers + gso_size - 1) / gso_size;
		w->bytes = len + (w->packets - 1) * headers;
		return;
	}
	/* Not TCP or UDP, so a guess: the kernel's own segment count, and on egress its sum. */
	if (segs)
		w->packets = segs;
	if (hook_wire_len(w) > hook_len(w))
		w->bytes += hook_wire_len(w) - hook_len(w);
}

/* The same for a frame the bridge handles: a tag beside it will be, or was, in it on the wire. */
static __always_inline void measure_frame(struct vx_walk *w)
{
	measure(w);
	if (hook_tagged(w))
		w->bytes += w->packets * VX_TAG_LEN;
}

/* Where the destination is. A bridge that does not filter by VLAN knows MACs without their tags. */
static __always_inline const struct vx_fdb *find_dst(const struct vx_walk *w)
{
	struct vx_fdb_key key = w->pkt.dst;
	const struct vx_fdb *at = bpf_map_lookup_elem(&fdb, &key);

	if (at || !key.vlan)
		return at;
	key.vlan = 0;
	return bpf_map_lookup_elem(&fdb, &key);
}

/* A group address, or one we know nothing about: the bridge floods it. */
static __always_inline bool is_bum(const struct vx_walk *w)
{
	return is_group(&w->pkt.dst) || !find_dst(w);
}

static __always_inline struct vx_counters *find_counters(const struct vx_peer *peer)
{
	__u32 slot;

	if (!peer)
		return NULL;
	slot = peer->slot;
	return bpf_map_lookup_elem(&counters, &slot);
}

static __always_inline enum vx_step count_rx(struct vx_walk *w)
{
	struct vx_counters *sum = find_counters(w->peer);

	if (!sum)
		return VX_GO_ON;
	sum->rx_packets += w->packets;
	sum->rx_bytes += w->bytes;
	if (is_bum(w))
		sum->rx_bum_packets += w->packets;
	sum->last_rx_ns = w->now;
	return VX_GO_ON;
}

static __always_inline enum vx_step count_tx(struct vx_walk *w)
{
	struct vx_counters *sum = find_counters(w->peer);
	bool group = is_group(&w->pkt.dst);
	const struct vx_fdb *at = group ? NULL : find_dst(w);

	w->dst = at;
	if (!sum)
		return VX_GO_ON;
	sum->tx_packets += w->packets;
	sum->tx_bytes += w->bytes;
	if (!at)
		sum->tx_bum_packets += w->packets;
	/* A peer that gets only a flooded copy of a frame for another peer owes no answer. */
	if (!group && !at)
		sum->last_unknown_tx_ns = w->now;
	else if (!group && !(at->place == VX_AT_PEER && at->vni != w->vni))
		sum->last_unicast_tx_ns = w->now;
	return VX_GO_ON;
}

/* A peer's VNI or address moved: flows to and from there are void, and the numbers go on. */
static __always_inline int set_owner(const struct vx_own *own)
{
	__u32 slot = own->slot;
	struct vx_counters *sum = bpf_map_lookup_percpu_elem(&counters, &slot, own->cpu);

	if (!sum)
		return -1;
	sum->owner = own->owner;
	return 0;
}

/* Adds the counts of a smaller map. The loader's process is not a room: a room may interrupt it here,
 * and then only single instructions lose nothing. */
static __always_inline int add_carried(const struct vx_carry *old)
{
	__u32 slot = old->slot;
	struct vx_counters *sum = bpf_map_lookup_elem(&counters, &slot);

	if (!sum)
		return -1;
/* Times: any newer one is right. */
#define VX_COUNTER(member, ...) __sync_fetch_and_add(&sum->member, old->sum.member);
#define VX_LATEST(member) __sync_val_compare_and_swap(&sum->member, 0, old->sum.member);
#include "vxbpf/counters.def"
#undef VX_COUNTER
#undef VX_LATEST
	sum->carried = 1;
	return 0;
}

static __always_inline void copy_name(char *to, const struct vx_peer *peer)
{
	_Static_assert(VX_NAME_LEN % 8 == 0 && offsetof(struct vx_peer, name) == 0, "name");
	for (int i = 0; peer && i < VX_NAME_LEN; i += 8)
		*(__u64 *)(to + i) = *(const __u64 *)(peer->name + i);
}

/* This CPU's. */
static __always_inline struct vx_note *find_note(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&notes, &zero);
}

static __always_inline void count_drop(const struct vx_walk *w, struct vx_drop_key *key)
{
	struct vx_drop none = {}, *sum;

	__builtin_memset(key, 0, sizeof(*key));
	key->reason = w->reason;
	copy_name(key->peer, w->blame);
	sum = bpf_map_lookup_elem(&drops, key);
	if (!sum) {
		/* Another CPU may be first; its entry is as good. */
		bpf_map_update_elem(&drops, key, &none, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&drops, key);
	}
	if (!sum)
		return;
	sum->packets += w->packets;
	sum->bytes += w->bytes;
}

/* At most one per tick of the coarse clock, so that a flood of drops does not cost a lock each. */
static __always_inline void keep_witness(const struct vx_walk *w, struct vx_witness *seen)
{
	struct vx_reason_key key = { w->reason };
	struct vx_witness *last = bpf_map_lookup_elem(&witness, &key);

	if (last && last->time_ns == w->now)
		return;
	__builtin_memset(seen, 0, sizeof(*seen));
	copy_name(seen->peer, w->blame);
	seen->time_ns = w->now;
	__builtin_memcpy(seen->src_mac, w->pkt.src.mac, sizeof(seen->src_mac));
	__builtin_memcpy(seen->dst_mac, w->pkt.dst.mac, sizeof(seen->dst_mac));
	seen->from_ifindex = w->from;
	seen->to_ifindex = w->to;
	seen->vni = w->pkt.vni;
	seen->source = w->pkt.ip.source;
	bpf_map_update_elem(&witness, &key, seen, BPF_ANY);
}

/* The one exit: counts the reason, if there is one, and says what the hook wants to hear. */
static __always_inline int finish(struct vx_walk *w, enum vx_step step)
{
	struct vx_note *note = w->reason == VX_REASON_NONE ? NULL : find_note();

	if (note) {
		count_drop(w, &note->drop_key);
		keep_witness(w, &note->witness);
	}
	return hook_verdict(w, step);
}

#endif
