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
	} * progs;
	size_t n_progs;
	struct why *why;
};

/* What cannot be read must not pass for something that is not there. */
static int cannot_read(const struct seeing *s, const char *pin, int err)
{
	return why_set(s->why, err, "%s: read the pinned %s: %s", s->t->overlay, pin,
		       strerror(-err));
}

/* A folder that is not there holds nothing; one that cannot be read is an error. */
static int list(const struct seeing *s, const char *below, struct names *out)
{
	char path[PINS_PATH];
	int err;

	pins_path(path, s->t->overlay, "%s", below);
	err = pins_list(path, out);
	return err && err != -ENOENT ? cannot_read(s, below, err) : 0;
}

/* --- maps and their entries */

/* How a map's key is written in an object's key; blob: whether the value is the loader's. */
struct entry_kind {
	const char *map;
	enum { BY_NUMBER, BY_ADDRESS, BY_IFINDEX } key;
	bool blob;
};

static const struct entry_kind entry_kinds[] = {
	{ "overlay", BY_NUMBER, true },	  { "peers", BY_NUMBER, true },
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

static int see_entries(struct seeing *s, const struct entry_kind *kind)
{
	autofd int fd = bpfobj_get_map(s->t->overlay, kind->map);
	autofree char *value = NULL;
	char key[64], next[64];
	void *prev = NULL;
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return cannot_read(s, kind->map, fd < 0 ? fd : -errno);
	/* Values of the per-CPU maps are nobody's concern here. */
	if (kind->blob)
		value = calloc(1, info.value_size);
	while (bpf_map_get_next_key(fd, prev, next) == 0) {
		memcpy(key, next, sizeof(key));
		prev = key;
		if (kind->blob && bpf_map_lookup_elem(fd, key, value)) {
			if (errno != ENOENT)
				return cannot_read(s, kind->map, -errno);
			continue;
		}
		if (s->t->port && memcmp(key, &s->t->port, sizeof(s->t->port)) != 0)
			continue;
		/* An array's entry is there before anybody wrote it. */
		if (info.type == BPF_MAP_TYPE_ARRAY && !value[0])
			continue;
		see_entry(s, kind, key, value, info.value_size);
	}
	return errno == ENOENT ? 0 : cannot_read(s, kind->map, -errno);
}

static bool is_folder(const char *name)
{
	return strcmp(name, "links") == 0 || strcmp(name, "programs") == 0 ||
	       strcmp(name, "qdiscs") == 0 || strncmp(name, "layout_", 7) == 0;
}

/* Pinned files at the top of the tree. *out_fit: all of them fit the programs we have. */
static int see_maps(struct seeing *s, bool *out_fit)
{
	autonames struct names names = { 0 };
	int err = list(s, "", &names);

	*out_fit = true;
	for (size_t i = 0; !err && i < names.n; i++) {
		struct bpf_map_info info = { 0 };
		__u32 len = sizeof(info);
		autofd int fd = -1;

		if (is_folder(names.v[i]))
			continue;
		fd = bpfobj_get_map(s->t->overlay, names.v[i]);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			return cannot_read(s, names.v[i], fd < 0 ? fd : -errno);
		objs_add(s->out, OBJ_MAP, "%s", names.v[i]);
		*out_fit &= !s->t->bo || bpfobj_map_fits(s->t->bo, names.v[i], &info);
	}
	return err;
}

/* --- programs */

static int see_prog(struct seeing *s, const char *build, const char *room)
{
	autofd int fd = bpfobj_get_prog(s->t->overlay, build, room);
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	struct pinned_prog *p;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return cannot_read(s, room, fd < 0 ? fd : -errno);
	objs_add(s->out, OBJ_PROG, "%s/%s", build, room);
	p = reallocarray(s->progs, s->n_progs + 1, sizeof(*p));
	if (!p)
		abort();
	s->progs = p;
	p = &s->progs[s->n_progs++];
	*p = (struct pinned_prog){ .id = info.id };
	text_copy(p->build, sizeof(p->build), build);
	text_copy(p->room, sizeof(p->room), room);
	return 0;
}

static int see_progs(struct seeing *s)
{
	autonames struct names builds = { 0 };
	int err = list(s, "programs", &builds);

	for (size_t i = 0; !err && i < builds.n; i++) {
		autonames struct names rooms = { 0 };
		char below[64];

		snprintf(below, sizeof(below), "programs/%s", builds.v[i]);
		err = list(s, below, &rooms);
		for (size_t k = 0; !err && k < rooms.n; k++)
			err = see_prog(s, builds.v[i], rooms.v[k]);
	}
	return err;
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

static int see_links(struct seeing *s)
{
	autonames struct names names = { 0 };
	char room[32];
	int err = list(s, "links", &names);

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

/* Of a device that went, with its filters, only our mark is left. */
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

/* Filters leave no pin: every device is asked, by our own handle and priority. */
static int see_filters(struct seeing *s)
{
	static const char *const by_direction[] = { "wire_in", "wire_out" };
	autonames struct names marks = { 0 };
	int err = list(s, "qdiscs", &marks);

	see_dead_marks(s, &marks);
	/* In tcx mode only a qdisc we marked can hold one, left from a run without tcx. */
	if (!marks.n && strcmp(attach_tc_mode(), "clsact") != 0)
		return err;
	for (size_t i = 0; i < s->world->links.n * 2; i++) {
		const struct link *link = &s->world->links.v[i / 2];
		struct attach at = { .nl = s->t->nl,
				     .overlay = s->t->overlay,
				     .room = attach_room(by_direction[i % 2]),
				     .ifindex = (unsigned)link->ifindex };
		const struct pinned_prog *prog;
		struct attach_state state;

		if (plan_owns_tunnel(link, s->t->overlay, s->t->host) ||
		    (s->t->port && at.ifindex != s->t->port))
			continue; /* tunnels' are in a block */
		if (attach_query(&at, true, &state))
			continue;
		prog = find_prog(s, state.prog_id);
		if (strcmp(state.mode, "clsact") != 0 || !prog)
			continue;
		/* port_in on an egress hook is the bridge's: the host's own port. */
		at.room = attach_room(strcmp(prog->room, "port_in") == 0 && i % 2 ? "host_in"
										  : prog->room);
		if (at.room)
			see_hook(s, &at, &state);
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

/* Programs by id, and of one port its entry and its hooks. */
static int see_port(struct seeing *s)
{
	int err = see_progs(s);

	for (size_t i = 0; !err && i < ARRAY_LEN(entry_kinds); i++)
		if (strcmp(entry_kinds[i].map, "ports") == 0)
			err = see_entries(s, &entry_kinds[i]);
	if (!err)
		err = see_links(s);
	return err ? err : see_filters(s);
}

int observe_pins(const struct observe_target *t, const struct world *world, struct objs *out,
		 struct why *why)
{
	struct seeing s = { .t = t, .world = world, .out = out, .why = why };
	unsigned layout;
	struct obj *tree;
	bool fit;
	int err = pins_layout(t->overlay, &layout);

	if (err)
		return cannot_read(&s, "tree", err);
	if (!layout)
		return 0;
	if (t->port) {
		err = see_port(&s);
		free(s.progs);
		return err;
	}
	tree = objs_add(out, OBJ_TREE, "%s", t->overlay);
	err = see_maps(&s, &fit);
	if (!fit)
		layout = 0;
	obj_num(tree, F_LAYOUT, layout);
	for (size_t i = 0; !err && layout == VX_LAYOUT && i < ARRAY_LEN(entry_kinds); i++)
		err = see_entries(&s, &entry_kinds[i]);
	if (!err)
		err = see_progs(&s);
	if (!err)
		err = see_links(&s);
	if (!err)
		err = see_filters(&s);
	if (!err)
		see_blocks(&s);
	free(s.progs);
	return err;
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
