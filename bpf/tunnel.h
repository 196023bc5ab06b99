/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two rooms of a tunnel: what comes out of it must have been seen by the guard, what goes into it
 * must not come from another tunnel (I2). Whether it fits is too_big.h's business.
 */
#ifndef VXBPF_TUNNEL_H
#define VXBPF_TUNNEL_H

#include "locate.h"
#include "probe.h"
#include "read.h"

static __always_inline const struct vx_peer *find_tunnel(__u32 ifindex, __u32 *out_vni)
{
	struct vx_ifindex key = { ifindex };
	struct vx_vni *vni = bpf_map_lookup_elem(&tunnels, &key);

	if (!vni) {
		*out_vni = VX_NO_VNI;
		return NULL;
	}
	*out_vni = vni->vni;
	return bpf_map_lookup_elem(&peers, vni);
}

/* tun_in, tun_out: the frame, and whose tunnel `ifindex` is. */
static __always_inline enum vx_step read_tunnel(struct vx_walk *w, __u32 ifindex)
{
	if (read_frame(w, VX_FRAME) != VX_PARSED)
		return VX_PASS;
	w->peer = find_tunnel(ifindex, &w->vni);
	w->pkt.vni = w->vni;
	w->now = bpf_ktime_get_coarse_ns();
	measure_frame(w);
	return VX_GO_ON;
}

/* The kernel looks for a fragment header behind these, which are more than a packet of ours may carry. */
static __always_inline bool may_precede_fragment(__u8 type)
{
	return is_ext(type) || type == VX_PROTO_AH;
}

/* tun_in: may the bridge put it together with others and cut it again, and so lose the device it came by (see
 * split_horizon)? Those are IPv6 fragments, wherever the kernel looks for them: behind other headers, or in
 * PPPoE, too. Reports of multicast groups have a header before ICMPv6 and are common: not they. */
static __always_inline bool may_be_cut(const struct vx_walk *w)
{
	const __u32 l3 = w->pkt.l2_len;
	__u8 next;

	if (w->pkt.proto == bpf_htons(ETH_P_PPP_SES))
		return true;
	if (w->pkt.proto != bpf_htons(ETH_P_IPV6) ||
	    bpf_skb_load_bytes(VX_SKB(w), l3 + offsetof(struct ipv6hdr, nexthdr), &next,
			       sizeof(next)) ||
	    !may_precede_fragment(next))
		return false;
	return next == VX_PROTO_FRAGMENT ||
	       (!bpf_skb_load_bytes(VX_SKB(w), l3 + sizeof(struct ipv6hdr), &next, sizeof(next)) &&
		may_precede_fragment(next));
}

/*
 * tun_in: no mark means that no wire_in saw the packet, neither as it is nor as ESP. The sender's address
 * is gone by now, so nobody is blamed. If wire_in has seen ESP only, it is counted here: a policy may have
 * come since `up`.
 */
static __always_inline enum vx_step check_mark(struct vx_walk *w)
{
	bool marked = hook_marked(w), esp = hook_said(w) == VX_SAID_ESP;

	/* The kernel tells a sender that the path takes less: it makes the answer of the sender's own frame. */
	if (!marked && hook_word_in(w) == VX_WORD_TUNNEL) {
		hook_clear_word(w);
		return VX_PASS;
	}
	if (marked)
		hook_unmark(w);
	hook_say(w, 0);
	w->from = hook_ifindex(w);
	if (read_tunnel(w, w->from) == VX_PASS || w->vni == VX_NO_VNI)
		return VX_PASS;
	if (w->peer && (cfg.fastpath || may_be_cut(w)))
		hook_say(w, (__u16)(VX_SAID_PEER | (w->peer->slot & VX_SAID_PEERS)));
	if (marked)
		return w->peer && (w->peer->ipsec || esp) && !is_probe(w) ? count_rx(w) : VX_GO_ON;
	if (cfg.guard != VX_GUARD_OFF)
		charge(w, VX_REASON_UNGUARDED, NULL);
	if (cfg.guard == VX_GUARD_ENFORCE)
		return VX_DROP;
	return w->peer && !is_probe(w) ? count_rx(w) : VX_GO_ON;
}

/* Known to be somewhere else than at this tunnel's peer: the bridge only floods this way. */
static __always_inline bool is_elsewhere(const struct vx_walk *w)
{
	struct vx_fdb_key key = w->pkt.dst;
	const struct vx_fdb *at = bpf_map_lookup_elem(&fdb, &key);

	return at && (at->place == VX_AT_PORT || at->vni != w->vni);
}

/* The device it came by is lost where the kernel puts fragments together and cuts them again (IPv6, with
 * conntrack on the bridge): what tun_in has said is not. */
static __always_inline bool is_out_of_tunnel(__u32 said)
{
	return is_from_peer(said) || said == VX_SAID_COUNTED;
}

