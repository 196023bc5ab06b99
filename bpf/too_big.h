/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames larger than the overlay's MTU (I3): each is dropped and counted, the port it came from is
 * remembered, and its sender is told, so that nobody is left guessing: ICMP "fragmentation needed" (RFC
 * 1191) or ICMPv6 "packet too big" (RFC 4443), made of the frame itself.
 */
#ifndef VXBPF_TOO_BIG_H
#define VXBPF_TOO_BIG_H

#include "locate.h"
#include "read.h"

#define VX_TELL_NS 10000000ULL /* one answer a port in this time, */
#define VX_TELL_BURST 50 /* and a burst of these: many flows may begin together */

enum {
	/* The quote keeps the answer within the size that every host must accept: 576 bytes (RFC 1812
	 * 4.3.2.3), 1280 bytes (RFC 4443 2.4). A packet that is too large is longer. */
	VX_QUOTE4 = 576 - 20 - 8,
	VX_QUOTE6 = 1280 - 40 - 8,
	VX_PROTO_ICMP = 1,
	VX_PROTO_ICMP6 = 58,
	VX_CSUM_MAX = 512, /* bytes bpf_csum_diff takes at once */
};

/* The IP packet each frame on the wire will carry; of a super-packet, the largest segment's. */
static __always_inline __u32 inner_len(const struct vx_walk *w)
{
	__u32 gso_size = hook_gso_size(w), headers = w->pkt.header_len, whole;

	whole = w->pkt.frame_len - w->pkt.l2_len;
	if (!gso_size)
		return whole;
	if (gso_size == VX_GSO_BY_FRAGS) /* SCTP: each of its own size, which cannot be seen */
		return 0;
	/* Inside a workload's own tunnel the headers are longer than seen: too few, never too many. */
	headers = headers ? headers - w->pkt.l2_len : w->pkt.l3_len;
	return whole < headers + gso_size ? whole : headers + gso_size;
}

static __always_inline struct vx_port *find_port(__u32 ifindex)
{
	struct vx_ifindex key = { ifindex };
	struct vx_port nameless = {}, *port = bpf_map_lookup_elem(&ports, &key);

	if (port)
		return port;
	bpf_map_update_elem(&ports, &key, &nameless, BPF_NOEXIST);
	return bpf_map_lookup_elem(&ports, &key);
}

static __always_inline void blame_port(__u32 ifindex, __u32 packets, __u32 size)
{
	struct vx_port *port = find_port(ifindex);

	if (!port)
		return;
	__sync_fetch_and_add(&port->oversize, packets);
	for (int tries = 0; tries < 4; tries++) {
		__u32 largest = port->largest;

		if (size <= largest ||
		    __sync_val_compare_and_swap(&port->largest, largest, size) == largest)
			return;
	}
}

