// SPDX-License-Identifier: GPL-2.0
/* Things of others on ports, tunnels and underlay devices; see foreign.h. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "filters/foreign.h"
#include "kernel/attach.h"
#include "kernel/attach_link.h"
#include "kernel/block.h"
#include "kernel/pins.h"

/* --- saying it, pure */

static void say_way(const struct foreign_way *way, const char *where, char why[FOREIGN_WHY])
{
	if (way->blocked[0])
		text_copy(why, FOREIGN_WHY, way->blocked);
	else if (way->filter[0])
		text_add(why, FOREIGN_WHY, "a %s filter is on its %s", way->filter, where);
	else if (way->programs)
		snprintf(why, FOREIGN_WHY, "another BPF program is on its %s", where);
	else if (way->chain)
		snprintf(why, FOREIGN_WHY, "nftables chain %.20s of table %.20s is on it",
			 way->chain, way->table);
}

void foreign_say(const struct foreign_seen *seen, unsigned ways, char why[FOREIGN_WHY])
{
	static const char *const where[] = { "ingress", "egress" };

	why[0] = '\0';
	if (seen->unread)
		snprintf(why, FOREIGN_WHY, "its filters and qdiscs cannot be read");
	/* A qdisc the kernel gives a device by itself, such as pfifo_fast of a tap, has no handle. */
	if (!why[0] && ways & FOREIGN_OUT && seen->qdisc_handle &&
	    strcmp(seen->qdisc, "noqueue") != 0)
		snprintf(why, FOREIGN_WHY, "its root qdisc is %s", seen->qdisc);
	if (!why[0] && seen->floods)
		snprintf(why, FOREIGN_WHY,
			 "MAC learning is off on it, so the bridge floods frames for it");
	if (!why[0] && ways & FOREIGN_IN && seen->xdp)
		snprintf(why, FOREIGN_WHY, "an XDP program is on it");
	for (size_t i = 0; i < ARRAY_LEN(where) && !why[0]; i++)
		if (ways & (i ? FOREIGN_OUT : FOREIGN_IN))
			say_way(&seen->ways[i], where[i], why);
}

/* --- reading it */

struct looking {
	struct nl *nl;
	const struct foreign_places *at;
	const struct fastpath_rules *rules;
	struct names overlays; /* all of ours on this host */
	struct root {
		int ifindex;
		uint32_t handle;
	} * roots; /* of all devices, read when first asked for */
	size_t n_roots;
	bool has_roots;
	int roots_err;
	struct foreigns *out;
};

static int take_root(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	struct looking *l = ctx;

	if (tcm->tcm_parent == TC_H_ROOT && tcm->tcm_handle)
		*(struct root *)array_add(&l->roots, &l->n_roots, sizeof(*l->roots)) =
			(struct root){ tcm->tcm_ifindex, tcm->tcm_handle };
	return 0;
}

/* By a dump of all: many kernels tell everybody what is asked about a single one. */
static uint32_t root_handle(struct looking *l, int ifindex)
{
	struct nlmsghdr *msg;

	if (!l->has_roots) {
		l->has_roots = true;
		msg = nl_request(l->nl, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg));
		l->roots_err = nl_dump(l->nl, msg, take_root, l);
	}
	for (size_t i = 0; i < l->n_roots; i++)
		if (l->roots[i].ifindex == ifindex)
			return l->roots[i].handle;
	return 0;
}

static void read_queue(struct looking *l, const struct link *link, struct foreign_seen *seen)
{
	text_copy(seen->qdisc, sizeof(seen->qdisc), link->qdisc);
	if (link->qdisc[0] && strcmp(link->qdisc, "noqueue") != 0)
		seen->qdisc_handle = root_handle(l, link->ifindex);
	seen->unread |= l->roots_err != 0;
}

static bool is_ours(const struct looking *l, uint32_t handle)
{
	for (size_t i = 0; i < l->overlays.n; i++)
		if (block_is_filter(l->overlays.v[i], handle))
			return true;
	return block_is_filter(l->at->overlay, handle);
}

static void read_filters(struct looking *l, int ifindex, bool out, struct foreign_seen *seen)
{
	const struct tcfilter_place place = {
		ifindex, TC_H_MAKE(TC_H_CLSACT, out ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS)
	};
	autotcfilters struct tcfilters there = { 0 };
	struct foreign_way *way = &seen->ways[out];

	seen->unread |= tcfilters_read(l->nl, &place, &there) != 0;
	for (size_t i = 0; i < there.n && !way->filter[0]; i++)
		if (there.v[i].handle && !is_ours(l, there.v[i].handle))
			text_copy(way->filter, sizeof(way->filter), there.v[i].kind);
}

