/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel as it is now: surroundings, and an overlay's objects in the form a plan has them. */
#ifndef VXBPF_OBSERVE_H
#define VXBPF_OBSERVE_H

#include "kernel/route.h"
#include "plan/mesh.h"
#include "plan/model.h"
#include "plan/plan.h"
#include "reconcile/world.h"

/* Do devices that are made from now on have IPv6 disabled? */
bool observe_inet6_off(void);
/* The routes to the mesh's peers, in their order; the caller frees *out. */
int observe_routes(struct nl *nl, const struct world *world, const struct conf *conf,
		   const struct mesh *mesh, struct route **out, struct why *why);

/* Further devices by which packets of peers may come: whatever route or metric, a route leads to a peer by
 * them. With `underlay:` there are none but those it names. */
void observe_ways_in(struct nl *nl, const struct world *world, const struct conf *conf,
		     const struct mesh *mesh, const struct route *routes,
		     struct plan_underlay *out);

/* Everything that carries this overlay's mark. */
int observe(const struct observe_target *t, const struct world *world, struct objs *out,
	    struct why *why);

#endif
