// SPDX-License-Identifier: GPL-2.0
/* An overlay as it is now: pinned maps, devices, hooks, and what `up` would change. Impure edge. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/attach.h"
#include "kernel/mapdump.h"
#include "kernel/pins.h"
#include "kernel/pins_overlay.h"
#include "kernel/tcplace.h"
#include "plan/plan.h"
#include "snapshot/snapshot_read.h"

struct snapshot_device *snapshot_add_device(struct snapshot *s, const char *ifname)
{
	struct snapshot_device *d;

	for (size_t i = 0; i < s->n_devices; i++)
		if (strcmp(s->devices[i].ifname, ifname) == 0)
			return &s->devices[i];
	d = array_add(&s->devices, &s->n_devices, sizeof(*d));
	text_copy(d->ifname, sizeof(d->ifname), ifname);
	return d;
}

static struct attach_state query(struct reading *r, const char *room, int ifindex)
{
	struct attach at = { .nl = r->nl,
			     .overlay = r->overlay,
			     .room = attach_room(room),
			     .ifindex = (unsigned)ifindex };
	struct attach_state state;
	int err = attach_query(&at, true, &state);

	if (!r->err)
		r->err = err;
	return state;
}

/* A container's end is not a port of another bridge, as that of a pair between two bridges is. */
static bool leads_to_container(const struct reading *r, const struct link *link)
{
	const struct link *end = links_by_index(&r->world.links, link->peer);

	return strcmp(link->kind, "veth") == 0 && (link->peer_elsewhere || !end || !end->master);
}

static void add_port(struct reading *r, const struct link *link, const char *room)
{
	struct snapshot *s = r->s;
	struct snapshot_port *p = array_add(&s->ports, &s->n_ports, sizeof(*p));

	text_copy(p->ifname, sizeof(p->ifname), link->name);
	p->ifindex = link->ifindex;
	p->mtu = link->mtu;
	p->isolated = link->isolated;
	p->veth = leads_to_container(r, link);
	/* Asked about egress, an `ingress` qdisc shows its ingress. */
	p->hooked = !(link->tc.ingress_only && attach_room(room)->where == ATTACH_EGRESS) &&
		    query(r, room, link->ifindex).mode[0];
	p->accelerated = p->hooked && reading_door(r, link->ifindex);
}

/* A tunnel carries its peer's name in its alias. */
static void read_tunnels(struct reading *r, const struct link *bridge)
{
	const struct links *links = &r->world.links;
	char mark[LINK_ALIAS];

	snprintf(mark, sizeof(mark), "vxbpf:%s:", r->overlay);
	for (size_t i = 0; i < r->s->n_peers; i++)
		r->s->peers[i].lost = true;
	for (size_t i = 0; bridge && i < links->n; i++) {
		const struct link *link = &links->v[i];
		struct snapshot_peer *peer;

		if (strcmp(link->kind, "vxlan") != 0 || link->master != bridge->ifindex ||
		    !(link->flags & IFF_UP) || strncmp(link->alias, mark, strlen(mark)) != 0)
			continue;
		peer = reading_find_peer(r, link->alias + strlen(mark));
		if (peer)
			peer->lost = false;
	}
}

static void add_oversize(struct reading *r, int ifindex, const struct vx_port *v)
{
	for (size_t i = 0; i < r->s->n_ports; i++) {
		struct snapshot_port *p = &r->s->ports[i];

		if (p->ifindex != ifindex)
			continue;
		p->oversize += v->oversize;
		p->largest = v->largest > p->largest ? v->largest : p->largest;
	}
}

static int read_ports(struct reading *r, const struct link *bridge)
{
	automapdump struct mapdump dump = { 0 };
	const struct links *links = &r->world.links;
	int err = mapdump_read(r->overlay, "ports", sizeof(struct vx_ifindex),
			       sizeof(struct vx_port), &dump);

	if (!bridge)
		return err;
	add_port(r, bridge, "host_in");
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].master == bridge->ifindex &&
		    !plan_owns_tunnel(&links->v[i], r->overlay, r->s->told.local))
			add_port(r, &links->v[i], "port_in");
	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_ifindex *k = mapdump_key(&dump, i);

		add_oversize(r, k->ifindex ? (int)k->ifindex : bridge->ifindex, /* 0 = the host */
			     mapdump_value(&dump, i, 0));
	}
	return err;
}

