/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access control (I4). The wire rooms find VXLAN of ours and hold its addresses against the peer its
 * VNI belongs to. Doubt means pass, unmarked: tun_in refuses what arrives without the mark.
 */
#ifndef VXBPF_GUARD_H
#define VXBPF_GUARD_H

#include "account.h"
#include "probe.h"
#include "read.h"

/* The peer an outer address belongs to; its VNI in *out_vni. */
static __always_inline const struct vx_peer *find_source(const struct vx_addr *address,
							 __u32 *out_vni)
{
	struct vx_addr key = *address;
	struct vx_vni *vni = bpf_map_lookup_elem(&sources, &key);

	if (!vni)
		return NULL;
	*out_vni = vni->vni;
	return bpf_map_lookup_elem(&peers, vni);
}

/* A peer uses a VNI that is not ours, which the guard does not judge. It is reported because the peer
 * may assign VNIs differently. At most once per tick of the coarse clock. */
static __always_inline void note_other_vni(const struct vx_walk *w)
{
	struct vx_other_key key = { .vni = w->pkt.vni };
	const struct vx_peer *sender = find_source(&w->pkt.ip.source, &key.peer_vni);
	struct vx_note *note = find_note();
	__u64 now = bpf_ktime_get_coarse_ns();
	struct vx_other *last;

	if (!note || !sender || !addr_equal(&w->pkt.ip.dest, &sender->local))
		return;
	last = bpf_map_lookup_elem(&other_vnis, &key);
	if (last && last->time_ns == now)
		return;
	copy_name(note->other.peer, sender);
	note->other.time_ns = now;
	bpf_map_update_elem(&other_vnis, &key, &note->other, BPF_ANY);
}

/*
 * The datagrams behind the first of a UDP train, whose VXLAN header is at `off`. VX_TRAIN_IN: how many
 * have the VNI `vni`, too; VX_TRAIN_BAD if one has a VNI of ours that is another one. VX_TRAIN_OUT:
 * VX_TRAIN_BAD if one, or the first, has the VNI `vni`, or any of ours with numbering by index. Without
 * a VXLAN header there it is not a train, or not ours to judge. A program of its own to the verifier
 * (see skb_headers).
 */
enum { VX_TRAIN_MAX = 1024, VX_TRAIN_IN = 0, VX_TRAIN_OUT = 1, VX_TRAIN_BAD = 0xffff };

struct vx_train {
	struct __sk_buff *skb;
	__u32 off; /* of the next packet's VXLAN header */
	__u32 vni;
	__u32 way;
	__u32 same; /* what count_train returns */
};

/* The next packet; 1 ends the loop. */
static long judge_packet(__u32 i, struct vx_train *t)
{
	struct vx_vni key;
	__u32 head[2];

	if (t->off + VX_VXLAN_LEN + VX_ETH_LEN > t->skb->len)
		return 1;
	if (i == VX_TRAIN_MAX || bpf_skb_load_bytes(t->skb, t->off, head, sizeof(head))) {
		t->same = VX_TRAIN_BAD;
		return 1;
	}
	t->off += t->skb->gso_size;
	if (!(head[0] & bpf_htonl(VX_VXLAN_HAS_VNI << 24)))
		return 0;
	key.vni = bpf_ntohl(head[1]) >> 8;
	if (cfg.vni_mode == VX_VNI_INDEX ? !bpf_map_lookup_elem(&peers, &key) : key.vni != t->vni) {
		if (t->way == VX_TRAIN_OUT || cfg.vni_mode == VX_VNI_INDEX ||
		    !bpf_map_lookup_elem(&peers, &key))
			return 0;
		t->same = VX_TRAIN_BAD; /* in: of ours, and not this pair's */
		return 1;
	}
	if (t->way == VX_TRAIN_IN) {
		t->same++;
		return 0;
	}
	t->same = VX_TRAIN_BAD;
	return 1;
}

