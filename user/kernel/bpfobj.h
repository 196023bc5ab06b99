/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An overlay's BPF programs and maps: the embedded object, loaded only when something of it has to be
 * pinned, and the pins. The only module that knows the skeleton.
 */
#ifndef VXBPF_BPFOBJ_H
#define VXBPF_BPFOBJ_H

#include "base/util.h"
#include "vxbpf/abi.h"

#define BPFOBJ_BUILD 20 /* 16 hex digits and NUL */

struct bpfobj;

/* Opens the embedded object for an overlay; the kernel is not touched yet. */
int bpfobj_open(const char *overlay, const struct vx_config *cfg, struct bpfobj **out,
		struct why *why);
void bpfobj_close(struct bpfobj *bo);
static inline void bpfobj_cleanup(struct bpfobj **bo)
{
	bpfobj_close(*bo);
}
#define autobpfobj __attribute__((cleanup(bpfobj_cleanup)))

/* How many slots the map `counters` has; before anything is pinned. */
int bpfobj_set_slots(struct bpfobj *bo, uint32_t slots, struct why *why);
/* Hash of the object's bytes, the config and the slots: names a set of programs. */
const char *bpfobj_build(const struct bpfobj *bo);
/* The i-th name of a map or of a room's program; NULL after the last. */
const char *bpfobj_map_name(const struct bpfobj *bo, size_t i);
const char *bpfobj_prog_name(const struct bpfobj *bo, size_t i);

/* Pin one map or program; loads the object first if need be, with the pinned maps. A load without
 * BTF is refused. */
int bpfobj_pin_map(struct bpfobj *bo, const char *map, struct why *why);
int bpfobj_pin_prog(struct bpfobj *bo, const char *prog, struct why *why);

/* The map `counters`, where all slots are taken, has a successor under another name until all programs
 * count there: its owners are the latest, its numbers not the whole yet. */
#define BPFOBJ_NEXT "counters_next"
/* Pins the successor; the caller has filled it. Its fd, which stays the object's, or -errno. */
int bpfobj_next_counters(struct bpfobj *bo, struct why *why);
int bpfobj_pin_next(struct bpfobj *bo, struct why *why);
/* Adds numbers to a slot of the object's map, in which programs count meanwhile. */
int bpfobj_carry(struct bpfobj *bo, struct vx_carry *old, struct why *why);
/* Another owner's mark beside numbers that go on. */
int bpfobj_own(struct bpfobj *bo, struct vx_own *own, struct why *why);
/* Returns when every program that was running has ended. */
int bpfobj_wait(struct why *why);

/* A new fd of something pinned, or -errno; -EPROTO: a map of another type, size or flags than maps.def has, or none. */
int bpfobj_get_map(const char *overlay, const char *map);
/* From the map with the owners: the successor's, if there is one. */
int bpfobj_get_counters(const char *overlay);
/* How many entries a pinned map has room for; 0 if there is none. */
uint32_t bpfobj_map_size(const char *overlay, const char *map);
int bpfobj_get_prog(const char *overlay, const char *build, const char *prog);

/* A new program for TC, of no overlay, that leaves every packet to the next one: its fd, or -errno. */
int bpfobj_quiet(void);

/* libbpf's and the verifier's own words go to stderr (-v) or nowhere. */
void bpfobj_verbose(bool on);

#endif
