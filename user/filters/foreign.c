// SPDX-License-Identifier: GPL-2.0
/* Things of others on ports; see foreign.h. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "filters/foreign.h"
#include "filters/nft_read.h"
#include "kernel/attach.h"
#include "kernel/attach_clsact.h"
#include "kernel/attach_link.h"

/* --- saying it, pure */

static void say_way(const struct foreign_way *way, const char *where, char why[FOREIGN_WHY])
{
	if (way->blocked[0])
		text_copy(why, FOREIGN_WHY, way->blocked);
	else if (way->filter[0])
		text_add(why, FOREIGN_WHY, "a %s filter is on its %s", way->filter, where);
	else if (way->programs)
		snprintf(why, FOREIGN_WHY, "another BPF program is on its %s", where);
}

void foreign_say(const struct foreign_seen *seen, char why[FOREIGN_WHY])
{
	static const char *const where[] = { "ingress", "egress" };

	why[0] = '\0';
	if (seen->unread)
		snprintf(why, FOREIGN_WHY, "its filters and qdiscs cannot be read");
	/* A qdisc the kernel gives a device by itself, such as pfifo_fast of a tap, has no handle. */
	if (!why[0] && seen->qdisc_handle && strcmp(seen->qdisc, "noqueue") != 0)
		snprintf(why, FOREIGN_WHY, "its root qdisc is %s", seen->qdisc);
	if (!why[0] && seen->floods)
		snprintf(why, FOREIGN_WHY,
			 "MAC learning is off on it, so the bridge floods frames for it");
	for (size_t i = 0; i < ARRAY_LEN(where) && !why[0]; i++)
		say_way(&seen->ways[i], where[i], why);
	if (!why[0] && seen->chain)
		snprintf(why, FOREIGN_WHY, "nftables chain %.20s of table %.20s is on it",
			 seen->chain, seen->table);
}

/* --- reading it */

static void get_text(const struct nlattr *attr, char to[VX_IF_LEN])
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	snprintf(to, VX_IF_LEN, "%.*s", (int)len, mnl_attr_get_str(attr));
}

/* Context for looking at a port. */
struct looking {
	struct nl *nl;
	const char *overlay;
	struct device_chains chains;
	struct root {
		int ifindex;
		uint32_t handle;
	} * roots; /* of all devices, read when first asked for */
	size_t n_roots;
	bool has_roots;
	int roots_err;
	int chains_err;
};

static int take_root(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	struct looking *l = ctx;

	if (tcm->tcm_parent != TC_H_ROOT || !tcm->tcm_handle)
		return 0;
	l->roots = reallocarray(l->roots, l->n_roots + 1, sizeof(*l->roots));
	if (!l->roots)
		out_of_memory();
	l->roots[l->n_roots++] = (struct root){ tcm->tcm_ifindex, tcm->tcm_handle };
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

struct filters {
	const char *overlay;
	struct foreign_way *way;
};

static int take_filter(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	const struct filters *f = ctx;
	const struct nlattr *attr;

	if (f->way->filter[0] ||
	    attach_is_filter(f->overlay, TC_H_MAJ(tcm->tcm_info) >> 16, tcm->tcm_handle))
		return 0;
	mnl_attr_for_each (attr, msg, sizeof(*tcm))
		if (mnl_attr_get_type(attr) == TCA_KIND)
			get_text(attr, f->way->filter);
	return 0;
}

static int read_filters(struct nl *nl, int ifindex, uint32_t minor, const struct filters *f)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETTFILTER, NLM_F_DUMP, sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	int err;

	tcm->tcm_ifindex = ifindex;
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor);
	err = nl_dump(nl, msg, take_filter, (void *)f);
	/* A kernel without filters, a port that has gone meanwhile: nothing is there. */
	return err == -EOPNOTSUPP || err == -ENODEV || err == -EINVAL ? 0 : err;
}

