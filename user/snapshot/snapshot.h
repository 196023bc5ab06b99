/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One overlay at one moment: all that `status` and the like have to tell. Reading it is impure and
 * small (snapshot_read.c), judging and printing it are pure.
 */
#ifndef VXBPF_SNAPSHOT_H
#define VXBPF_SNAPSHOT_H

#include <limits.h>

#include "base/util.h"
#include "base/verdict.h"
#include "reconcile/in_front.h"
#include "vxbpf/abi.h"

#define SNAPSHOT_FRESH_NS 30000000000ULL /* a peer heard within this is up */
#define SNAPSHOT_RECENT_NS 300000000000ULL /* a drop within this is worth a sentence */

enum snapshot_state { SNAPSHOT_UP, SNAPSHOT_DEGRADED, SNAPSHOT_DOWN, SNAPSHOT_STATE_MAX };

/* Heard lately; sent to lately and not heard; neither; not heard at all so far. */
enum peer_state { PEER_UP, PEER_SILENT, PEER_IDLE, PEER_NEVER, PEER_STATE_MAX };

/* The result of probes to a peer's programs: of use to tell a dead way from silence. */
enum probe { PROBE_NONE, PROBE_ANSWERED, PROBE_UNANSWERED };

struct snapshot_probe {
	enum probe result;
	unsigned sent;
	uint32_t mtu; /* of the peer's overlay, as it says; 0 = it does not */
};

/* How the kernel would send to a peer; looked up by snapshot_look only. */
struct snapshot_route {
	bool missing;
	char home[VX_IF_LEN]; /* the device with our address, "" = none */
	char device[VX_IF_LEN]; /* the first that the route leaves by, "" = not looked up */
	bool astray; /* it leaves by other devices than that one */
	char source[VX_TEXT_LEN]; /* an address that somebody wrote into the route, "" = none */
	struct vx_addr via; /* the router, unset = none */
};

struct snapshot_peer {
	char name[VX_NAME_LEN];
	char address[VX_TEXT_LEN];
	char local[VX_TEXT_LEN]; /* our address towards it */
	char ifname[VX_IF_LEN];
	uint32_t vni;
	uint32_t slot; /* in `counters` */
	struct vx_counters sum; /* over all CPUs; of the times the latest */
	uint64_t drops[VX_REASON_MAX];
	/* When a frame last came out of its tunnel; only of the peer the `unguarded` witness is about. */
	uint64_t passed_ns;
	/* The last VNI it sent us that nothing here takes, and when; 0 ns = none. */
	uint32_t other_vni;
	uint64_t other_vni_ns;
	struct snapshot_route route;
	struct snapshot_probe probe;
	bool lost; /* its tunnel is gone, down, or not on the bridge; of snapshot_read_counted only */
	/* judged */
	enum peer_state state;
	int64_t last_seen_ms; /* ago; -1 = never */
};

struct snapshot_port {
	char ifname[VX_IF_LEN];
	int ifindex;
	bool hooked;
	bool accelerated;
	char why[96]; /* why it is not accelerated, or not all the way; "" if it is */
	bool kept_out; /* that is for something of somebody else's on it */
	uint64_t oversize;
	uint32_t largest; /* bytes of the largest IP packet that was too large */
	bool isolated; /* it exchanges no frames with other isolated ports of this bridge */
	bool veth; /* its other end is in another namespace, such as a container's */
	uint32_t mtu; /* of the end on the bridge */
	uint32_t far_mtu; /* of a veth's other end, in the container; 0 = not known */
	uint64_t rx_dropped; /* of a veth: packets from the other end too large for this one */
};

struct snapshot_device {
	char ifname[VX_IF_LEN];
	int ifindex;
	char tc[8]; /* tcx, clsact, none */
	char xdp[8]; /* driver, foreign (not this overlay's), off */
	bool xdp_wanted; /* the config asks for XDP here and there is none of ours */
};

/* The last frame dropped for a reason, with names for its devices ("" = gone or not known). */
struct snapshot_witness {
	struct vx_witness last;
	char from[VX_IF_LEN];
	char to[VX_IF_LEN];
	bool to_tunnel;
};

/* A MAC that keeps changing its place. */
struct snapshot_flap {
	char mac[18];
	unsigned router; /* the VRRP router whose virtual MAC it is, 0 = none */
	char where[128]; /* "port c11 and peer beta" */
	uint64_t settled_ns; /* it was there last so long ago, 0 = it still is */
	uint32_t moves; /* as often, */
	uint64_t within_ns; /* while we looked */
};

