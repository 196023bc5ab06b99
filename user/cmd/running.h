/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Overlays that are up, by what `up` wrote into their maps: for commands that ask for one thing and not
 * for everything, as a snapshot does.
 */
#ifndef VXBPF_RUNNING_H
#define VXBPF_RUNNING_H

#include "cmd/command.h"

struct running_peer {
	uint32_t vni;
	struct vx_peer said;
};

struct running {
	struct vx_overlay told;
	struct running_peer *peers; /* by name */
	size_t n_peers;
};

struct running_list {
	struct running *v;
	size_t n;
};

/* The one OVERLAY of the command, or all that are up. One that is not up, or none at all, is a failure in
 * one sentence; so are missing rights. End *out with running_list_free, also after a failure. */
int running_list_read(const struct command_args *args, struct running_list *out, struct why *why);
void running_list_free(struct running_list *list);
#define autorunning __attribute__((cleanup(running_list_free)))

const struct running_peer *running_find_vni(const struct running *l, uint32_t vni); /* or NULL */

#endif
