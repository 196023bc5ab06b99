// SPDX-License-Identifier: GPL-2.0
/*
 * The map `counters`: whose a slot is, and what becomes of the numbers when the mesh outgrows it (I5).
 *
 * A larger map is pinned beside the old one (BPFOBJ_NEXT), with its owners and without its numbers; then
 * all hooks get programs that count there. When no program counts in the old one any more, its numbers
 * are added to the new one, where others count meanwhile, so it takes a program; and only then the new
 * one gets the name that readers know, so that what they see never goes back. A run that is killed in
 * between is taken up where it was: each slot says whether it has been carried over.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/pins.h"
#include "plan/slots.h"
#include "reconcile/apply.h"

/* One slot of all CPUs, as the kernel reads and writes it. */
struct slot {
	struct vx_counters *v;
	int cpus;
};

static struct slot slot_new(void)
{
	struct slot s = { .cpus = libbpf_num_possible_cpus() };

	s.v = calloc(s.cpus > 0 ? (size_t)s.cpus : 1, sizeof(*s.v));
	if (!s.v || s.cpus < 0)
		out_of_memory();
	return s;
}

static void slot_free(struct slot *s)
{
	free(s->v);
}
#define autoslot __attribute__((cleanup(slot_free)))

/* From zero, for this owner; NULL: for nobody. */
static int write_owner(int fd, uint32_t key, const void *blob, struct why *why)
{
	autoslot struct slot s = slot_new();

	for (int i = 0; blob && i < s.cpus; i++)
		memcpy(&s.v[i], blob, offsetof(struct vx_counters, rx_packets));
	return bpf_map_update_elem(fd, &key, s.v, BPF_ANY)
		       ? why_set(why, -errno, "write: %s", strerror(errno))
		       : 0;
}

static int open_counters(struct apply *a, struct why *why)
{
	int fd = bpfobj_get_counters(a->overlay);

	return fd < 0 ? why_set(why, fd, "open the pinned map: %s", strerror(-fd)) : fd;
}

/* The same peer, elsewhere. An update from here would lose what is counted meanwhile. */
static int mark_owner(struct apply *a, const struct slot *now, uint32_t key,
		      const struct vx_counters *want, struct why *why)
{
	int err = a->bo ? 0 : -EOPNOTSUPP;

	for (int i = 0; !err && i < now->cpus; i++) {
		struct vx_own own = { .slot = key, .cpu = (uint32_t)i, .owner = want->owner };

		err = bpfobj_own(a->bo, &own, why);
	}
	return err;
}

/* A slot that was another peer's may be one a program on its way has found, as that peer's. */
int counters_put(struct apply *a, const void *key, const void *blob, struct why *why)
{
	autofd int fd = open_counters(a, why);
	autoslot struct slot now = slot_new();
	struct vx_counters want = { 0 };
	uint32_t slot;
	int err;

	if (fd < 0)
		return fd;
	memcpy(&slot, key, sizeof(slot));
	memcpy(&want, blob, offsetof(struct vx_counters, rx_packets));
	if (bpf_map_lookup_elem(fd, &slot, now.v))
		return why_set(why, -errno, "read: %s", strerror(errno));
	if (strncmp(now.v[0].peer, want.peer, sizeof(want.peer)) == 0)
		return mark_owner(a, &now, slot, &want, why);
	err = a->settled ? 0 : bpfobj_wait(why);
	a->settled = true;
	return err ? err : write_owner(fd, slot, blob, why);
}

int counters_drop(struct apply *a, const void *key, struct why *why)
{
	autofd int fd = bpfobj_get_counters(a->overlay);
	uint32_t slot;

	if (fd == -ENOENT) /* with its map */
		return 0;
	if (fd < 0)
		return why_set(why, fd, "open the pinned map: %s", strerror(-fd));
	memcpy(&slot, key, sizeof(slot));
	return write_owner(fd, slot, NULL, why);
}

/* --- a larger map */

