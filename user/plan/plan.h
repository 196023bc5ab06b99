/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The config and the surroundings as the list of objects that ought to be there. Pure: everything it
 * has to know comes in by struct plan_surroundings and struct plan_built.
 */
#ifndef VXBPF_PLAN_H
#define VXBPF_PLAN_H

#include "base/verdict.h"
#include "filters/fastpath.h"
#include "filters/foreign.h"
#include "kernel/link.h"
#include "kernel/route.h"
#include "plan/mesh.h"
#include "plan/model.h"
#include "plan/slots.h"

#define PLAN_TUNNEL_MTU 65000U /* so that oversize frames reach tun_out instead of vanishing */
/* A tcx link costs an RCU wait on attach and on the device's end (20 ms, one after the other): a
 * thousand tunnels took 37 s. Larger meshes run their tunnels' programs from a clsact block. */
#define PLAN_TCX_TUNNELS 16
#define PLAN_ADDR_PROTO 118 /* IFA_PROTO of the addresses we set: 'v' */

/* Random, and the same as long as the overlay is up. */
struct plan_secret {
	uint32_t secret;
	uint64_t salt;
};

/* The underlay devices: those the routes to the peers leave by, or that `underlay:` names, and behind them
 * those by which packets of peers may come besides. */
struct plan_underlay {
	int ifindex[16];
	size_t n;
	size_t needed; /* number of the first kind, which come first */
};

/* The host without us, read once. */
struct plan_surroundings {
	const struct links *links;
	const struct addrs *addrs;
	const struct route *routes; /* one per mesh peer, in its order */
	const struct plan_underlay
		*ways_in; /* devices besides theirs that peers may send by, or NULL */
	const bool *ipsec; /* likewise: does a policy insist that the peer comes by ESP? */
	const struct fastpath_facts *fastpath;
	bool inet6_off; /* devices to come have IPv6 disabled */
	const char *tc_mode; /* "tcx" or "clsact" */
	struct plan_secret secret; /* what struct vx_config's keys are made from */
};

/* Our own objects there or about to be loaded, and things on ports: read once plan_settle has judged. */
struct plan_built {
	struct objs *now; /* a hook keeps the mode it has */
	const struct slots *slots; /* of the mesh's peers */
	const char *build; /* of the object that was opened, and */
	const char *const *maps; /* NULL-terminated names of its maps and programs */
	const char *const *progs;
	const struct foreigns *foreigns; /* ports that the fast path has to keep out of */
};

/* Decisions made before any object: judged from config and routes alone. */
struct plan_base {
	struct vx_config cfg;
	char mtu_why[128];
	struct plan_underlay underlay;
};

/* Refuses (bad_input) a peer that is reached by the wrong device, a VNI or name that a foreign device
 * holds, a bridge name of another device, an MTU that cannot fit. Peers without a route and the like
 * become verdicts. */
int plan_settle(const struct conf *conf, const struct mesh *mesh,
		const struct plan_surroundings *around, struct plan_base *out,
		struct verdicts *verdicts, struct why *why);
/* A part of it: refuses peers and addresses of the bridge that need IPv6 where this host has none. `mtu`: the
 * overlay's. */
int plan_check_inet6(const struct conf *conf, const struct mesh *mesh,
		     const struct plan_surroundings *around, unsigned mtu, struct why *why);
void plan_objects(const struct conf *conf, const struct mesh *mesh,
		  const struct plan_surroundings *around, const struct plan_built *built,
		  const struct plan_base *base, struct objs *out, struct verdicts *verdicts);

/* Which peers the fast path leaves to the kernel, because of things of others: */
struct plan_slow {
	const struct conf *conf;
	const struct plan_surroundings *around;
	const struct plan_built *built;
	const struct plan_base *base;
};
/* why packets of this peer go the kernel's way; way: FOREIGN_IN or FOREIGN_OUT. NULL: they need not. */
const char *plan_slow_why(const struct plan_slow *s, const struct mesh_peer *peer, unsigned way);
/* Each reason once. */
void plan_slow_say(const struct plan_slow *s, const struct mesh *mesh, struct verdicts *verdicts);

/* How the fast path may get into a port of the bridge: into a veth so that XDP at its other end meets what
 * it brings, and a queue of the port's own, too. False: not. */
bool plan_door(const struct link *port, enum vx_door *out);

/* A bridge of ours with another name than `wanted` that others still use is an object to keep. */
void plan_used_bridges(const char *overlay, const char *wanted, const struct links *links,
		       const struct addrs *addrs, struct objs *out, struct verdicts *verdicts);
/* The objects `down` wants: none, except a bridge that others still use. Says so in `verdicts`. */
void plan_nothing(const char *overlay, const struct links *links, const struct addrs *addrs,
		  struct objs *out, struct verdicts *verdicts);

/* Names that ownership rests on (design 1.5). */
void plan_bridge_alias(const char *overlay, char text[LINK_ALIAS]);
void plan_tunnel_alias(const char *overlay, const char *peer, char text[LINK_ALIAS]);
uint32_t plan_group(const char *overlay);
void plan_mac(const char *overlay, const char *host, const char *ifname, char text[18]);
/* Is this VXLAN device ours? By its alias, or, in the moment before it has one, by name, group and
 * MAC; `host` is our own name in the mesh, "" if not known. */
bool plan_owns_tunnel(const struct link *link, const char *overlay, const char *host);
/* Is it the bridge of this overlay, made by us? */
bool plan_owns_bridge(const struct link *link, const char *overlay);

#endif
