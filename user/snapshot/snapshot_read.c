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
#include "plan/plan.h"
#include "reconcile/converge.h"
#include "snapshot/snapshot_read.h"

/* --- what `up` would change */

/* A port that came or went since `up` is reported only for its missing hook, separately; optional steps
 * and leftovers of a removed device ("#7") are not drift either. */
static bool is_drift(const struct step *step)
{
	const struct obj *o = step_obj(step);

	if (step->want && step->want->optional)
		return false;
	if (o->kind == OBJ_INDEX && strncmp(o->key, "ports/", 6) == 0)
		return false;
	return step->op != STEP_REMOVE || !strchr(o->key, '#');
}

static struct snapshot_device *add_device(struct snapshot *s, const char *ifname)
{
	struct snapshot_device *d;

	for (size_t i = 0; i < s->n_devices; i++)
		if (strcmp(s->devices[i].ifname, ifname) == 0)
			return &s->devices[i];
	d = array_add(&s->devices, &s->n_devices, sizeof(*d));
	text_copy(d->ifname, sizeof(d->ifname), ifname);
	return d;
}

/* The most useful steps come first: those of devices; then map entries; last programs, of which a
 * single other number in the config replaces all. */
static unsigned step_rank(const struct step *step)
{
	switch (step_obj(step)->kind) {
	case OBJ_TREE:
	case OBJ_MAP:
	case OBJ_PROG:
		return 2;
	case OBJ_ENTRY:
	case OBJ_INDEX:
		return 1;
	default:
		return step->op == STEP_CHANGE && step->changed == 1U << F_BUILD ? 2 : 0;
	}
}

/* As --dry-run prints it, less what aligns its columns. */
static void add_step(struct snapshot *s, const struct step *step)
{
	char text[512], *to = text;

	step_print(step, true, text, sizeof(text));
	for (const char *from = text; *from; from++)
		if (*from != ' ' || from[1] != ' ')
			*to++ = *from;
	*to = '\0';
	notes_add(&s->steps, "%s", text);
}

static void read_drift(struct snapshot *s, const struct steps *steps)
{
	for (unsigned rank = 0; rank < 3; rank++)
		for (size_t i = 0; i < steps->n; i++) {
			const struct step *step = &steps->v[i];

			if (!step->implied && step_rank(step) == rank && is_drift(step) &&
			    s->drift++ < SNAPSHOT_STEPS)
				add_step(s, step);
		}
}

static void read_step(struct snapshot *s, const struct step *step)
{
	const struct obj *want = step->want;

	if (!want)
		return;
	if (want->kind == OBJ_WIRE)
		add_device(s, want->parent)->xdp_wanted |=
			step->op == STEP_ADD && strstr(want->key, "/wire_xdp");
	else if (!s->up && want->kind == OBJ_ENTRY && strcmp(want->key, "overlay/0") == 0)
		memcpy(&s->told, want->blob, sizeof(s->told));
}

static void read_plan(struct reading *r)
{
	struct snapshot *s = r->s;
	struct why why = { 0 };
	struct conf conf = { 0 };

	if (conf_load(s->path, &conf, &why) == 0) {
		autoconverge struct converge c = { 0 };

		s->unmet = converge_plan_up(r->nl, &conf, &c, &why) != 0;
		if (!s->unmet) {
			read_drift(s, &c.steps);
			for (size_t i = 0; i < c.steps.n; i++)
				if (!c.steps.v[i].implied)
					read_step(s, &c.steps.v[i]);
			s->notes = c.verdicts;
			c.verdicts = (struct verdicts){ 0 };
		}
	}
	conf_free(&conf);
	text_copy(s->fault, sizeof(s->fault), why.text);
}

/* --- devices and ports */

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

