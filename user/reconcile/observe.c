// SPDX-License-Identifier: GPL-2.0
/* The kernel as it is now; see observe.h. Devices here, pins in observe_pins.c. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#include "kernel/fdb.h"
#include "kernel/pins.h"
#include "kernel/pins_overlay.h"
#include "plan/plan.h"
#include "reconcile/observe.h"
#include "reconcile/observe_pins.h"

static void see_tunnel(const struct link *link, const struct links *links, const struct fdb *fdb,
		       struct objs *out)
{
	const struct link *master = links_by_index(links, link->master);
	const struct link *lower = links_by_index(links, link->vxlan.lower);
	struct obj *t = objs_add(out, OBJ_TUNNEL, "%s", link->name);
	char text[IP_TEXT], to[256];

	t->ifindex = (unsigned)link->ifindex;
	obj_num(t, F_VNI, link->vxlan.vni);
	obj_num(t, F_PORT, link->vxlan.port);
	ip_format(&link->vxlan.local, text);
	obj_text(t, F_LOCAL, text);
	ip_format(&link->vxlan.remote, text);
	obj_text(t, F_REMOTE, text);
	fdb_text(fdb, link, to, sizeof(to));
	obj_text(t, F_TO, to);
	obj_text(t, F_LOWER, lower ? lower->name : "");
	obj_num(t, F_LEARNING, link->vxlan.learning);
	obj_num(t, F_CSUM, link->vxlan.v6 ? link->vxlan.csum6 : link->vxlan.csum);
	obj_num(t, F_GROUP, link->group);
	mac_format(link->mac, text);
	obj_text(t, F_MAC, text);
	obj_text(t, F_ALIAS, link->alias);
	obj_text(t, F_ALTNAME, link->altname);
	obj_num(t, F_MTU, link->mtu);
	obj_num(t, F_ADDRGEN, !link->addrgen_none && !link->no_inet6);
	if (!link->master && !(link->flags & IFF_UP))
		return;
	t = objs_add(out, OBJ_MEMBER, "%s", link->name);
	obj_parent(t, link->name);
	t->ifindex = (unsigned)link->ifindex;
	obj_text(t, F_MASTER, master ? master->name : "");
	obj_num(t, F_ISOLATED, link->isolated);
#define PORT_FLAG(name, attr, usual) obj_num(t, F_##name, link->port_flags >> PORT_##name & 1);
#include "kernel/portflags.def"
#undef PORT_FLAG
	obj_num(t, F_MCAST_ALL, !link->mcast_pruned);
	obj_num(t, F_UP, !!(link->flags & IFF_UP));
}

/* Sysctls are this thread's network namespace's. -1: no IPv6 here. */
static int read_inet6_sysctl(const char *ifname, const char *name)
{
	char path[128], text[8] = "";
	autofd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", ifname, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	return atoi(text);
}

bool observe_inet6_off(void)
{
	return read_inet6_sysctl("default", "disable_ipv6") > 0;
}

static void see_bridge(const struct link *link, const struct addrs *addrs, struct objs *out)
{
	int accept_ra = read_inet6_sysctl(link->name, "accept_ra");
	struct obj *b = objs_add(out, OBJ_BRIDGE, "%s", link->name);
	char text[IP_TEXT + 4];

	b->ifindex = (unsigned)link->ifindex;
	obj_text(b, F_ALIAS, link->alias);
	mac_format(link->mac, text);
	obj_text(b, F_MAC, text);
	obj_num(b, F_MCAST_ALL, !link->mcast_pruned);
	b = objs_add(out, OBJ_SETUP, "%s", link->name);
	b->ifindex = (unsigned)link->ifindex;
	obj_num(b, F_MTU, link->mtu);
	obj_num(b, F_ACCEPT_RA, accept_ra > 0);
	obj_num(b, F_UP, !!(link->flags & IFF_UP));
	for (size_t i = 0; i < addrs->n; i++) {
		if (addrs->v[i].ifindex != link->ifindex || addrs->v[i].proto != PLAN_ADDR_PROTO)
			continue;
		ip_format_prefix(&addrs->v[i].prefix, text);
		b = objs_add(out, OBJ_ADDR, "%s", text);
		obj_parent(b, link->name);
		b->ifindex = (unsigned)link->ifindex;
	}
}

/* Addresses that we set on a bridge that is not ours (the only ones there with our mark). */
static int see_foreign_bridge(const struct observe_target *t, const struct world *world,
			      struct objs *out, struct why *why)
{
	struct vx_overlay o;
	const struct link *link;
	char text[IP_TEXT + 4];
	int err = pinned_overlay_if_any(t->overlay, &o, why);

	if (err)
		return err;
	link = links_by_name(&world->links, o.bridge);
	if (!link || plan_owns_bridge(link, t->overlay))
		return 0;
	for (size_t i = 0; i < world->addrs.n; i++) {
		const struct addr *a = &world->addrs.v[i];
		struct obj *obj;

		if (a->ifindex != link->ifindex || a->proto != PLAN_ADDR_PROTO)
			continue;
		ip_format_prefix(&a->prefix, text);
		obj = objs_add(out, OBJ_ADDR, "%s", text);
		obj_parent(obj, link->name);
		obj->ifindex = (unsigned)link->ifindex;
	}
	return 0;
}

static bool has_tunnels(const struct observe_target *t, const struct links *links)
{
	for (size_t i = 0; i < links->n; i++)
		if (plan_owns_tunnel(&links->v[i], t->overlay, t->host))
			return true;
	return false;
}

int observe(const struct observe_target *t, const struct world *world, struct objs *out,
	    struct why *why)
{
	autofdb struct fdb fdb = { 0 };
	int err = has_tunnels(t, &world->links) ? fdb_read(t->nl, 0, &fdb, why) : 0;

	if (err)
		return err;
	for (size_t i = 0; i < world->links.n; i++) {
		const struct link *link = &world->links.v[i];

		if (plan_owns_tunnel(link, t->overlay, t->host))
			see_tunnel(link, &world->links, &fdb, out);
		else if (plan_owns_bridge(link, t->overlay))
			see_bridge(link, &world->addrs, out);
	}
	err = see_foreign_bridge(t, world, out, why);
	return err ? err : observe_pins(t, world, out, why);
}
