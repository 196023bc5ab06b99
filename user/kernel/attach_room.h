/* SPDX-License-Identifier: GPL-2.0 */
/* The places for programs, and what is found at one. */
#ifndef VXBPF_ATTACH_ROOM_H
#define VXBPF_ATTACH_ROOM_H

#include "kernel/tcfilter.h"

enum attach_where { ATTACH_INGRESS, ATTACH_EGRESS, ATTACH_XDP };

/* The places of design 3.1, by the name they have in pins and printed steps. In front of what others have
 * there are those whose guarantee needs it. */
struct attach_room {
	const char *name;
	const char *prog;
	enum attach_where where;
	enum tc_order order;
};
extern const struct attach_room attach_rooms[];
extern const size_t attach_n_rooms;
const struct attach_room *attach_room(const char *name);

struct attach {
	struct nl *nl;
	const char *overlay;
	const struct attach_room *room;
	unsigned ifindex;
};

/* The current attachment. mode "" = nothing (or only the pin of a link whose device is gone). prog_id
 * identifies the program. */
struct attach_state {
	char mode[8];
	uint32_t prog_id;
	struct tcfilter_state filter; /* of mode "clsact" */
};
#endif
