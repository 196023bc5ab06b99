// SPDX-License-Identifier: GPL-2.0
/* Programs and filters in front of ours; see in_front.h. */
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/attach.h"
#include "kernel/attach_clsact.h"
#include "kernel/attach_link.h"
#include "kernel/block.h"
#include "kernel/pins.h"
#include "reconcile/in_front.h"

#define SAID_MAX 5

struct looking {
	struct nl *nl;
	const char *overlay;
	const struct links *links;
	struct names overlays; /* of ours */
	struct in_fronts *out;
	uint32_t ours; /* the program at the hook looked at, 0 = none */
};

/* --- saying it */

void in_fronts_free(struct in_fronts *f)
{
	free(f->v);
	*f = (struct in_fronts){ 0 };
}

static void say(const struct in_front *f, struct verdicts *out)
{
	const char *device = f->device[0] ? f->device : "tunnels";
	const char *its = f->device[0] ? "its" : "their";
	const char *way = f->ingress ? "ingress" : "egress";

	if (f->kept)
		verdicts_add(out, VERDICT_IN_FRONT, f->device,
			     "%s: at %s %s %s keeps all packets from vxbpf: it handled %llu just "
			     "now, and vxbpf saw none, so they are neither guarded nor counted; "
			     "move it behind vxbpf, or let it pass packets on (TCX_NEXT, or "
			     "TC_ACT_UNSPEC in a filter)",
			     device, its, way, f->what, (unsigned long long)f->kept);
	else
		verdicts_add(
			out, VERDICT_IN_FRONT, f->device,
			"%s: at %s %s %s runs before vxbpf; packets that it does not pass on are "
			"neither guarded nor counted; move it behind vxbpf unless it passes on "
			"every packet",
			device, its, way, f->what);
}

void in_front_say(const struct in_fronts *f, struct verdicts *out)
{
	for (size_t i = 0; i < f->n && i < SAID_MAX; i++)
		say(&f->v[i], out);
	if (f->n > SAID_MAX)
		verdicts_add(out, VERDICT_IN_FRONT, "",
			     "%zu more programs and filters of others run before vxbpf",
			     f->n - SAID_MAX);
}

static void add(struct looking *l, const char *device, bool ingress, const char *what, uint32_t id)
{
	struct in_front *f = array_add(&l->out->v, &l->out->n, sizeof(*f));

	*f = (struct in_front){ .ingress = ingress, .theirs = id, .ours = l->ours };
	text_copy(f->device, sizeof(f->device), device);
	text_copy(f->what, sizeof(f->what), what);
}

void in_front_filter(const struct tcfilter *f, char what[IN_FRONT_WHAT])
{
	snprintf(what, IN_FRONT_WHAT, "the %s filter", f->kind);
	if (f->name[0])
		text_add(what, IN_FRONT_WHAT, " %s", f->name);
	text_add(what, IN_FRONT_WHAT, " (priority %u", f->priority);
	if (f->prog_id)
		text_add(what, IN_FRONT_WHAT, ", program %u", f->prog_id);
	text_add(what, IN_FRONT_WHAT, ")");
}

static void add_program(struct looking *l, const char *device, bool ingress, uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	char what[IN_FRONT_WHAT];
	autofd int fd = bpf_prog_get_fd_by_id(id);

	snprintf(what, sizeof(what), "the program");
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.name[0])
		text_add(what, sizeof(what), " %s", info.name);
	text_add(what, sizeof(what), " (id %u)", id);
	add(l, device, ingress, what, id);
}

/* --- looking */

/* Those in front of `ours`; all of them if it is none. */
static void look_at_programs(struct looking *l, const struct link *link, bool ingress,
			     uint32_t ours)
{
	enum attach_where where = ingress ? ATTACH_INGRESS : ATTACH_EGRESS;
	unsigned ifindex = (unsigned)link->ifindex;
	uint32_t ids[ATTACH_PROGS];
	unsigned n = attach_list(ifindex, where, ids);

	for (unsigned i = 0; i < n && ids[i] != ours; i++)
		if (!attach_is_ours(ifindex, where, ids[i]))
			add_program(l, link->name, ingress, ids[i]);
}

