/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Routes to peers, read back from rtnetlink: all the devices a route may leave by, which for one with
 * several next hops are several.
 */
#ifndef VXBPF_ROUTE_H
#define VXBPF_ROUTE_H

#include "kernel/link.h"

#define ROUTE_DEVICES 17 /* one more than are guarded, so that too many are seen */

struct route {
	int err; /* -errno of the look-up: -ENETUNREACH = no route now */
	bool local; /* it leads to this host itself */
	int ifindex[ROUTE_DEVICES]; /* the devices it may leave by, each once */
	size_t n;
	uint32_t mtu; /* bytes: the smallest of its devices' and of its own, if it has one */
	struct vx_addr source; /* written into the route, unset = none */
	struct vx_addr via; /* the router, unset = none, or one of several */
	uint8_t protocol; /* RTPROT_*: who made it */
	int narrow; /* ifindex of the device that decided it, 0 = the route's own decided */
};

/* The ways a UDP packet to `remote`:port from `local` may take now; from NULL: whatever address. `oif`: by that
 * device, as one that is bound to it (also in a VRF), 0 = by any. */
int route_read(struct nl *nl, const struct links *links, const struct vx_addr *local,
	       const struct vx_addr *remote, uint16_t port, int oif, struct route *out);
/* From the messages of rtnetlink. Pure. *out_id is the number of a next hop known only by number
 * (sysctl nexthop_compat_mode off), else 0. */
int route_parse(const struct nlmsghdr *msg, struct route *out, uint32_t *out_id);
/* No more fits than each of its devices takes. Pure. */
void route_narrow(const struct links *links, bool v4, struct route *route);

#endif
