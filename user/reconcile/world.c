// SPDX-License-Identifier: GPL-2.0
/* See world.h. */
#include <string.h>

#include "kernel/attach.h"
#include "kernel/tcplace.h"
#include "reconcile/world.h"

int world_read(struct nl *nl, struct world *out, struct why *why)
{
	struct world world = { 0 };
	int err = links_read(nl, &world.links, why);

	if (!err) {
		err = links_ask_tc(nl, attach_tc_mode(), &world.links);
		if (err)
			why_set(why, err, "netlink: cannot read qdiscs: %s", strerror(-err));
	}
	if (!err)
		err = addrs_read(nl, &world.addrs, why);
	if (err)
		world_free(&world);
	else
		*out = world;
	return err;
}

void world_free(struct world *world)
{
	free(world->links.v);
	free(world->addrs.v);
	*world = (struct world){ 0 };
}
