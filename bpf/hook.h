/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only file that knows what a program was handed: an skb at TC or a frame at XDP. It gives every
 * stage the same walk, and turns the walk's end into the hook's own verdict. `xdp` is a constant in
 * each entry point, so the other half of each pair below is never in the program.
 */
#ifndef VXBPF_HOOK_H
#define VXBPF_HOOK_H

#include "maps.h"
#include "parse.h"

/* The result of a stage. Anything but "go on" ends the walk. */
enum vx_step {
	VX_GO_ON,
	VX_PASS, /* pass it on: to another program, then the kernel */
	VX_DROP,
	VX_SENT, /* redirected: w->verdict is what the helper said */
};

/*
 * One packet on its way through one room. No helper is handed a pointer into it (map keys are copied
 * out first): it then never is in memory as a whole, and `ctx` and `xdp` stay what the verifier and
 * the compiler know them to be.
 */
struct vx_walk {
	void *ctx;
	bool xdp;
	bool ethernet; /* the packet starts with an Ethernet header, not at IP */
	struct vx_pkt pkt;
	int verdict;
	__u32 packets; /* on the wire, see account.h */
	__u32 bytes;
	__u64 now;
	__u32 from; /* ifindex it came in by, 0 = this host */
	__u32 to; /* ifindex it wants to leave by, 0 = not known */
	__u32 vni; /* of the peer it is counted for */
	const struct vx_peer *peer; /* that peer, NULL = not known */
	enum vx_reason reason; /* what finish() will count */
	const struct vx_peer *blame; /* and the peer to blame, NULL = none */
	const struct vx_fdb *dst; /* where the frame's destination is, if count_tx has looked */
};

enum { VX_ENOTSUPP = 524 }; /* the kernel's own, no errno */
enum {
	VX_PULL = 256, /* enough for the headers anybody sends */
	VX_PULL_DEEP = VX_REACH + 64, /* and for all we look at: beyond is doubt */
};

static __always_inline struct vx_walk walk_tc(struct __sk_buff *skb, bool ethernet)
{
	return (struct vx_walk){ .ctx = skb, .ethernet = ethernet };
}

static __always_inline struct vx_walk walk_xdp(struct xdp_md *xdp)
{
	return (struct vx_walk){ .ctx = xdp, .xdp = true, .ethernet = true };
}

#define VX_SKB(w) ((struct __sk_buff *)(w)->ctx)
#define VX_XDP(w) ((struct xdp_md *)(w)->ctx)

/*
 * A packet pointer out of the context, where it looks like 32 bits. Read in plain C, clang 14 may keep
 * it in half a register and spill that, and the verifier refuses half a pointer.
 */
#define VX_POINTER(type, ctx, field)                                                               \
	({                                                                                         \
		__u8 *pointer_;                                                                    \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                                              \
			     : "=r"(pointer_)                                                      \
			     : "r"(ctx), "i"(offsetof(struct type, field)));                       \
		pointer_;                                                                          \
	})

static __always_inline struct vx_cursor hook_cursor(const struct vx_walk *w)
{
	struct vx_cursor c = {};

	if (w->xdp) {
		c.start = VX_POINTER(xdp_md, w->ctx, data);
		c.end = VX_POINTER(xdp_md, w->ctx, data_end);
	} else {
		c.start = VX_POINTER(__sk_buff, w->ctx, data);
		c.end = VX_POINTER(__sk_buff, w->ctx, data_end);
	}
	c.pos = c.start;
	return c;
}

/* For the whole packet, including the bytes that cannot be read. */
static __always_inline __u32 hook_len(const struct vx_walk *w)
{
	struct vx_cursor c;

	if (!w->xdp)
		return VX_SKB(w)->len;
	c = hook_cursor(w);
	return (__u32)(c.end - c.start);
}

/* Makes the first `want` bytes readable. Old cursors are void after it, whatever it says. */
static __always_inline void hook_pull(struct vx_walk *w, __u32 want)
{
	__u32 len = hook_len(w);

	if (!w->xdp)
		bpf_skb_pull_data(VX_SKB(w), len < want ? len : want);
}

/*
 * parse_headers for the frame type `proto` at `off`: l3_len in the upper half, header_len less l2_len
 * in the lower, 0 if not known. Only super-packets need it, and a global function is a program of its
 * own to the verifier, which then does not walk it once for each way that led here.
 */
__attribute__((noinline)) __u32 skb_headers(struct __sk_buff *skb, __u32 off, __u32 proto)
{
	struct vx_walk w = walk_tc(skb, true);

	for (int tries = 0; tries < 2; tries++) {
		struct vx_pkt p = { .proto = (__be16)proto };
		struct vx_cursor c = hook_cursor(&w);

		if (cursor_jump(&c, off) && parse_headers(&c, &p) != VX_SHORT)
			return p.l3_len << 16 | p.header_len;
		hook_pull(&w, VX_PULL);
	}
	return 0;
}

