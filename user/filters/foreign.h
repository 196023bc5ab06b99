/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things of others on ports, tunnels and underlay devices: a queue, filters, programs, rules. The kernel takes
 * every frame through them and the fast path would not, so what meets them is left to the kernel (design I1).
 */
#ifndef VXBPF_FOREIGN_H
#define VXBPF_FOREIGN_H

#include "filters/fastpath.h"
#include "kernel/tcplace.h"

#define FOREIGN_WHY TCPLACE_WHY /* a clause, with its NUL */

/* Bits: for frames that come in by the device, and for those that leave by it. */
enum { FOREIGN_IN = 1, FOREIGN_OUT = 2 };

/* One device, as read. */
struct foreign_seen {
	char qdisc[VX_IF_LEN]; /* its root qdisc, "" = none */
	uint32_t qdisc_handle; /* 0 = the one it has by itself */
	struct foreign_way { /* a frame's way in, from the container; and out */
		char filter[VX_IF_LEN]; /* kind of a filter, "" = none */
		unsigned programs; /* of tcx */
		char blocked[TCPLACE_WHY]; /* why there is no place for a program of ours */
		const char *table, *chain; /* of nf_tables, on the device itself; NULL = none */
	} ways[2];
	bool xdp; /* a program that runs on what comes in, where the fast path does not come by */
	bool unread; /* the kernel would not say */
	bool floods; /* the bridge learns no MAC there: what is for it goes to every port */
};
/* As far as these ways meet it; "" if there is nothing. Pure. */
void foreign_say(const struct foreign_seen *seen, unsigned ways, char why[FOREIGN_WHY]);

/* The devices with something on them, of a tunnel up to one for each way. */
struct foreigns {
	struct foreign {
		int ifindex;
		unsigned ways;
		char why[FOREIGN_WHY];
	} * v;
	size_t n;
};
void foreigns_free(struct foreigns *f);
#define autoforeigns __attribute__((cleanup(foreigns_free)))

struct foreign_places {
	const char *overlay;
	const struct links *links;
	const struct link *bridge;
	const int *underlay; /* ifindexes */
	size_t n_underlay;
	bool only_ports; /* what tunnels have is not asked */
};
/*
 * For the bridge, which is the host's port, and the veths and taps among its ports, both ways at once; for tunnels;
 * for the underlay what packets meet there that the fast path keeps from: all ways in, and chains on the way out.
 */
void foreigns_read(struct nl *nl, const struct foreign_places *places,
		   const struct fastpath_rules *rules, struct foreigns *out);
/* Why, for any of these ways; or NULL. */
const char *foreigns_on(const struct foreigns *f, int ifindex, unsigned ways);

#endif