static void read_programs(const struct link *link, bool out, struct foreign_seen *seen)
{
	enum attach_where where = out ? ATTACH_EGRESS : ATTACH_INGRESS;
	unsigned ifindex = (unsigned)link->ifindex, n;
	uint32_t ids[ATTACH_PROGS];

	n = attach_list(ifindex, where, ids);
	for (unsigned i = 0; i < n; i++)
		seen->ways[out].programs += !attach_is_ours(ifindex, where, ids[i]);
}

static void read_chain(const struct looking *l, const struct link *link, bool out,
		       struct foreign_seen *seen)
{
	const struct device_chain *chain = device_chains_on(&l->rules->chains, link->name, out);

	seen->unread |= l->rules->chains_err != 0;
	if (!chain)
		return;
	seen->ways[out].table = chain->table;
	seen->ways[out].chain = chain->name;
}

static void read_way(struct looking *l, const struct link *link, bool out,
		     struct foreign_seen *seen)
{
	read_chain(l, link, out, seen);
	/* Asked about egress, an `ingress` qdisc shows its ingress. */
	if (!out || !link->tc.ingress_only)
		read_filters(l, link->ifindex, out, seen);
	read_programs(link, out, seen);
}

static void add(struct foreigns *f, const struct link *link, const struct foreign_seen *seen,
		unsigned ways)
{
	char why[FOREIGN_WHY];
	struct foreign *one;

	foreign_say(seen, ways, why);
	if (!why[0])
		return;
	one = array_add(&f->v, &f->n, sizeof(*f->v));
	one->ifindex = link->ifindex;
	one->ways = ways;
	text_copy(one->why, FOREIGN_WHY, why);
}

static void read_port(struct looking *l, const struct link *port)
{
	struct foreign_seen seen = { 0 };

	seen.floods = port->is_port && !(port->port_flags >> PORT_LEARNS & 1);
	read_queue(l, port, &seen);
	tcplace_blocked(&port->tc, true, seen.ways[0].blocked);
	tcplace_blocked(&port->tc, false, seen.ways[1].blocked);
	read_way(l, port, false, &seen);
	read_way(l, port, true, &seen);
	add(l->out, port, &seen, FOREIGN_IN | FOREIGN_OUT);
}

static void read_tunnel(struct looking *l, const struct link *tunnel)
{
	struct foreign_seen seen = { .xdp = tunnel->xdp_prog };

	read_queue(l, tunnel, &seen);
	read_way(l, tunnel, false, &seen);
	read_way(l, tunnel, true, &seen);
	add(l->out, tunnel, &seen, FOREIGN_IN);
	add(l->out, tunnel, &seen, FOREIGN_OUT);
}

/* Fast packets meet its queue, filters and programs on the way out, but not always its chains: those that come from a
 * tunnel's egress are past them for the kernel. */
static void read_underlay(struct looking *l, const struct link *underlay)
{
	struct foreign_seen seen = { 0 };

	read_way(l, underlay, false, &seen);
	read_chain(l, underlay, true, &seen);
	add(l->out, underlay, &seen, FOREIGN_IN);
	add(l->out, underlay, &seen, FOREIGN_OUT);
}

void foreigns_read(struct nl *nl, const struct foreign_places *places,
		   const struct fastpath_rules *rules, struct foreigns *out)
{
	struct looking l = { .nl = nl, .at = places, .rules = rules, .out = out };
	const struct link *bridge = places->bridge;

	pins_overlays(&l.overlays);
	for (size_t i = 0; i < places->links->n; i++) {
		const struct link *link = &places->links->v[i];

		if (link == bridge)
			read_port(&l, link);
		if (link->master != bridge->ifindex)
			continue;
		if (strcmp(link->kind, "vxlan") == 0 && !places->only_ports)
			read_tunnel(&l, link);
		else if (strcmp(link->kind, "veth") == 0 || strcmp(link->kind, "tun") == 0)
			read_port(&l, link);
	}
	for (size_t i = 0; i < places->n_underlay; i++) {
		const struct link *link = links_by_index(places->links, places->underlay[i]);

		if (link && link != bridge)
			read_underlay(&l, link);
	}
	names_free(&l.overlays);
	free(l.roots);
}

void foreigns_free(struct foreigns *f)
{
	free(f->v);
	*f = (struct foreigns){ 0 };
}

const char *foreigns_on(const struct foreigns *f, int ifindex, unsigned ways)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].ifindex == ifindex && f->v[i].ways & ways)
			return f->v[i].why;
	return NULL;
}