static void read_programs(struct nl *nl, const char *overlay, int ifindex,
			  const char *const rooms[2], struct foreign_seen *seen)
{
	uint32_t ours[2] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		const struct attach at = { .nl = nl,
					   .overlay = overlay,
					   .room = attach_room(rooms[i]),
					   .ifindex = (unsigned)ifindex };
		struct attach_state state;

		if (attach_query(&at, false, &state) == 0)
			ours[i] = state.prog_id;
	}
	seen->ways[0].programs = attach_count_others((unsigned)ifindex, ATTACH_INGRESS, ours);
	seen->ways[1].programs = attach_count_others((unsigned)ifindex, ATTACH_EGRESS, ours);
}

static void read_port(struct looking *l, const struct link *port, const char *const rooms[2],
		      struct foreign_seen *seen)
{
	const struct device_chain *chain = device_chains_on(&l->chains, port->name);
	const struct filters in = { l->overlay, &seen->ways[0] };
	const struct filters out = { l->overlay, &seen->ways[1] };

	if (chain) {
		seen->table = chain->table;
		seen->chain = chain->name;
	}
	seen->floods = port->is_port && !(port->port_flags >> PORT_LEARNS & 1);
	text_copy(seen->qdisc, sizeof(seen->qdisc), port->qdisc);
	if (port->qdisc[0] && strcmp(port->qdisc, "noqueue") != 0)
		seen->qdisc_handle = root_handle(l, port->ifindex);
	tcplace_blocked(&port->tc, true, seen->ways[0].blocked);
	tcplace_blocked(&port->tc, false, seen->ways[1].blocked);
	/* Asked about egress, an `ingress` qdisc shows its ingress. */
	seen->unread = l->chains_err || l->roots_err ||
		       read_filters(l->nl, port->ifindex, TC_H_MIN_INGRESS, &in) ||
		       (!port->tc.ingress_only &&
			read_filters(l->nl, port->ifindex, TC_H_MIN_EGRESS, &out));
	read_programs(l->nl, l->overlay, port->ifindex, rooms, seen);
}

void foreigns_free(struct foreigns *f)
{
	free(f->v);
	*f = (struct foreigns){ 0 };
}

static void add(struct foreigns *f, int ifindex, const char why[FOREIGN_WHY])
{
	f->v = reallocarray(f->v, f->n + 1, sizeof(*f->v));
	if (!f->v)
		out_of_memory();
	f->v[f->n].ifindex = ifindex;
	text_copy(f->v[f->n++].why, FOREIGN_WHY, why);
}

/* For a tunnel, which may shape one peer. The kernel's default qdisc has no handle. */
static void read_tunnel(struct looking *l, const struct link *tunnel, struct foreigns *out)
{
	struct foreign_seen seen = { 0 };
	char why[FOREIGN_WHY];

	if (!tunnel->qdisc[0] || strcmp(tunnel->qdisc, "noqueue") == 0)
		return;
	text_copy(seen.qdisc, sizeof(seen.qdisc), tunnel->qdisc);
	seen.qdisc_handle = root_handle(l, tunnel->ifindex);
	seen.unread = l->roots_err;
	foreign_say(&seen, why);
	if (why[0])
		add(out, tunnel->ifindex, why);
}

void foreigns_read(struct nl *nl, const char *overlay, const struct links *links,
		   const struct link *bridge, struct foreigns *out)
{
	static const char *const port_rooms[] = { "port_in", "port_out" };
	static const char *const host_rooms[] = { "host_in", "host_out" };
	struct looking l = { .nl = nl, .overlay = overlay };

	l.chains_err = nft_read_devices(&l.chains);
	for (size_t i = 0; i < links->n; i++) {
		const struct link *port = &links->v[i];
		struct foreign_seen seen = { 0 };
		char why[FOREIGN_WHY];

		if (port->master == bridge->ifindex && strcmp(port->kind, "vxlan") == 0)
			read_tunnel(&l, port, out);
		if (port != bridge &&
		    (port->master != bridge->ifindex ||
		     (strcmp(port->kind, "veth") != 0 && strcmp(port->kind, "tun") != 0)))
			continue;
		read_port(&l, port, port == bridge ? host_rooms : port_rooms, &seen);
		foreign_say(&seen, why);
		if (why[0])
			add(out, port->ifindex, why);
	}
	device_chains_free(&l.chains);
	free(l.roots);
}

const char *foreigns_on(const struct foreigns *f, int ifindex)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].ifindex == ifindex)
			return f->v[i].why;
	return NULL;
}
