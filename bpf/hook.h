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

/* What a stage says. Anything but "go on" ends the walk. */
enum vx_step {
	VX_GO_ON,
	VX_PASS, /* leave it to whoever is next: another program, then the kernel */
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
	const struct vx_peer *blame; /* and at whose door, NULL = nobody's */
};

enum { VX_PULL = 256 }; /* enough for any headers we look at; beyond is doubt */

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

/* Of the whole packet, the bytes that cannot be read included. */
static __always_inline __u32 hook_len(const struct vx_walk *w)
{
	struct vx_cursor c;

	if (!w->xdp)
		return VX_SKB(w)->len;
	c = hook_cursor(w);
	return (__u32)(c.end - c.start);
}

/* Makes the first VX_PULL bytes readable. Old cursors are void after it, whatever it says. */
static __always_inline void hook_pull(struct vx_walk *w)
{
	__u32 len = hook_len(w);

	if (!w->xdp)
		bpf_skb_pull_data(VX_SKB(w), len < VX_PULL ? len : VX_PULL);
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
		hook_pull(&w);
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
 * A word from tun_in to tun_out about one frame, kept where the bridge carries it along and nobody
 * else looks: no qdisc of ours or of a bridge port's reads tc_index before tun_out.
 */
enum { VX_COUNTED = 0x7658 };

static __always_inline void hook_set_counted(struct vx_walk *w)
{
	VX_SKB(w)->tc_index = VX_COUNTED;
}

static __always_inline bool hook_counted(const struct vx_walk *w)
{
	return VX_SKB(w)->tc_index == VX_COUNTED;
}

/*
 * Other words about one frame, in skb->cb, which a program of somebody else might write, too: so by a
 * number that only this host's programs know. VX_BY_FAST: fast_tx has sent it to wire_out. VX_BY_TUNNEL:
 * tun_out has let it into its tunnel.
 */
enum { VX_BY_FAST = 0x56586250, VX_BY_TUNNEL = 0x56586251 };

static __always_inline void hook_set_by(struct vx_walk *w, __u32 who)
{
	VX_SKB(w)->cb[0] = cfg.secret;
	VX_SKB(w)->cb[1] = who;
}

static __always_inline bool hook_is_by(const struct vx_walk *w, __u32 who)
{
	return VX_SKB(w)->cb[0] == cfg.secret && VX_SKB(w)->cb[1] == who;
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
