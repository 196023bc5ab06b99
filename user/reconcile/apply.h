/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps into the kernel. The steps of this run are undone in reverse if one fails. apply.c drives;
 * apply_link.c and apply_bpf.c know how one object of each kind is made and unmade.
 */
#ifndef VXBPF_APPLY_H
#define VXBPF_APPLY_H

#include "kernel/bpfobj.h"
#include "kernel/nl.h"
#include "plan/diff.h"

struct apply {
	struct nl *nl;
	const char *overlay;
	struct bpfobj *bo; /* NULL where nothing can be loaded (`down`) */
	struct notes *notes; /* what optional steps could not do, what could not be undone */
	bool settled; /* programs that counted for a removed peer have ended */
};

/* 0, or the first failing step's -errno and sentence with everything of this run undone. */
int apply(struct apply *a, const struct steps *steps, struct why *why);

/* One kind of object. Functions that use netlink put messages with `tag` and return 0: the result comes
 * with the acknowledgement. `now` of change is what is there, `want` what is wanted. */
struct apply_ops {
	int (*add)(struct apply *a, const struct obj *want, size_t tag, struct why *why);
	int (*change)(struct apply *a, const struct obj *now, const struct obj *want,
		      uint32_t changed, size_t tag, struct why *why);
	int (*remove)(struct apply *a, const struct obj *now, size_t tag, struct why *why);
	/* Or NULL. Requests by the device's name, once the kernel has confirmed that it is the one we
	 * added. */
	int (*mark)(struct apply *a, const struct obj *want, size_t tag, struct why *why);
};
extern const struct apply_ops apply_bridge, apply_tunnel, apply_member, apply_setup, apply_addr;
extern const struct apply_ops apply_tree, apply_map, apply_prog, apply_entry, apply_index,
	apply_hook;
extern const struct apply_ops apply_qdisc, apply_block;

/* Makes a tunnel send to its F_TO and nowhere else. */
int apply_fdb(struct apply *a, const struct obj *want, size_t tag, struct why *why);
/* Removes all tunnels of a group in one request, which costs one RCU wait instead of one each. True
 * if it did: only when every member of the group is in the steps given. *lost: nobody knows. */
bool apply_remove_group(struct apply *a, const struct step *steps, size_t n, int *err, bool *lost,
			struct why *why);

/* The map `counters`, in apply_counters.c: as apply_map, and its entries as apply_entry. `blob` is the
 * beginning of struct vx_counters. */
int counters_add_map(struct apply *a, const struct obj *want, struct why *why);
int counters_remove_map(struct apply *a, const struct obj *now, struct why *why);
int counters_put(struct apply *a, const void *key, const void *blob, struct why *why);
int counters_drop(struct apply *a, const void *key, struct why *why);
int apply_unpin(struct apply *a, const char *below, struct why *why);

#endif