#define SNAPSHOT_STEPS 5

/* How full the programs' own maps are. */
struct snapshot_tables {
	uint64_t flows;
	uint64_t fresh_flows; /* of them those the fast path may use now */
	uint64_t fdb;
};

struct snapshot {
	struct vx_overlay told; /* what `up` wrote down; of one that is down, what it would write */
	char path[PATH_MAX]; /* of the config */
	char misnamed[NAME_MAX + 1]; /* what no overlay may be called, but its file is; or "" */
	bool up;
	unsigned layout; /* of the pins; 0 = none, UINT_MAX = not known */
	char fault[512]; /* why the config cannot be used or met, or "" */
	bool unmet; /* it reads well, but not here and now */
	size_t drift; /* steps `up` would take */
	struct notes steps; /* SNAPSHOT_STEPS of them, in short */
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	struct snapshot_device *devices;
	size_t n_devices;
	struct snapshot_peer *peers; /* by name */
	size_t n_peers;
	struct snapshot_port *ports; /* the bridge itself first */
	size_t n_ports;
	uint64_t drops[VX_REASON_MAX]; /* of no peer */
	struct snapshot_witness witness[VX_REASON_MAX];
	struct verdicts notes; /* what a plan has to say about these surroundings */
	char elsewhere
		[160]; /* "device eth1 or address 192.0.2.9": ways past the guard; of snapshot_look only */
	struct in_fronts fronts; /* programs and filters of others that run before ours */
	bool looked; /* by snapshot_look: what `check` wants to know besides */
	uint64_t
		contested_ns; /* when a MAC of a local port last came from a peer and was there again */
	uint64_t round_ns; /* when a frame of a local port last came from a peer again and again */
	struct snapshot_flap *flaps;
	size_t n_flaps;
	struct snapshot_tables tables; /* of snapshot_read_counted only */
	bool filtered; /* this host's own firewall drops VXLAN of all peers, in or out; of `check` only */
	bool watched; /* by the process that tells; then `unmet` is what it knows */
	/* judged */
	enum snapshot_state state;
	struct verdicts problems; /* plain sentences, each with what to do */
	struct verdicts information; /* the same that need no action */
};

struct nl;

/* The whole state of an overlay, judged. A config that is missing or bad is part of the answer, not an
 * error. The caller ends *out with snapshot_free. */
int snapshot_read(struct nl *nl, const char *overlay, const char *path, struct snapshot *out,
		  struct why *why);
/* The numbers alone, at a hundredth of the cost: whether it is up, what it was told, and peers with
 * their counters, drops and state; also drops without a peer. Only what is pinned is read, and nothing else
 * is judged. 0 or -errno; one that is not up, or is just being taken down, is not an error. */
int snapshot_read_peers(const char *overlay, struct snapshot *out);
/* Looks closer: at routes, and at MACs that move, which may take some seconds if there are such. The
 * next snapshot_judge judges the findings. */
int snapshot_look(struct nl *nl, struct snapshot *s, struct why *why);
/* Asks all peers through their tunnels, and waits up to a second for those that do not answer. */
void snapshot_probe(struct snapshot *s);
/* The cheaper half of it, for those who come often: what was counted, and what hangs where. Without a
 * plan there is no drift, fault, note or advice, and without names no witness. */
int snapshot_read_counted(struct nl *nl, const char *overlay, const char *path,
			  struct snapshot *out, struct why *why);
void snapshot_free(struct snapshot *s);
#define autosnapshot __attribute__((cleanup(snapshot_free)))

/* --- pure */

/* Is it one of its underlay devices? */
bool snapshot_is_underlay(const struct snapshot *s, const char *ifname);
uint64_t snapshot_drops(const struct snapshot *s,
			enum vx_reason reason); /* with and without a peer */
bool snapshot_peer_dropped(const uint64_t drops[VX_REASON_MAX]);
const char *snapshot_name(const struct snapshot *s);
const char *snapshot_state_name(enum snapshot_state state);
const char *peer_state_name(enum peer_state state);
const char *reason_label(enum vx_reason reason); /* "wrong_vni" */
const char *reason_sentence(enum vx_reason reason); /* for people */

#endif
