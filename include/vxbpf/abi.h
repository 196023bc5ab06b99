/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything the BPF programs and the user side both see: map keys and values, load-time config.
 * Only fixed-size types, explicit padding, a size assert after each struct. Text fields are NUL
 * padded. All numbers are in host byte order unless the type says __be. Times are
 * CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_coarse_ns), 0 = never.
 *
 * lines: one list of all that both sides see.
 */
#ifndef VXBPF_ABI_H
#define VXBPF_ABI_H

/* bpf/flow.h relies on x86 keeping loads and stores in order; other processors need barriers there. */
#if !defined(__bpf__) && !defined(__x86_64__)
#error vxbpf supports x86_64 only
#endif

#include <linux/types.h>

/* Raise when a struct below or a map's type, key or flags change in a way old pins do not fit. */
#define VX_LAYOUT 2

#define VX_NAME_LEN 40 /* a peer's name, at most 32 characters */
#define VX_TEXT_LEN 48 /* an address as text: INET6_ADDRSTRLEN rounded up */
#define VX_IF_LEN 16 /* IFNAMSIZ */
#define VX_MAX_HOSTS 1000
#define VX_NO_VNI 0xffffffff /* larger than any */
#define VX_LOOP_NS 2000000000ULL /* a MAC seen on a local port within this may be a loop (I2) */

#define VX_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)

enum vx_reason {
	VX_REASON_NONE, /* the frame goes on */
#define VX_REASON(name, label, sentence) VX_REASON_##name,
#include "reasons.def"
#undef VX_REASON
	VX_REASON_MAX,
};

enum vx_guard { VX_GUARD_ENFORCE, VX_GUARD_OBSERVE, VX_GUARD_OFF };

enum vx_vni_mode { VX_VNI_PAIR, VX_VNI_INDEX };

/* An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d; network byte order. */
struct vx_addr {
	__u8 bytes[16];
};
VX_ASSERT_SIZE(struct vx_addr, 16);

/* Uses of the keys in struct vx_config. Those that are multiplied by are odd. */
enum vx_key {
	VX_KEY_WORD, /* the words of hook.h */
	VX_KEY_WORD_ODD,
	VX_KEY_WORD_ODD2,
	VX_KEY_MACS, /* the hash of a flow, see flow.h */
	VX_KEY_REST,
	VX_KEY_KIND,
	VX_KEY_ADDRS, /* and three more */
	VX_KEY_MOVES_ODD = VX_KEY_ADDRS + 4,
	VX_KEYS,
};

/* Load-time constants of one set of programs (rodata): a change means new programs. */
struct vx_config {
	__u32 layout;
	__u32 mtu; /* largest inner IP packet, bytes */
	__u32 mark; /* the one skb mark bit between wire_in and tun_in */
	__u16 port; /* UDP port of the mesh, host byte order */
	__u8 guard; /* enum vx_guard */
	__u8 vni_mode; /* enum vx_vni_mode */
	__u32 fastpath; /* 0 or 1 */
	__u32 clamp_mss; /* 0 or 1 */
	struct vx_addr local4; /* this host's IPv4 address in the mesh, zero if none */
	struct vx_addr local6; /* this host's IPv6 address in the mesh, zero if none */
	__u64 keys[VX_KEYS]; /* random, see enum vx_key; made from the overlay's secret */
};
VX_ASSERT_SIZE(struct vx_config, 56 + 8 * VX_KEYS);

/* --- map `peers`: VNI -> the peer it belongs to. Written by the loader, read by all. */
struct vx_vni {
	__u32 vni;
};

struct vx_peer {
	char name[VX_NAME_LEN];
	char ifname[VX_IF_LEN]; /* its tunnel */
	char address[VX_TEXT_LEN]; /* remote, as text */
	char local_address[VX_TEXT_LEN]; /* this pair's local address, as text */
	struct vx_addr remote;
	struct vx_addr local;
	__u32 ipsec; /* 1: a policy encrypts this pair, so tun_in takes frames without the mark */
	__u32 slot; /* its place in `counters` */
	__u64 owner; /* a hash of its name, VNI and addresses */
	__u32 slow_tx; /* 1: others have put something in the way to it that nothing may go past, */
	__u32 slow_rx; /* and in the way from it */
};
VX_ASSERT_SIZE(struct vx_peer, 208);

/* --- map `sources`: outer source address -> VNI of that peer's entry in `peers`. Loader's. */
/* key struct vx_addr, value struct vx_vni */

/* --- map `tunnels`: ifindex of a tunnel -> VNI of its peer. Loader's. */
struct vx_ifindex {
	__u32 ifindex;
};

/* --- map `counters` (per CPU): slot, a plain number -> traffic with the peer that has it. `peer` and
 * `owner` are the loader's, on every CPU alike, the numbers the programs'. A peer keeps its slot as long
 * as it is in the mesh; then the slot is free, and its next owner starts from zero. */
