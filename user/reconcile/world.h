/* SPDX-License-Identifier: GPL-2.0 */
/* The start of an observation. */
#ifndef VXBPF_WORLD_H
#define VXBPF_WORLD_H

#include "kernel/bpfobj.h"
#include "kernel/link.h"

/* Devices and addresses of this namespace, read once per run and again after changes. */
struct world {
	struct links links;
	struct addrs addrs;
};
int world_read(struct nl *nl, struct world *out, struct why *why);
void world_free(struct world *world);
#define autoworld __attribute__((cleanup(world_free)))

struct observe_target {
	struct nl *nl;
	const char *overlay;
	const char *host; /* our name in the mesh, "" if not known */
	/* The object `up` would load, to see whether pinned maps fit it; NULL: any map will do. */
	const struct bpfobj *bo;
	unsigned port; /* ifindex: only what hangs on this port of the bridge; 0: everything */
};

#endif