__attribute__((noinline)) __u32 count_train(struct __sk_buff *skb, __u32 off, __u32 vni, __u32 way)
{
	struct vx_train t = { .skb = skb, .off = off, .vni = vni, .way = way };
	struct vx_walk w = walk_tc(skb, true);
	struct vx_cursor c;

	if (!hook_is_datagrams(skb))
		return 0;
	c = hook_cursor(&w);
	if (way == VX_TRAIN_OUT && (__u32)(c.end - c.start) < skb->len)
		return VX_TRAIN_BAD; /* there was no memory to pull it: its sender may change it yet */
	if (way == VX_TRAIN_IN)
		t.off += skb->gso_size;
	bpf_loop(VX_TRAIN_MAX + 1, judge_packet, &t, 0);
	return t.same;
}

static __always_inline enum vx_step refuse_malformed(struct vx_walk *w)
{
	__u32 ignored;

	if (cfg.guard == VX_GUARD_OFF)
		return VX_PASS;
	charge(w, VX_REASON_MALFORMED, find_source(&w->pkt.ip.source, &ignored));
	return cfg.guard == VX_GUARD_ENFORCE ? VX_DROP : VX_PASS;
}

/*
 * Is the packet whose IP header is at `off` ESP or AH from a peer to us, or ESP in UDP (RFC 3948)? A
 * program of its own to the verifier (see skb_headers).
 */
__attribute__((noinline)) int is_ipsec(struct __sk_buff *skb, __u32 off)
{
	struct vx_walk w = walk_tc(skb, true);
	struct vx_cursor c = hook_cursor(&w);
	struct vx_peer *peer;
	struct vx_addr key;
	struct vx_vni *vni;
	struct vx_ip ip;

	if (!cursor_jump(&c, off) || parse_ip(&c, peek_ip(&c), &ip) != VX_PARSED)
		return 0;
	if (ip.protocol == VX_PROTO_UDP) {
		/* Its port is read into `key`, which saves stack. */
		if (ip.later_fragment || bpf_skb_load_bytes(skb, c.off + 2, &key, 2) ||
		    load16(&key) != bpf_htons(VX_PORT_NAT_T))
			return 0;
	} else if (ip.protocol != VX_PROTO_ESP && ip.protocol != VX_PROTO_AH) {
		return 0;
	}
	load_addr(skb, off + (ip.six ? 8 : 12), ip.six, &key);
	vni = bpf_map_lookup_elem(&sources, &key);
	peer = vni ? bpf_map_lookup_elem(&peers, vni) : NULL;
	load_addr(skb, off + (ip.six ? 24 : 16), ip.six, &key);
	return peer && addr_equal(&key, &peer->local);
}

/*
 * wire_in: the VXLAN in a peer's ESP may come out of the tunnel without another look, and only the kernel,
 * which has the keys, can say that it was in there: so this is the mark's place.
 */
static __always_inline void mark_ipsec(struct vx_walk *w)
{
	const __u64 kinds = 1ULL << VX_PROTO_UDP | 1ULL << VX_PROTO_ESP | 1ULL << VX_PROTO_AH;
	__u8 protocol = w->pkt.ip.protocol;

	if (!w->xdp && protocol < 64 && kinds >> protocol & 1 &&
	    is_ipsec(VX_SKB(w), w->ethernet ? VX_ETH_LEN : 0)) {
		hook_mark(w);
		hook_say(w, VX_SAID_ESP);
	}
}

