// SPDX-License-Identifier: GPL-2.0
/* Devices around an overlay, and the kernel's tables of neighbours; see host.h. Impure edge. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <string.h>

#include "diagnose/host.h"
#include "filters/nft_attr.h"
#include "kernel/nl.h"
#include "plan/plan.h"

/* Newer than Debian 12's headers, but plain numbers of a stable interface. */
#define BR_FDB_N_LEARNED 48
#define BR_FDB_MAX_LEARNED 49

struct seen {
	struct link link;
	uint8_t state; /* as a bridge's port */
	struct vx_addr remote;
	struct host_bridge bridge;
};

struct seens {
	struct seen *v;
	size_t n;
};

static void read_bridge(const struct nlattr *attr, struct host_bridge *out)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_BR_FORWARD_DELAY:
		out->forward_delay = mnl_attr_get_u32(attr);
		break;
	case IFLA_BR_STP_STATE:
		out->stp = mnl_attr_get_u32(attr);
		break;
	case IFLA_BR_NF_CALL_IPTABLES:
		out->nf_call |= mnl_attr_get_u8(attr) ? HOST_NF_IP4 : 0;
		break;
	case IFLA_BR_NF_CALL_IP6TABLES:
		out->nf_call |= mnl_attr_get_u8(attr) ? HOST_NF_IP6 : 0;
		break;
	case BR_FDB_N_LEARNED:
		out->fdb_learned = mnl_attr_get_u32(attr);
		break;
	case BR_FDB_MAX_LEARNED:
		out->fdb_max = mnl_attr_get_u32(attr);
		break;
	}
}

/* Where tunnels of other kinds lead to. */
static void read_tunnel(const struct nlattr *attr, struct seen *seen)
{
	bool geneve = strcmp(seen->link.kind, "geneve") == 0;
	bool gre =
		strcmp(seen->link.kind, "gretap") == 0 || strcmp(seen->link.kind, "ip6gretap") == 0;
	uint16_t type = mnl_attr_get_type(attr);
	size_t len = mnl_attr_get_payload_len(attr);

	if ((gre && type == IFLA_GRE_REMOTE) ||
	    (geneve && (type == IFLA_GENEVE_REMOTE || type == IFLA_GENEVE_REMOTE6)))
		seen->remote =
			ip_from_raw(len == 4 ? AF_INET : AF_INET6, mnl_attr_get_payload(attr));
}

static void read_info(const struct nlattr *info, struct seen *seen)
{
	const struct nlattr *data = nft_nested(info, IFLA_INFO_DATA), *attr;
	const struct nlattr *port = nft_nested(info, IFLA_INFO_SLAVE_DATA);
	const struct nlattr *state =
		seen->link.is_port ? nft_nested(port, IFLA_BRPORT_STATE) : NULL;

	seen->remote = seen->link.vxlan.remote;
	if (data)
		mnl_attr_for_each_nested (attr, data) {
			if (strcmp(seen->link.kind, "bridge") == 0)
				read_bridge(attr, &seen->bridge);
			else
				read_tunnel(attr, seen);
		}
	if (state)
		seen->state = mnl_attr_get_u8(state);
}

