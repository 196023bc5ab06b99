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

/* Looks at the hooks of `want` as they will be once it is met: a hook that is set now is in front. */
void in_front_read(struct nl *nl, const char *overlay, const struct links *links, struct objs *now,
		   const struct objs *want, struct verdicts *out);

/* "the flower filter (priority 1)". Pure. */
#define IN_FRONT_WHAT 96
void in_front_filter(const struct tcfilter *f, char what[IN_FRONT_WHAT]);

#endif
