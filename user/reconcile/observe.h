/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel as it is now: surroundings, and an overlay's objects in the form a plan has them. */
#ifndef VXBPF_OBSERVE_H
#define VXBPF_OBSERVE_H

#include "kernel/bpfobj.h"
#include "kernel/link.h"
#include "plan/mesh.h"
#include "plan/model.h"
#include "kernel/route.h"

/* Devices and addresses of this namespace, read once per run and again after changes. */
struct world {
	struct links links;
	struct addrs addrs;
};
int world_read(struct nl *nl, struct world *out, struct why *why);
void world_free(struct world *world);
#define autoworld __attribute__((cleanup(world_free)))

/* The routes to the mesh's peers, in their order; the caller frees *out. */
int observe_routes(struct nl *nl, const struct world *world, const struct conf *conf,
		   const struct mesh *mesh, struct route **out, struct why *why);

struct observe_target {
	struct nl *nl;
	const char *overlay;
	const char *host; /* our name in the mesh, "" if not known */
	/* The object `up` would load, to see whether pinned maps fit it; NULL: any map will do. */
	const struct bpfobj *bo;
	unsigned port; /* ifindex: only what hangs on this port of the bridge; 0: everything */
};

/* Everything that carries this overlay's mark. */
int observe(const struct observe_target *t, const struct world *world, struct objs *out,
	    struct why *why);

/* What `up` wrote down about the overlay; -ENOENT if there is none (or of another layout). */
int observe_overlay(const char *overlay, struct vx_overlay *out);
/* The same, where there being none is fine: *out is empty then. */
int observe_overlay_if_any(const char *overlay, struct vx_overlay *out, struct why *why);

#endif
