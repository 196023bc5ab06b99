// SPDX-License-Identifier: GPL-2.0
/* Pins, map entries and hooks of an overlay as objects; see observe_pins.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "attach.h"
#include "block.h"
#include "observe_pins.h"
#include "pins.h"
#include "plan.h"

struct seeing {
	const struct observe_target *t;
	const struct world *world;
	struct objs *out;
	/* Pinned programs, to tell from a hook's program id which build it runs. */
	struct pinned_prog {
		uint32_t id;
		char build[BPFOBJ_BUILD];
		char room[24];
	} *progs;
	size_t n_progs;
};

/* --- maps and their entries */

/* How a map's key is written in an object's key; blob: whether the value is the loader's. */
struct entry_kind {
	const char *map;
	enum { BY_NUMBER, BY_ADDRESS, BY_IFINDEX } key;
	bool blob;
};

static const struct entry_kind entry_kinds[] = {
	{ "overlay", BY_NUMBER, true },	 { "peers", BY_NUMBER, true },
	{ "counters", BY_NUMBER, false }, { "sources", BY_ADDRESS, true },
	{ "tunnels", BY_IFINDEX, true },  { "ports", BY_IFINDEX, false },
};

static void see_entry(struct seeing *s, const struct entry_kind *kind, const void *key,
		      const void *value, size_t value_size)
{
	const struct link *link;
	struct vx_addr addr;
	char text[IP_TEXT];
	uint32_t num = 0;
	struct obj *e;

	if (kind->key == BY_ADDRESS) {
		memcpy(&addr, key, sizeof(addr));
		ip_format(&addr, text);
		e = objs_add(s->out, OBJ_ENTRY, "%s/%s", kind->map, text);
	} else {
		memcpy(&num, key, sizeof(num));
		link = kind->key == BY_IFINDEX ? links_by_index(&s->world->links, (int)num) : NULL;
		if (kind->key == BY_NUMBER || !num)
			e = objs_add(s->out, OBJ_ENTRY, "%s/%u", kind->map, num);
		else if (link)
			e = objs_add(s->out, OBJ_INDEX, "%s/%s", kind->map, link->name);
		else /* its device is gone */
			e = objs_add(s->out, OBJ_INDEX, "%s/#%u", kind->map, num);
		if (link)
			obj_parent(e, link->name);
		if (kind->key == BY_IFINDEX)
			e->ifindex = num;
	}
	if (kind->blob)
		obj_blob(e, value, value_size);
}

static void see_entries(struct seeing *s, const struct entry_kind *kind)
{
	autofd int fd = bpfobj_get_map(s->t->overlay, kind->map);
	autofree char *value = NULL;
	char key[64], next[64];
	void *prev = NULL;
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || info.key_size > sizeof(key))
		return;
	/* Values of the per-CPU maps are nobody's concern here. */
	if (kind->blob)
		value = calloc(1, info.value_size);
	while (bpf_map_get_next_key(fd, prev, next) == 0) {
		memcpy(key, next, sizeof(key));
		prev = key;
		if (kind->blob && bpf_map_lookup_elem(fd, key, value))
			continue;
		/* An array's entry is there before anybody wrote it. */
		if (info.type == BPF_MAP_TYPE_ARRAY && !((char *)value)[0])
			continue;
		see_entry(s, kind, key, value, info.value_size);
	}
}

/* Pinned files at the top of the tree; false if one of them does not fit the programs we have. */
static bool see_maps(struct seeing *s)
{
	autonames struct names names = { 0 };
	char path[PINS_PATH];
	bool fit = true;

	pins_path(path, s->t->overlay, "%s", "");
	if (pins_list(path, &names))
		return true;
	for (size_t i = 0; i < names.n; i++) {
		autofd int fd = bpfobj_get_map(s->t->overlay, names.v[i]);

		if (fd < 0)
			continue; /* a folder */
		objs_add(s->out, OBJ_MAP, "%s", names.v[i]);
		fit &= !s->t->bo || bpfobj_map_fits(s->t->bo, names.v[i]);
	}
	return fit;
}

/* --- programs */

