/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wire_out's half of the guard (I4): packets that leave as VXLAN to a peer without a word of tun_out's or the fast
 * path's. A container, a process of this host, a device on top of the underlay, or a machine that the host routes for
 * has made them. Doubt means pass: the receiver's guard judges again.
 */
#ifndef VXBPF_GUARD_OUT_H
#define VXBPF_GUARD_OUT_H

#include "guard.h"

enum { VX_AF_INET = 2, VX_AF_INET6 = 10 };

/*
 * Does the host route this packet for the machine at `source`, that is, has it come from where the host
 * sends to that machine? A program of its own to the verifier (see skb_headers).
 */
__attribute__((noinline)) int is_routed_for(struct __sk_buff *skb, __u32 source_off, __u32 six)
{
	struct bpf_fib_lookup back = { .family = six ? VX_AF_INET6 : VX_AF_INET,
				       .ifindex = skb->ingress_ifindex };
	long found;

	if (!back.ifindex || bpf_skb_load_bytes(skb, source_off, back.dst, six ? 16 : 4))
		return 0;
	found = bpf_fib_lookup(skb, &back, sizeof(back), 0);
	return (found == BPF_FIB_LKUP_RET_SUCCESS || found == BPF_FIB_LKUP_RET_NO_NEIGH) &&
	       back.ifindex == skb->ingress_ifindex;
}

/* Behind the UDP header at `c`: the VNI of the pair, or any of ours where any will do. */
static __always_inline bool says_vni(struct __sk_buff *skb, const struct vx_cursor *c, __u32 wanted)
{
	struct vx_vni vni;
	__u32 head[2];

	if (bpf_skb_load_bytes(skb, c->off, head, sizeof(head)) ||
	    !(head[0] & bpf_htonl(VX_VXLAN_HAS_VNI << 24)))
		return false;
	vni.vni = bpf_ntohl(head[1]) >> 8;
	return cfg.vni_mode == VX_VNI_INDEX ? !!bpf_map_lookup_elem(&peers, &vni)
					    : vni.vni == wanted;
}

/*
 * The VNI of the peer to whose VXLAN this packet goes that nobody honest sends, else 0, or VX_NO_VNI where the
 * bytes at hand end too early to tell. Such a packet's first fragment is cut so short that it does not show the
 * frame inside; or it says to be another peer's, and has not come from there; or it has a tag that only gives a
 * priority, which its receiver takes off. A program of its own to the verifier (see skb_headers).
 */
__attribute__((noinline)) __u32 hidden_vni(struct __sk_buff *skb, __u32 off)
{
	struct vx_walk w = walk_tc(skb, true);
	struct vx_cursor c = hook_cursor(&w);
	__u32 tag, l3 = off;
	struct vx_addr key;
	struct vx_vni *vni;
	enum vx_parse parsed;
	struct vx_ip ip;
	bool ours;
	__u8 *at;

	for (int i = 0; i < VX_TAGS_MAX && off; i++) {
		if (bpf_skb_load_bytes(skb, l3 - 2, &tag, sizeof(tag)) || !is_tag((__be16)tag))
			break;
		if (tag >> 16 & bpf_htons(VX_VLAN_ID))
			return 0;
		l3 += VX_TAG_LEN;
	}
	parsed = cursor_jump(&c, l3) ? parse_ip(&c, peek_ip(&c), &ip) : VX_SHORT;
	if (parsed != VX_PARSED)
		return parsed == VX_SHORT ? VX_NO_VNI : 0;
	if (ip.later_fragment || ip.protocol != VX_PROTO_UDP)
		return 0;
	at = cursor_take(&c, sizeof(struct udphdr));
	if (!at)
		return VX_NO_VNI;
	if (vx_field(16, udphdr, at, dest) != bpf_htons(cfg.port))
		return 0;
	load_addr(skb, l3 + (ip.six ? 8 : 12), ip.six, &key);
	ours = addr_equal(&key, ip.six ? (const struct vx_addr *)&cfg.local6
				       : (const struct vx_addr *)&cfg.local4);
	if (!ours && (!bpf_map_lookup_elem(&sources, &key) ||
		      is_routed_for(skb, l3 + (ip.six ? 8 : 12), ip.six)))
		return 0;
	load_addr(skb, l3 + (ip.six ? 24 : 16), ip.six, &key);
	vni = bpf_map_lookup_elem(&sources, &key);
	if (!vni)
		return 0;
	if (ours && !(ip.fragment && ip.end < c.off + VX_VXLAN_LEN + sizeof(struct ethhdr)) &&
	    (l3 == off || !says_vni(skb, &c, vni->vni)))
		return 0;
	return vni->vni;
}

