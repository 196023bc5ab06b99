/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may speak (I4). The wire rooms find VXLAN of ours and hold its addresses against the peer its
 * VNI belongs to. Doubt means pass, unmarked: tun_in refuses what arrives without the mark.
 */
#ifndef VXBPF_GUARD_H
#define VXBPF_GUARD_H

#include "locate.h"
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

/* A peer speaks with a VNI that is none of ours, which is no business of the guard. Said all the same: it
 * may number its tunnels in another way. At most once per tick of the coarse clock. */
static __always_inline void note_other_vni(const struct vx_walk *w)
{
	struct vx_other_key key = { .vni = w->pkt.vni };
	struct vx_other seen = { .time_ns = bpf_ktime_get_coarse_ns() }, *last;
	const struct vx_peer *sender = find_source(&w->pkt.ip.source, &key.peer_vni);

	if (!sender || !addr_equal(&w->pkt.ip.dest, &sender->local))
		return;
	last = bpf_map_lookup_elem(&other_vnis, &key);
	if (last && last->time_ns == seen.time_ns)
		return;
	copy_name(seen.peer, sender);
	bpf_map_update_elem(&other_vnis, &key, &seen, BPF_ANY);
}

static __always_inline enum vx_step refuse_malformed(struct vx_walk *w)
{
	__u32 ignored;

	if (cfg.guard == VX_GUARD_OFF)
		return VX_PASS;
	charge(w, VX_REASON_MALFORMED, find_source(&w->pkt.ip.source, &ignored));
	return cfg.guard == VX_GUARD_ENFORCE ? VX_DROP : VX_PASS;
}

/* wire_in, wire_xdp: VXLAN to this host with a VNI of ours, or none of our business. */
static __always_inline enum vx_step find_vxlan(struct vx_walk *w)
{
	struct vx_vni vni;

	if (hook_tagged(w) && hook_vlan(w))
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
	if (cfg.guard == VX_GUARD_OFF)
		return VX_PASS;
	charge(w, sender ? VX_REASON_WRONG_VNI : VX_REASON_UNKNOWN_SOURCE, sender);
	if (cfg.guard == VX_GUARD_ENFORCE)
		return VX_DROP;
	hook_mark(w); /* observed, so tun_in need not count it again */
	return VX_PASS;
}

/*
 * wire_in: this is our peer's. A probe is no traffic, and one in fragments shall not arrive, as it measures
 * what does in one piece: this is the first of them if the frame goes on behind the packet's end.
 */
static __always_inline enum vx_step accept_rx(struct vx_walk *w)
{
	hook_mark(w);
	if (!is_probe(w))
		return count_rx(w);
	return w->pkt.frame_off + w->pkt.frame_len > hook_len(w) ? VX_DROP : VX_PASS;
}

static __always_inline void load_addr(struct __sk_buff *skb, __u32 off, bool six,
				      struct vx_addr *to)
{
	copy_addr4(to, 0);
	if (six)
		bpf_skb_load_bytes(skb, off, to, sizeof(*to));
	else
		bpf_skb_load_bytes(skb, off, to->bytes + 12, 4);
}

/*
 * Which peer the first fragment of a packet is for that is cut so short that it does not show the frame
 * inside, as nobody honest does: its VNI, 0 if this is no such thing. A program of its own to the verifier
 * (see skb_headers).
 */
__attribute__((noinline)) __u32 hidden_vni(struct __sk_buff *skb, __u32 off)
{
	struct vx_walk w = walk_tc(skb, true);
	struct vx_cursor c = hook_cursor(&w);
	struct vx_addr key;
	struct vx_vni *vni;
	struct vx_ip ip;
	__u8 *at;

	if (!cursor_jump(&c, off) || parse_ip(&c, peek_ip(&c), &ip) != VX_PARSED || !ip.fragment ||
	    ip.protocol != VX_PROTO_UDP)
		return 0;
	at = cursor_take(&c, sizeof(struct udphdr));
	if (!at || vx_field(16, udphdr, at, dest) != bpf_htons(cfg.port) ||
	    ip.end >= c.off + VX_VXLAN_LEN + sizeof(struct ethhdr))
		return 0;
	load_addr(skb, off + (ip.six ? 8 : 12), ip.six, &key);
	if (!addr_equal(&key, ip.six ? (const struct vx_addr *)&cfg.local6
				     : (const struct vx_addr *)&cfg.local4))
		return 0;
	load_addr(skb, off + (ip.six ? 24 : 16), ip.six, &key);
	vni = bpf_map_lookup_elem(&sources, &key);
	return vni ? vni->vni : 0;
}

static __always_inline bool is_workload(const struct vx_walk *w)
{
	return hook_ingress(w) && cfg.guard != VX_GUARD_OFF && !(hook_tagged(w) && hook_vlan(w));
}

static __always_inline enum vx_step charge_nested(struct vx_walk *w, const struct vx_peer *target)
{
	w->from = hook_ingress(w);
	w->to = hook_ifindex(w);
	w->now = bpf_ktime_get_coarse_ns();
	charge(w, VX_REASON_NESTED, target);
	return cfg.guard == VX_GUARD_ENFORCE ? VX_DROP : VX_PASS;
}

/* wire_out: a packet of a workload to a peer's VXLAN that hides its VNI. */
static __always_inline enum vx_step refuse_hidden(struct vx_walk *w)
{
	const struct vx_peer *target;
	struct vx_vni vni;

	if (!is_workload(w))
		return VX_GO_ON;
	vni.vni = hidden_vni(VX_SKB(w), w->ethernet ? VX_ETH_LEN : 0);
	target = vni.vni ? bpf_map_lookup_elem(&peers, &vni) : NULL;
	if (!target)
		return VX_GO_ON;
	w->pkt.ip.source = target->local;
	w->pkt.vni = vni.vni;
	w->packets = 1;
	w->bytes = hook_len(w);
	return charge_nested(w, target);
}

/*
 * wire_out: VXLAN to a peer that looks like ours and is not. The kernel's own shows no ingress device
 * here; what the host forwards or masquerades for a workload still shows the port it came in by.
 */
static __always_inline enum vx_step refuse_nested(struct vx_walk *w)
{
	const struct vx_ip *ip = &w->pkt.ip;
	const struct vx_peer *target;
	struct vx_vni vni;

	if (!is_workload(w) || read_packet(w, VX_WIRE_OUT) != VX_PARSED)
		return VX_PASS;
	vni.vni = w->pkt.vni;
	target = bpf_map_lookup_elem(&peers, &vni);
	if (target && cfg.vni_mode == VX_VNI_INDEX)
		target = find_source(&ip->dest, &vni.vni);
	if (!target || !addr_equal(&ip->source, &target->local) ||
	    !addr_equal(&ip->dest, &target->remote))
		return VX_PASS;
	measure(w);
	return charge_nested(w, target);
}

#endif