static int copy_owners(int from, int to, uint32_t slots, struct why *why)
{
	autoslot struct slot s = slot_new();

	for (uint32_t i = 0; i < slots; i++) {
		int err;

		if (bpf_map_lookup_elem(from, &i, s.v))
			return why_set(why, -errno, "read: %s", strerror(errno));
		err = s.v[0].owner ? write_owner(to, i, s.v, why) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* Numbers that a begun successor of the wrong size already has stay behind with it: that takes a run
 * killed on the way and a mesh that has grown even more since. */
static int make_next(struct apply *a, struct why *why)
{
	uint32_t now = bpfobj_map_size(a->overlay, "counters");
	uint32_t next = bpfobj_map_size(a->overlay, BPFOBJ_NEXT);
	autofd int from = open_counters(a, why);
	int to, err;

	if (from < 0)
		return from;
	to = bpfobj_next_counters(a->bo, why);
	if (to < 0)
		return to;
	err = copy_owners(from, to, next ? next : now, why);
	if (!err)
		err = apply_unpin(a, BPFOBJ_NEXT, why);
	a->settled = true; /* nobody counts in the new one yet */
	return err ? err : bpfobj_pin_next(a->bo, why);
}

int counters_add_map(struct apply *a, const struct obj *want, struct why *why)
{
	uint32_t slots = (uint32_t)obj_get_num(want, F_SLOTS);
	uint32_t now = bpfobj_map_size(a->overlay, "counters");
	int err;

	if (!a->bo)
		return -EOPNOTSUPP;
	/* Undoing what is done, or made by a killed run. */
	if (now && (now >= slots || bpfobj_map_size(a->overlay, BPFOBJ_NEXT) == slots))
		return 0;
	if (now)
		return make_next(a, why);
	err = apply_unpin(a, BPFOBJ_NEXT, why);
	a->settled = true;
	return err ? err : bpfobj_pin_map(a->bo, want->key, why);
}

/* The sum of one map's slot. */
static int read_sum(int fd, uint32_t key, struct vx_counters *out, struct why *why)
{
	autoslot struct slot s = slot_new();

	if (bpf_map_lookup_elem(fd, &key, s.v))
		return why_set(why, -errno, "read: %s", strerror(errno));
	slots_sum(s.v, (unsigned)s.cpus, out);
	return 0;
}

/* A slot that has changed hands, or been carried over by a killed run, is left alone. */
static int carry_slot(struct apply *a, int from, int to, uint32_t slot, struct why *why)
{
	struct vx_carry old = { .slot = slot };
	struct vx_counters now = { 0 };
	int err = read_sum(from, slot, &old.sum, why);

	if (!err)
		err = read_sum(to, slot, &now, why);
	if (err || !old.sum.owner || now.carried ||
	    strncmp(old.sum.peer, now.peer, sizeof(now.peer)) != 0)
		return err;
	return bpfobj_carry(a->bo, &old, why);
}

static int take_over(struct apply *a, uint32_t slots, struct why *why)
{
	char name[PINS_PATH], next[PINS_PATH];
	autofd int from = bpfobj_get_map(a->overlay, "counters");
	autofd int to = bpfobj_get_map(a->overlay, BPFOBJ_NEXT);
	int err = bpfobj_wait(why);

	for (uint32_t i = 0; !err && i < slots; i++)
		err = carry_slot(a, from, to, i, why);
	if (err)
		return err;
	pins_path(name, a->overlay, "counters");
	pins_path(next, a->overlay, BPFOBJ_NEXT);
	return rename(next, name)
		       ? why_set(why, -errno, "%s: cannot rename: %s", next, strerror(errno))
		       : 0;
}

/* Programs count in the new one already, so a failure here is the next run's to mend and no reason to
 * undo everything; that there is something left to do is said anyway. */
static void try_take_over(struct apply *a, uint32_t slots)
{
	struct why why = { 0 };

	if (take_over(a, slots, &why))
		notes_add(a->notes, "counters: %s; the next run will retry", why.text);
}

/* The last step of all that grow: the old map goes, and what it has counted stays. Undoing its beginning
 * leaves the new one, in which packets may have been counted, for the next run. */
int counters_remove_map(struct apply *a, const struct obj *now, struct why *why)
{
	uint32_t slots = (uint32_t)obj_get_num(now, F_SLOTS);
	uint32_t next = bpfobj_map_size(a->overlay, BPFOBJ_NEXT);
	int err;

	if (next && a->bo) {
		if (next != slots)
			try_take_over(a, slots);
		return 0;
	}
	err = apply_unpin(a, BPFOBJ_NEXT, why);
	return err ? err : apply_unpin(a, "counters", why);
}
