// SPDX-License-Identifier: GPL-2.0
/* Pins, map entries and hooks of an overlay as objects; see observe_pins.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/pins.h"
#include "reconcile/observe_pins.h"

/* An unreadable object must not pass for a missing one. */
int cannot_read(const struct seeing *s, const char *pin, int err)
{
	return why_set(s->why, err, "%s: cannot read the pinned %s: %s", s->t->overlay, pin,
		       strerror(-err));
}

/* A folder that is not there holds nothing; one that cannot be read is an error. */
int list_pins(const struct seeing *s, const char *below, struct names *out)
{
	char path[PINS_PATH];
	int err;

	pins_path(path, s->t->overlay, "%s", below);
	err = pins_list(path, out);
	return err && err != -ENOENT ? cannot_read(s, below[0] ? below : "tree", err) : 0;
}

/* --- maps and their entries */

/* How a map's key is written in an object's key; blob: whether the value is the loader's. */
struct entry_kind {
	const char *map;
	enum { BY_NUMBER, BY_ADDRESS, BY_IFINDEX } key;
	size_t blob; /* how much of the value is the loader's; WHOLE, or 0 */
};
#define WHOLE SIZE_MAX

static const struct entry_kind entry_kinds[] = {
	{ "overlay", BY_NUMBER, WHOLE },
	{ "peers", BY_NUMBER, WHOLE },
	{ "sources", BY_ADDRESS, WHOLE },
	{ "tunnels", BY_IFINDEX, WHOLE },
	{ "ports", BY_IFINDEX, 0 },
	{ "doors", BY_IFINDEX, WHOLE },
	{ "counters", BY_NUMBER, offsetof(struct vx_counters, rx_packets) },
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
		obj_blob(e, value, kind->blob < value_size ? kind->blob : value_size);
}

static int see_entries(struct seeing *s, const struct entry_kind *kind)
{
	autofd int fd = strcmp(kind->map, "counters") == 0
				? bpfobj_get_counters(s->t->overlay)
				: bpfobj_get_map(s->t->overlay, kind->map);
	autofree char *value = NULL;
	char key[64], next[64];
	void *prev = NULL;
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int cpus = libbpf_num_possible_cpus();

	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return cannot_read(s, kind->map, fd < 0 ? fd : -errno);
	/* A per-CPU map gives all values, one after the other; the first has the name. */
	if (kind->blob)
		value = calloc(cpus > 0 ? (size_t)cpus : 1, (info.value_size + 7) / 8 * 8);
	if (kind->blob && !value)
		return cannot_read(s, kind->map, -ENOMEM);
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
		if ((info.type == BPF_MAP_TYPE_ARRAY || info.type == BPF_MAP_TYPE_PERCPU_ARRAY) &&
		    value && !value[0])
			continue;
		see_entry(s, kind, key, value, info.value_size);
	}
	return errno == ENOENT ? 0 : cannot_read(s, kind->map, -errno);
}

static bool is_folder(const char *name)
{
	return strcmp(name, "links") == 0 || strcmp(name, "programs") == 0 ||
	       strcmp(name, "qdiscs") == 0 || strncmp(name, "layout_", 7) == 0 ||
	       strncmp(name, "netns_", 6) == 0;
}

/* Pinned files at the top of the tree. *out_fit: all of them are as maps.def has them. */
static int see_maps(struct seeing *s, bool *out_fit)
{
	autonames struct names names = { 0 };
	struct obj *map, *counters = NULL;
	int err = list_pins(s, "", &names);

	*out_fit = true;
	for (size_t i = 0; !err && i < names.n; i++) {
		struct bpf_map_info info = { 0 };
		__u32 len = sizeof(info);
		autofd int fd = -1;

		if (is_folder(names.v[i]))
			continue;
		fd = bpfobj_get_map(s->t->overlay, names.v[i]);
		if (fd == -EPROTO) {
			*out_fit = false;
			if (strcmp(names.v[i], BPFOBJ_NEXT) != 0)
				objs_add(s->out, OBJ_MAP, "%s", names.v[i]);
			continue;
		}
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			return cannot_read(s, names.v[i], fd < 0 ? fd : -errno);
		if (strcmp(names.v[i], BPFOBJ_NEXT) == 0) { /* no map of its own: a state of one */
			if (counters)
				obj_num(counters, F_GROWING, info.max_entries);
			continue;
		}
		map = objs_add(s->out, OBJ_MAP, "%s", names.v[i]);
		if (strcmp(names.v[i], "counters") == 0) {
			counters = map;
			obj_num(map, F_SLOTS, info.max_entries);
		}
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
		out_of_memory();
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
	int err = list_pins(s, "programs", &builds);

	for (size_t i = 0; !err && i < builds.n; i++) {
		autonames struct names rooms = { 0 };
		char below[64];

		snprintf(below, sizeof(below), "programs/%s", builds.v[i]);
		err = list_pins(s, below, &rooms);
		for (size_t k = 0; !err && k < rooms.n; k++)
			err = see_prog(s, builds.v[i], rooms.v[k]);
	}
	return err;
}

const struct pinned_prog *find_prog(const struct seeing *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_progs; i++)
		if (s->progs[i].id == id)
			return &s->progs[i];
	return NULL;
}

/* Programs by id, and of one port its entries and its hooks. */
static int see_port(struct seeing *s)
{
	int err = see_progs(s);

	for (size_t i = 0; !err && i < ARRAY_LEN(entry_kinds); i++)
		if (entry_kinds[i].key == BY_IFINDEX && strcmp(entry_kinds[i].map, "tunnels") != 0)
			err = see_entries(s, &entry_kinds[i]);
	return err ? err : observe_hooks(s);
}

int observe_pins(const struct observe_target *t, const struct world *world, struct objs *out,
		 struct why *why)
{
	struct seeing s = { .t = t, .world = world, .out = out, .why = why };
	unsigned layout;
	struct obj *tree;
	bool fit;
	int cpus = libbpf_num_possible_cpus(); /* libbpf knows it from then on */
	int err = pins_layout(t->overlay, &layout);

	if (cpus < 0)
		return why_set(why, cpus, "cannot count the processors: %s", strerror(-cpus));
	if (err)
		return cannot_read(&s, "tree", err);
	if (!layout) /* filters live without it */
		return observe_hooks(&s);
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
		err = observe_hooks(&s);
	free(s.progs);
	return err;
}
