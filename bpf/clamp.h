/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MSS clamp: what a TCP SYN or SYN-ACK between hosts promises to take is lowered to what fits the
 * overlay, so that TCP works where ICMP is not listened to. Never raised; options that make no sense
 * are left as they are.
 */
#ifndef VXBPF_CLAMP_H
#define VXBPF_CLAMP_H

#include "account.h"

enum {
	VX_TCP_SYN = 0x02,
	VX_TCP_CHECK = 16, /* offset of the checksum */
	VX_OPT_END = 0,
	VX_OPT_NOP = 1,
	VX_OPT_MSS = 2,
	VX_OPTS_MAX = 40,
};

/*
 * Where the MSS is that the options at `off`, of `len` bytes, promise, and it in *mss; 0 = nowhere that can
 * be trusted. By RFC 9293 3.1 the kind of an option and its length come first, except for the two of one
 * byte. Read one by one: an array for all of them would take a sixth of the stack.
 */
static __always_inline __u32 find_mss(struct __sk_buff *skb, __u32 off, __u32 len, __be16 *mss)
{
	__u32 at = 0;

	for (int i = 0; i < VX_OPTS_MAX; i++) {
		__u8 opt[4];

		at = forget((__u16)at);
		if (at + 4 > len || bpf_skb_load_bytes(skb, off + at, opt, sizeof(opt)))
			return 0;
		if (opt[0] == VX_OPT_END)
			return 0;
		if (opt[0] == VX_OPT_NOP) {
			at++;
			continue;
		}
		if (opt[1] < 2 || at + opt[1] > len)
			return 0;
		if (opt[0] == VX_OPT_MSS) {
			*mss = load16(opt + 2);
			return opt[1] == 4 ? off + at + 2 : 0;
		}
		at += opt[1];
	}
	return 0;
}

/*
 * The frame's IP packet of type `proto` is at `off`. A program of its own to the verifier (see
 * skb_headers). The checksum is corrected by the difference (RFC 1624), by the kernel's helper, which
 * knows whether offload has still to fill it in.
 */
__attribute__((noinline)) int clamp_syn(struct __sk_buff *skb, __u32 off, __u32 proto)
{
	struct vx_walk w = walk_tc(skb, true);
	struct vx_cursor c = hook_cursor(&w);
	__u32 tcp, len, at, limit;
	__be16 old, new;
	__u8 *head;
	struct vx_ip ip;

	if (!cursor_jump(&c, off) || parse_ip(&c, (__be16)proto, &ip) != VX_PARSED ||
	    ip.protocol != VX_PROTO_TCP || ip.later_fragment)
		return 0;
	tcp = c.off;
	head = cursor_take(&c, sizeof(struct tcphdr));
	if (!head || !(head[13] & VX_TCP_SYN))
		return 0;
	len = (head[12] >> 4) * 4u - (__u32)sizeof(struct tcphdr);
	if (len > VX_OPTS_MAX || tcp + sizeof(struct tcphdr) + len > skb->len)
		return 0;
	at = find_mss(skb, tcp + sizeof(struct tcphdr), len, &old);
	limit = cfg.mtu - (ip.six ? VX_IP6_LEN : VX_IP4_LEN) - (__u32)sizeof(struct tcphdr);
	if (!at || bpf_ntohs(old) <= limit)
		return 0;
	new = bpf_htons((__u16)limit);
	if (bpf_skb_store_bytes(skb, at, &new, sizeof(new), 0))
		return 0;
	/* At an odd place the two bytes belong to two words of the sum. */
	if ((at - tcp) & 1) {
		old = __builtin_bswap16(old);
		new = __builtin_bswap16(new);
	}
	bpf_l4_csum_replace(skb, tcp + VX_TCP_CHECK, old, new, sizeof(new));
	return 1;
}

/* A look at plain frames, which most are: all but SYNs are let go at once. */
static __always_inline bool may_be_syn(const struct vx_walk *w)
{
	struct vx_cursor c = hook_cursor(w);
	const __u8 *ip = c.start + VX_ETH_LEN;
	const __u8 *tcp4 = ip + VX_IP4_LEN, *tcp6 = ip + VX_IP6_LEN;

	if (w->pkt.proto == bpf_htons(ETH_P_IP))
		return w->pkt.l2_len != VX_ETH_LEN || tcp4 + sizeof(struct tcphdr) > c.end ||
		       ip[0] != 0x45 || (ip[9] == VX_PROTO_TCP && tcp4[13] & VX_TCP_SYN);
	if (w->pkt.proto == bpf_htons(ETH_P_IPV6))
		return w->pkt.l2_len != VX_ETH_LEN || tcp6 + sizeof(struct tcphdr) > c.end ||
		       is_ext(ip[6]) || (ip[6] == VX_PROTO_TCP && tcp6[13] & VX_TCP_SYN);
	return false;
}

/* tun_out and tun_in: both directions of every connection between hosts. */
static __always_inline enum vx_step clamp(struct vx_walk *w)
{
	if (cfg.clamp_mss && may_be_syn(w))
		clamp_syn(VX_SKB(w), w->pkt.frame_off + w->pkt.l2_len, w->pkt.proto);
	return VX_GO_ON;
}

#endif
