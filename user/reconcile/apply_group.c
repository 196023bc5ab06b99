// SPDX-License-Identifier: GPL-2.0
/* All tunnels of an overlay, removed in one request; see apply.h. */
#include <linux/rtnetlink.h>

#include "kernel/link.h"
#include "plan/plan.h"
#include "reconcile/apply.h"

struct group_result {
	int err;
	bool lost;
	struct why *why;
};

static void hear_group(void *ctx, size_t tag, int err, const char *text)
{
	struct group_result *r = ctx;

	(void)tag;
	r->err = err;
	r->lost = !text;
	if (err && text)
		text_copy(r->why->text, sizeof(r->why->text), text);
}

bool apply_remove_group(struct apply *a, const struct step *steps, size_t n, int *err, bool *lost,
			struct why *why)
{
	uint32_t group = plan_group(a->overlay);
	struct group_result r = { .why = why };
	struct links links = { 0 };
	struct nlmsghdr *msg;
	size_t members = 0, given = 0;

	if (n < 2 || links_read(a->nl, &links, why))
		return false;
	for (size_t i = 0; i < links.n; i++)
		members += links.v[i].group == group;
	for (size_t i = 0; i < n; i++) {
		const struct link *link = links_by_name(&links, steps[i].now->key);

		given += link && link->group == group;
	}
	free(links.v);
	if (members != given || given != n)
		return false;
	nl_on_result(a->nl, hear_group, &r);
	msg = nl_put(a->nl, RTM_DELLINK, 0, sizeof(struct ifinfomsg), 0);
	mnl_attr_put_u32(msg, IFLA_GROUP, group);
	*err = nl_flush(a->nl);
	if (!*err)
		*err = r.err;
	*lost = r.lost;
	return true;
}
