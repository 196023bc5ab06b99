/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The surroundings a pass over an overlay saw, kept by `watch`: which events matter is judged against
 * it, and a pass over a single port takes everything else from it.
 */
#ifndef VXBPF_VIEW_H
#define VXBPF_VIEW_H

#include "plan/plan.h"
#include "reconcile/observe.h"

struct view {
	const struct conf *conf; /* NULL: nothing seen yet; must outlive the view */
	struct world world;
	struct mesh mesh;
	struct plan_underlay underlay;
	char build[BPFOBJ_BUILD]; /* of the programs that were wanted */
	bool fastpath; /* may known flows go past the bridge */
	char fastpath_why[FASTPATH_WHY]; /* why not, "" = they may */
};

void view_free(struct view *view);
#define autoview __attribute__((cleanup(view_free)))

/* The device is now like this, or gone (NULL). */
void view_set_link(struct view *view, int ifindex, const struct link *link);
/* The overlay's bridge as seen, or NULL. */
const struct link *view_bridge(const struct view *view);

#endif