static void add_port(struct reading *r, const struct link *link, const char *room,
		     const struct foreigns *foreigns)
{
	struct snapshot *s = r->s;
	struct snapshot_port *p = array_add(&s->ports, &s->n_ports, sizeof(*p));
	enum vx_door door = reading_door(r, link->ifindex);

	text_copy(p->ifname, sizeof(p->ifname), link->name);
	p->ifindex = link->ifindex;
	p->mtu = link->mtu;
	p->veth = strcmp(link->kind, "veth") == 0;
	if (p->veth && !r->counted) {
		p->far_mtu = link->far_mtu;
		p->rx_dropped = link->rx_dropped;
	}
	p->hooked = query(r, room, link->ifindex).mode[0];
	p->accelerated = p->hooked && door;
	p->kept_out =
		!p->accelerated && !s->told.fastpath_why[0] && foreigns_on(foreigns, link->ifindex);
	if (!r->counted)
		text_copy(p->why, sizeof(p->why),
			  p->accelerated ? reading_why_near(r, link, door)
					 : reading_why_slow(r, link, p, foreigns));
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

static int read_ports(struct reading *r)
{
	autoforeigns struct foreigns foreigns = { 0 };
	automapdump struct mapdump dump = { 0 };
	const struct links *links = &r->world.links;
	const struct link *bridge = links_by_name(links, r->s->told.bridge);
	int err = mapdump_read(r->overlay, "ports", sizeof(struct vx_ifindex),
			       sizeof(struct vx_port), &dump);

	if (r->counted)
		read_tunnels(r, bridge);
	if (!bridge)
		return err;
	if (!r->counted && strcmp(r->s->told.fastpath, "auto") == 0 && !r->s->told.fastpath_why[0])
		foreigns_read(r->nl, r->overlay, links, bridge, &foreigns);
	if (!r->counted) {
		links_ask_far(r->nl, &r->world.links, bridge->ifindex);
		r->leased = reading_leased(r);
	}
	add_port(r, bridge, "host_in", &foreigns);
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].master == bridge->ifindex &&
		    !plan_owns_tunnel(&links->v[i], r->overlay, r->s->told.local))
			add_port(r, &links->v[i], "port_in", &foreigns);
	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_ifindex *k = mapdump_key(&dump, i);
		const struct vx_port *v = mapdump_value(&dump, i, 0);
		int ifindex = k->ifindex ? (int)k->ifindex : bridge->ifindex; /* 0 = the host */

		for (size_t n = 0; n < r->s->n_ports; n++) {
			struct snapshot_port *p = &r->s->ports[n];

			if (p->ifindex != ifindex)
				continue;
			p->oversize += v->oversize;
			p->largest = v->largest > p->largest ? v->largest : p->largest;
		}
	}
	return err;
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
			add_device(r->s, reading_device_name(r, ifindex));
	pins_path(path, r->overlay, "qdiscs");
	pins_list(path, &qdiscs);
	if (!qdiscs.n && strcmp(attach_tc_mode(), "clsact") != 0)
		return;
	for (size_t i = 0; i < r->world.links.n; i++) {
		const struct link *link = &r->world.links.v[i];

		if (bridge && (link == bridge || link->master == bridge->ifindex))
			continue;
		if (query(r, "wire_in", link->ifindex).mode[0])
			add_device(r->s, link->name);
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

static int read_all(struct reading *r)
{
	struct snapshot *s = r->s;
	int err = 0;

	s->now_ns = reading_clock_ns();
	if (s->up) {
		err = snapshot_read_maps(r);
		err = err ? err : read_ports(r);
	}
	read_devices(r);
	s->now_ns = reading_clock_ns();
	return err ? err : r->err;
}

/* There cannot be anything of it here, only of others whose names it begins or ends with. */
static int read_misnamed(struct reading *r)
{
	text_copy(r->s->misnamed, sizeof(r->s->misnamed), r->overlay);
	r->s->now_ns = reading_clock_ns();
	if (!r->counted)
		read_plan(r);
	return 0;
}

static int read_overlay(struct reading *r, const char *path, struct why *why)
{
	struct snapshot *s = r->s;
	int err;

	text_copy(s->path, sizeof(s->path), path);
	if (!conf_is_overlay(r->overlay))
		return read_misnamed(r);
	err = pins_layout(r->overlay, &s->layout);
	if (err)
		return why_set(why, err, "%s: cannot read its pins: %s", r->overlay,
			       strerror(-err));
	if (r->counted)
		err = links_list(r->nl, false, &r->world.links, why);
	else
		err = world_read(r->nl, &r->world, why);
	if (err)
		return err;
	s->up = s->layout == VX_LAYOUT && pinned_overlay(r->overlay, &s->told) == 0;
	if (!s->up) {
		text_copy(s->told.name, sizeof(s->told.name), r->overlay);
		text_copy(s->told.bridge, sizeof(s->told.bridge), r->overlay);
	}
	if (!r->counted)
		read_plan(r);
	err = read_all(r);
	world_free(&r->world);
	if (err)
		return why_set(why, err, "%s: cannot read its maps and hooks: %s", r->overlay,
			       strerror(-err));
	return 0;
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

	return give(read_overlay(&r, path, why), &s, out);
}

int snapshot_read_counted(struct nl *nl, const char *overlay, const char *path,
			  struct snapshot *out, struct why *why)
{
	autosnapshot struct snapshot s = { 0 };
	struct reading r = { .nl = nl, .overlay = overlay, .s = &s, .counted = true };

	return give(read_overlay(&r, path, why), &s, out);
}
