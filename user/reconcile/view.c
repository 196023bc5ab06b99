// SPDX-License-Identifier: GPL-2.0
/* The view of a pass; see view.h. Pure. */
#include "reconcile/view.h"

void view_free(struct view *view)
{
	mesh_free(&view->mesh);
	world_free(&view->world);
	*view = (struct view){ 0 };
}

void view_set_link(struct view *view, int ifindex, const struct link *link)
{
	struct links *links = &view->world.links;
	size_t i = 0;

	while (i < links->n && links->v[i].ifindex != ifindex)
		i++;
	if (!link) {
		if (i < links->n)
			links->v[i] = links->v[--links->n];
		return;
	}
	if (i == links->n) {
		struct link *grown = reallocarray(links->v, links->n + 1, sizeof(*links->v));

		if (!grown)
			out_of_memory();
		links->v = grown;
		links->n++;
	}
	links->v[i] = *link;
}

const struct link *view_bridge(const struct view *view)
{
	return view->conf ? links_by_name(&view->world.links, view->conf->bridge) : NULL;
}
