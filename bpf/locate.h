/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where MACs are: corrected by every frame that the bridge has let through, as a room behind it sees it
 * (tun_out, port_out, host_out), and by every one that comes out of a tunnel. A frame that the bridge
 * refuses teaches nothing. A loop, or the same MAC in two places (contest.h), shows here as a MAC that a peer
 * sends while it sits on a local port (I2, I10).
 *
 * Entries are changed in place, without a lock: every field stands for itself, `place` says which of
 * `ifindex` and `vni` counts, and is written after it. To keep the cache line shared, an entry that
 * says the same as before is written again only after VX_REFRESH_NS.
 */
#ifndef VXBPF_LOCATE_H
#define VXBPF_LOCATE_H

#include "contest.h"

#define VX_FDB_AGE_NS 300000000000ULL /* a bridge forgets a MAC it has not seen for so long */
#define VX_REFRESH_NS 100000000ULL /* fine enough against VX_LOOP_NS */

static __always_inline bool is_source(const struct vx_fdb_key *mac)
{
	const __u8 *m = mac->mac;

	return !is_group(mac) && (m[0] | m[1] | m[2] | m[3] | m[4] | m[5]);
}

/* All of the MAC, times a secret number: nobody can choose a MAC that shares its counter with another. */
static __always_inline __u32 moves_key(const __u8 *mac)
{
	__u64 number = load32(mac) | (__u64)load16(mac + 4) << 32;

	_Static_assert(VX_MOVES == 1 << 10, "the upper 10 bits");
	return (__u32)(number * cfg.keys[VX_KEY_MOVES_ODD] >> 54);
}

/* Invalidates the flows of this MAC. Called after its new place is written: a room that learns a flow
 * meanwhile has read the count before the place. */
static __always_inline void note_move(const struct vx_fdb_key *mac)
{
	__u32 key = moves_key(mac->mac), *count = bpf_map_lookup_elem(&moves, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* It is about to be elsewhere. */
static __always_inline void keep_move(struct vx_fdb *at, __u64 now)
{
	at->was_at = at->place == VX_AT_PORT ? at->ifindex : at->vni;
	at->was = at->place;
	at->lately = is_within(at->moved_ns, now, VX_REST_NS) ? at->lately + 1 : 1;
	at->moved_ns = now;
	at->moves++;
}

/* Returns the sender's entry, NULL if it is new or no sender. */
static __always_inline const struct vx_fdb *learn_port(const struct vx_walk *w, __u32 ifindex)
{
	struct vx_fdb_key key = w->pkt.src;
	struct vx_fdb *at, new = {
		.place = VX_AT_PORT, .ifindex = ifindex, .seen_ns = w->now, .local_ns = w->now
	};

	if (!is_source(&key))
		return NULL;
	at = bpf_map_lookup_elem(&fdb, &key);
	if (!at) {
		bpf_map_update_elem(&fdb, &key, &new, BPF_ANY);
		note_move(&key);
		return NULL;
	}
	if (at->place == VX_AT_PORT && at->ifindex == ifindex) {
		if (is_within(at->seen_ns, w->now, VX_REFRESH_NS))
			return at;
	} else {
		if (is_contested(at, w->now))
			at->contested_ns = w->now;
		keep_move(at, w->now);
		at->ifindex = ifindex;
		at->place = VX_AT_PORT;
		note_move(&key);
	}
	at->local_ns = w->now;
	at->seen_ns = w->now;
	return at;
}

/* tun_out: the bridge has let this frame through, from that port or from the host itself. */
static __always_inline enum vx_step learn_sender(struct vx_walk *w)
{
	const struct vx_note *note = NULL;
	__u32 from = w->from, said = hook_said(w);
	const struct vx_fdb *at;

	if (said == VX_SAID_HOST || (!from && is_from_port(said))) {
		note = find_note();
		from = note ? said == VX_SAID_HOST ? note->host : note->port : 0;
		if (said != VX_SAID_HOST && ((from ^ said) & VX_SAID_PORTS))
			from = 0;
	}
	if (!from)
		return VX_GO_ON; /* whose it is nobody has said */
	at = learn_port(w, from);
	if (at && is_within(at->contested_ns, w->now, VX_LOOP_NS))
		note_sent(w);
	return VX_GO_ON;
}

/*
 * A frame out of a tunnel. Its source MAC on a local port within VX_LOOP_NS is a container that just
 * migrated to the peer, one that shows a MAC of others, or a frame of ours that came back. It is counted
 * and delivered: after a migration it is the frame that tells the bridge where the MAC is now (I10), and
 * showing a MAC must not cut it off. In a loop our port shows the MAC again, the MAC is contested,
 * and the frame our port has sent comes again and again: that one is dropped, which ends the loop.
 */
static __always_inline enum vx_step learn_peer(struct vx_walk *w)
{
	struct vx_fdb_key key = w->pkt.src;
	struct vx_fdb *at, new = { .place = VX_AT_PEER, .vni = w->vni, .seen_ns = w->now };

	if (!is_source(&key))
		return VX_GO_ON;
	at = bpf_map_lookup_elem(&fdb, &key);
	if (!at) {
		bpf_map_update_elem(&fdb, &key, &new, BPF_ANY);
		note_move(&key);
		return VX_GO_ON;
	}
	if (is_within(at->local_ns, w->now, VX_LOOP_NS)) {
		w->to = at->ifindex;
		charge(w, VX_REASON_LOOP, w->peer);
		if (is_within(at->contested_ns, w->now, VX_LOOP_NS) && is_going_round(w))
			return VX_DROP;
	}
	if (at->place == VX_AT_PEER && at->vni == w->vni) {
		if (is_within(at->seen_ns, w->now, VX_REFRESH_NS))
			return VX_GO_ON;
	} else {
		keep_move(at, w->now);
		at->vni = w->vni;
		at->place = VX_AT_PEER;
		note_move(&key);
	}
	at->seen_ns = w->now;
	return VX_GO_ON;
}

#endif
