// SPDX-License-Identifier: GPL-2.0
/* What others have put on ports; see foreign.h. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "attach.h"
#include "foreign.h"
#include "nft_read.h"

/* --- saying it, pure */

static void say_way(const struct foreign_way *way, const char *where, char why[FOREIGN_WHY])
{
	if (way->filter[0])
		snprintf(why, FOREIGN_WHY, "a %s filter is at its %s", way->filter, where);
	else if (way->programs)
		snprintf(why, FOREIGN_WHY, "a BPF program of others is at its %s", where);
}

void foreign_say(const struct foreign_seen *seen, char why[FOREIGN_WHY])
{
	static const char *const where[] = { "ingress", "egress" };

	why[0] = '\0';
	/* What the kernel gives a device by itself, as a tap gets pfifo_fast, has no handle. */
	if (seen->qdisc_handle && strcmp(seen->qdisc, "noqueue") != 0)
		snprintf(why, FOREIGN_WHY, "its root qdisc is %s", seen->qdisc);
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

struct root {
	int ifindex;
	uint32_t handle;
};

static int take_root(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	struct root *root = ctx;

	if (tcm->tcm_ifindex == root->ifindex && tcm->tcm_parent == TC_H_ROOT)
		root->handle = tcm->tcm_handle;
	return 0;
}

/* By a dump of all: kernels tell everybody what is asked about a single one. */
static uint32_t read_root_handle(struct nl *nl, int ifindex)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg));
	struct root root = { .ifindex = ifindex };

	nl_dump(nl, msg, take_root, &root);
	return root.handle;
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

static void read_filters(struct nl *nl, int ifindex, uint32_t minor, const struct filters *f)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETTFILTER, NLM_F_DUMP, sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);

	tcm->tcm_ifindex = ifindex;
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor);
	nl_dump(nl, msg, take_filter, (void *)f);
}

static void read_programs(struct nl *nl, const char *overlay, int ifindex,
			  struct foreign_seen *seen)
{
	static const char *const rooms[] = { "port_in", "port_out" };
	uint32_t ours[2] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
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

static void read_port(struct nl *nl, const char *overlay, const struct link *port,
		      const struct nft_device_chains *chains, struct foreign_seen *seen)
{
	const struct nft_device_chain *chain = nft_device_chains_on(chains, port->name);
	const struct filters in = { overlay, &seen->ways[0] };
	const struct filters out = { overlay, &seen->ways[1] };

	if (chain) {
		seen->table = chain->table;
		seen->chain = chain->name;
	}
	text_copy(seen->qdisc, sizeof(seen->qdisc), port->qdisc);
	if (port->qdisc[0] && strcmp(port->qdisc, "noqueue") != 0)
		seen->qdisc_handle = read_root_handle(nl, port->ifindex);
	read_filters(nl, port->ifindex, TC_H_MIN_INGRESS, &in);
	read_filters(nl, port->ifindex, TC_H_MIN_EGRESS, &out);
	read_programs(nl, overlay, port->ifindex, seen);
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
		abort();
	f->v[f->n].ifindex = ifindex;
	text_copy(f->v[f->n++].why, FOREIGN_WHY, why);
}

void foreigns_read(struct nl *nl, const char *overlay, const struct links *links,
		   const struct link *bridge, struct foreigns *out)
{
	autodevicechains struct nft_device_chains chains = { 0 };

	nft_read_devices(&chains);
	for (size_t i = 0; i < links->n; i++) {
		const struct link *port = &links->v[i];
		struct foreign_seen seen = { 0 };
		char why[FOREIGN_WHY];

		if (port->master != bridge->ifindex ||
		    (strcmp(port->kind, "veth") != 0 && strcmp(port->kind, "tun") != 0))
			continue;
		read_port(nl, overlay, port, &chains, &seen);
		foreign_say(&seen, why);
		if (why[0])
			add(out, port->ifindex, why);
	}
}

const char *foreigns_on(const struct foreigns *f, int ifindex)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].ifindex == ifindex)
			return f->v[i].why;
	return NULL;
}
