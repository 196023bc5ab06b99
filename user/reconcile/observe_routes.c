// SPDX-License-Identifier: GPL-2.0
/* Ways to the peers, and ways by which their packets may come; see observe.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "reconcile/observe.h"

struct asking {
	struct nl *nl;
	const struct world *world;
	uint16_t port;
};

/* From an address that is still to come the kernel knows no way; it will be that of others. */
static void ask(const struct asking *a, const struct mesh_peer *peer, int oif, struct route *out)
{
	const struct vx_addr *local = &peer->local;

	route_read(a->nl, &a->world->links, addrs_have(&a->world->addrs, local) ? local : NULL,
		   &peer->remote, a->port, oif, out);
}

int observe_routes(struct nl *nl, const struct world *world, const struct conf *conf,
		   const struct mesh *mesh, struct route **out, struct why *why)
{
	const struct asking a = { nl, world, conf->port };
	const struct link *bound = links_by_name(&world->links, conf->underlay);
	struct route *routes = calloc(mesh->n_peers + 1, sizeof(*routes));

	if (!routes)
		return why_set(why, -ENOMEM, "routes: out of memory");
	for (size_t i = 0; i < mesh->n_peers; i++) {
		if (bound)
			ask(&a, &mesh->peers[i], bound->ifindex, &routes[i]);
		/* None by that device: the plan judges the one by another. */
		if (!bound || routes[i].err)
			ask(&a, &mesh->peers[i], 0, &routes[i]);
	}
	*out = routes;
	return 0;
}

/* --- ways in */

static bool has_address(const struct addrs *addrs, int ifindex)
{
	for (size_t i = 0; i < addrs->n; i++)
		if (addrs->v[i].ifindex == ifindex && !conf_address_fault(&addrs->v[i].prefix.addr))
			return true;
	return false;
}

/* Neither what is inside of an overlay or of this host (containers, VMs, their bridges), nor a part of a
 * bond or bridge, whose packets come by that one. */
static bool may_lead_out(const struct world *world, const struct conf *conf,
			 const struct link *link)
{
	static const char *const inside[] = { "veth", "bridge", "tun", "vrf" };
	const struct link *master = links_by_index(&world->links, link->master);

	if (!(link->flags & IFF_UP) || link->flags & IFF_LOOPBACK ||
	    strcmp(link->name, conf->bridge) == 0 || strncmp(link->alias, "vxbpf:", 6) == 0 ||
	    (master && strcmp(master->kind, "vrf") != 0))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(inside); i++)
		if (strcmp(link->kind, inside[i]) == 0)
			return has_address(&world->addrs, link->ifindex);
	return true;
}

static bool is_a_way(const struct route *routes, size_t n, int ifindex)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < routes[i].n; k++)
			if (routes[i].ifindex[k] == ifindex)
				return true;
	return false;
}

static bool reaches_a_peer(const struct asking *a, const struct mesh *mesh, int ifindex)
{
	struct route route;

	for (size_t i = 0; i < mesh->n_peers; i++) {
		ask(a, &mesh->peers[i], ifindex, &route);
		if (!route.err && !route.local)
			return true;
	}
	return false;
}

void observe_ways_in(struct nl *nl, const struct world *world, const struct conf *conf,
		     const struct mesh *mesh, const struct route *routes, struct plan_underlay *out)
{
	const struct asking a = { nl, world, conf->port };

	*out = (struct plan_underlay){ 0 };
	for (size_t i = 0; i < world->links.n && !conf->n_underlays; i++) {
		const struct link *link = &world->links.v[i];

		if (out->n < ARRAY_LEN(out->ifindex) && may_lead_out(world, conf, link) &&
		    !is_a_way(routes, mesh->n_peers, link->ifindex) &&
		    reaches_a_peer(&a, mesh, link->ifindex))
			out->ifindex[out->n++] = link->ifindex;
	}
}
