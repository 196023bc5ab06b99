// SPDX-License-Identifier: GPL-2.0
/* Pins, map entries and hooks: bpf() calls, one object each; see apply.h. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/ip.h"
#include "kernel/attach.h"
#include "kernel/pins.h"
#include "kernel/pins_overlay.h"
#include "reconcile/apply.h"
#include "reconcile/observe.h"

/* --- the tree itself */

static int add_tree(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	int err = pins_mount(why);

	(void)tag;
	/* A tree without the mark, when a run is undone: its contents have no owner any more. */
	if (obj_get_num(want, F_LAYOUT) == UINT32_MAX)
		return 0;
	return err ? err : pins_make(a->overlay, (unsigned)obj_get_num(want, F_LAYOUT), why);
}

/* Wanted again right away with another layout, the links stay: their programs run on meanwhile. */
static int remove_tree(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)tag;
	return obj_get_num(now, F_LAYOUT) == VX_LAYOUT || !a->bo ? pins_remove(a->overlay, why)
								 : pins_clear(a->overlay, why);
}

const struct apply_ops apply_tree = { add_tree, NULL, remove_tree, NULL };

/* --- maps and programs */

int apply_unpin(struct apply *a, const char *below, struct why *why)
{
	char path[PINS_PATH], *slash;

	pins_path(path, a->overlay, "%s", below);
	if (unlink(path) < 0 && errno != ENOENT)
		return why_set(why, -errno, "unpin %s: %s", path, strerror(errno));
	slash = strrchr(path, '/');
	*slash = '\0';
	if (strchr(below, '/'))
		rmdir(path); /* with the last program of a build */
	return 0;
}

static int add_map(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	(void)tag;
	if (strcmp(want->key, "counters") == 0)
		return counters_add_map(a, want, why);
	return a->bo ? bpfobj_pin_map(a->bo, want->key, why) : -EOPNOTSUPP;
}

static int remove_map(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)tag;
	return strcmp(now->key, "counters") == 0 ? counters_remove_map(a, now, why)
						 : apply_unpin(a, now->key, why);
}

const struct apply_ops apply_map = { add_map, NULL, remove_map, NULL };

static int add_prog(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	(void)tag;
	return a->bo ? bpfobj_pin_prog(a->bo, strchr(want->key, '/') + 1, why) : -EOPNOTSUPP;
}

static int remove_prog(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	char below[PINS_PATH];

	(void)tag;
	snprintf(below, sizeof(below), "programs/%s", now->key);
	return apply_unpin(a, below, why);
}

const struct apply_ops apply_prog = { add_prog, NULL, remove_prog, NULL };

/* --- map entries */

#define KEY_MAX 64

/* "<map>/<number or address>" into the map's name and its key's bytes. */
static int entry_key(const struct obj *o, unsigned ifindex, char map[32], void *key)
{
	const char *slash = strchr(o->key, '/');
	struct vx_addr addr;
	uint32_t num;

	text_copy(map, (size_t)(slash - o->key) + 1, o->key);
	if (o->kind == OBJ_ENTRY && strcmp(map, "sources") == 0) {
		if (!ip_parse(slash + 1, &addr))
			return -EINVAL;
		memcpy(key, &addr, sizeof(addr));
		return 0;
	}
	num = o->kind == OBJ_INDEX ? ifindex : (uint32_t)strtoul(slash + 1, NULL, 10);
	memcpy(key, &num, sizeof(num));
	return 0;
}

/* The host's own port is named after the bridge; as observed, when it is put back, it has no name. */
static int add_port(struct apply *a, int fd, const void *key, const struct obj *o)
{
	struct vx_port port = { 0 };
	struct vx_overlay told = { 0 };
	const char *name = o->parent ? o->parent : o->note;

	if (!name && pinned_overlay(a->overlay, &told) == 0)
		name = told.bridge;
	text_copy(port.name, sizeof(port.name), name ? name : "");
	return bpf_map_update_elem(fd, key, &port, BPF_NOEXIST) && errno != EEXIST ? -errno : 0;
}

/* The map an entry is in, opened, and its key; `counters` have a file of their own, and no descriptor. */
static int open_entry(struct apply *a, const struct obj *o, unsigned ifindex, char map[32],
		      void *key, int *fd, struct why *why)
{
	int err = entry_key(o, ifindex, map, key);

	if (err)
		return why_set(why, err, "bad key");
	if (strcmp(map, "counters") == 0)
		return 0;
	*fd = bpfobj_get_map(a->overlay, map);
	return *fd < 0 ? why_set(why, *fd, "open the pinned map: %s", strerror(-*fd)) : 0;
}

