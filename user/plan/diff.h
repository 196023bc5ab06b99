/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compares wanted and existing objects: an ordered list of steps. Pure.
 *
 * Order: what is in the way goes first (addresses, tunnels, bridge), then everything new or changed in
 * the order of dependency, then what nothing refers to any more (hooks, entries, programs, maps), last
 * to first. So old programs stay pinned until every hook runs the new ones, and a tunnel is a bridge
 * port only while it is hooked (I2): a removed device is closed by the kernel before its programs go.
 * Where hooks are replaced, that of what leaves the underlay is the last: it refuses frames without the
 * word that the others' programs write.
 */
#ifndef VXBPF_DIFF_H
#define VXBPF_DIFF_H

#include "plan/model.h"

enum step_op {
	STEP_ADD, /* + want */
	STEP_CHANGE, /* ~ now -> want, the fields in `changed` */
	/* ! now goes because a fixed field differs. An ADD of the same key follows; of a map it came
	 * before, and this is its taking over. */
	STEP_REPLACE,
	STEP_REMOVE, /* - now */
};

struct step {
	enum step_op op;
	const struct obj *want; /* NULL for REMOVE; point into the lists given to diff_make */
	const struct obj *now; /* NULL for ADD */
	uint32_t changed; /* bits by enum obj_field; 0 with CHANGE: the entry's value */
	/* A REMOVE that the step on its device brings about: nothing to do or to print, but to undo. */
	bool implied;
};

struct steps {
	struct step *v;
	size_t n;
	size_t room;
};

/* Sorts both lists; they must outlive *out, which the caller ends with steps_free. A wanted object
 * that exists without our mark is refused: -EEXIST, naming it. */
int diff_make(struct objs *want, struct objs *now, struct steps *out, struct why *why);
void steps_free(struct steps *steps);
static inline void steps_cleanup(struct steps *steps)
{
	steps_free(steps);
}
#define autosteps __attribute__((cleanup(steps_cleanup)))

/* The object a step is about. */
static inline const struct obj *step_obj(const struct step *s)
{
	return s->want ? s->want : s->now;
}

/* One step as one line, without the newline; brief: of what is added no more than its name. */
void step_print(const struct step *s, bool brief, char *text, size_t size);
/* All of them as --dry-run shows them, on stdout. */

#endif
