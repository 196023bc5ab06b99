/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Load-time constants and all maps. Their layouts are in abi.h; the loader pins them, so they carry
 * no pin attributes. Every map but `overlay` outlives a change of programs.
 */
#ifndef VXBPF_MAPS_H
#define VXBPF_MAPS_H

#include <vxbpf/abi.h>

/* Not `static`: with clang 14 a static const beside rodata costs the whole object its BTF. */
const volatile struct vx_config cfg = {};

enum {
	VX_PEERS_MAX = 2048, /* twice the hosts: old and new live side by side while VNIs move */
	VX_PORTS_MAX = 4096,
	VX_DROPS_MAX = 16384,
	VX_REASONS_MAX = 32,
	VX_FDB_MAX = 65536,
	VX_FLOWS_MAX = 65536,
	VX_PROBES_MAX = 16384,
};

_Static_assert(VX_REASON_MAX <= VX_REASONS_MAX, "witness is too small");

/* VNI -> peer. Written by the loader as peers come and go; read by every room. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VX_PEERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_vni);
	__type(value, struct vx_peer);
} peers SEC(".maps");

/* Outer source -> its peer's VNI. Written by the loader with `peers`; read by the wire rooms. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VX_PEERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_addr);
	__type(value, struct vx_vni);
} sources SEC(".maps");

/* A tunnel's ifindex -> its VNI. Written by the loader before a tunnel is hooked; read by tun_*. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VX_PEERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_ifindex);
	__type(value, struct vx_vni);
} tunnels SEC(".maps");

/* Traffic per peer, by its slot. Owners are the loader's, numbers grow in every room. The loader says
 * how many slots; a mesh that outgrows them gets a larger map, into which `carry` adds the numbers. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct vx_counters);
} counters SEC(".maps");

/* Drops per peer and reason. Made by account.h at the first one; never removed. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, VX_DROPS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_drop_key);
	__type(value, struct vx_drop);
} drops SEC(".maps");

/* The last frame of each reason. Written by account.h; read by people. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VX_REASONS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_reason_key);
	__type(value, struct vx_witness);
} witness SEC(".maps");

/* VNIs of peers that are none of ours. Written by guard.h; read by people. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VX_PEERS_MAX);
	__type(key, struct vx_other_key);
	__type(value, struct vx_other);
} other_vnis SEC(".maps");

/* Ports by ifindex. Named by the loader; tun_out adds nameless ones it has to blame. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VX_PORTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_ifindex);
	__type(value, struct vx_port);
} ports SEC(".maps");

/* MAC and VLAN -> where it was last seen. Written and read by locate.h; the oldest are forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VX_FDB_MAX);
	__type(key, struct vx_fdb_key);
	__type(value, struct vx_fdb);
} fdb SEC(".maps");

/* A port's ifindex -> how the fast path gets in. Written by the loader; read where flows are learned. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VX_PORTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_ifindex);
	__type(value, struct vx_door_value);
} doors SEC(".maps");

/* Whether anybody watches over the doors. Written by `watch`; read where flows are learned. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vx_lease);
} lease SEC(".maps");

/* By MAC hash, how often such MACs changed place. Written by locate.h; read by the fast path. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VX_MOVES);
	__type(key, __u32);
	__type(value, __u32);
} moves SEC(".maps");

/* Verdicts of the kernel, good for VX_FLOW_NS. Written by keep.h; read by fast.h. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VX_FLOWS_MAX);
	__type(key, struct vx_flow_key);
	__type(value, struct vx_flow);
} flows SEC(".maps");

/* By the low bits of a flow's hash. As `flows`; an array costs a third of what a hash table does. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VX_HOT);
	__type(key, __u32);
	__type(value, struct vx_flow);
} hot SEC(".maps");

/* Notes from a room to the next one on this CPU. Written by the rooms at the bridge; read by wire_out. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vx_note);
} notes SEC(".maps");

/* By a peer's slot, the next outer IPv4 ID. Written by fast.h, begun by learn_tx.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VX_IDENTS);
	__type(key, __u32);
	__type(value, __u32);
} idents SEC(".maps");

/* Frames that may be going round. Written and read by locate.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VX_ECHOES);
	__type(key, __u32);
	__type(value, struct vx_echo);
} echoes SEC(".maps");

/* Probes on their way. Written by the prober; probe.h writes the answers. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VX_PROBES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vx_probe_key);
	__type(value, struct vx_probe_answer);
} probes SEC(".maps");

/* The settings `up` applied. Written and read by the loader only, as long as the overlay is up. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vx_overlay);
} overlay SEC(".maps");

#endif
