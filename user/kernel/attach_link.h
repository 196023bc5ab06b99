/* SPDX-License-Identifier: GPL-2.0 */
/* Hooks by link: tcx and XDP. */
#ifndef VXBPF_ATTACH_LINK_H
#define VXBPF_ATTACH_LINK_H

#include "kernel/attach_room.h"

/* Kernel 6.6's attach types; libbpf 1.1 passes them on without knowing them. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)

/* The fd of our pinned link, if it is alive. -ENOENT, -ENODEV: there is none, or it is dead. */
int open_link(const struct attach *at, uint32_t *prog_id);
int add_link(const struct attach *at, int prog_fd, struct why *why);
int update_link(const struct attach *at, int prog_fd, struct why *why);
int remove_link(const struct attach *at, struct why *why);

/* The tcx programs of a hook, in the order they run: how many ids were filled in; 0 on a
 * kernel without. */
#define ATTACH_PROGS 64
unsigned attach_list(unsigned ifindex, enum attach_where where, uint32_t ids[ATTACH_PROGS]);
/* Is it of an overlay that is up in this network namespace, this one or another? */
bool attach_is_ours(unsigned ifindex, enum attach_where where, uint32_t prog_id);

#endif