/* Fills the lengths a segment's headers have. */
static __always_inline void hook_headers(struct vx_walk *w)
{
	__u32 headers;

	if (w->xdp)
		return;
	headers = skb_headers(VX_SKB(w), w->pkt.frame_off + w->pkt.l2_len, w->pkt.proto);
	w->pkt.l3_len = headers >> 16;
	if (headers & 0xffff)
		w->pkt.header_len = w->pkt.l2_len + (headers & 0xffff);
	/* No tunnel carries one: GRO makes no such packet of encapsulated ones. */
	if (w->pkt.frame_off || hook_len(w) <= 0xffff || w->pkt.proto != bpf_htons(ETH_P_IPV6) ||
	    w->pkt.l3_len != sizeof(struct ipv6hdr) + VX_JUMBO_LEN || !(headers & 0xffff))
		return;
	w->pkt.jumbo_len = VX_JUMBO_LEN;
	w->pkt.l3_len -= VX_JUMBO_LEN;
	w->pkt.header_len -= VX_JUMBO_LEN;
}

/* Not 0: several packets in one, each with this much payload. */
static __always_inline __u32 hook_gso_size(const struct vx_walk *w)
{
	return w->xdp ? 0 : VX_SKB(w)->gso_size;
}

static __always_inline __u32 hook_gso_segs(const struct vx_walk *w)
{
	return w->xdp ? 0 : VX_SKB(w)->gso_segs;
}

/* Length of all segments together; the kernel fills it on egress only. */
static __always_inline __u32 hook_wire_len(const struct vx_walk *w)
{
	return w->xdp ? 0 : VX_SKB(w)->wire_len;
}

/* A VLAN tag kept beside the packet, not in it. */
static __always_inline bool hook_tagged(const struct vx_walk *w)
{
	return w->xdp ? false : VX_SKB(w)->vlan_present;
}

static __always_inline __u16 hook_vlan(const struct vx_walk *w)
{
	return w->xdp ? 0 : (__u16)(VX_SKB(w)->vlan_tci & VX_VLAN_ID);
}

/* Another machine's, by its outer destination MAC. The device has not looked at XDP. */
static __always_inline bool hook_is_others(const struct vx_walk *w)
{
	return !w->xdp && w->ethernet && VX_SKB(w)->pkt_type == VX_PACKET_OTHERHOST;
}

/* The device this program sits on. */
static __always_inline __u32 hook_ifindex(const struct vx_walk *w)
{
	return w->xdp ? VX_XDP(w)->ingress_ifindex : VX_SKB(w)->ifindex;
}

/* The device the packet first came in by, 0 = this host made it. */
static __always_inline __u32 hook_ingress(const struct vx_walk *w)
{
	return w->xdp ? VX_XDP(w)->ingress_ifindex : VX_SKB(w)->ingress_ifindex;
}

static __always_inline bool hook_marked(const struct vx_walk *w)
{
	return !w->xdp && (VX_SKB(w)->mark & cfg.mark);
}

static __always_inline void hook_mark(struct vx_walk *w)
{
	if (!w->xdp)
		VX_SKB(w)->mark |= cfg.mark;
}

static __always_inline void hook_unmark(struct vx_walk *w)
{
	if (!w->xdp)
		VX_SKB(w)->mark &= ~cfg.mark;
}

/*
 * Words: what one room tells a later one about the frame at hand, so that no room has to infer where a
 * frame came from.
 *
 * In skb->tstamp, for wire_out: tun_out has let this frame into its tunnel, or the fast path has made it.
 * 32 bits that only this host's programs know and that change with VX_EPOCH_SHIFT, as a time that is
 * always past, so that no queue delays or drops the frame. The time survives VXLAN, segmentation,
 * fragments and a bridge (measured); a program cannot see it, and a workload that sets it has to guess.
 */
enum vx_word { VX_WORD_NONE, VX_WORD_TUNNEL, VX_WORD_FAST };

enum {
	VX_EPOCH_SHIFT = 13
}; /* of jiffies: 8 s (HZ 1000) to 82 s (HZ 100); the last one is good, too */

static __always_inline __u64 hook_epoch(void)
{
	return bpf_jiffies64() >> VX_EPOCH_SHIFT;
}

/* Both words of an epoch, VX_WORD_TUNNEL's in the upper half. Guessing one reveals nothing about the
 * others. */