/* This takes more than a look at each port: its other end, and things of others on it. */
static void explain_ports(struct reading *r, const struct link *bridge)
{
	const struct foreign_places places = { .overlay = r->overlay,
					       .links = &r->world.links,
					       .bridge = bridge,
					       .only_ports = true };
	autoforeigns struct foreigns foreigns = { 0 };
	struct snapshot *s = r->s;

	/* The plan has said it of tunnels and of the underlay. */
	if (strcmp(s->told.fastpath, "auto") == 0 && !s->told.fastpath_why[0])
		foreigns_read(r->nl, &places, reading_rules(r, (uint16_t)s->told.port), &foreigns);
	links_ask_far(r->nl, &r->world.links, bridge->ifindex);
	r->leased = reading_leased(r);
	for (size_t i = 0; i < s->n_ports; i++) {
		struct snapshot_port *p = &s->ports[i];
		const struct link *link = links_by_index(&r->world.links, p->ifindex);

		if (p->veth) {
			p->far_mtu = link->far_mtu;
			p->rx_dropped = link->rx_dropped;
		}
		p->kept_out = !p->accelerated && !s->told.fastpath_why[0] &&
			      foreigns_on(&foreigns, p->ifindex, FOREIGN_IN | FOREIGN_OUT);
		text_copy(p->why, sizeof(p->why),
			  p->accelerated ? reading_why_near(r, link, reading_door(r, p->ifindex))
					 : reading_why_slow(r, link, p, &foreigns));
	}
}

/* Devices that carry our wire rooms: links are found by their pins, filters by asking. */
static void find_devices(struct reading *r)
{
	autonames struct names links = { 0 }, qdiscs = { 0 };
	const struct link *bridge = links_by_name(&r->world.links, r->s->told.bridge);
	char path[PINS_PATH];
	unsigned ifindex;

	pins_path(path, r->overlay, "links");
	pins_list(path, &links);
	for (size_t i = 0; i < links.n; i++)
		if (sscanf(links.v[i], "wire_%*[^-]-%u", &ifindex) == 1 &&
		    reading_device_name(r, ifindex)[0])
			snapshot_add_device(r->s, reading_device_name(r, ifindex));
	pins_path(path, r->overlay, "qdiscs");
	pins_list(path, &qdiscs);
	if (!qdiscs.n && strcmp(attach_tc_mode(), "clsact") != 0)
		return;
	for (size_t i = 0; i < r->world.links.n; i++) {
		const struct link *link = &r->world.links.v[i];

		if (bridge && (link == bridge || link->master == bridge->ifindex))
			continue;
		if (query(r, "wire_in", link->ifindex).mode[0])
			snapshot_add_device(r->s, link->name);
	}
}

static const char *xdp_state(const struct link *link, const struct attach_state *ours)
{
	if (ours->mode[0])
		return "driver";
	return link && link->xdp_prog ? "foreign" : "off";
}

static void read_devices(struct reading *r)
{
	find_devices(r);
	for (size_t i = 0; i < r->s->n_devices; i++) {
		struct snapshot_device *d = &r->s->devices[i];
		const struct link *link = links_by_name(&r->world.links, d->ifname);
		struct attach_state tc = { 0 }, xdp = { 0 };

		if (link) {
			d->ifindex = link->ifindex;
			tc = query(r, "wire_in", link->ifindex);
			if (!tc.mode[0])
				tc = query(r, "wire_in_l3", link->ifindex);
			xdp = query(r, "wire_xdp", link->ifindex);
		}
		text_copy(d->tc, sizeof(d->tc), tc.mode[0] ? tc.mode : "none");
		text_copy(d->xdp, sizeof(d->xdp), xdp_state(link, &xdp));
	}
}

