/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where an overlay sees a MAC, and which MACs show an IP address: by our programs' map `fdb`, with the
 * bridge's own table for a second opinion; by the map `flows` and the kernel's neighbours. Nobody is
 * asked: what has not been seen is not known.
 */
#ifndef VXBPF_WHO_H
#define VXBPF_WHO_H

#include "cmd/running.h"
#include "kernel/nl.h"

#define WHO_AGE_NS 300000000000ULL /* a bridge forgets a MAC it has not seen for so long */

/* A bridge's entry for a MAC. */
struct who_bridge {
	uint16_t vlan;
	int ifindex;
	bool own; /* the address of that very device */
	uint64_t age_ms; /* since it was last seen; of one put there by hand 0 */
};

/* One MAC, in one VLAN, of one overlay. */
struct who {
	const struct running *live;
	uint8_t mac[6];
	uint16_t vlan;
	bool known; /* to our map */
	struct vx_fdb at;
	bool bridged; /* known to the bridge */
	struct who_bridge bridge;
	/* names of devices in these, "" = gone */
	char port[VX_IF_LEN];
	char was_port[VX_IF_LEN];
	char bridge_port[VX_IF_LEN];
};

struct whos {
	struct who *v;
	size_t n;
	uint64_t now_ns;
};

/* The owners of an IP address. */
struct who_owner {
	const struct running *live;
	uint8_t mac[6];
	bool neighbour; /* the kernel says so */
	bool own; /* it is this host's */
	uint64_t seen_ns; /* in a flow; 0 = in none */
	bool others; /* that MAC shows other addresses, too */
};

struct who_owners {
	struct who_owner *v;
	size_t n;
	size_t more; /* not in `v`: seen longer ago than those in it */
};

#define WHO_OWNERS 16 /* of one overlay; a container can show any number of MACs with one address */

/* Adds to *out. The caller frees out->v, also after a failure. */
int who_find_mac(struct nl *nl, const struct running *live, const uint8_t mac[6], struct whos *out,
		 struct why *why);
int who_find_ip(struct nl *nl, const struct running *live, const struct vx_addr *ip,
		struct who_owners *out, struct why *why);

/* --- pure. The caller frees the text. */

/* One sentence, and a second one where the bridge sees it differently. */
char *who_text(const struct who *w, uint64_t now_ns, bool say_overlay);
char *who_owners_text(const struct who_owners *owners, const char *ip, uint64_t now_ns);
char *who_json(const struct whos *list, const struct who_owners *owners, const char *ip);

#endif