/* wire_in, wire_xdp: VXLAN to this host with a VNI of ours, or none of our business. */
static __always_inline enum vx_step find_vxlan(struct vx_walk *w)
{
	struct vx_vni vni;

	/* The kernel takes nothing that a promiscuous device shows of others' traffic. */
	if ((hook_tagged(w) && hook_vlan(w)) || hook_is_others(w))
		return VX_PASS;
	w->from = hook_ifindex(w);
	switch (read_packet(w, VX_WIRE_IN)) {
	case VX_PARSED:
		break;
	case VX_BROKEN:
		w->now = bpf_ktime_get_coarse_ns();
		w->packets = 1;
		w->bytes = hook_len(w);
		return refuse_malformed(w);
	default:
		mark_ipsec(w);
		return VX_PASS;
	}
	vni.vni = w->pkt.vni;
	w->peer = bpf_map_lookup_elem(&peers, &vni);
	if (!w->peer)
		note_other_vni(w);
	if (!w->peer || !addr_equal(&w->pkt.ip.dest, &w->peer->local))
		return VX_PASS; /* another VXLAN, or the same VNI in the other address family */
	w->vni = w->pkt.vni;
	w->now = bpf_ktime_get_coarse_ns();
	measure(w);
	/* The kernel's device takes no packet with bits it does not know. */
	return w->pkt.reserved ? refuse_malformed(w) : VX_GO_ON;
}

/*
 * wire_in, wire_xdp: only the pair's other end may use its VNI. With numbering by index any peer may
 * use any VNI of ours, and w->peer becomes the one that did.
 */
static __always_inline enum vx_step check_source(struct vx_walk *w)
{
	const struct vx_ip *ip = &w->pkt.ip;
	const struct vx_peer *sender;
	__u32 vni;

	if (cfg.vni_mode == VX_VNI_PAIR && addr_equal(&ip->source, &w->peer->remote))
		return VX_GO_ON;
	sender = find_source(&ip->source, &vni);
	if (cfg.vni_mode == VX_VNI_INDEX && sender) {
		if (!addr_equal(&ip->dest, &sender->local))
			return VX_PASS;
		w->peer = sender;
		w->vni = vni;
		return VX_GO_ON;
	}
	if (cfg.guard != VX_GUARD_OFF)
		charge(w, sender ? VX_REASON_WRONG_VNI : VX_REASON_UNKNOWN_SOURCE, sender);
	if (cfg.guard == VX_GUARD_ENFORCE)
		return VX_DROP;
	hook_mark(w); /* seen, so tun_in need not count it as one of the peer's */
	return VX_PASS;
}

/*
 * wire_in: a train of UDP datagrams, each a VXLAN packet of its own: the kernel will take them one by one,
 * so each has to be judged. The frames behind the first are the peer's, too, or none of our business.
 */
static __always_inline enum vx_step check_train(struct vx_walk *w)
{
	__u32 more;

	if (w->xdp || !hook_gso_size(w))
		return VX_GO_ON;
	more = count_train(VX_SKB(w), w->pkt.frame_off - VX_VXLAN_LEN, w->pkt.vni, VX_TRAIN_IN);
	if (more == VX_TRAIN_BAD && cfg.guard != VX_GUARD_OFF) {
		w->packets =
			(w->pkt.frame_len + VX_VXLAN_LEN + hook_gso_size(w) - 1) / hook_gso_size(w);
		charge(w, VX_REASON_WRONG_VNI, w->peer);
		if (cfg.guard == VX_GUARD_ENFORCE)
			return VX_DROP;
	}
	if (more && more != VX_TRAIN_BAD) {
		w->packets = 1 + more;
		w->bytes = w->pkt.frame_len - more * VX_VXLAN_LEN;
	}
	return VX_GO_ON;
}

/*
 * wire_in: this is our peer's. A probe does not count as traffic, and must not arrive fragmented,
 * because it measures what arrives unfragmented: this is its first fragment if the frame goes on behind
 * the packet's end.
 */
static __always_inline enum vx_step accept_rx(struct vx_walk *w)
{
	hook_mark(w);
	hook_say(w, 0);
	if (!is_probe(w)) /* what may have come as ESP alone is counted at tun_in */
		return w->peer->ipsec ? VX_GO_ON : count_rx(w);
	return w->pkt.frame_off + w->pkt.frame_len > hook_len(w) ? VX_DROP : VX_PASS;
}

#endif
