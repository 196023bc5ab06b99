/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs and filters of others that see packets before ours do where ours ought to be first. It may be
 * on purpose, and they may leave every packet to ours; so it is told and nothing is done about it.
 */
#ifndef VXBPF_IN_FRONT_H
#define VXBPF_IN_FRONT_H

#include "base/verdict.h"
#include "kernel/link.h"
#include "kernel/nl.h"
#include "kernel/tcfilter.h"
#include "plan/model.h"

#define IN_FRONT_WHAT 96

struct in_front {
	char device[VX_IF_LEN]; /* "" = all tunnels */
	bool ingress;
	char what
		[IN_FRONT_WHAT]; /* "the program theirs (id 7)", "the flower filter (priority 1)" */
	uint32_t theirs, ours; /* ids of the programs, 0 = none */
	/* Both counted for a while: so often theirs ran, and ours never. 0 = not so, or not counted. */
	uint64_t kept;
};

struct in_fronts {
	struct in_front *v;
	size_t n;
};
void in_fronts_free(struct in_fronts *f);

/* Looks at the hooks of `want` as they will be once it is met: a hook that is set now is in front. */
void in_front_read(struct nl *nl, const char *overlay, const struct links *links, struct objs *now,
		   const struct objs *want, struct in_fronts *out);
void in_front_say(const struct in_fronts *f, struct verdicts *out);

/* "the flower filter (priority 1)". Pure. */
void in_front_filter(const struct tcfilter *f, char what[IN_FRONT_WHAT]);

#endif
