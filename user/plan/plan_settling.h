/* SPDX-License-Identifier: GPL-2.0 */
/* Passed between the files that settle a plan; see plan.h. */
#ifndef VXBPF_PLAN_SETTLING_H
#define VXBPF_PLAN_SETTLING_H

#include "plan/plan.h"

struct settling {
	const struct conf *conf;
	const struct mesh *mesh;
	const struct plan_surroundings *around;
	struct plan_base *out;
	struct verdicts *verdicts;
	struct why *why;
	size_t unroutable; /* peers without a route now */
};

/* Which devices lead to the peers, and with which of our addresses. */
int plan_settle_routes(struct settling *s);

#endif
