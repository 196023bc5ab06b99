/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events on this host, as they happen: devices, addresses, routes, rules, qdiscs and filters by
 * rtnetlink, IPsec policies, rules of nf_tables, and pins that somebody takes away. Impure edge of
 * `watch`; what of it matters is decided in event_filter.c.
 */
#ifndef VXBPF_EVENTS_H
#define VXBPF_EVENTS_H

#include <poll.h>

#include "kernel/fdb.h"

enum event_kind {
	EVENT_LINK, /* a device is there, in `link` */
	EVENT_LINK_GONE, /* ifindex */
	EVENT_PORT, /* said by a bridge: in `link` only ifindex, name, master, what it does with it */
	EVENT_PORT_GONE, /* ifindex left its bridge */
	EVENT_INET6, /* said by IPv6: in `link` only what link_parse_inet6 fills */
	EVENT_ADDR, /* ifindex, prefix */
	EVENT_ADDR_GONE,
	EVENT_ROUTE, /* to `prefix`, come or gone */
	EVENT_FDB, /* a tunnel sends there, in `fdb` */
	EVENT_FDB_GONE,
	EVENT_TC, /* a qdisc or filter on ifindex, or in `block` if that is not 0 */
	EVENT_TC_GONE,
	EVENT_FRAME_RULES, /* of nf_tables' bridge family: they may look at other things now */
	EVENT_DEVICE_RULES, /* a chain of nf_tables on devices themselves, come or gone */
	EVENT_IP_RULES, /* of nf_tables for IP packets: those between tunnels may meet others now */
	EVENT_PIN_GONE, /* `pin` in `folder` of `overlay`'s tree */
	EVENT_WAYS, /* rules, next hops, IPsec policies: any peer may be concerned */
	EVENT_LOST, /* some were lost: anything may have happened */
};

#define EVENT_PIN 64

struct event {
	enum event_kind kind;
	int ifindex;
	struct link link;
	bool features; /* of EVENT_LINK: they have changed */
	struct ip_prefix prefix;
	struct fdb_entry fdb;
	uint32_t block;
	bool root; /* the qdisc all that leaves by ifindex goes through */
	uint32_t filter; /* the handle of a filter; 0 = it is about a qdisc */
	char overlay[VX_IF_LEN];
	char folder[16]; /* "" = the tree itself, "links", "programs" */
	char pin[EVENT_PIN];
};

struct events;
typedef void (*event_fn)(const struct event *e, void *ctx);

/* Events from now on are kept until they are read. */
int events_open(struct events **out, struct why *why);
void events_close(struct events *ev);
static inline void events_cleanup(struct events **ev)
{
	events_close(*ev);
}
#define autoevents __attribute__((cleanup(events_cleanup)))

#define EVENTS_FDS 4
/* The descriptors to poll. */
void events_poll(const struct events *ev, struct pollfd fds[EVENTS_FDS]);
/* Everything there is by now, one by one; never waits. -errno if a socket failed for good. */
int events_read(struct events *ev, event_fn fn, void *ctx);
/* Hear of this overlay's pins from now on; again after its tree was made anew. */
void events_watch_pins(struct events *ev, const char *overlay);

/* One message of rtnetlink; false if it is about nothing we know. Pure. */
bool event_parse(const struct nlmsghdr *msg, struct event *out);
/* The same for nf_tables. Pure. */
bool event_parse_nft(const struct nlmsghdr *msg, struct event *out);

#endif
