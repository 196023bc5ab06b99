/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Overlays that are up, by what `up` wrote into their maps: for commands that ask for one thing and not
 * for everything, as a snapshot does.
 */
#ifndef VXBPF_LIVE_H
#define VXBPF_LIVE_H

#include "cmd/command.h"

struct live_peer {
	uint32_t vni;
	struct vx_peer said;
};

struct live {
	struct vx_overlay told;
	struct live_peer *peers; /* by name */
	size_t n_peers;
};

struct lives {
	struct live *v;
	size_t n;
};

/* The one OVERLAY of the command, or all that are up. One that is not up, or none at all, is a failure in
 * one sentence; so are missing rights. End *out with lives_free, also after a failure. */
int lives_read(const struct command_args *args, struct lives *out, struct why *why);
void lives_free(struct lives *list);
#define autolives __attribute__((cleanup(lives_free)))

const struct live_peer *live_find_vni(const struct live *l, uint32_t vni); /* or NULL */

#endif