static int take_link(const struct nlmsghdr *msg, void *ctx)
{
	struct seens *list = ctx;
	struct seen *seen = array_add(&list->v, &list->n, sizeof(*seen));
	const struct nlattr *attr;

	link_parse(msg, &seen->link);
	mnl_attr_for_each (attr, msg, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			read_info(attr, seen);
	return 0;
}

static void see_vxlan(const struct seen *seen, const struct snapshot *s, struct host_facts *out)
{
	unsigned port = s->told.port;
	struct host_vxlan *v;

	if (!port || strcmp(seen->link.kind, "vxlan") != 0 || seen->link.vxlan.port != port ||
	    strncmp(seen->link.alias, "vxbpf:", 6) == 0 ||
	    plan_owns_tunnel(&seen->link, s->told.name, s->told.local))
		return;
	v = array_add(&out->vxlans, &out->n_vxlans, sizeof(*v));
	text_copy(v->ifname, sizeof(v->ifname), seen->link.name);
	v->vni = seen->link.vxlan.vni;
	v->up = seen->link.flags & IFF_UP;
	for (int v6 = 0; v6 < 2; v6++)
		v->other_kind |= host_uses(s, !v6) && link_splits_socket(&seen->link.vxlan, v6);
}

/* Packets from a device in a VRF, say, reach the firewall under another name. */
static void see_underlay(const struct link *link, const struct snapshot *s, struct host_facts *out)
{
	if (snapshot_is_underlay(s, link->name))
		out->underlay_has_master |= link->master;
}

static void see_member(const struct seen *seen, const struct snapshot *s, struct host_facts *out)
{
	struct host_member *m = array_add(&out->members, &out->n_members, sizeof(*m));

	text_copy(m->ifname, sizeof(m->ifname), seen->link.name);
	text_copy(m->kind, sizeof(m->kind), seen->link.kind);
	m->state = seen->state;
	m->up = seen->link.flags & IFF_UP;
	m->ours = plan_owns_tunnel(&seen->link, s->told.name, s->told.local);
	m->remote = seen->remote;
}

int host_read_links(struct nl *nl, const struct snapshot *s, struct host_facts *out)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	struct seens list = { 0 };
	struct links ours = { 0 };
	int bridge = 0, err;

	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	err = nl_dump(nl, msg, take_link, &list);
	for (size_t i = 0; !err && i < list.n; i++) {
		const struct seen *seen = &list.v[i];

		see_vxlan(seen, s, out);
		see_underlay(&seen->link, s, out);
		if (strcmp(seen->link.name, s->told.bridge) != 0 ||
		    strcmp(seen->link.kind, "bridge") != 0)
			continue;
		bridge = seen->link.ifindex;
		out->bridge = seen->bridge;
	}
	for (size_t i = 0; !err && bridge && i < list.n; i++) {
		const struct link *link = &list.v[i].link;

		if (link->ifindex == bridge || plan_owns_tunnel(link, s->told.name, s->told.local))
			*(struct link *)array_add(&ours.v, &ours.n, sizeof(*link)) = *link;
		if (link->master == bridge)
			see_member(&list.v[i], s, out);
	}
	if (!err)
		host_read_managers(&ours, out);
	free(list.v);
	free(ours.v);
	return err;
}

/* --- neighbours */

static int take_table(const struct nlmsghdr *msg, void *ctx)
{
	const struct nlattr *attr, *name = NULL, *config = NULL, *max = NULL;
	struct host_facts *out = ctx;
	struct host_neighbours *table;

	mnl_attr_for_each (attr, msg, sizeof(struct ndtmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NDTA_NAME:
			name = attr;
			break;
		case NDTA_CONFIG:
			config = attr;
			break;
		case NDTA_THRESH3:
			max = attr;
			break;
		}
	}
	if (!name || !config || !max ||
	    mnl_attr_get_payload_len(config) < sizeof(struct ndt_config))
		return 0;
	table = strcmp(mnl_attr_get_str(name), "arp_cache") == 0     ? &out->neigh4
		: strcmp(mnl_attr_get_str(name), "ndisc_cache") == 0 ? &out->neigh6
								     : NULL;
	if (!table)
		return 0;
	table->max = mnl_attr_get_u32(max);
	table->entries = ((const struct ndt_config *)mnl_attr_get_payload(config))->ndtc_entries;
	return 0;
}

/* Those that stay for good are in the table, but do not count towards its limit. */
static int take_neighbour(const struct nlmsghdr *msg, void *ctx)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(msg);
	struct host_facts *out = ctx;
	struct host_neighbours *table = nd->ndm_family == AF_INET ? &out->neigh4 : &out->neigh6;
	bool stays = nd->ndm_state & NUD_PERMANENT || nd->ndm_flags & NTF_EXT_LEARNED;

	if ((nd->ndm_family == AF_INET || nd->ndm_family == AF_INET6) && stays && table->entries)
		table->entries--;
	return 0;
}

void host_read_neighbours(struct nl *nl, struct host_facts *out)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct nlmsghdr *msg = nl_request(nl, RTM_GETNEIGHTBL, NLM_F_DUMP, sizeof(struct ndtmsg));
	struct ndmsg *nd;

	if (nl_dump(nl, msg, take_table, out)) {
		out->neigh4 = out->neigh6 = (struct host_neighbours){ 0 };
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct host_neighbours *t = i ? &out->neigh6 : &out->neigh4;

		if (!host_is_nearly(t->entries, t->max))
			continue;
		msg = nl_request(nl, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*nd));
		nd = mnl_nlmsg_get_payload(msg);
		nd->ndm_family = families[i];
		nl_dump(nl, msg, take_neighbour, out);
	}
}
