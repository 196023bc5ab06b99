/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A MAC in two places, on a port here and at a peer: a container that moves to and fro, one that shows a MAC
 * of others, or a loop. Only in a loop the very frame that a port of ours has sent comes back, again and
 * again; that one is told by its hash.
 */
#ifndef VXBPF_CONTEST_H
#define VXBPF_CONTEST_H

#include "account.h"

/* `then` may be a moment ahead of this CPU's tick. */
static __always_inline bool is_within(__u64 then, __u64 now, __u64 span)
{
	return then && (then > now || now - then < span);
}

/*
 * The MAC was on a local port, a peer showed it within VX_LOOP_NS, and here it is again within
 * VX_LOOP_NS: it is in two places. A MAC that stayed longer at the peer has moved there and back.
 */
static __always_inline bool is_contested(const struct vx_fdb *at, __u64 now)
{
	return at->place == VX_AT_PEER && is_within(at->local_ns, at->seen_ns, VX_LOOP_NS) &&
	       is_within(at->seen_ns, now, VX_LOOP_NS);
}

enum {
	VX_CHUNK = 8,
	VX_CHUNKS = 192
}; /* of a frame: all of 1,536 bytes, and the end of longer ones */

struct vx_hashing {
	struct __sk_buff *skb;
	__u64 hash;
};

static __always_inline long hash_at(struct vx_hashing *h, __u32 off)
{
	__u64 bytes;

	if (off + VX_CHUNK > h->skb->len || bpf_skb_load_bytes(h->skb, off, &bytes, VX_CHUNK))
		return 1;
	h->hash = (h->hash ^ h->hash >> 29 ^ bytes) * 0x94d049bb133111ebULL;
	return 0;
}

static long hash_chunk(__u32 i, struct vx_hashing *h)
{
	return hash_at(h, i * VX_CHUNK);
}

/* For the frame in `skb`. A program of its own to the verifier (see skb_headers). */
__attribute__((noinline)) __u64 frame_hash(struct __sk_buff *skb)
{
	struct vx_hashing h = { .skb = skb, .hash = cfg.keys[VX_KEY_KIND] ^ skb->len };

	bpf_loop(VX_CHUNKS, hash_chunk, &h, 0);
	if (skb->len >= VX_CHUNK)
		hash_at(&h, skb->len - VX_CHUNK);
	return h.hash ^ h.hash >> 32;
}

/* tun_out: a frame whose MAC is in two places goes out. */
static __always_inline void note_sent(const struct vx_walk *w)
{
	__u64 hash = frame_hash(VX_SKB(w));
	__u32 slot = hash % VX_ECHOES;
	struct vx_echo *echo = bpf_map_lookup_elem(&echoes, &slot);

	if (!echo || (echo->hash == hash && is_within(echo->since_ns, w->now, VX_ECHO_NS)))
		return;
	echo->hash = hash;
	echo->since_ns = w->now;
	echo->times = 0;
}

/* Has a port of ours sent this very frame, and it comes again and again? */
static __always_inline bool is_going_round(const struct vx_walk *w)
{
	__u64 hash = frame_hash(VX_SKB(w));
	__u32 slot = hash % VX_ECHOES;
	struct vx_echo *echo = bpf_map_lookup_elem(&echoes, &slot);

	return echo && echo->hash == hash && is_within(echo->since_ns, w->now, VX_ECHO_NS) &&
	       ++echo->times > VX_ECHO_TIMES;
}

#endif