struct vx_counters {
	char peer[VX_NAME_LEN]; /* for people; "" = the slot is free */
	__u64 owner; /* as in `peers`, 0 = free: flows of earlier owners and places are void */
#define VX_COUNTER(member, ...) __u64 member;
#define VX_LATEST(member) __u64 member;
#include "counters.def"
#undef VX_COUNTER
#undef VX_LATEST
	__u64 carried; /* 1 on one CPU: what a smaller map had counted before is in here */
	__u64 tick; /* the programs' own: the clock of this CPU's last tick, */
	__u64 tick_ns; /* and what time it was then */
	/* How far ahead this peer's answers are used up on this CPU, see probe.h; 0 = no probe of its, nor an
	 * answer of its to ours, has come by this CPU. */
	__u64 asked_ns;
};
VX_ASSERT_SIZE(struct vx_counters, 176);

/* Input of the program `own`. */
struct vx_own {
	__u32 slot;
	__u32 cpu;
	__u64 owner;
};
VX_ASSERT_SIZE(struct vx_own, 16);

/* Input of the program `carry`: the sum of one slot over all CPUs, from the previous map. */
struct vx_carry {
	__u32 slot;
	__u32 reserved;
	struct vx_counters sum;
};
VX_ASSERT_SIZE(struct vx_carry, 184);

/* --- map `drops` (per CPU): made by the programs at the first such drop. peer "" = no peer's. */
struct vx_drop_key {
	char peer[VX_NAME_LEN];
	enum vx_reason reason;
};
VX_ASSERT_SIZE(struct vx_drop_key, 44);

struct vx_drop {
	__u64 packets;
	__u64 bytes;
};

/* --- map `witness`: the last frame dropped for a reason. */
struct vx_reason_key {
	enum vx_reason reason;
};

struct vx_witness {
	char peer[VX_NAME_LEN];
	__u64 time_ns;
	__u8 src_mac[6]; /* inner, zero if not known */
	__u8 dst_mac[6];
	__u32 from_ifindex; /* where the frame came in, 0 = this host */
	__u32 to_ifindex; /* where it wanted to go, or the local port its MAC sat on; 0 = not known */
	__u32 vni;
	struct vx_addr source; /* outer source address, zero if there was none */
};
VX_ASSERT_SIZE(struct vx_witness, 88);

/* --- map `other_vnis` (LRU): VNIs that peers send to us on our port and that are none of ours: another
 * VXLAN's between the same hosts, or a host with another idea of the mesh. The programs' own. */
struct vx_other_key {
	__u32 peer_vni; /* the VNI that pair has with us */
	__u32 vni; /* the one it sent */
};

struct vx_other {
	char peer[VX_NAME_LEN];
	__u64 time_ns; /* when it last did */
};
VX_ASSERT_SIZE(struct vx_other, 48);

/* --- map `ports`: ifindex of a port of the bridge, or the bridge itself. Entries with names are the
 * loader's; the programs add nameless ones for ports they have to blame. */
struct vx_port {
	char name[VX_IF_LEN];
	__u64 oversize; /* packets too large for the overlay that came from here */
	__u32 largest; /* the largest IP packet of them, bytes */
	__u32 reserved;
	__u64 told_ns; /* how far ahead its answers are used up, see tell.h */
};
VX_ASSERT_SIZE(struct vx_port, 40);

/* --- map `fdb` (LRU): where a MAC was last seen. The programs' own. */
enum vx_place { VX_AT_NOWHERE, VX_AT_PORT = 1, VX_AT_PEER = 2 };

struct vx_fdb_key {
	__u8 mac[6];
	__u16 vlan; /* 802.1Q id the frame carried, 0 = none */
};
VX_ASSERT_SIZE(struct vx_fdb_key, 8);

struct vx_fdb {
	enum vx_place place;
	__u32 ifindex; /* the local port it is, or last was, on (the bridge itself for the host) */
	__u32 vni; /* the peer it is, or last was, at */
	__u32 moves;
	__u64 seen_ns;
	__u64 local_ns; /* last seen on a local port */
	__u64 contested_ns; /* last seen on a local port *after* a peer showed it: a loop or a clone */
	__u64 moved_ns; /* its last move, */
	__u32 lately; /* how many in a row, each within VX_REST_NS of the one before, that was, */
	enum vx_place was; /* and from where: */
	__u32 was_at; /* that port's ifindex, or that peer's VNI */
	__u32 reserved;
};
VX_ASSERT_SIZE(struct vx_fdb, 64);
#define VX_REST_NS 60000000000ULL /* who stays so long in one place has settled there */

