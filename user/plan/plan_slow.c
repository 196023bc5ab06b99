// SPDX-License-Identifier: GPL-2.0
/* Peers left to the kernel, one way or both, because of things of others; see plan.h. Pure. */
#include "plan/plan.h"

#define SAID_MAX 5

static const unsigned ways[] = { FOREIGN_IN, FOREIGN_OUT };

static bool is_asked(const struct plan_slow *s)
{
	return s->conf->fastpath == CONF_AUTO && s->base->cfg.fastpath;
}

static const char *on_device(const struct plan_slow *s, int ifindex, unsigned way)
{
	const struct foreigns *foreigns = s->built->foreigns;

	return foreigns && foreigns->n ? foreigns_on(foreigns, ifindex, way) : NULL;
}

static const char *on_tunnel(const struct plan_slow *s, const struct mesh_peer *peer, unsigned way)
{
	const struct link *tunnel;

	if (!s->built->foreigns || !s->built->foreigns->n)
		return NULL;
	tunnel = links_by_name(s->around->links, peer->ifname);
	return tunnel ? on_device(s, tunnel->ifindex, way) : NULL;
}

static const char *by_rules(const struct plan_slow *s, bool six, unsigned way)
{
	const char *why =
		s->around->fastpath
			? s->around->fastpath
				  ->outer[six][way == FOREIGN_IN ? FASTPATH_IN : FASTPATH_OUT]
			: "";

	return why[0] ? why : NULL;
}

/* A peer's packets may come by any of them. */
const char *plan_slow_why(const struct plan_slow *s, const struct mesh_peer *peer, unsigned way)
{
	const char *why;

	if (!is_asked(s))
		return NULL;
	why = by_rules(s, !ip_is_v4(&peer->remote), way);
	for (size_t i = 0; !why && i < s->base->underlay.n; i++)
		why = on_device(s, s->base->underlay.ifindex[i], way);
	return why ?: on_tunnel(s, peer, way);
}

static const char *direction(unsigned way)
{
	return way == FOREIGN_IN ? "from" : "to";
}

static void say_underlay(const struct plan_slow *s, unsigned way, struct verdicts *out)
{
	for (size_t i = 0; i < s->base->underlay.n; i++) {
		int ifindex = s->base->underlay.ifindex[i];
		const struct link *link = links_by_index(s->around->links, ifindex);
		const char *why = on_device(s, ifindex, way);

		if (link && why)
			verdicts_add(out, VERDICT_FASTPATH, link->name,
				     "%s: packets %s peers are not accelerated because %s; remove "
				     "that, or set `fastpath: off`",
				     link->name, direction(way), why);
	}
}

static void say_rules(const struct plan_slow *s, const struct mesh *mesh, unsigned way,
		      struct verdicts *out)
{
	bool used[2] = { false };

	for (size_t i = 0; i < mesh->n_peers; i++)
		used[!ip_is_v4(&mesh->peers[i].remote)] = true;
	for (unsigned six = 0; six < 2; six++) {
		const char *why = used[six] ? by_rules(s, six, way) : NULL;

		if (why)
			verdicts_add(out, VERDICT_FASTPATH, "",
				     "packets %s peers are not accelerated because %s; exclude UDP "
				     "port %u from that rule, or set `fastpath: off`",
				     direction(way), why, s->conf->port);
	}
}

void plan_slow_say(const struct plan_slow *s, const struct mesh *mesh, struct verdicts *out)
{
	size_t n = 0;

	if (!is_asked(s))
		return;
	for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
		say_rules(s, mesh, ways[k], out);
		say_underlay(s, ways[k], out);
	}
	for (size_t i = 0; i < mesh->n_peers; i++)
		for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
			const struct mesh_peer *peer = &mesh->peers[i];
			const char *why = on_tunnel(s, peer, ways[k]);

			if (why && n++ < SAID_MAX)
				verdicts_add(out, VERDICT_FASTPATH, peer->ifname,
					     "%s: packets %s %s are not accelerated because %s; "
					     "remove that, or set `fastpath: off`",
					     peer->ifname, direction(ways[k]), peer->host->name,
					     why);
		}
	if (n > SAID_MAX)
		verdicts_add(out, VERDICT_FASTPATH, "",
			     "%zu more tunnels are not accelerated one way or both", n - SAID_MAX);
}