/*
 * wire_out: without a word, and plainly no UDP to the mesh's port. All else is looked at closely,
 * wherever it comes from: a container, a process of this host, a device on top of this one.
 */
static __always_inline enum vx_step pass_others(const struct vx_walk *w)
{
	struct vx_cursor c = hook_cursor(w);
	const __u8 *at = c.start, *udp;
	__u32 bytes;

	if (cfg.guard == VX_GUARD_OFF || (hook_tagged(w) && hook_vlan(w)))
		return VX_PASS;
	if (!w->ethernet || at + VX_ETH_LEN + VX_IP4_LEN + VX_UDP_LEN > c.end)
		return VX_GO_ON;
	bytes = load32(at + 12);
	if (is_plain4(bytes)) {
		if (at[23] != VX_PROTO_UDP || load16(at + 20) & bpf_htons(VX_IP_OFFSET))
			return VX_PASS;
		udp = at + VX_ETH_LEN + VX_IP4_LEN;
	} else if (is_plain6(bytes)) {
		if (at[20] != VX_PROTO_UDP)
			return is_ext(at[20]) ? VX_GO_ON : VX_PASS;
		udp = at + VX_ETH_LEN + VX_IP6_LEN;
		if (udp + VX_UDP_LEN > c.end)
			return VX_GO_ON;
	} else {
		return VX_GO_ON;
	}
	return load16(udp + 2) == bpf_htons(cfg.port) ? VX_GO_ON : VX_PASS;
}

static __always_inline enum vx_step charge_nested(struct vx_walk *w, const struct vx_peer *target)
{
	w->from = hook_ingress(w);
	w->to = hook_ifindex(w);
	w->now = bpf_ktime_get_coarse_ns();
	charge(w, VX_REASON_NESTED, target);
	return cfg.guard == VX_GUARD_ENFORCE ? VX_DROP : VX_PASS;
}

/*
 * wire_out: a packet to a peer's VXLAN that nobody honest sends. All that is judged is pulled first (of a
 * train everything, else the headers): its sender may still change what stays in pages (MSG_ZEROCOPY).
 */
static __always_inline enum vx_step refuse_hidden(struct vx_walk *w)
{
	__u32 l3 = w->ethernet ? VX_ETH_LEN : 0;
	const struct vx_peer *target;
	struct vx_vni vni;

	hook_pull(w, hook_is_datagrams(VX_SKB(w)) ? hook_len(w) : VX_PULL);
	vni.vni = hidden_vni(VX_SKB(w), l3);
	if (vni.vni == VX_NO_VNI) {
		hook_pull(w, VX_PULL_DEEP);
		vni.vni = hidden_vni(VX_SKB(w), l3);
	}
	target = vni.vni ? bpf_map_lookup_elem(&peers, &vni) : NULL;
	if (!target)
		return VX_GO_ON;
	w->pkt.ip.source = target->local;
	w->pkt.vni = vni.vni;
	w->packets = 1;
	w->bytes = hook_len(w);
	return charge_nested(w, target);
}

/* The pair's VNI, if `ip` is from us to a peer, else VX_NO_VNI. */
static __always_inline __u32 find_target(const struct vx_ip *ip)
{
	__u32 vni;
	const struct vx_peer *peer = find_source(&ip->dest, &vni);

	return peer && addr_equal(&ip->source, &peer->local) ? vni : VX_NO_VNI;
}

/*
 * wire_out: VXLAN to a peer that looks like ours without our mark. Any packet of a train may be the
 * one, and the first may not be ours, or not be VXLAN at all.
 */
static __always_inline enum vx_step refuse_nested(struct vx_walk *w)
{
	enum vx_parse parsed = read_once(w, VX_WIRE_OUT, true);
	const struct vx_peer *target;
	struct vx_vni vni, said = { w->pkt.vni };

	if (parsed != VX_PARSED && (parsed != VX_BROKEN || !hook_gso_size(w)))
		return VX_PASS;
	vni.vni = find_target(&w->pkt.ip);
	if (vni.vni == VX_NO_VNI)
		return VX_PASS;
	if (parsed != VX_PARSED ||
	    (cfg.vni_mode == VX_VNI_INDEX ? !bpf_map_lookup_elem(&peers, &said)
					  : said.vni != vni.vni)) {
		/* Not the first packet. */
		if (!hook_gso_size(w) || count_train(VX_SKB(w), w->pkt.payload_off, vni.vni,
						     VX_TRAIN_OUT) != VX_TRAIN_BAD)
			return VX_PASS;
		w->pkt.vni = vni.vni;
	}
	target = bpf_map_lookup_elem(&peers, &vni);
	if (!target)
		return VX_PASS;
	w->bytes = hook_len(w);
	w->packets = 1;
	if (parsed == VX_PARSED)
		measure(w);
	return charge_nested(w, target);
}

#endif
