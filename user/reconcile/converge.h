/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one loop behind up, down, reload, restart, --dry-run and the drift line of status:
 * config -> wanted objects; kernel -> the same objects; diff -> steps; print or apply; look again.
 */
#ifndef VXBPF_CONVERGE_H
#define VXBPF_CONVERGE_H

#include "base/verdict.h"
#include "conf/conf.h"
#include "kernel/nl.h"
#include "plan/diff.h"
#include "reconcile/in_front.h"
#include "reconcile/view.h"

struct converge {
	/* Set by the caller: this host's rules as somebody else keeps them, NULL = they are read where they matter. */
	const struct fastpath_rules *rules;
	struct steps steps; /* what was (or would be) done */
	struct verdicts
		verdicts; /* what a plan has to say about the surroundings; said in `notes`, too */
	struct in_fronts fronts; /* likewise */
	struct notes notes; /* worth saying, in order: each a sentence without "vxbpf: " */
	struct converge_state *state; /* what the steps point into */
};
/* All but `rules`. */
void converge_free(struct converge *c);
#define autoconverge __attribute__((cleanup(converge_free)))

/* Plan towards the config, or towards nothing; the kernel is only read. */
int converge_plan_up(struct nl *nl, const struct conf *conf, struct converge *out, struct why *why);
int converge_plan_down(struct nl *nl, const char *overlay, struct converge *out, struct why *why);
/* Plan for one device that is, or was, a port of the bridge, and nothing else: what it costs does not
 * grow with the mesh, nor with the rules if they are given. `known` is of a pass over everything; how the device
 * is now is noted in it. */
int converge_plan_port(struct nl *nl, struct view *known, int ifindex, struct converge *out,
		       struct why *why);
/* Apply a plan and look again: what should be there must be there, also after a second attempt, else -EAGAIN, and an
 * overlay made by this is removed again. The caller holds pins_lock. */
int converge_apply(struct nl *nl, struct converge *c, struct why *why);
/* The view of the last plan towards a config, which the caller then owns. */
void converge_take_view(struct converge *c, struct view *out);

#endif
