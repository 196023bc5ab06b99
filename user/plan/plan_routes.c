// SPDX-License-Identifier: GPL-2.0
/* Routes to the peers, and the devices that are guarded for them; see plan_settling.h. Pure. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "plan/plan_settling.h"

#define UNROUTABLE_NAMED 3 /* the rest only as a number */

static void add_underlay(struct settling *s, int ifindex, const char *name)
{
	struct plan_underlay *u = &s->out->underlay;

	for (size_t i = 0; i < u->n; i++)
		if (u->ifindex[i] == ifindex)
			return;
	if (u->n < ARRAY_LEN(u->ifindex))
		u->ifindex[u->n++] = ifindex;
	else
		verdicts_add(s->verdicts, VERDICT_UNGUARDED, name,
			     "%s: not guarded: there are more than %zu underlay devices", name,
			     ARRAY_LEN(u->ifindex));
}

/* Does `underlay:` allow it? If not, *text lists those it does. */
static bool is_allowed(const struct conf *conf, const char *ifname, char *text, size_t size)
{
	for (size_t i = 0; i < conf->n_underlays; i++) {
		if (strcmp(conf->underlays[i], ifname) == 0)
			return true;
		text_add(text, size, "%s%s", i ? ", " : "", conf->underlays[i]);
	}
	return !conf->n_underlays;
}

/* One of the devices a route may leave by. */
static int settle_way(struct settling *s, const struct mesh_peer *peer, bool local,
		      const struct link *link)
{
	char remote[IP_TEXT], allowed[200] = "";

	ip_format(&peer->remote, remote);
	if (local || link->flags & IFF_LOOPBACK)
		return why_bad(s->why, "%s:%u: peer %s: %s is an address of this host",
			       s->conf->path, peer->host->line, peer->host->name, remote);
	if (!is_allowed(s->conf, link->name, allowed, sizeof(allowed)))
		return why_bad(
			s->why,
			"%s:%u: peer %s: the route to %s uses %s, but `underlay:` allows only %s",
			s->conf->path, peer->host->line, peer->host->name, remote, link->name,
			allowed);
	if (strcmp(link->name, s->conf->bridge) == 0)
		return why_bad(
			s->why, "%s:%u: peer %s: the route to %s uses %s, the overlay's own bridge",
			s->conf->path, peer->host->line, peer->host->name, remote, link->name);
	add_underlay(s, link->ifindex, link->name);
	return 0;
}

/* Why there is no way to the peer, and what to do. */
static void say_no_route(struct settling *s, const struct mesh_peer *peer, int err)
{
	/* -ENETUNREACH: none matches. The others are what a route or rule of that type answers. */
	const char *type = err == -EHOSTUNREACH ? "unreachable"
			   : err == -EACCES	? "prohibit"
			   : err == -EINVAL	? "blackhole"
						: NULL;
	char remote[IP_TEXT], why[192] = "; add one, or set its device up";

	if (++s->unroutable > UNROUTABLE_NAMED)
		return;
	ip_format(&peer->remote, remote);
	if (type)
		snprintf(why, sizeof(why),
			 ", because a route or rule of type %s forbids it; find it with `ip rule` "
			 "and `ip route show table all type %s`",
			 type, type);
	verdicts_add(s->verdicts, VERDICT_NO_ROUTE, peer->host->name,
		     "peer %s: no route to %s now%s (the tunnel is created anyway)",
		     peer->host->name, remote, why);
}

/* Any of several next hops may be taken, by other flows or when one fails: all are guarded. With
 * `underlay:` the tunnels are bound to that one, if it is among them. */
static int settle_route(struct settling *s, const struct mesh_peer *peer, const struct route *route)
{
	const struct link *ways[ROUTE_DEVICES], *wanted = NULL;
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; !route->err && i < route->n; i++) {
		ways[n] = links_by_index(s->around->links, route->ifindex[i]);
		if (ways[n] && strcmp(ways[n]->name, s->conf->underlay) == 0)
			wanted = ways[n];
		n += ways[n] != NULL;
	}
	if (!n) {
		say_no_route(s, peer, route->err);
		return 0;
	}
	if (wanted)
		return settle_way(s, peer, route->local, wanted);
	for (size_t i = 0; !err && i < n; i++)
		err = settle_way(s, peer, route->local, ways[i]);
	return err;
}

