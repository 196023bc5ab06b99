// SPDX-License-Identifier: GPL-2.0
/* Hooks of an overlay as objects: tcx and XDP links, clsact filters, shared blocks. */
#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

#include "kernel/attach.h"
#include "kernel/block.h"
#include "plan/plan.h"
#include "reconcile/observe_pins.h"

static void see_hook(struct seeing *s, const struct attach *at, const struct attach_state *state)
{
	const struct link *link = links_by_index(&s->world->links, (int)at->ifindex);
	const struct pinned_prog *prog = find_prog(s, state->prog_id);
	enum obj_kind kind = strncmp(at->room->name, "wire_", 5) == 0 ? OBJ_WIRE : OBJ_HOOK;
	struct obj *h;

	if (link && state->mode[0])
		h = objs_add(s->out, kind, "%s/%s", link->name, at->room->name);
	else /* only the pin is left of it */
		h = objs_add(s->out, kind, "#%u/%s", at->ifindex, at->room->name);
	if (link)
		obj_parent(h, link->name);
	h->ifindex = at->ifindex;
	obj_text(h, F_MODE, state->mode[0] ? state->mode : "tcx");
	obj_text(h, F_BUILD, prog ? prog->build : "unknown");
	if (strcmp(state->mode, "clsact") == 0 && at->room->order != TC_BEHIND)
		obj_num(h, F_FRONT, tcfilter_is_placed(at->room->order, &state->filter));
}

static int see_links(struct seeing *s)
{
	autonames struct names names = { 0 };
	char room[32];
	int err = list_pins(s, "links", &names);

	for (size_t i = 0; !err && i < names.n; i++) {
		struct attach at = { .nl = s->t->nl, .overlay = s->t->overlay };
		struct attach_state state;

		if (sscanf(names.v[i], "%31[^-]-%u", room, &at.ifindex) != 2)
			continue;
		at.room = attach_room(room);
		if (!at.room || (s->t->port && at.ifindex != s->t->port))
			continue;
		err = attach_query(&at, false, &state);
		if (err)
			return cannot_read(s, names.v[i], err);
		see_hook(s, &at, &state);
	}
	return err;
}

/* The kind of a hook on this device, if its program does not say. */
static const struct attach_room *likely_room(const struct seeing *s, const struct link *link,
					     bool ingress)
{
	const struct link *master = links_by_index(&s->world->links, link->master);
	bool l2 = link->type == ARPHRD_ETHER || link->type == ARPHRD_LOOPBACK;

	if (plan_owns_bridge(link, s->t->overlay))
		return attach_room(ingress ? "host_out" : "host_in");
	if (master && plan_owns_bridge(master, s->t->overlay))
		return attach_room(ingress ? "port_in" : "port_out");
	if (ingress)
		return attach_room(l2 ? "wire_in" : "wire_in_l3");
	return attach_room(l2 ? "wire_out" : "wire_out_l3");
}

static int see_filter(struct seeing *s, const struct link *link, bool ingress, bool *out_any)
{
	struct attach at = { .nl = s->t->nl,
			     .overlay = s->t->overlay,
			     .room = attach_room(ingress ? "wire_in" : "wire_out"),
			     .ifindex = (unsigned)link->ifindex };
	const struct pinned_prog *prog;
	struct attach_state state;
	int err = attach_query(&at, true, &state);

	if (err)
		return cannot_read(s, link->name, err);
	if (strcmp(state.mode, "clsact") != 0)
		return 0;
	*out_any = true;
	prog = find_prog(s, state.prog_id);
	/* A port's programs the other way round are the bridge's: the host's own port. */
	if (prog)
		at.room =
			attach_room(strcmp(prog->room, "port_in") == 0 && !ingress   ? "host_in"
				    : strcmp(prog->room, "port_out") == 0 && ingress ? "host_out"
										     : prog->room);
	else
		at.room = likely_room(s, link, ingress);
	if (at.room)
		see_hook(s, &at, &state);
	return 0;
}

