/* SPDX-License-Identifier: GPL-2.0 */
/* The two ways to attach a program; for attach*.c only. */
#ifndef VXBPF_ATTACH_WAYS_H
#define VXBPF_ATTACH_WAYS_H

#include "kernel/attach.h"

/* Kernel 6.6's attach types; libbpf 1.1 passes them on without knowing them. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)

/* The fd of our pinned link, if it is alive. -ENOENT, -ENODEV: there is none, or it is dead. */
int open_link(const struct attach *at, uint32_t *prog_id);
int add_link(const struct attach *at, int prog_fd, struct why *why);
int update_link(const struct attach *at, int prog_fd, struct why *why);
int remove_link(const struct attach *at, struct why *why);

int query_filter(const struct attach *at, struct attach_state *out);
int add_filter(const struct attach *at, int prog_fd, struct why *why);
int put_filter(const struct attach *at, int prog_fd, struct why *why);
int remove_filter(const struct attach *at, struct why *why);

#endif
