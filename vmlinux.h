/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's side of the programs' contract, trimmed by hand to what they use, so that a build does
 * not depend on the kernel headers of the machine it runs on. All of it is stable UAPI: layouts and
 * numbers as of 6.1, good for every later kernel.
 */
#ifndef VMLINUX_H
#define VMLINUX_H

#include <linux/types.h>

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
};

/* bpf_redirect: as if received by the device. */
enum {
	BPF_F_INGRESS = 1,
};

/* bpf_skb_adjust_room: where, and what the kernel should know about what comes or goes. */
enum {
	BPF_ADJ_ROOM_NET = 0,
	BPF_ADJ_ROOM_MAC = 1,
};

enum {
	BPF_F_ADJ_ROOM_FIXED_GSO = 1 << 0,
	BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 = 1 << 1,
	BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 = 1 << 2,
	BPF_F_ADJ_ROOM_ENCAP_L4_UDP = 1 << 4,
	BPF_F_ADJ_ROOM_NO_CSUM_RESET = 1 << 5,
	BPF_F_ADJ_ROOM_ENCAP_L2_ETH = 1 << 6,
	BPF_F_ADJ_ROOM_DECAP_L3_IPV4 = 1 << 7, /* since 6.3 */
	BPF_F_ADJ_ROOM_DECAP_L3_IPV6 = 1 << 8,
	BPF_ADJ_ROOM_ENCAP_L2_SHIFT = 56,
};

enum {
	BPF_F_NO_PREALLOC = 1,
};

/* bpf_skb_set_tstamp: the time is when to send, and redirection does not clear it. */
enum {
	BPF_SKB_TSTAMP_DELIVERY_MONO = 1,
};

/* bpf_csum_level: one checksum less is known to be right. */
enum {
	BPF_CSUM_LEVEL_DEC = 2,
};

/* How bpf_map_update_elem treats an entry that is there, or is not. */
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};

/* The same number means "next program" to a tcx link and "next filter" to clsact. */
enum {
	TC_ACT_UNSPEC = -1,
	TC_ACT_OK = 0,
	TC_ACT_SHOT = 2,
	TC_ACT_REDIRECT = 7,
};

enum xdp_action {
	XDP_ABORTED = 0,
	XDP_DROP,
	XDP_PASS,
	XDP_TX,
	XDP_REDIRECT,
};

struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
	__u32 egress_ifindex;
};

/* skb->pkt_type, <linux/if_packet.h> */
enum {
	VX_PACKET_HOST = 0,
	VX_PACKET_OTHERHOST = 3,
};

struct __sk_buff {
	__u32 len;
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol;
	__u32 vlan_present;
	__u32 vlan_tci;
	__u32 vlan_proto;
	__u32 priority;
	__u32 ingress_ifindex;
	__u32 ifindex;
	__u32 tc_index;
	__u32 cb[5];
	__u32 hash;
	__u32 tc_classid;
	__u32 data;
	__u32 data_end;
	__u32 napi_id;
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port;
	__u32 local_port;
	__u32 data_meta;
	__u64 flow_keys;
	__u64 tstamp;
	__u32 wire_len;
	__u32 gso_segs;
	__u64 sk;
	__u32 gso_size;
	__u8 tstamp_type;
	__u8 reserved[3];
	__u64 hwtstamp;
};

_Static_assert(sizeof(struct __sk_buff) == 192, "struct __sk_buff");

/* bpf_fib_lookup; of its unions what we use. */
struct bpf_fib_lookup {
	__u8 family;
	__u8 l4_protocol;
	__be16 sport;
	__be16 dport;
	__u16 tot_len;
	__u32 ifindex;
	__be32 flowinfo;
	__u32 src[4];
	__u32 dst[4]; /* of IPv4 the first */
	__u32 tbid;
	__u8 smac[6];
	__u8 dmac[6];
};

enum {
	BPF_FIB_LKUP_RET_SUCCESS = 0,
	BPF_FIB_LKUP_RET_NO_NEIGH = 7,
};

#endif