/* --- map `doors`: ifindex of a port the fast path may use -> how it gets in there. Loader's. */
enum vx_door {
	VX_DOOR_PEER =
		1, /* a veth whose other end is in another namespace: straight to that end, where
			   * XDP in driver mode would miss it */
	VX_DOOR_PORT = 2, /* out by the device itself: a tap */
	VX_DOOR_HOST = 3, /* the bridge itself: as if received there */
	VX_DOOR_NEAR = 4, /* a veth, out by this end: generic XDP at the other one would miss it */
	VX_DOOR_OUT = 5, /* only what it sends: no way in is right, or known to be */
};

struct vx_door_value {
	enum vx_door door;
};

/* --- map `lease` (one entry, key 0): until then somebody watches over the doors of veths, and changes them when
 * XDP comes to their other ends. Without it nothing goes in there. Written by `watch` alone. */
struct vx_lease {
	__u64 until_ns;
};
VX_ASSERT_SIZE(struct vx_lease, 8);

/* --- map `moves`: how often MACs of this hash changed place: what was learned before is void. */
#define VX_MOVES 1024

/* --- map `flows` (LRU): what the kernel did with a flow a moment ago; `hot`: copies of some of them,
 * the one of each slot that came first, where they are found at less cost. The programs' own. */
#define VX_FLOW_NS 1500000000ULL /* how long a verdict is good */
#define VX_FLOW_OLD_NS 1000000000ULL /* from then on single frames go the slow way to renew it, */
#define VX_FLOW_RETRY_NS 100000000ULL /* so far apart */
#define VX_HEADER_MAX 72 /* outer Ethernet 14, IPv6 40, UDP 8, VXLAN 8 */
#define VX_HOT 8192

struct vx_flow_key {
	__u64 hash; /* of all that makes the flow; the entry says which one it is */
};

enum vx_way { VX_WAY_WIRE = 1, VX_WAY_PEER = 2, VX_WAY_PORT = 3, VX_WAY_HOST = 4 };

/* Where a flow's frames are when they are taken off their slow way. One byte, and a name in a dump. */
enum vx_hop {
	VX_HOP_PORT = 1, /* port_in */
	VX_HOP_TUNNEL = 2, /* tun_out, of ports without hooks */
	VX_HOP_WIRE4 = 3, /* wire_in, inside of IPv4 */
	VX_HOP_WIRE6 = 4, /* the same, of IPv6 */
} __attribute__((packed));

/* A program may read an entry while another CPU writes it. It is written from its first byte to its
 * last, so what was read is whole if `stamp_again` before the reading equals `stamp` after it. */
struct vx_flow {
	__u64 stamp;
	__u64 hash;
	__u8 dst_mac[6]; /* from here to dst_port as it stands in a frame */
	__u8 src_mac[6];
	__be16 src_port;
	__be16 dst_port;
	__u64 addrs; /* IPv4: both; IPv6: a mix of both, for a first look */
	__u32 from; /* VX_HOP_PORT: the port's ifindex; else the VNI */
	__u8 protocol;
	__u8 six;
	enum vx_hop hop;
	__u8 reserved;
	struct vx_addr source;
	struct vx_addr dest;
	__u64 learned_ns;
	__u64 refresh_ns; /* when a frame was last sent the slow way to learn anew */
	__u32 moves_src; /* which `moves` are of these MACs, */
	__u32 moves_dst;
	__u32 moved; /* and the sum of both when this was learned */
	enum vx_way way;
	__u32 to; /* ifindex it leaves by */
	__u32 slot; /* whose counters, */
	__u32 fits; /* transmit: the frame's length, a segment's if it was several in one. On a longer one
		     * the kernel has still to say: it may know that the path takes less, and has to cut it
		     * (IPv4) or to tell the sender (IPv6). */
	__u16 header_len; /* transmit: of `header` */
	__u8 first; /* transmit: its TTL is one to begin with, so the sender forwards it for nobody */
	__u8 super; /* receive: super-packets too: they go no further */
	__u8 header[VX_HEADER_MAX]; /* transmit: what goes in front, lengths and id zero */
	struct vx_addr outer_source; /* receive */
	struct vx_addr outer_dest;
	__u64 owner; /* if they are still that peer's */
	__u64 stamp_again;
};
VX_ASSERT_SIZE(struct vx_flow, 248);

/* --- map `notes` (one entry per CPU): what one room has written down for the next one that runs on this
 * CPU, about the frame at hand. The programs' own. */
struct vx_note {
	__u32 host; /* ifindex of the bridge that the host's last frame left by */
	__u32 port; /* ifindex of the port that the last frame came in by */
	__u32 vni; /* tun_out has let `flow` into this tunnel, VX_NO_VNI = wire_out need not finish it */
	__u32 finished; /* wire_out has, and a copy of the packet may follow */
	struct vx_flow flow;
	/* Values a room is about to put into another map: here, because the stack is too small. */
	struct vx_witness witness;
	struct vx_other other;
	struct vx_drop_key drop_key;
	__u32 reserved2;
};
VX_ASSERT_SIZE(struct vx_note, 448);

