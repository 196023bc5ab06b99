// SPDX-License-Identifier: GPL-2.0
/* Judged before any object is planned: routes, MTU, things in the way; see plan.h. Pure. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "kernel/tcplace.h"
#include "plan/mtu.h"
#include "plan/plan.h"

#define UNROUTABLE_NAMED 3 /* the rest only as a number */

struct settling {
	const struct conf *conf;
	const struct mesh *mesh;
	const struct plan_surroundings *around;
	struct plan_base *out;
	struct verdicts *verdicts;
	struct why *why;
	size_t unroutable; /* peers without a route now */
};

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

static int settle_routes(struct settling *s)
{
	const struct plan_underlay *ways_in = s->around->ways_in;

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

/* No guard without both directions: on a kernel with tcx nothing is in the way. */
static int check_underlay(struct settling *s)
{
	for (size_t i = 0; i < s->out->underlay.n; i++) {
		const struct link *link =
			links_by_index(s->around->links, s->out->underlay.ifindex[i]);
		char blocked[TCPLACE_WHY];

		if (!tcplace_blocked(&link->tc, true, blocked) &&
		    !tcplace_blocked(&link->tc, false, blocked))
			continue;
		return why_set(s->why, -EBUSY,
			       "%s: cannot guard it: %s, and Linux before 6.6 has no other place "
			       "for vxbpf's programs; remove that qdisc (`tc qdisc del dev %s "
			       "ingress`), and add its filters to a clsact qdisc without blocks "
			       "(`tc qdisc add dev %s clsact`)",
			       link->name, blocked, link->name, link->name);
	}
	return 0;
}

static int settle_mtu(struct settling *s)
{
	struct mtu mtu;
	int err = mtu_settle(s->conf, s->mesh, s->around->routes, s->around->links, &mtu, s->why);

	if (err)
		return err;
	s->out->cfg.mtu = mtu.bytes;
	text_copy(s->out->mtu_why, sizeof(s->out->mtu_why), mtu.why);
	return 0;
}

/* Two meshes on one bridge would pass each other's broadcasts on without end. */
static int check_ports(struct settling *s, const struct link *bridge)
{
	char ours[LINK_ALIAS + 1];

	snprintf(ours, sizeof(ours), "vxbpf:%s:", s->conf->overlay);
	for (size_t i = 0; i < s->around->links->n; i++) {
		const struct link *port = &s->around->links->v[i];

		if (port->master == bridge->ifindex && strncmp(port->alias, "vxbpf:", 6) == 0 &&
		    strncmp(port->alias, ours, strlen(ours)) != 0)
			return why_set(s->why, -EEXIST,
				       "%s: cannot use it as the bridge: %s on it is a tunnel of "
				       "another overlay",
				       bridge->name, port->name);
	}
	return 0;
}

static int check_bridge(struct settling *s)
{
	const struct link *link = links_by_name(s->around->links, s->conf->bridge);
	char ours[LINK_ALIAS];

	if (!link) {
		link = links_by_altname(s->around->links, s->conf->bridge);
		return link ? why_set(s->why, -EEXIST,
				      "%s: cannot make the bridge: the name is already an "
				      "alternative name of %s",
				      s->conf->bridge, link->name)
			    : 0;
	}
	plan_bridge_alias(s->conf->overlay, ours);
	if (strcmp(link->kind, "bridge") != 0)
		return why_set(s->why, -EEXIST,
			       "%s: cannot use it as the bridge: it is not a bridge%s%s%s; set "
			       "another name with bridge: in %s",
			       link->name, link->kind[0] ? " but a " : "", link->kind,
			       link->kind[0] ? " device" : "", s->conf->path);
	if (strncmp(link->alias, "vxbpf:", 6) == 0 && strcmp(link->alias, ours) != 0)
		return why_set(s->why, -EEXIST,
			       "%s: cannot use it as the bridge: it belongs to overlay %s",
			       link->name, link->alias + 6);
	if (!link->alias[0] || strcmp(link->alias, ours) != 0) {
		if (link->mtu > s->out->cfg.mtu)
			verdicts_add(s->verdicts, VERDICT_BRIDGE, link->name,
				     "%s: not made by vxbpf, so its MTU stays %u, more than the "
				     "overlay's %u",
				     link->name, link->mtu, s->out->cfg.mtu);
		if (!(link->flags & IFF_UP))
			verdicts_add(s->verdicts, VERDICT_BRIDGE, link->name,
				     "%s: not made by vxbpf and down; set it up", link->name);
	}
	return check_ports(s, link);
}

/* A foreign device may hold a tunnel's name, or its VNI on our port: the kernel has each only once.
 * One that takes every VNI has the port's socket for itself while it is up. */
static int check_tunnel(struct settling *s, const struct mesh_peer *peer, const struct link *link)
{
	const struct link_vxlan *vx = &link->vxlan;

	if (strcmp(link->name, peer->ifname) == 0)
		return why_set(s->why, -EEXIST,
			       "%s: cannot make the tunnel to %s: a device with this name exists "
			       "and was not made by vxbpf",
			       link->name, peer->host->name);
	if (peer->altname[0] &&
	    (strcmp(link->name, peer->altname) == 0 || strcmp(link->altname, peer->altname) == 0))
		return why_set(s->why, -EEXIST,
			       "%s: cannot make the tunnel to %s: alternative name %s is already "
			       "used by %s",
			       peer->ifname, peer->host->name, peer->altname, link->name);
	if (strcmp(link->kind, "vxlan") != 0 || vx->port != s->conf->port)
		return 0;
	if (vx->external && link->flags & IFF_UP)
		return why_set(s->why, -EEXIST,
			       "%s: cannot make the tunnel to %s: device %s takes every VNI on "
			       "port %u; set another port: in %s",
			       peer->ifname, peer->host->name, link->name, vx->port, s->conf->path);
	if (link->flags & IFF_UP && link_splits_socket(vx, !ip_is_v4(&peer->remote)))
		return why_set(s->why, -EEXIST,
			       "%s: cannot make the tunnel to %s: device %s has the socket of port "
			       "%u with other settings (%s); set another port: in %s",
			       peer->ifname, peer->host->name, link->name, vx->port,
			       vx->rcv & ~VXLAN_RCV_ZERO_CSUM6 ? "GBP, GPE or remcsum"
							       : "udp6zerocsumrx",
			       s->conf->path);
	if (!vx->external && vx->vni == peer->vni && vx->v6 == !ip_is_v4(&peer->remote))
		return why_set(s->why, -EEXIST,
			       "%s: cannot make the tunnel to %s: device %s already uses VNI %u on "
			       "port %u",
			       peer->ifname, peer->host->name, link->name, vx->vni, vx->port);
	return 0;
}

/* The kernel would take an altname for the tunnel's own name. */
static int check_altname(struct settling *s, const struct mesh_peer *peer)
{
	const struct link *link = links_by_altname(s->around->links, peer->ifname);

	return link ? why_set(s->why, -EEXIST,
			      "%s: cannot make the tunnel to %s: the name is already an "
			      "alternative name of %s",
			      peer->ifname, peer->host->name, link->name)
		    : 0;
}

static int check_tunnels(struct settling *s)
{
	for (size_t k = 0; k < s->mesh->n_peers; k++) {
		int err = check_altname(s, &s->mesh->peers[k]);

		if (err)
			return err;
	}
	for (size_t i = 0; i < s->around->links->n; i++) {
		const struct link *link = &s->around->links->v[i];

		if (plan_owns_tunnel(link, s->conf->overlay, s->mesh->self->name))
			continue;
		for (size_t k = 0; k < s->mesh->n_peers; k++) {
			int err = check_tunnel(s, &s->mesh->peers[k], link);

			if (err)
				return err;
		}
	}
	return 0;
}

/* As many numbers as are needed from one secret (splitmix64, whose inputs differ in each). */
static void settle_keys(const struct plan_secret *secret, __u64 keys[VX_KEYS])
{
	uint64_t state = secret->salt ^ (uint64_t)secret->secret << 32 ^ secret->secret;

	for (size_t i = 0; i < VX_KEYS; i++) {
		uint64_t z = (state += 0x9e3779b97f4a7c15ULL + secret->secret);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
		z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
		keys[i] = z ^ z >> 31;
	}
	keys[VX_KEY_WORD_ODD] |= 1;
	keys[VX_KEY_WORD_ODD2] |= 1;
	keys[VX_KEY_MOVES_ODD] |= 1;
}

static void settle_config(struct settling *s)
{
	const struct conf_host *self = s->mesh->self;
	struct vx_config *cfg = &s->out->cfg;

	cfg->layout = VX_LAYOUT;
	cfg->mark = s->conf->mark;
	cfg->port = s->conf->port;
	cfg->guard = (__u8)s->conf->guard;
	cfg->vni_mode = (__u8)s->conf->vni_mode;
	cfg->clamp_mss = s->conf->clamp_mss;
	cfg->fastpath = !fastpath_why_off(s->conf, s->around->fastpath);
	settle_keys(&s->around->secret, cfg->keys);
	if (ip_is_v4(&self->address))
		cfg->local4 = *conf_host_own(self);
	else
		cfg->local6 = *conf_host_own(self);
	if (ip_is_set(&self->address6))
		cfg->local6 = self->address6;
}

int plan_settle(const struct conf *conf, const struct mesh *mesh,
		const struct plan_surroundings *around, struct plan_base *out,
		struct verdicts *verdicts, struct why *why)
{
	struct settling s = { conf, mesh, around, out, verdicts, why, 0 };
	int err;

	*out = (struct plan_base){ 0 };
	settle_config(&s);
	settle_own_addresses(&s);
	err = settle_routes(&s);
	if (!err)
		err = check_underlay(&s);
	if (!err)
		err = settle_mtu(&s);
	if (!err)
		err = plan_check_inet6(conf, mesh, around, out->cfg.mtu, why);
	if (!err)
		err = check_bridge(&s);
	if (!err)
		err = check_tunnels(&s);
	return err;
}