/* A bucket of VX_TELL_BURST answers, kept as the time when it will be full again. */
static __always_inline bool may_tell(__u32 ifindex, __u64 now)
{
	struct vx_port *port = find_port(ifindex);
	__u64 full, next;

	if (!port)
		return false;
	full = port->told_ns;
	next = full > now ? full : now;
	if (next - now > VX_TELL_BURST * VX_TELL_NS)
		return false;
	return __sync_val_compare_and_swap(&port->told_ns, full, next + VX_TELL_NS) == full;
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* Nobody, everybody, a group or the sender itself: no address to answer, or to answer for. */
static __always_inline bool is_no_host(const __u8 *b, bool six)
{
	if (six)
		return b[0] == 0xff || (!load64(b) && load64(b + 8) <= bpf_cpu_to_be64(1));
	return b[0] == 0 || b[0] == 127 || b[0] >= 224;
}

/* Errors are never answered by errors (RFC 1122 3.2.2, RFC 4443 2.4 e). */
static __always_inline bool is_error(const struct vx_ip *ip, __u8 type)
{
	if (ip->protocol == VX_PROTO_ICMP6)
		return type < 128;
	return ip->protocol == VX_PROTO_ICMP &&
	       (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/*
 * The sum of addresses, protocol and length that TCP and UDP check with their own. While offload has
 * yet to fill in a checksum, this sum stands in its place.
 */
static __always_inline __u16 pseudo_sum(__u8 *l3, bool six, __u8 protocol, __u32 l4_len)
{
	__u32 sum = bpf_htons(protocol) + bpf_htonl(l4_len);

	return fold((__u32)(six ? bpf_csum_diff(NULL, 0, (void *)(l3 + 8), 32, sum)
				: bpf_csum_diff(NULL, 0, (void *)(l3 + 12), 8, sum)));
}

/* Packets are read anew: what is changed voids every pointer. */
static __always_inline struct vx_cursor reread(struct __sk_buff *skb)
{
	struct vx_walk w = walk_tc(skb, true);

	return hook_cursor(&w);
}

/*
 * Does the frame deserve an answer? 0 = no, else what make_answer has to know: VX_ANSWER, VX_SIX, the
 * length of its IP header and, in the upper half, the sum in the place of a checksum that offload has
 * still to fill in, 0 if there is none. (A checksum that is complete and looks like one is one of
 * 65,536.) Two programs of their own to the verifier (see skb_headers), one after the other: together
 * they would need more stack than there is.
 */
enum { VX_ANSWER = 1, VX_SIX = 2, VX_L3_LEN = 0xfffc };

__attribute__((noinline)) __u32 judge_answer(struct __sk_buff *skb)
{
	__u32 len = skb->len, l3_len;
	__u16 filled = 0;
	struct vx_cursor c;
	struct vx_ip ip;
	__u8 *at, *l4;
	__u64 off;
	bool six;

	if (bpf_skb_pull_data(skb, len < VX_ETH_LEN + VX_QUOTE6 ? len : VX_ETH_LEN + VX_QUOTE6))
		return 0;
	c = reread(skb);
	at = cursor_take(&c, VX_ETH_LEN);
	if (!at)
		return 0;
	six = load16(at + 12) == bpf_htons(ETH_P_IPV6);
	if (len < VX_ETH_LEN + (six ? VX_QUOTE6 : VX_QUOTE4) ||
	    parse_ip(&c, load16(at + 12), &ip) != VX_PARSED || ip.later_fragment ||
	    is_no_host(at + (six ? 22 : 26), six) || is_no_host(at + (six ? 38 : 30), six))
		return 0;
	off = forget((__u16)c.off);
	if (off > VX_QUOTE4 - 18)
		return 0;
	asm volatile("" : "+r"(off));
	l4 = at + off;
	if (l4 + 18 > c.end || is_error(&ip, l4[0]))
		return 0;
	l3_len = (__u32)off - VX_ETH_LEN;
	if (ip.protocol == VX_PROTO_TCP || ip.protocol == VX_PROTO_UDP) {
		filled = pseudo_sum(at + VX_ETH_LEN, six, ip.protocol, len - VX_ETH_LEN - l3_len);
		if (load16(l4 + (ip.protocol == VX_PROTO_TCP ? 16 : 6)) != filled)
			filled = 0;
	}
	return VX_ANSWER | (six ? VX_SIX : 0) | (l3_len & VX_L3_LEN) | (__u32)filled << 16;
}

/* The new Ethernet header, of the old one behind `headers` bytes, with its MACs swapped. */
static __always_inline void write_ethernet(__u8 *at, __u32 headers)
{
	const __u8 *old = at + headers;

	*(__u32 *)at = load32(old + 6);
	*(__u16 *)(at + 4) = load16(old + 10);
	*(__u32 *)(at + 6) = load32(old);
	*(__u16 *)(at + 10) = load16(old + 4);
	*(__u16 *)(at + 12) = load16(old + 12);
}

/*
 * The headers in front of the quoted packet, for which room has been made; addresses and TTL are its
 * own. `sum` is that of the quoted bytes.
 */
static __always_inline void write_answer4(__u8 *at, __u64 sum)
{
	const __u8 *quoted = at + VX_ETH_LEN + 28;

	*(__u16 *)(at + 14) = bpf_htons(0x4500);
	*(__u16 *)(at + 16) = bpf_htons(VX_QUOTE4 + 28);
	*(__u16 *)(at + 18) = 0;
	*(__u16 *)(at + 20) = bpf_htons(0x4000); /* whole, or not at all */
	at[22] = quoted[8];
	at[23] = VX_PROTO_ICMP;
	*(__u16 *)(at + 24) = 0;
	*(__u32 *)(at + 26) = load32(quoted + 16);
	*(__u32 *)(at + 30) = load32(quoted + 12);
	*(__u16 *)(at + 24) = ~fold((__u64)load32(at + 14) + load32(at + 18) + load32(at + 22) +
				    load32(at + 26) + load32(at + 30));
	*(__u32 *)(at + 34) = bpf_htonl(3 << 24 | 4 << 16);
	*(__u32 *)(at + 38) = bpf_htonl(cfg.mtu);
	*(__u16 *)(at + 36) = ~fold(sum + load32(at + 34) + load32(at + 38));
}

static __always_inline void write_answer6(__u8 *at, __u64 sum)
{
	const __u8 *quoted = at + VX_ETH_LEN + 48;
	__u32 length = VX_QUOTE6 + 8;

	*(__u32 *)(at + 14) = bpf_htonl(6 << 28);
	*(__u16 *)(at + 18) = bpf_htons((__u16)length);
	at[20] = VX_PROTO_ICMP6;
	at[21] = quoted[7];
	for (int i = 0; i < 16; i += 4) {
		*(__u32 *)(at + 22 + i) = load32(quoted + 24 + i);
		*(__u32 *)(at + 38 + i) = load32(quoted + 8 + i);
		sum += (__u64)load32(quoted + 24 + i) + load32(quoted + 8 + i);
	}
	*(__u32 *)(at + 54) = bpf_htonl(2 << 24);
	*(__u32 *)(at + 58) = bpf_htonl(cfg.mtu);
	sum += (__u64)load32(at + 54) + load32(at + 58) + bpf_htonl(length) +
	       bpf_htonl(VX_PROTO_ICMP6);
	*(__u16 *)(at + 56) = ~fold(sum);
}

/* Checksum of `len` bytes, of which bpf_csum_diff takes VX_CSUM_MAX per call. `len` is a constant. */
static __always_inline __u32 sum_of(__u8 *at, __u32 len)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < len; i += VX_CSUM_MAX)
		sum = (__u32)bpf_csum_diff(NULL, 0, (void *)(at + i),
					   len - i < VX_CSUM_MAX ? len - i : VX_CSUM_MAX, sum);
	return sum;
}

/*
 * The sum of a quote of `len` bytes, a constant. Where offload has still to fill in a checksum, its
 * packet will add up to that checksum's complement behind the IP header.
 */
static __always_inline __u64 sum_of_quote(__u8 *quoted, __u32 len, __u32 l3_len, __u16 filled)
{
	if (!filled)
		return sum_of(quoted, len);
	return (__u64)(__u16)~filled + (__u32)bpf_csum_diff(NULL, 0, (void *)quoted, l3_len, 0);
}

/*
 * Makes the answer of the frame that judge_answer has judged: 1 if it is one now, else it is only to be
 * dropped. Where offload has still to fill in a checksum it will do so inside the quote: the answer's
 * checksum is made for what will stand there, so it is right for every reader, a guest behind a tap
 * without offloads too.
 */
__attribute__((noinline)) int make_answer(struct __sk_buff *skb, __u32 code)
{
	__u32 quote = code & VX_SIX ? VX_QUOTE6 : VX_QUOTE4, l3_len = code & VX_L3_LEN & 0x3fc;
	__u32 headers = code & VX_SIX ? 48 : 28;
	__u16 filled = (__u16)(code >> 16);
	struct vx_cursor c;
	__u8 *at, *quoted;

	if ((skb->len > VX_ETH_LEN + quote && bpf_skb_change_tail(skb, VX_ETH_LEN + quote, 0)) ||
	    bpf_skb_change_head(skb, headers, 0))
		return 0;
	c = reread(skb);
	at = c.start;
	if (code & VX_SIX) {
		quoted = at + VX_ETH_LEN + 48;
		if (quoted + VX_QUOTE6 > c.end || l3_len > VX_CSUM_MAX)
			return 0;
		write_ethernet(at, 48);
		write_answer6(at, sum_of_quote(quoted, VX_QUOTE6, l3_len, filled));
		return 1;
	}
	quoted = at + VX_ETH_LEN + 28;
	if (quoted + VX_QUOTE4 > c.end || l3_len > VX_CSUM_MAX)
		return 0;
	write_ethernet(at, 28);
	write_answer4(at, sum_of_quote(quoted, VX_QUOTE4, l3_len, filled));
	return 1;
}

/*
 * Back by that device: out of a port, or, by the bridge, to the host itself. A frame from a port for a
 * peer's MAC is not addressed to the port; what leaves by the bridge is the host's own or routed by it,
 * and of what the host has routed back to where it came from the ingress device is the bridge, too.
 */
static __always_inline enum vx_step tell(struct vx_walk *w, __u32 ifindex)
{
	__u64 flags = VX_SKB(w)->pkt_type == VX_PACKET_OTHERHOST ? 0 : BPF_F_INGRESS;
	__u32 code;

	if (is_group(&w->pkt.src) || w->pkt.l2_len != VX_ETH_LEN || !may_tell(ifindex, w->now))
		return VX_DROP;
	code = judge_answer(VX_SKB(w));
	if (!code || !make_answer(VX_SKB(w), code))
		return VX_DROP;
	/* The frame's words are not the answer's: it must not teach where a MAC is, nor show a word to its reader. */
	hook_say(w, 0);
	hook_clear_word(w);
	w->verdict = (int)bpf_redirect(ifindex, flags);
	return VX_SENT;
}

/*
 * tun_out: larger than the overlay's MTU goes no further. Told is only who meant this peer: a frame
 * for a MAC nobody knows is flooded here too and may well reach it on this host. And only a port of
 * this bridge: the host and those it routes for host_in has told, if anybody.
 */
static __always_inline enum vx_step fit_mtu(struct vx_walk *w)
{
	__u32 size = inner_len(w);
	const struct vx_fdb *at;

	if (size <= cfg.mtu)
		return VX_GO_ON;
	blame_port(w->from, w->packets, size);
	charge(w, VX_REASON_OVERSIZE, w->peer);
	at = find_dst(w);
	if (!at || at->place != VX_AT_PEER || at->vni != w->vni ||
	    !is_within(at->seen_ns, w->now, VX_FDB_AGE_NS))
		return VX_DROP;
	if (!w->from || hook_said(w) == VX_SAID_HOST)
		return VX_DROP;
	return tell(w, w->from);
}

/*
 * port_in: the same where a peer has shown the destination's MAC within VX_LOOP_NS, before the bridge
 * has done anything to the frame's tag. All others go by the bridge, which may know better, and meet
 * tun_out if they do leave this host.
 */
static __always_inline enum vx_step fit_here(struct vx_walk *w)
{
	__u32 gso_size = hook_gso_size(w), size;
	const struct vx_fdb *at;
	struct vx_vni vni;

	if ((gso_size ? gso_size + VX_IP4_LEN + VX_UDP_LEN : hook_len(w) - VX_ETH_LEN) <= cfg.mtu)
		return VX_GO_ON;
	if (read_frame(w, VX_ADDRESSES) != VX_PARSED)
		return VX_PASS;
	w->now = bpf_ktime_get_coarse_ns();
	at = find_dst(w);
	if (is_group(&w->pkt.dst) || !at || at->place != VX_AT_PEER ||
	    !is_within(at->seen_ns, w->now, VX_LOOP_NS))
		return VX_GO_ON;
	vni.vni = at->vni;
	measure_frame(w);
	size = inner_len(w);
	if (size <= cfg.mtu)
		return VX_GO_ON;
	w->from = hook_ifindex(w);
	w->vni = vni.vni;
	w->pkt.vni = vni.vni;
	w->peer = bpf_map_lookup_elem(&peers, &vni);
	blame_port(w->from, w->packets, size);
	charge(w, VX_REASON_OVERSIZE, w->peer);
	return tell(w, w->from);
}

#endif
