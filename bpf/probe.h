/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Probes between hosts (`vxbpf ping`). A question goes into the tunnel like any frame and is answered
 * where it comes out of the peer's, at tun_in: behind that host's firewall, IPsec and VXLAN, for an answer
 * from the wire would promise too much. No probe is counted, learned from, or ever seen by a bridge.
 *
 * The answer is the question's own frame with a few bytes changed and the rest cut off, so it is never
 * longer; it goes back into the same tunnel, so to nobody but the pair's other end; and it is rationed.
 */
#ifndef VXBPF_PROBE_H
#define VXBPF_PROBE_H

#include "account.h"

/* Is what stands behind the MACs of the frame at `off` a probe's? A program of its own to the verifier
 * (see skb_headers). */
__attribute__((noinline)) int has_magic(struct __sk_buff *skb, __u32 off)
{
	struct {
		__u8 src[2]; /* the end of it */
		__be16 type;
		__be32 magic;
	} is;

	return !bpf_skb_load_bytes(skb, off + 2 * ETH_ALEN - 2, &is, sizeof(is)) &&
	       is.type == bpf_htons(VX_PROBE_TYPE) && is.magic == bpf_htonl(VX_PROBE_MAGIC) &&
	       (off ||
		!skb->vlan_present); /* inside of VXLAN the tag beside it is the outer frame's */
}

/* The frame in w->pkt, at TC. Anything else of that type is a workload's frame as any other. */
static __always_inline bool is_probe(const struct vx_walk *w)
{
	const __u8 group[] = VX_PROBE_DST, *dst = w->pkt.dst.mac;

	/* By one test: each is a path to the verifier. */
	if ((load32(dst) ^ load32(group)) | (__u32)(load16(dst + 4) ^ load16(group + 4)))
		return false;
	return has_magic(VX_SKB(w), w->pkt.frame_off);
}

/* Has this host's operator put that question? A workload could send one by the bridge device, whose frames
 * show no port. A program of its own to the verifier. */
__attribute__((noinline)) int is_asked(struct __sk_buff *skb, __u32 vni)
{
	struct vx_probe_key key = { .vni = vni };
	struct vx_probe p;

	if (bpf_skb_load_bytes(skb, VX_ETH_LEN, &p, sizeof(p)))
		return 0;
	key.nonce = p.nonce;
	key.sequence = bpf_ntohl(p.sequence);
	return bpf_map_lookup_elem(&probes, &key) != NULL;
}

/* tun_out: this host's own question, or its answer, back to where the question came from. */
static __always_inline enum vx_step pass_probe(const struct vx_walk *w)
{
	if (w->from)
		return w->from == w->to ? VX_PASS : VX_DROP;
	return is_asked(VX_SKB(w), w->vni) ? VX_PASS : VX_DROP;
}

/* A bucket of VX_PROBE_BURST answers, kept as the time when it will be full again. */
static __always_inline bool may_answer(const struct vx_walk *w)
{
	struct vx_counters *sum = find_counters(w->peer);
	__u64 next;

	if (!sum)
		return false;
	next = sum->asked_ns > w->now ? sum->asked_ns : w->now;
	if (next - w->now >= VX_PROBE_BURST * VX_PROBE_NS)
		return false;
	sum->asked_ns = next + VX_PROBE_NS;
	return true;
}

/* Only what this host has asked, and that peer, and once. */
static __always_inline void keep_answer(const struct vx_walk *w, const struct vx_probe *p)
{
	struct vx_probe_key key = { .nonce = p->nonce,
				    .vni = w->vni,
				    .sequence = bpf_ntohl(p->sequence) };
	struct vx_probe_answer *answer = bpf_map_lookup_elem(&probes, &key);
	struct vx_counters *sum;

	if (!answer || answer->answered_ns)
		return;
	sum = find_counters(w->peer);
	/* Full as it was, the bucket now also says that programs of ours are, or were, at that end. */
	if (sum && sum->asked_ns < w->now)
		sum->asked_ns = w->now;
	answer->received = bpf_ntohl(p->received);
	answer->mtu = bpf_ntohl(p->mtu);
	asm volatile("" ::: "memory");
	answer->answered_ns = bpf_ktime_get_ns();
}

/*
 * tun_in: a probe ends here. With numbering by index nothing is answered: any peer may use this tunnel's
 * VNI there, and the answer would go to whom it belongs to.
 */
static __always_inline enum vx_step meet_probe(struct vx_walk *w)
{
	struct __sk_buff *skb = VX_SKB(w);
	__u32 len = skb->len;
	struct vx_probe p;

	if (!is_probe(w))
		return VX_GO_ON;
	if (!w->peer || cfg.vni_mode != VX_VNI_PAIR ||
	    bpf_skb_load_bytes(skb, VX_ETH_LEN, &p, sizeof(p)) || p.version != VX_PROBE_VERSION)
		return VX_DROP;
	if (p.kind == VX_PROBE_ANSWER)
		keep_answer(w, &p);
	if (p.kind != VX_PROBE_REQUEST || !may_answer(w))
		return VX_DROP;
	p.kind = VX_PROBE_ANSWER;
	p.received = bpf_htonl(len - VX_ETH_LEN);
	p.mtu = bpf_htonl(cfg.mtu);
	if (bpf_skb_store_bytes(skb, VX_ETH_LEN, &p, sizeof(p), 0) ||
	    (len > VX_ETH_LEN + sizeof(p) && bpf_skb_change_tail(skb, VX_ETH_LEN + sizeof(p), 0)))
		return VX_DROP;
	w->verdict = (int)bpf_redirect(w->from, 0);
	return VX_SENT;
}

#endif
