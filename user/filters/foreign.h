/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things of others on a port: a queue, filters, programs, rules. The kernel takes every frame through
 * them and the fast path would not, so such a port is left to the kernel (design I1).
 */
#ifndef VXBPF_FOREIGN_H
#define VXBPF_FOREIGN_H

#include "kernel/tcplace.h"

#define FOREIGN_WHY TCPLACE_WHY /* a clause, with its NUL */

/* One port, as read. */
struct foreign_seen {
	char qdisc[VX_IF_LEN]; /* its root qdisc, "" = none */
	uint32_t qdisc_handle; /* 0 = the one it has by itself */
	struct foreign_way { /* a frame's way in, from the container; and out */
		char filter[VX_IF_LEN]; /* kind of a filter, "" = none */
		unsigned programs; /* of tcx */
		char blocked[TCPLACE_WHY]; /* why there is no place for a program of ours */
	} ways[2];
	bool unread; /* the kernel would not say */
	bool floods; /* the bridge learns no MAC there: what is for it goes to every port */
	const char *table, *chain; /* of nf_tables, on the device itself; NULL = none */
};
/* "" if there is nothing. Pure. */
void foreign_say(const struct foreign_seen *seen, char why[FOREIGN_WHY]);

/* The ports with something on them. */
struct foreigns {
	struct foreign {
		int ifindex;
		char why[FOREIGN_WHY];
	} * v;
	size_t n;
};
void foreigns_free(struct foreigns *f);
#define autoforeigns __attribute__((cleanup(foreigns_free)))

/* For the bridge, which is the host's port, and the veths and taps among its ports; for tunnels only
 * their queues. */
void foreigns_read(struct nl *nl, const char *overlay, const struct links *links,
		   const struct link *bridge, struct foreigns *out);
/* Why, or NULL. */
const char *foreigns_on(const struct foreigns *f, int ifindex);

#endif