static bool is_used(const struct mesh *mesh, const struct vx_addr *own)
{
	for (size_t i = 0; i < mesh->n_peers; i++)
		if (ip_equal(&mesh->peers[i].local, own))
			return true;
	return false;
}

static void say_duplicate(const struct settling *s, const struct addr *at, const char *text)
{
	const struct link *link = links_by_index(s->around->links, at->ifindex);
	const char *name = link ? link->name : "its device";

	verdicts_add(s->verdicts, VERDICT_OWN_ADDRESS, text,
		     "another machine on the network of %s has this host's address %s too "
		     "(duplicate address detection failed), so the kernel does not use it and "
		     "tunnels carry no traffic; take the address from that machine, then add it "
		     "here again: `ip addr del %s/%u dev %s; ip addr add %s/%u dev %s`",
		     name, text, text, at->prefix.bits, name, text, at->prefix.bits, name);
}

/* `local:` may name a host whose address comes later, from VRRP or DHCP; of two addresses one may be
 * missing. It is set up all the same, so that it works from the moment the address is there. */
static void settle_own_addresses(struct settling *s)
{
	const struct conf *conf = s->conf;
	const struct conf_host *self = s->mesh->self;
	const struct vx_addr *const own[] = { conf_host_own(self), &self->address6 };
	char text[IP_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		const struct addr *at = addrs_find(s->around->addrs, own[i]);

		if (!is_used(s->mesh, own[i]) || (at && !at->duplicate))
			continue;
		ip_format(own[i], text);
		if (at) {
			say_duplicate(s, at, text);
			continue;
		}
		verdicts_add(s->verdicts, VERDICT_OWN_ADDRESS, text,
			     "%s:%u: %s: this host is %s, but no device has its address %s now; "
			     "tunnels carry no traffic until one has",
			     conf->path, conf->local[0] ? conf->local_line : self->line,
			     conf->local[0] ? "local" : "peers", self->name, text);
	}
}

static int refuse_underlay(const struct settling *s, const char *name)
{
	const struct link *link = links_by_altname(s->around->links, name);

	if (link)
		return why_bad(s->why,
			       "%s:%u: underlay %s: this is an alternative name of %s; write %s",
			       s->conf->path, s->conf->underlay_line, name, link->name, link->name);
	return why_bad(s->why, "%s:%u: underlay %s: device does not exist", s->conf->path,
		       s->conf->underlay_line, name);
}

int plan_settle_routes(struct settling *s)
{
	const struct plan_underlay *ways_in = s->around->ways_in;

	settle_own_addresses(s);
	/* Guarded even while no route leads there. */
	for (size_t i = 0; i < s->conf->n_underlays; i++) {
		const struct link *link = links_by_name(s->around->links, s->conf->underlays[i]);

		if (!link)
			return refuse_underlay(s, s->conf->underlays[i]);
		add_underlay(s, link->ifindex, link->name);
	}
	for (size_t i = 0; i < s->mesh->n_peers; i++) {
		int err = settle_route(s, &s->mesh->peers[i], &s->around->routes[i]);

		if (err)
			return err;
	}
	s->out->underlay.needed = s->out->underlay.n;
	for (size_t i = 0; ways_in && i < ways_in->n; i++)
		add_underlay(s, ways_in->ifindex[i],
			     links_by_index(s->around->links, ways_in->ifindex[i])->name);
	if (s->unroutable > UNROUTABLE_NAMED)
		verdicts_add(s->verdicts, VERDICT_NO_ROUTE, "",
			     "%zu more peers have no route now (their tunnels are created anyway)",
			     s->unroutable - UNROUTABLE_NAMED);
	return 0;
}
