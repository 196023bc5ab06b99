/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the parts of reading a snapshot; for snapshot_read.c, snapshot_plan.c, snapshot_maps.c
 * and snapshot_doors.c only. */
#ifndef VXBPF_SNAPSHOT_READ_H
#define VXBPF_SNAPSHOT_READ_H

#include "filters/foreign.h"
#include "kernel/mapdump.h"
#include "reconcile/observe.h"
#include "snapshot/snapshot.h"

struct reading {
	struct nl *nl;
	const char *overlay;
	struct world world;
	struct snapshot *s;
	bool counted; /* snapshot_read_counted */
	bool leased; /* a running `watch` keeps an eye on the doors; not if counted */
	struct fastpath_rules rules; /* this host's, once a part has asked for them */
	bool has_rules;
	int err; /* the first hook the kernel would not tell about */
};

const char *reading_device_name(const struct reading *r, uint32_t ifindex); /* "" = gone */

/* Read at the first call. port: the mesh's. */
const struct fastpath_rules *reading_rules(struct reading *r, uint16_t port);
uint64_t reading_clock_ns(void); /* CLOCK_MONOTONIC */
struct snapshot_peer *reading_find_peer(const struct reading *r, const char *name); /* or NULL */

/* The way `up` has found for the fast path into this port, 0: none; and does a running `watch` keep an eye on
 * such ways? */
enum vx_door reading_door(const struct reading *r, int ifindex);
bool reading_leased(const struct reading *r);
/* Why a port is not fast, or not both ways, or not straight to the other end of the veth; "" = it is. */
const char *reading_why_slow(const struct reading *r, const struct link *link,
			     const struct snapshot_port *p, const struct foreigns *foreigns);
const char *reading_why_near(const struct reading *r, const struct link *link, enum vx_door door);

/* The underlay device of that name, added if it is new. */
struct snapshot_device *snapshot_add_device(struct snapshot *s, const char *ifname);
/* Drift, verdicts of the plan, XDP that is wanted; and what is wrong with the config, if it is. */
void snapshot_read_plan(struct reading *r);
/* An overlay that is up knows which host this is, also while no address tells: then that is what is wrong, not the
 * config. After the devices are read. */
void snapshot_say_lost_address(struct reading *r);

/* Peers with their counters and drops, and the last offenders; or how full tables are. 0 or -errno. */
int snapshot_read_maps(struct reading *r);

#endif