static bool is_marked(const struct names *marks, const struct link *link)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", link->ifindex);
	for (size_t i = 0; i < marks->n; i++)
		if (strcmp(marks->v[i], text) == 0)
			return true;
	return false;
}

/* A removed device takes its filters along; only our mark is left. */
static void see_dead_marks(struct seeing *s, const struct names *marks)
{
	static const struct attach_state filter = { .mode = "clsact" };

	for (size_t i = 0; i < marks->n; i++) {
		const struct attach at = { .room = attach_room("port_in"),
					   .ifindex = (unsigned)strtoul(marks->v[i], NULL, 10) };

		if (!links_by_index(&s->world->links, (int)at.ifindex) &&
		    (!s->t->port || at.ifindex == s->t->port))
			see_hook(s, &at, &filter);
	}
}

/* Filters leave no pin: every device is asked, by our own handle and priority. A marked qdisc without
 * any is what a killed run left. */
static int see_filters(struct seeing *s)
{
	const struct attach_state empty = { .mode = "clsact" };
	autonames struct names marks = { 0 };
	int err = list_pins(s, "qdiscs", &marks);

	see_dead_marks(s, &marks);
	/* In tcx mode only a qdisc we marked can hold one, left from a run without tcx. */
	if (!marks.n && strcmp(attach_tc_mode(), "clsact") != 0)
		return err;
	for (size_t i = 0; !err && i < s->world->links.n; i++) {
		const struct link *link = &s->world->links.v[i];
		struct attach at = { .room = likely_room(s, link, true),
				     .ifindex = (unsigned)link->ifindex };
		bool any = false;

		if (plan_owns_tunnel(link, s->t->overlay, s->t->host))
			continue; /* theirs are in a block */
		if (s->t->port && at.ifindex != s->t->port)
			continue;
		err = see_filter(s, link, true, &any);
		/* Asked about egress, an `ingress` qdisc shows its ingress. */
		if (!err && !link->tc.ingress_only)
			err = see_filter(s, link, false, &any);
		if (!err && !any && is_marked(&marks, link))
			see_hook(s, &at, &empty);
	}
	return err;
}

/* --- tunnels that run their programs from a block */

static void see_qdisc(void *ctx, unsigned ifindex)
{
	struct seeing *s = ctx;
	const struct link *link = links_by_index(&s->world->links, (int)ifindex);
	struct obj *q;

	if (!link)
		return;
	q = objs_add(s->out, OBJ_QDISC, "%s", link->name);
	obj_parent(q, link->name);
	q->ifindex = ifindex;
}

static int see_block(struct seeing *s, const char *room)
{
	const struct tcfilter_ours ours = block_filter(s->t->nl, s->t->overlay, room);
	const struct pinned_prog *prog;
	struct tcfilter_state state;
	int err = tcfilter_query(&ours, &state);
	struct obj *b;

	if (err)
		return cannot_read(s, room, err);
	if (!state.prog_id)
		return 0;
	prog = find_prog(s, state.prog_id);
	b = objs_add(s->out, OBJ_BLOCK, "%s", room);
	obj_text(b, F_BUILD, prog ? prog->build : "unknown");
	obj_num(b, F_FRONT, tcfilter_is_placed(ours.order, &state));
	return 0;
}

static int see_blocks(struct seeing *s)
{
	int err = block_each_qdisc(s->t->nl, s->t->overlay, see_qdisc, s);

	if (err && err != -EOPNOTSUPP) /* a kernel without qdiscs has none */
		return why_set(s->why, err, "netlink: cannot read qdiscs: %s", strerror(-err));
	err = see_block(s, "tun_in");
	return err ? err : see_block(s, "tun_out");
}

int observe_hooks(struct seeing *s)
{
	int err = see_links(s);

	if (!err)
		err = see_filters(s);
	if (!err && !s->t->port)
		err = see_blocks(s);
	return err;
}
