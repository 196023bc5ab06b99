/* SPDX-License-Identifier: GPL-2.0 */
/* Hooks by clsact filter. */
#ifndef VXBPF_ATTACH_CLSACT_H
#define VXBPF_ATTACH_CLSACT_H

#include "kernel/attach_room.h"

int query_filter(const struct attach *at, struct attach_state *out);
int add_filter(const struct attach *at, int prog_fd, struct why *why);
int put_filter(const struct attach *at, int prog_fd, struct why *why);
int remove_filter(const struct attach *at, struct why *why);

struct tcfilter_ours attach_filter(const struct attach *at);

#endif