static __always_inline __u64 words_of(__u64 epoch)
{
	__u64 h = (epoch ^ cfg.keys[VX_KEY_WORD]) * cfg.keys[VX_KEY_WORD_ODD];

	h = (h ^ h >> 32) * cfg.keys[VX_KEY_WORD_ODD2];
	return h ^ h >> 32;
}

/* At TC egress: the frame's next stop is wire_out, through the kernel. */
static __always_inline void hook_set_word(struct vx_walk *w)
{
	VX_SKB(w)->tstamp = words_of(hook_epoch()) >> 32;
}

/* Before bpf_redirect, which clears a time that is not one to send at. */
static __always_inline void hook_set_fast_word(struct vx_walk *w)
{
	bpf_skb_set_tstamp(VX_SKB(w), (__u32)words_of(hook_epoch()), BPF_SKB_TSTAMP_DELIVERY_MONO);
}

static __always_inline enum vx_word read_word(__u64 time)
{
	__u64 epoch, words;

	if (!time || time >> 32)
		return VX_WORD_NONE;
	epoch = hook_epoch();
	words = words_of(epoch);
	if (time == (__u32)words)
		return VX_WORD_FAST;
	if (time == words >> 32)
		return VX_WORD_TUNNEL;
	words = words_of(epoch - 1);
	if (time == (__u32)words)
		return VX_WORD_FAST;
	return time == words >> 32 ? VX_WORD_TUNNEL : VX_WORD_NONE;
}

/* At TC egress. */
static __always_inline enum vx_word hook_word(const struct vx_walk *w)
{
	return read_word(VX_SKB(w)->tstamp);
}

/* At TC ingress a program that does not ask for the time's type is shown none of some types. */
static __always_inline enum vx_word hook_word_in(const struct vx_walk *w)
{
	asm volatile("" ::"r"((__u32)VX_SKB(w)->tstamp_type));
	return read_word(VX_SKB(w)->tstamp);
}

static __always_inline void hook_clear_word(struct vx_walk *w)
{
	VX_SKB(w)->tstamp = 0;
}

/*
 * In skb->tc_index, which the bridge carries along: by which kind of door a frame has come to the bridge.
 * Overwritten wherever a frame comes in, cleared where it leaves. A port without hooks may bring a forged
 * one. Then a frame that the bridge's rules accept from there can be learned as one of the host or of a
 * peer, with the addresses it has, for as long as a flow lasts; `watch` leaves no port without hooks.
 */
enum {
	VX_SAID_HOST = 0x2001, /* host_in: the host's own, or routed by it */
	VX_SAID_COUNTED = 0x2002, /* tun_in: for another peer's MAC, and counted as a loop */
	VX_SAID_ESP = 0x2100, /* wire_in: it is ESP, and what is in it will be counted at tun_in */
	VX_SAID_PEER = 0x4000, /* tun_in: of the peer whose slot is added */
	VX_SAID_PORT = 0x8000, /* port_in: by a hooked port, whose ifindex's low bits are added */
	VX_SAID_PEERS = 0x3fff,
	VX_SAID_PORTS = 0x7fff,
};

static __always_inline void hook_say(struct vx_walk *w, __u16 word)
{
	VX_SKB(w)->tc_index = word;
}

static __always_inline __u32 hook_said(const struct vx_walk *w)
{
	return VX_SKB(w)->tc_index;
}

static __always_inline bool is_from_port(__u32 said)
{
	return said & VX_SAID_PORT;
}

static __always_inline bool is_from_peer(__u32 said)
{
	return (said & ~VX_SAID_PEERS) == VX_SAID_PEER;
}

/*
 * Is it several packets in one, and not of TCP? Segments of TCP have one header each and share all else;
 * others may be a train of UDP datagrams that have nothing in common but their size (UDP_SEGMENT). The
 * kernel shows no gso_type, but the first thing bpf_skb_adjust_room does is to refuse to lengthen what is
 * not TCP, and the next thing is to refuse both versions of IP at once: so nothing happens to the packet
 * either way. A program of its own to the verifier (see skb_headers). Pointers are void afterwards.
 */
__attribute__((noinline)) int hook_is_datagrams(struct __sk_buff *skb)
{
	return skb->gso_size &&
	       bpf_skb_adjust_room(skb, 4, BPF_ADJ_ROOM_NET,
				   BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6) ==
		       -VX_ENOTSUPP;
}

/* TC_ACT_OK is never said: it would skip other people's programs behind ours. */
static __always_inline int hook_verdict(const struct vx_walk *w, enum vx_step step)
{
	if (w->xdp)
		return step == VX_DROP ? XDP_DROP : XDP_PASS;
	if (step == VX_SENT)
		return w->verdict;
	return step == VX_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

#endif
