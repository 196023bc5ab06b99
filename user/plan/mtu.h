/* SPDX-License-Identifier: GPL-2.0 */
/* The overlay's MTU (I3): from the file, or from the paths to the peers; and the reason for it. Pure. */
#ifndef VXBPF_MTU_H
#define VXBPF_MTU_H

#include "conf/conf.h"
#include "kernel/link.h"
#include "kernel/route.h"
#include "plan/mesh.h"

#define MTU_TEXT 128

struct mtu {
	uint32_t bytes; /* the largest inner IP packet */
	char why[MTU_TEXT]; /* one clause */
};

/* `routes` in the order of the mesh's peers. -EINVAL: one that the file asks for does not fit, or the
 * paths leave too little. */
int mtu_settle(const struct conf *conf, const struct mesh *mesh, const struct route *routes,
	       const struct links *links, struct mtu *out, struct why *why);

#endif
