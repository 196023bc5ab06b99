/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks: which program sits where on a device, by tcx link (kernel >= 6.6), clsact filter, or XDP
 * link. Hides what this kernel and this libbpf can do.
 */
#ifndef VXBPF_ATTACH_H
#define VXBPF_ATTACH_H

#include "kernel/attach_room.h"

/* "tcx" or "clsact": what this kernel gives us; VXBPF_NO_TCX=1 in the environment says clsact. */
const char *attach_tc_mode(void);

/* -errno only if the kernel would not say. */
int attach_query(const struct attach *at, bool look_for_filters, struct attach_state *out);

/* 0 or -errno; why->text gets the reason. add clears a dead pin that is in the way. */
int attach_add(const struct attach *at, const char *mode, int prog_fd, struct why *why);
int attach_update(const struct attach *at, const char *mode, int prog_fd, struct why *why);
/* Whatever is there of ours, the clsact qdisc too if it is ours and empty. */
int attach_remove(const struct attach *at, const char *mode, struct why *why);

#endif
