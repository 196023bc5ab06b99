// SPDX-License-Identifier: GPL-2.0
/* See attach_room.h. */
#include <string.h>

#include "kernel/attach_room.h"

const struct attach_room attach_rooms[] = {
	{ "wire_xdp", "wire_xdp", ATTACH_XDP, TC_BEHIND },
	{ "wire_in", "wire_in", ATTACH_INGRESS, TC_FRONT_GIVES },
	{ "wire_in_l3", "wire_in_l3", ATTACH_INGRESS, TC_FRONT_GIVES },
	{ "wire_out", "wire_out", ATTACH_EGRESS, TC_FRONT_TAKES },
	{ "wire_out_l3", "wire_out_l3", ATTACH_EGRESS, TC_FRONT_TAKES },
	{ "tun_in", "tun_in", ATTACH_INGRESS, TC_FRONT_TAKES },
	{ "tun_out", "tun_out", ATTACH_EGRESS, TC_FRONT_GIVES },
	{ "port_in", "port_in", ATTACH_INGRESS, TC_BEHIND },
	{ "port_out", "port_out", ATTACH_EGRESS, TC_BEHIND },
	/* On the bridge device the host is the port, so directions are swapped. */
	{ "host_in", "host_in", ATTACH_EGRESS, TC_BEHIND },
	{ "host_out", "host_out", ATTACH_INGRESS, TC_BEHIND },
};
const size_t attach_n_rooms = ARRAY_LEN(attach_rooms);

const struct attach_room *attach_room(const char *name)
{
	for (size_t i = 0; i < attach_n_rooms; i++)
		if (strcmp(attach_rooms[i].name, name) == 0)
			return &attach_rooms[i];
	return NULL;
}