static int put_entry(struct apply *a, const struct obj *o, unsigned ifindex, struct why *why)
{
	char map[32];
	uint8_t key[KEY_MAX] = { 0 };
	autofd int fd = -1;
	int err = open_entry(a, o, ifindex, map, key, &fd, why);

	if (err)
		return err;
	if (strcmp(map, "counters") == 0)
		return counters_put(a, key, o->blob, why);
	if (strcmp(map, "ports") == 0)
		err = add_port(a, fd, key, o);
	else if (bpf_map_update_elem(fd, key, o->blob, BPF_ANY))
		err = -errno;
	return err ? why_set(why, err, "write: %s", strerror(-err)) : 0;
}

static int drop_entry(struct apply *a, const struct obj *o, unsigned ifindex, struct why *why)
{
	char map[32];
	uint8_t key[KEY_MAX] = { 0 };
	autofd int fd = -1;
	int err = open_entry(a, o, ifindex, map, key, &fd, why);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (strcmp(map, "counters") == 0)
		return counters_drop(a, key, why);
	/* An array's entry cannot go; it goes with its map. */
	if (bpf_map_delete_elem(fd, key) && errno != ENOENT && errno != EINVAL)
		return why_set(why, -errno, "remove: %s", strerror(errno));
	return 0;
}

static int add_entry(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	(void)tag;
	return put_entry(a, want, 0, why);
}

static int change_entry(struct apply *a, const struct obj *now, const struct obj *want,
			uint32_t changed, size_t tag, struct why *why)
{
	(void)now, (void)changed, (void)tag;
	return put_entry(a, want, want->parent ? if_nametoindex(want->parent) : 0, why);
}

static int remove_entry(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)tag;
	return drop_entry(a, now, 0, why);
}

const struct apply_ops apply_entry = { add_entry, change_entry, remove_entry, NULL };

/* The device an object is about: as observed, else as its name says now. */
static unsigned parent_index(const struct obj *o)
{
	return o->ifindex ? o->ifindex : o->parent ? if_nametoindex(o->parent) : 0;
}

/* To make something: on the device of that name, which may be another one than was observed. */
static unsigned new_parent_index(const struct obj *o)
{
	errno = ENODEV;
	return o->parent ? if_nametoindex(o->parent) : 0;
}

static int no_device(struct why *why)
{
	return errno == ENODEV ? why_set(why, -ENODEV, "the device no longer exists")
			       : why_set(why, -errno, "find the device: %s", strerror(errno));
}

static int add_index(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	unsigned ifindex = new_parent_index(want);

	(void)tag;
	return ifindex ? put_entry(a, want, ifindex, why) : no_device(why);
}

static int remove_index(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)tag;
	return drop_entry(a, now, parent_index(now), why);
}

const struct apply_ops apply_index = { add_index, change_entry, remove_index, NULL };

/* --- hooks: key "<ifname>/<room>" */

static struct attach hook_at(struct apply *a, const struct obj *o, unsigned ifindex)
{
	return (struct attach){
		.nl = a->nl,
		.overlay = a->overlay,
		.room = attach_room(strchr(o->key, '/') + 1),
		.ifindex = ifindex,
	};
}

static int hook_prog(struct apply *a, const struct obj *o, const struct attach *at, struct why *why)
{
	int fd = bpfobj_get_prog(a->overlay, obj_get_text(o, F_BUILD), at->room->prog);

	return fd < 0 ? why_set(why, fd, "open the pinned program: %s", strerror(-fd)) : fd;
}

static int add_hook(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	struct attach at = hook_at(a, want, new_parent_index(want));
	autofd int prog = -1;

	(void)tag;
	if (!at.ifindex)
		return no_device(why);
	prog = hook_prog(a, want, &at, why);
	if (prog < 0)
		return prog;
	return attach_add(&at, obj_get_text(want, F_MODE), prog, why);
}

static int change_hook(struct apply *a, const struct obj *now, const struct obj *want,
		       uint32_t changed, size_t tag, struct why *why)
{
	struct attach at = hook_at(a, want, parent_index(now));
	autofd int prog = hook_prog(a, want, &at, why);

	(void)changed, (void)tag;
	if (prog < 0)
		return prog;
	return attach_update(&at, obj_get_text(want, F_MODE), prog, why);
}

/* A pin of a dead link whose place a new link has taken meanwhile: the device is the same, if somebody
 * detached the old one, or has its number. */
static bool is_replaced(const struct attach *at, const struct obj *now)
{
	struct attach_state state;

	return now->key[0] == '#' && attach_query(at, false, &state) == 0 && state.mode[0];
}

static int remove_hook(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	struct attach at = hook_at(a, now, parent_index(now));

	(void)tag;
	if (is_replaced(&at, now))
		return 0;
	return attach_remove(&at, obj_get_text(now, F_MODE), why);
}

const struct apply_ops apply_hook = { add_hook, change_hook, remove_hook, NULL };
