/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks: which program sits where on a device, by tcx link (kernel >= 6.6), clsact filter, or XDP
 * link. Hides what this kernel and this libbpf can do.
 */
#ifndef VXBPF_ATTACH_H
#define VXBPF_ATTACH_H

#include "kernel/tcfilter.h"

enum attach_where { ATTACH_INGRESS, ATTACH_EGRESS, ATTACH_XDP };

/* The places of design 3.1, by the name they have in pins and printed steps. In front of what others have
 * there are those whose guarantee needs it. */
struct attach_room {
	const char *name;
	const char *prog;
	enum attach_where where;
	enum tc_order order;
};
extern const struct attach_room attach_rooms[];
extern const size_t attach_n_rooms;
const struct attach_room *attach_room(const char *name);

/* "tcx" or "clsact": what this kernel gives us; VXBPF_NO_TCX=1 in the environment says clsact. */
const char *attach_tc_mode(void);

struct attach {
	struct nl *nl;
	const char *overlay;
	const struct attach_room *room;
	unsigned ifindex;
};

/* What is there now. mode "" = nothing (or only the pin of a link whose device is gone). prog_id
 * identifies the program. -errno only if the kernel would not say. */
struct attach_state {
	char mode[8];
	uint32_t prog_id;
	struct tcfilter_state filter; /* of mode "clsact" */
};
int attach_query(const struct attach *at, bool look_for_filters, struct attach_state *out);

/* Is this pinned link still at work? It outlives its device. True, too, if it cannot be asked. */
bool attach_link_lives(const char *path);

/* What sits on a device's TC hooks besides: how many tcx programs are neither of `ours` (0: none on a
 * kernel without), and whether a clsact filter in this place is one of this overlay's. */
unsigned attach_count_others(unsigned ifindex, enum attach_where where, const uint32_t ours[2]);
bool attach_is_filter(const char *overlay, uint32_t priority, uint32_t handle);

/* The tcx programs of a hook, in the order they run: how many ids were filled in. */
#define ATTACH_PROGS 64
unsigned attach_list(unsigned ifindex, enum attach_where where, uint32_t ids[ATTACH_PROGS]);
/* Is it of an overlay that is up in this network namespace, this one or another? */
bool attach_is_ours(unsigned ifindex, enum attach_where where, uint32_t prog_id);
struct tcfilter_ours attach_filter(const struct attach *at);

/* 0 or -errno; why->text gets the reason. add clears a dead pin that is in the way. */
int attach_add(const struct attach *at, const char *mode, int prog_fd, struct why *why);
int attach_update(const struct attach *at, const char *mode, int prog_fd, struct why *why);
/* Whatever is there of ours, the clsact qdisc too if it is ours and empty. */
int attach_remove(const struct attach *at, const char *mode, struct why *why);

#endif