/*
 * tun_out: from one tunnel to another never, whatever the guard's mode. The bridge's flooding copies
 * are its way of working and no drops; a unicast frame sent here on purpose is a loop in the making.
 */
static __always_inline enum vx_step split_horizon(struct vx_walk *w)
{
	const struct vx_peer *sender;
	struct vx_counters *sum;
	__u32 said = hook_said(w), slot;
	struct vx_vni vni;

	w->from = hook_ingress(w);
	w->to = hook_ifindex(w);
	if (read_tunnel(w, w->to) == VX_PASS)
		return VX_PASS;
	if (is_probe(w))
		return pass_probe(w);
	if (!w->from) {
		if (!is_out_of_tunnel(said))
			return VX_GO_ON;
		slot = said & VX_SAID_PEERS;
		sum = is_from_peer(said) ? bpf_map_lookup_elem(&counters, &slot) : NULL;
		if (sum)
			sum->flood_copies += w->packets;
		return VX_DROP;
	}
	sender = find_tunnel(w->from, &vni.vni);
	if (vni.vni == VX_NO_VNI)
		return VX_GO_ON;
	if (is_group(&w->pkt.dst) || is_elsewhere(w)) {
		sum = find_counters(sender);
		if (sum)
			sum->flood_copies += w->packets;
		return VX_DROP;
	}
	w->pkt.vni = vni.vni;
	if (said != VX_SAID_COUNTED)
		charge(w, VX_REASON_LOOP, sender);
	return VX_DROP;
}

/*
 * tun_in: unicast for a MAC that another peer has. The bridge will send it back into a tunnel, and
 * where tunnels are isolated ports it drops the frame without a word: so it is counted here, and
 * tun_out, should it see the frame, need not. Not dropped: the bridge may know better.
 */
static __always_inline enum vx_step see_return(struct vx_walk *w)
{
	struct vx_fdb_key key = w->pkt.dst;
	const struct vx_fdb *at;

	if (is_group(&key) || w->reason != VX_REASON_NONE)
		return VX_GO_ON;
	at = bpf_map_lookup_elem(&fdb, &key);
	if (!at || at->place != VX_AT_PEER || at->vni == w->vni ||
	    !is_within(at->seen_ns, w->now, VX_FDB_AGE_NS))
		return VX_GO_ON;
	w->to = w->from; /* some tunnel: which one is the bridge's to say */
	charge(w, VX_REASON_LOOP, w->peer);
	hook_say(w, VX_SAID_COUNTED);
	return VX_GO_ON;
}

/* tun_out, first of all: whatever it lets pass, be it a probe or the bridge's own query, may leave. Should
 * the kernel find the frame too large for the path it makes an answer of it, which comes out of this very
 * tunnel without any wire_in having seen it: the word is still there. */
static __always_inline enum vx_step give_word(struct vx_walk *w)
{
	hook_set_word(w);
	return VX_GO_ON;
}

/* tun_out: off to the kernel's VXLAN. */
static __always_inline enum vx_step send_off(struct vx_walk *w)
{
	if (hook_said(w))
		hook_say(w, 0);
	return VX_PASS;
}

/* port_in: what is for the bridge alone (LLDP, for one) no room behind the bridge will see, but the bridge
 * takes it for a move. Nothing is learned of it; what was known is void. */
static __always_inline void see_move(const struct vx_walk *w, __u32 port)
{
	struct vx_cursor c = hook_cursor(w);
	struct vx_fdb_key mac = {};
	const struct vx_fdb *at;

	if (c.start + VX_ETH_LEN > c.end || load32(c.start) != bpf_htonl(0x0180c200) ||
	    (load16(c.start + 4) & bpf_htons(0xfff0)))
		return;
	copy_mac(mac.mac, c.start + 6);
	at = bpf_map_lookup_elem(&fdb, &mac);
	if (at && !(at->place == VX_AT_PORT && at->ifindex == port))
		note_move(&mac);
}

/* port_in, host_in: the kernel's way, by the bridge. The rooms behind the bridge need the port a frame
 * came from: only frames the bridge lets through teach anything. */
static __always_inline enum vx_step come_in(struct vx_walk *w)
{
	struct vx_note *note;
	__u32 port = hook_ifindex(w);

	if (!cfg.fastpath)
		return VX_PASS;
	see_move(w, port);
	hook_say(w, (__u16)(VX_SAID_PORT | (port & VX_SAID_PORTS)));
	note = find_note();
	if (note)
		note->port = port;
	return VX_PASS;
}

static __always_inline enum vx_step host_come_in(struct vx_walk *w)
{
	struct vx_note *note = find_note();

	hook_say(w, VX_SAID_HOST);
	if (note)
		note->host = hook_ifindex(w);
	return VX_PASS;
}

#endif
