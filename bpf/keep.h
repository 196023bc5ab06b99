/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a verdict of the kernel's is written down: into `flows`, and into its slot of `hot`. learn_tx.h
 * and learn_rx.h decide which to write.
 */
#ifndef VXBPF_KEEP_H
#define VXBPF_KEEP_H

#include "fast.h"
#include "locate.h"
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

/* False if `at`, read as far as id_read_any does, ends within the addresses. */
static __always_inline bool flow_fill(struct vx_flow *f, const struct vx_id *id, const __u8 *at,
				      const __u8 *end, __u64 now)
{
	const __u8 *addrs = at + VX_ETH_LEN + 8;

	f->addrs = id->addrs;
	f->protocol = id->protocol;
	f->six = id->six;
	f->learned_ns = now;
	if (!id->six) {
		copy_addr4(&f->source, (__u32)id->addrs);
		copy_addr4(&f->dest, (__u32)(id->addrs >> 32));
		return true;
	}
	/* Tested here and for certain: where clang 16 and later keep `six` in memory, 6.1 does not know that
	 * what an earlier test of it has shown holds for this one, too. */
	asm volatile("" : "+r"(addrs));
	if (addrs + 32 > end)
		return false;
	copy_addr(&f->source, addrs);
	copy_addr(&f->dest, addrs + 16);
	return true;
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

/* The answers to `of` come from where its frames go: not from behind it. */
static __always_inline bool ends_here(const struct vx_id *id, const struct vx_flow *of,
				      __u32 ifindex)
{
	struct vx_id back = id_back(id, of);
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

#endif