static int read_counts(struct reading *r, const struct link *bridge)
{
	int err;

	r->s->now_ns = reading_clock_ns();
	err = snapshot_read_maps(r);
	return err ? err : read_ports(r, bridge);
}

/* What both kinds of reading begin with: is there anything of it? */
static int begin(struct reading *r, const char *path, struct why *why)
{
	struct snapshot *s = r->s;
	int err = 0;

	text_copy(s->path, sizeof(s->path), path);
	if (!conf_is_overlay(r->overlay))
		text_copy(s->misnamed, sizeof(s->misnamed), r->overlay);
	else
		err = pins_layout(r->overlay, &s->layout);
	return err ? why_set(why, err, "%s: cannot read its pins: %s", r->overlay, strerror(-err))
		   : 0;
}

static void read_told(struct reading *r)
{
	struct snapshot *s = r->s;

	s->up = s->layout == VX_LAYOUT && pinned_overlay(r->overlay, &s->told) == 0;
	if (!s->up) {
		text_copy(s->told.name, sizeof(s->told.name), r->overlay);
		text_copy(s->told.bridge, sizeof(s->told.bridge), r->overlay);
	}
}

/* Devices come last, and the time of it all is that of the end. */
static int finish(struct reading *r, int err, struct why *why)
{
	read_devices(r);
	snapshot_say_lost_address(r);
	r->s->now_ns = reading_clock_ns();
	world_free(&r->world);
	fastpath_rules_free(&r->rules);
	err = err ? err : r->err;
	return err ? why_set(why, err, "%s: cannot read its maps and hooks: %s", r->overlay,
			     strerror(-err))
		   : 0;
}

static int read_whole(struct reading *r, const char *path, struct why *why)
{
	struct snapshot *s = r->s;
	int err = begin(r, path, why);

	s->now_ns = reading_clock_ns();
	/* Nothing of a misnamed one can be here; the plan says what is wrong with it. */
	if (!err && s->misnamed[0])
		snapshot_read_plan(r);
	if (err || s->misnamed[0])
		return err;
	err = world_read(r->nl, &r->world, why);
	if (err)
		return err;
	read_told(r);
	snapshot_read_plan(r);
	if (s->up) {
		const struct link *bridge = links_by_name(&r->world.links, s->told.bridge);

		err = read_counts(r, bridge);
		if (bridge)
			explain_ports(r, bridge);
	}
	return finish(r, err, why);
}

static int read_counted(struct reading *r, const char *path, struct why *why)
{
	struct snapshot *s = r->s;
	int err = begin(r, path, why);

	s->now_ns = reading_clock_ns();
	if (err || s->misnamed[0])
		return err;
	err = links_list(r->nl, false, &r->world.links, why);
	if (err)
		return err;
	err = links_ask_tc(r->nl, attach_tc_mode(), &r->world.links);
	if (err)
		return why_set(why, err, "netlink: cannot read qdiscs: %s", strerror(-err));
	read_told(r);
	if (s->up) {
		const struct link *bridge = links_by_name(&r->world.links, s->told.bridge);

		err = read_counts(r, bridge);
		read_tunnels(r, bridge);
	}
	return finish(r, err, why);
}

static int give(int err, struct snapshot *s, struct snapshot *out)
{
	if (err)
		return err;
	*out = *s;
	*s = (struct snapshot){ 0 };
	return 0;
}

int snapshot_read(struct nl *nl, const char *overlay, const char *path, struct snapshot *out,
		  struct why *why)
{
	autosnapshot struct snapshot s = { 0 };
	struct reading r = { .nl = nl, .overlay = overlay, .s = &s };

	return give(read_whole(&r, path, why), &s, out);
}

int snapshot_read_counted(struct nl *nl, const char *overlay, const char *path,
			  struct snapshot *out, struct why *why)
{
	autosnapshot struct snapshot s = { 0 };
	struct reading r = { .nl = nl, .overlay = overlay, .s = &s, .counted = true };

	return give(read_counted(&r, path, why), &s, out);
}