/* --- map `idents`: a peer's slot, less what is above VX_IDENTS -> the next outer IPv4 ID to that peer, in
 * its low 16 bits, 0 = not begun. The programs' own. */
#define VX_IDENTS 2048

/* --- map `echoes`: by the hash of a frame whose MAC is in two places, how often a peer has brought it
 * within VX_ECHO_NS. The programs' own. */
#define VX_ECHOES 1024
#define VX_ECHO_NS 1000000000ULL
#define VX_ECHO_TIMES 20 /* a frame that comes more often within that time goes round in a loop */

struct vx_echo {
	__u64 hash;
	__u64 since_ns;
	__u64 times;
};
VX_ASSERT_SIZE(struct vx_echo, 24);

/*
 * A probe (`vxbpf ping`): behind an Ethernet header with this group address, this source and this type.
 * A bridge drops that group's frames, PAUSE, whatever its group_fwd_mask, that come in by its ports: so no
 * container on one can send a probe, and none reaches a container. All in network byte order.
 */
#define VX_PROBE_DST                                                                               \
	{                                                                                          \
		0x01, 0x80, 0xc2, 0x00, 0x00, 0x01                                                 \
	}
#define VX_PROBE_SRC                                                                               \
	{                                                                                          \
		0x02, 'v', 'x', 'b', 'p', 'f'                                                      \
	} /* of no device: VXLAN drops frames with its own */
#define VX_PROBE_TYPE 0x88b5 /* IEEE local experimental */
#define VX_PROBE_MAGIC 0x76787062U /* "vxpb" */
#define VX_PROBE_VERSION 1
#define VX_PROBE_BURST 64 /* answers to one peer at once, per CPU, */
#define VX_PROBE_NS 5000000ULL /* then one in this time */

enum vx_probe_kind { VX_PROBE_REQUEST = 1, VX_PROBE_ANSWER = 2 };

struct vx_probe {
	__be32 magic;
	__u8 version;
	__u8 kind; /* enum vx_probe_kind */
	__be16 reserved;
	__u64 nonce; /* random, the asker's */
	__be32 sequence;
	__be32 sent; /* bytes behind the Ethernet header, zeros after this struct included */
	__be32 received; /* the same, as it arrived; an answer has none of the zeros */
	__be32 mtu; /* of an answer: the overlay's at that host */
};
VX_ASSERT_SIZE(struct vx_probe, 32);

/* --- map `probes`: what this host has asked -> what became of it. Put there by the asker, who takes it
 * away again; the programs fill in the answer. */
struct vx_probe_key {
	__u64 nonce;
	__u32 vni; /* the tunnel it was sent into and has to come back by */
	__u32 sequence;
};
VX_ASSERT_SIZE(struct vx_probe_key, 16);

struct vx_probe_answer {
	__u64 answered_ns; /* 0 = not yet; written last and read first, and no coarse clock */
	__u64 sent_ns; /* likewise */
	__u32 received;
	__u32 mtu;
};
VX_ASSERT_SIZE(struct vx_probe_answer, 24);

/* --- map `overlay` (one entry, key 0): what `up` was told, so that `status`, `export` and `down` work
 * without the config file. Loader's. */
struct vx_overlay {
	char name[VX_IF_LEN];
	char bridge[VX_IF_LEN];
	char local[VX_NAME_LEN];
	char address[VX_TEXT_LEN];
	char address6[VX_TEXT_LEN];
	char underlay[VX_IF_LEN]; /* "" = whatever the routes say */
	char config[256]; /* absolute path */
	char mtu_why[120]; /* the reason for the MTU, one clause */
	__u64 salt; /* with `secret` what struct vx_config's keys are made from */
	__u32 mtu;
	__u32 port;
	enum vx_guard guard;
	enum vx_vni_mode vni_mode;
	char fastpath[8]; /* auto, on, off as configured */
	char xdp[8];
	char fastpath_why[96]; /* why it is off, a clause; "" = it is on */
	__u32 mark;
	__u32 secret;
};
VX_ASSERT_SIZE(struct vx_overlay, 704);

/* --- entries of maps.def */
enum {
	VX_PEERS_MAX = 2048, /* twice the hosts: old and new live side by side while VNIs move */
	VX_PORTS_MAX = 4096,
	VX_DROPS_MAX = 16384,
	VX_REASONS_MAX = 32,
	VX_FDB_MAX = 65536,
	VX_FLOWS_MAX = 65536,
	VX_PROBES_MAX = 16384,
};

#endif
