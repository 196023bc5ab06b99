/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of reading a snapshot share; for snapshot_read.c and snapshot_maps.c only. */
#ifndef VXBPF_SNAPSHOT_READ_H
#define VXBPF_SNAPSHOT_READ_H

#include "mapdump.h"
#include "observe.h"
#include "snapshot.h"

struct reading {
	struct nl *nl;
	const char *overlay;
	struct world world;
	struct snapshot *s;
	bool counted; /* snapshot_read_counted */
	int err; /* the first hook the kernel would not tell about */
};

const char *reading_device_name(const struct reading *r, uint32_t ifindex); /* "" = gone */

uint64_t reading_clock_ns(void); /* CLOCK_MONOTONIC */
struct snapshot_peer *reading_find_peer(const struct reading *r, const char *name); /* or NULL */

/* Peers with their counters and drops, and the last offenders; or how full tables are. 0 or -errno. */
int snapshot_read_maps(struct reading *r);

#endif
