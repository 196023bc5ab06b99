// SPDX-License-Identifier: GPL-2.0
/* The overlay's MTU; see mtu.h. Pure. */
#include "plan/mtu.h"

#define MTU_CAP 1500U /* design I3: more only by `mtu:` in the file, where all hosts see it */
#define MTU_LEAST 576U

/* The way to one peer. */
struct path {
	const struct route *route; /* NULL: no peer has one now */
	const char *peer;
};

/* "MTU of eth0" or "its route": whose word it is how much fits. */
static void name_source(const struct route *route, const struct links *links, char *to, size_t size)
{
	const struct link *link = links_by_index(links, route->narrow);

	if (link)
		snprintf(to, size, "MTU of %s", link->name);
	else
		snprintf(to, size, "mtu of the route");
}

static unsigned overhead_to(const struct mesh_peer *peer)
{
	return ip_is_v4(&peer->remote) ? MESH_OVERHEAD_V4 : MESH_OVERHEAD_V6;
}

/* The smallest, as things are now. */
static struct path narrowest(const struct mesh *mesh, const struct route *routes)
{
	struct path best = { 0 };

	for (size_t i = 0; i < mesh->n_peers; i++)
		if (!routes[i].err && (!best.route || routes[i].mtu < best.route->mtu))
			best = (struct path){ &routes[i], mesh->peers[i].host->name };
	return best;
}

static int settle_auto(const struct conf *conf, const struct mesh *mesh, const struct route *routes,
		       const struct links *links, struct mtu *out, struct why *why)
{
	struct path path = narrowest(mesh, routes);
	unsigned takes = path.route ? path.route->mtu : MTU_CAP;
	unsigned base = takes < MTU_CAP ? takes : MTU_CAP, overhead = mesh->max_overhead;
	char source[VX_IF_LEN + 16] = "";

	if (path.route)
		name_source(path.route, links, source, sizeof(source));
	if (base < overhead + MTU_LEAST)
		return why_bad(why,
			       "%s: mtu: the path to %s only carries %u bytes (%s); %u - %u for "
			       "VXLAN = %d is too small, the minimum is %u",
			       conf->path, path.peer, base, source, base, overhead,
			       (int)base - (int)overhead, MTU_LEAST);
	snprintf(out->why, sizeof(out->why), "auto: %u", base);
	if (takes < MTU_CAP)
		text_add(out->why, sizeof(out->why), " (%s to %s)", source, path.peer);
	else if (takes > MTU_CAP)
		text_add(out->why, sizeof(out->why), " (paths carry %u; set `mtu:` to use more)",
			 takes);
	text_add(out->why, sizeof(out->why), " less %u for VXLAN over %s", overhead,
		 overhead == MESH_OVERHEAD_V4 ? "IPv4" : "IPv6");
	out->bytes = base - overhead;
	return 0;
}

static int check_set(const struct conf *conf, const struct mesh *mesh, const struct route *routes,
		     const struct links *links, struct why *why)
{
	char source[VX_IF_LEN + 16];

	for (size_t i = 0; i < mesh->n_peers; i++) {
		const struct route *r = &routes[i];
		unsigned overhead = overhead_to(&mesh->peers[i]);

		if (r->err || conf->mtu + overhead <= r->mtu)
			continue;
		name_source(r, links, source, sizeof(source));
		return why_bad(why,
			       "%s:%u: mtu: %u + %u for VXLAN = %u does not fit the path to %s, "
			       "which carries %u (%s); the maximum is %u",
			       conf->path, conf->mtu_line, conf->mtu, overhead,
			       conf->mtu + overhead, mesh->peers[i].host->name, r->mtu, source,
			       r->mtu > overhead ? r->mtu - overhead : 0);
	}
	return 0;
}

int mtu_settle(const struct conf *conf, const struct mesh *mesh, const struct route *routes,
	       const struct links *links, struct mtu *out, struct why *why)
{
	struct mtu mtu = { .bytes = conf->mtu, .why = "set by `mtu:` in the file" };
	int err;

	if (conf->mtu)
		err = check_set(conf, mesh, routes, links, why);
	else
		err = settle_auto(conf, mesh, routes, links, &mtu, why);
	if (err)
		return err;
	if (mtu.bytes < LINK_MTU_INET6)
		text_add(mtu.why, sizeof(mtu.why), "; too small for inner IPv6");
	*out = mtu;
	return 0;
}
