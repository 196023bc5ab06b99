// SPDX-License-Identifier: GPL-2.0
/* Judged before any object is planned: routes, MTU, things in the way; see plan.h. Pure. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "kernel/tcplace.h"
#include "plan/mtu.h"
#include "plan/plan_settling.h"

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
	err = plan_settle_routes(&s);
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
