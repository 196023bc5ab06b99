/* SPDX-License-Identifier: GPL-2.0 */
/*
 * START HERE. The rooms a packet passes, each a list of stages in the order they run. A stage says go
 * on, pass or drop, and the first that does not say "go on" ends the list; finish() counts what a
 * stage has charged and is the only way out.
 *
 *	wire ─► [wire_xdp] ─► [wire_in] ─► kernel VXLAN ─► [tun_in] ─► bridge ─► container
 *	wire ◄─ [wire_out] ◄─ kernel VXLAN ◄─ [tun_out] ◄─ bridge ◄─ [port_in] ◄─ container
 *
 * "Pass" leaves a frame as it is to the next program and then to the kernel, which delivers it.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "clamp.h"
#include "fast.h"
#include "guard.h"
#include "guard_out.h"
#include "learn_rx.h"
#include "learn_tx.h"
#include "probe.h"
#include "too_big.h"
#include "tunnel.h"

char LICENSE[] SEC("license") = "GPL";

/* A NIC's driver, before there is an skb: only strangers are dropped here, all else is TC's. */
SEC("xdp")
int wire_xdp(struct xdp_md *ctx)
{
	struct vx_walk w = walk_xdp(ctx);

	if (cfg.guard != VX_GUARD_ENFORCE)
		return finish(&w, VX_PASS);
	return finish(&w, find_vxlan(&w) ?: check_source(&w));
}

/* TC ingress of an underlay device: who speaks VXLAN to us, and is it a peer? */
SEC("tc")
int wire_in(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, fast_rx(&w) ?: find_vxlan(&w) ?: check_source(&w) ?: check_train(&w) ?: accept_rx(&w));
}

/* The same on a device without Ethernet headers: WireGuard, tun. */
SEC("tc")
int wire_in_l3(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, false);

	return finish(&w, find_vxlan(&w) ?: check_source(&w) ?: check_train(&w) ?: accept_rx(&w));
}

/* TC egress of an underlay device: only what tun_out or the fast path has made passes as VXLAN from us. */
SEC("tc")
int wire_out(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, pass_ours(&w) ?: pass_others(&w) ?: refuse_hidden(&w) ?: refuse_nested(&w));
}

SEC("tc")
int wire_out_l3(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, false);

	return finish(&w, pass_ours(&w) ?: pass_others(&w) ?: refuse_hidden(&w) ?: refuse_nested(&w));
}

/* TC ingress of a tunnel: a frame from a peer, about to enter the bridge. */
SEC("tc")
int tun_in(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, check_mark(&w) ?: meet_probe(&w) ?: learn_peer(&w) ?: see_return(&w) ?: clamp(&w));
}

/* TC egress of a tunnel: a frame from the bridge, about to be sent to a peer. */
SEC("tc")
int tun_out(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, give_word(&w) ?: split_horizon(&w) ?: fit_mtu(&w) ?: learn_sender(&w) ?:
			  clamp(&w) ?: fast_tunnel(&w) ?: begin_note(&w) ?: count_tx(&w) ?:
			  end_note(&w) ?: send_off(&w));
}

/* TC ingress of every other port of the bridge. */
SEC("tc")
int port_in(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, fast_port(&w) ?: fit_here(&w) ?: come_in(&w));
}

/* TC egress of such a port: a frame the bridge has brought here. */
SEC("tc")
int port_out(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, learn_out(&w));
}

/* The bridge device itself, where the host is the port, so directions are swapped: TC egress, ... */
SEC("tc")
int host_in(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, fast_port(&w) ?: fit_here(&w) ?: host_come_in(&w));
}

/* ... and TC ingress. */
SEC("tc")
int host_out(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return finish(&w, learn_host(&w));
}

/* No rooms, but run by the loader, for what it cannot do to counters that go on counting: another owner's
 * mark on one CPU, and the numbers of a smaller map that no room uses any more. */
SEC("syscall")
int own(struct vx_own *own)
{
	return set_owner(own);
}

SEC("syscall")
int carry(struct vx_carry *old)
{
	return add_carried(old);
}