static bool is_of_ours(const struct looking *l, const struct attach *at, const struct tcfilter *f)
{
	for (size_t i = 0; at && i < l->overlays.n; i++) {
		const struct attach other = { .overlay = l->overlays.v[i], .room = at->room };

		if (f->handle == attach_filter(&other).handle && strcmp(f->kind, "bpf") == 0)
			return true;
	}
	return false;
}

/* Once ours are where they belong; `at`: on a device, where other overlays of ours may be. */
static void look_at_filters(struct looking *l, const struct tcfilter_ours *ours, const char *device,
			    const struct attach *at)
{
	autotcfilters struct tcfilters there = { 0 };
	bool ingress = strstr(ours->name, "_in");
	const struct tcfilter *before = NULL;
	uint32_t front;

	if (tcfilters_read(ours->nl, &ours->place, &there))
		return;
	front = tcfilters_front(&there);
	for (size_t i = 0; i < there.n && there.v[i].priority <= front; i++) {
		const struct tcfilter *f = &there.v[i];
		char what[IN_FRONT_WHAT];

		if (f->priority == front && f->handle == ours->handle)
			break;
		/* Set now, ours would be the first of its priority. */
		if (f->priority == front && !tcfilters_have(&there, front, ours->handle))
			break;
		/* One of each kind and priority is enough. */
		if (!f->handle || is_of_ours(l, at, f) ||
		    (before && before->priority == f->priority && !f->prog_id))
			continue;
		in_front_filter(f, what);
		add(l, device, ingress, what, f->prog_id);
		before = f;
	}
}

static void look_at_hook(struct looking *l, const struct obj *want, const struct obj *now)
{
	const struct link *link = links_by_name(l->links, want->parent);
	struct attach at = { .nl = l->nl,
			     .overlay = l->overlay,
			     .room = attach_room(strchr(want->key, '/') + 1) };
	bool ingress = at.room->where == ATTACH_INGRESS;
	struct tcfilter_ours ours;
	struct attach_state state;
	bool clsact;

	if (!link || at.room->order == TC_BEHIND)
		return;
	at.ifindex = (unsigned)link->ifindex;
	clsact = strcmp(obj_get_text(want, F_MODE), "clsact") == 0;
	l->ours = attach_query(&at, clsact, &state) == 0 ? state.prog_id : 0;
	if (clsact) {
		look_at_programs(l, link, ingress, 0);
		ours = attach_filter(&at);
		look_at_filters(l, &ours, link->name, &at);
		return;
	}
	/* Setting or replacing a hook moves it to the front. */
	if (now && !obj_compare(want, now) && l->ours)
		look_at_programs(l, link, ingress, l->ours);
}

static uint32_t in_block(struct looking *l, const char *room)
{
	const struct tcfilter_ours ours = block_filter(l->nl, l->overlay, room);
	struct tcfilter_state state;

	return tcfilter_query(&ours, &state) == 0 ? state.prog_id : 0;
}

/* tcx programs come before any filter. */
static void look_at_tunnel(struct looking *l, const char *ifname)
{
	const struct link *link = links_by_name(l->links, ifname);

	l->ours = 0; /* one program of many tunnels: its count says nothing of this one */
	if (!link)
		return;
	look_at_programs(l, link, true, 0);
	look_at_programs(l, link, false, 0);
}

void in_front_read(struct nl *nl, const char *overlay, const struct links *links, struct objs *now,
		   const struct objs *want, struct in_fronts *out)
{
	struct looking l = { .nl = nl, .overlay = overlay, .links = links, .out = out };
	struct tcfilter_ours ours;

	pins_overlays(&l.overlays);
	for (size_t i = 0; i < want->n; i++) {
		const struct obj *o = want->v[i];

		if (o->kind == OBJ_WIRE || o->kind == OBJ_HOOK) {
			look_at_hook(&l, o, objs_find(now, o->kind, o->key));
		} else if (o->kind == OBJ_QDISC) {
			look_at_tunnel(&l, o->key);
		} else if (o->kind == OBJ_BLOCK) {
			ours = block_filter(nl, overlay, o->key);
			l.ours = in_block(&l, o->key);
			look_at_filters(&l, &ours, "", NULL);
		}
	}
	names_free(&l.overlays);
}