static void see_progs(struct seeing *s)
{
	autonames struct names builds = { 0 };
	char path[PINS_PATH];

	pins_path(path, s->t->overlay, "programs");
	pins_list(path, &builds);
	for (size_t i = 0; i < builds.n; i++) {
		autonames struct names rooms = { 0 };

		pins_path(path, s->t->overlay, "programs/%s", builds.v[i]);
		pins_list(path, &rooms);
		for (size_t k = 0; k < rooms.n; k++) {
			autofd int fd = bpfobj_get_prog(s->t->overlay, builds.v[i], rooms.v[k]);
			struct bpf_prog_info info = { 0 };
			__u32 len = sizeof(info);
			struct pinned_prog *p;

			objs_add(s->out, OBJ_PROG, "%s/%s", builds.v[i], rooms.v[k]);
			if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
				continue;
			p = reallocarray(s->progs, s->n_progs + 1, sizeof(*p));
			if (!p)
				abort();
			s->progs = p;
			p = &s->progs[s->n_progs++];
			*p = (struct pinned_prog){ .id = info.id };
			text_copy(p->build, sizeof(p->build), builds.v[i]);
			text_copy(p->room, sizeof(p->room), rooms.v[k]);
		}
	}
}

static const struct pinned_prog *find_prog(const struct seeing *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_progs; i++)
		if (s->progs[i].id == id)
			return &s->progs[i];
	return NULL;
}

/* --- hooks */

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
}

static void see_links(struct seeing *s)
{
	autonames struct names names = { 0 };
	char path[PINS_PATH], room[32];

	pins_path(path, s->t->overlay, "links");
	pins_list(path, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct attach at = { .nl = s->t->nl, .overlay = s->t->overlay };
		struct attach_state state;

		if (sscanf(names.v[i], "%31[^-]-%u", room, &at.ifindex) != 2)
			continue;
		at.room = attach_room(room);
		if (!at.room)
			continue;
		attach_query(&at, false, &state);
		see_hook(s, &at, &state);
	}
}

/* Filters leave no pin: every device is asked, by our own handle and priority. */
static void see_filters(struct seeing *s)
{
	static const char *const by_direction[] = { "wire_in", "wire_out" };
	autonames struct names marks = { 0 };
	char path[PINS_PATH];

	/* In tcx mode only a qdisc we marked can hold one, left from a run without tcx. */
	pins_path(path, s->t->overlay, "qdiscs");
	pins_list(path, &marks);
	if (!marks.n && strcmp(attach_tc_mode(), "clsact") != 0)
		return;
	for (size_t i = 0; i < s->world->links.n * 2; i++) {
		const struct link *link = &s->world->links.v[i / 2];
		struct attach at = { .nl = s->t->nl,
				     .overlay = s->t->overlay,
				     .room = attach_room(by_direction[i % 2]),
				     .ifindex = (unsigned)link->ifindex };
		const struct pinned_prog *prog;
		struct attach_state state;

		if (plan_owns_tunnel(link, s->t->overlay, s->t->host))
			continue; /* theirs are in a block */
		attach_query(&at, true, &state);
		prog = find_prog(s, state.prog_id);
		if (strcmp(state.mode, "clsact") != 0 || !prog)
			continue;
		/* port_in on an egress hook is the bridge's: the host's own port. */
		at.room = attach_room(strcmp(prog->room, "port_in") == 0 && i % 2 ? "host_in" :
										    prog->room);
		if (at.room)
			see_hook(s, &at, &state);
	}
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

static void see_blocks(struct seeing *s)
{
	static const char *const rooms[] = { "tun_in", "tun_out" };

	block_each_qdisc(s->t->nl, s->t->overlay, see_qdisc, s);
	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		uint32_t id = block_query(s->t->nl, s->t->overlay, rooms[i]);
		const struct pinned_prog *prog = find_prog(s, id);

		if (id)
			obj_text(objs_add(s->out, OBJ_BLOCK, "%s", rooms[i]), F_BUILD,
				 prog ? prog->build : "unknown");
	}
}

void observe_pins(const struct observe_target *t, const struct world *world, struct objs *out)
{
	struct seeing s = { .t = t, .world = world, .out = out };
	unsigned layout = pins_layout(t->overlay);
	struct obj *tree;

	if (!layout)
		return;
	tree = objs_add(out, OBJ_TREE, "%s", t->overlay);
	if (!see_maps(&s))
		layout = 0;
	obj_num(tree, F_LAYOUT, layout);
	if (layout == VX_LAYOUT)
		for (size_t i = 0; i < ARRAY_LEN(entry_kinds); i++)
			see_entries(&s, &entry_kinds[i]);
	see_progs(&s);
	see_links(&s);
	see_filters(&s);
	see_blocks(&s);
	free(s.progs);
}

int observe_overlay(const char *overlay, struct vx_overlay *out)
{
	autofd int fd = bpfobj_get_map(overlay, "overlay");
	struct bpf_map_info info = { 0 };
	__u32 key = 0, len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || info.value_size != sizeof(*out) ||
	    bpf_map_lookup_elem(fd, &key, out) || !out->name[0])
		return -ENOENT;
	return 0;
}
