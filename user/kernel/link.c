// SPDX-License-Identifier: GPL-2.0
/*
 * Devices and addresses, read back from rtnetlink; see link.h.
 *
 * lines: one attribute after the other, each with what it fills in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "kernel/link.h"

/* Newer than Debian 12's headers, but plain numbers of a stable interface. */
#ifndef IFLA_PARENT_DEV_BUS_NAME
#define IFLA_PARENT_DEV_BUS_NAME 57
#endif
#ifndef IFA_PROTO
#define IFA_PROTO 11
#endif

static void get_text(const struct nlattr *attr, char *to, size_t size)
{
	size_t len = mnl_attr_get_payload_len(attr);
	const char *from = mnl_attr_get_payload(attr);

	len = strnlen(from, len);
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static bool is_on(const struct nlattr *attr)
{
	return !mnl_attr_get_payload_len(attr) || mnl_attr_get_u8(attr);
}

static void read_vxlan_flag(const struct nlattr *attr, struct link_vxlan *vx)
{
	static const struct {
		uint16_t type;
		uint8_t bit;
	} flags[] = {
		{ IFLA_VXLAN_COLLECT_METADATA, VXLAN_RCV_EXTERNAL },
		{ IFLA_VXLAN_GBP, VXLAN_RCV_GBP },
		{ IFLA_VXLAN_GPE, VXLAN_RCV_GPE },
		{ IFLA_VXLAN_REMCSUM_RX, VXLAN_RCV_REMCSUM },
		{ IFLA_VXLAN_UDP_ZERO_CSUM6_RX, VXLAN_RCV_ZERO_CSUM6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].type == mnl_attr_get_type(attr) && is_on(attr))
			vx->rcv |= flags[i].bit;
}

bool link_splits_socket(const struct link_vxlan *vx, bool v6)
{
	if (vx->rcv & VXLAN_RCV_EXTERNAL)
		return true; /* it takes both families */
	return vx->v6 == v6 && vx->rcv != (v6 ? VXLAN_RCV_ZERO_CSUM6 : 0);
}

static void read_vxlan(const struct nlattr *data, struct link_vxlan *vx)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, data) {
		read_vxlan_flag(attr, vx);
		switch (mnl_attr_get_type(attr)) {
		case IFLA_VXLAN_ID:
			vx->vni = mnl_attr_get_u32(attr);
			break;
		case IFLA_VXLAN_PORT:
			vx->port = ntohs(mnl_attr_get_u16(attr));
			break;
		case IFLA_VXLAN_LINK:
			vx->lower = (int)mnl_attr_get_u32(attr);
			break;
		case IFLA_VXLAN_LEARNING:
			vx->learning = mnl_attr_get_u8(attr);
			break;
		case IFLA_VXLAN_COLLECT_METADATA:
			vx->external = mnl_attr_get_u8(attr);
			break;
		case IFLA_VXLAN_UDP_CSUM:
			vx->csum = mnl_attr_get_u8(attr);
			break;
		case IFLA_VXLAN_UDP_ZERO_CSUM6_TX:
			vx->csum6 = !mnl_attr_get_u8(attr);
			break;
		case IFLA_VXLAN_GROUP:
			vx->remote = ip_from_raw(AF_INET, mnl_attr_get_payload(attr));
			break;
		case IFLA_VXLAN_LOCAL:
			vx->local = ip_from_raw(AF_INET, mnl_attr_get_payload(attr));
			break;
		case IFLA_VXLAN_GROUP6:
			vx->remote = ip_from_raw(AF_INET6, mnl_attr_get_payload(attr));
			vx->v6 = true;
			break;
		case IFLA_VXLAN_LOCAL6:
			vx->local = ip_from_raw(AF_INET6, mnl_attr_get_payload(attr));
			vx->v6 = true;
			break;
		}
	}
}

void link_parse_port(const struct nlattr *port, struct link *out)
{
	static const uint16_t attrs[] = {
#define PORT_FLAG(name, type, usual) [PORT_##name] = type,
#include "kernel/portflags.def"
#undef PORT_FLAG
	};
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, port) {
		uint16_t type = mnl_attr_get_type(attr);
		bool on = mnl_attr_get_payload_len(attr) && mnl_attr_get_u8(attr);

		if (type == IFLA_BRPORT_STATE)
			on = mnl_attr_get_u8(attr) == BR_STATE_FORWARDING;
		if (type == IFLA_BRPORT_ISOLATED)
			out->isolated = on;
		if (type == IFLA_BRPORT_MULTICAST_ROUTER)
			out->mcast_pruned = mnl_attr_get_u8(attr) != MDB_RTR_TYPE_PERM;
		for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
			if (attrs[i] != type)
				continue;
			out->port_flags &= ~(1U << i);
			out->port_flags |= (unsigned)on << i;
		}
	}
}

static void read_bridge(const struct nlattr *data, struct link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, data)
		if (mnl_attr_get_type(attr) == IFLA_BR_STP_STATE)
			link->stp = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_BR_AGEING_TIME)
			link->hub = !mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_BR_MCAST_SNOOPING)
			link->mcast_pruned = mnl_attr_get_u8(attr) != 0;
		else if (mnl_attr_get_type(attr) >= IFLA_BR_NF_CALL_IPTABLES &&
			 mnl_attr_get_type(attr) <= IFLA_BR_NF_CALL_ARPTABLES)
			link->nf_call |= mnl_attr_get_u8(attr) != 0;
}

static void read_linkinfo(const struct nlattr *info, struct link *link)
{
	const struct nlattr *attr, *data = NULL, *slave = NULL;

	mnl_attr_for_each_nested (attr, info) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_INFO_KIND:
			get_text(attr, link->kind, sizeof(link->kind));
			break;
		case IFLA_INFO_DATA:
			data = attr;
			break;
		case IFLA_INFO_SLAVE_KIND:
			link->is_port = strcmp(mnl_attr_get_str(attr), "bridge") == 0;
			break;
		case IFLA_INFO_SLAVE_DATA:
			slave = attr;
			break;
		}
	}
	if (data && strcmp(link->kind, "vxlan") == 0)
		read_vxlan(data, &link->vxlan);
	if (data && strcmp(link->kind, "bridge") == 0)
		read_bridge(data, link);
	if (slave && link->is_port)
		link_parse_port(slave, link);
}

static void read_altnames(const struct nlattr *list, struct link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, list) {
		const char *name = mnl_attr_get_str(attr);

		if (mnl_attr_get_type(attr) != IFLA_ALT_IFNAME)
			continue;
		if (!link->altname[0] && strncmp(name, "vx-", 3) == 0)
			get_text(attr, link->altname, sizeof(link->altname));
		link_add_altname(link, name);
	}
}

void link_parse_inet6(const struct nlattr *af, struct link *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, af) {
		const uint32_t *conf = mnl_attr_get_payload(attr);

		if (mnl_attr_get_type(attr) == IFLA_INET6_ADDR_GEN_MODE)
			out->addrgen_none = mnl_attr_get_u8(attr) == IN6_ADDR_GEN_MODE_NONE;
		if (mnl_attr_get_type(attr) == IFLA_INET6_CONF &&
		    mnl_attr_get_payload_len(attr) >= (DEVCONF_MTU6 + 1) * sizeof(*conf))
			out->mtu6 = conf[DEVCONF_MTU6];
		if (mnl_attr_get_type(attr) == IFLA_INET6_CONF &&
		    mnl_attr_get_payload_len(attr) >= (DEVCONF_DISABLE_IPV6 + 1) * sizeof(*conf))
			out->inet6_off = conf[DEVCONF_DISABLE_IPV6] != 0;
	}
}

static void read_af_spec(const struct nlattr *spec, struct link *link)
{
	const struct nlattr *af;

	link->no_inet6 = true;
	mnl_attr_for_each_nested (af, spec) {
		if (mnl_attr_get_type(af) != AF_INET6)
			continue;
		link->no_inet6 = false;
		link_parse_inet6(af, link);
	}
}

static void read_xdp(const struct nlattr *xdp, struct link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, xdp) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFLA_XDP_PROG_ID)
			link->xdp_prog = mnl_attr_get_u32(attr);
		if (type == IFLA_XDP_ATTACHED)
			link->xdp = mnl_attr_get_u8(attr);
	}
}

static void read_link_attr(const struct nlattr *attr, struct link *link)
{
	enum { RX_DROPPED = offsetof(struct rtnl_link_stats64, rx_dropped) };

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		get_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_GROUP:
		link->group = mnl_attr_get_u32(attr);
		break;
	case IFLA_MASTER:
		link->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_IFALIAS:
		get_text(attr, link->alias, sizeof(link->alias));
		break;
	case IFLA_PARENT_DEV_BUS_NAME:
		get_text(attr, link->bus, sizeof(link->bus));
		break;
	case IFLA_QDISC:
		get_text(attr, link->qdisc, sizeof(link->qdisc));
		break;
	case IFLA_LINK:
		link->peer = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		link->peer_elsewhere = true;
		link->peer_netns = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		read_linkinfo(attr, link);
		break;
	case IFLA_PROP_LIST:
		read_altnames(attr, link);
		break;
	case IFLA_AF_SPEC:
		read_af_spec(attr, link);
		break;
	case IFLA_XDP:
		read_xdp(attr, link);
		break;
	case IFLA_STATS64:
		if (mnl_attr_get_payload_len(attr) >= RX_DROPPED + sizeof(uint64_t))
			memcpy(&link->rx_dropped,
			       (const char *)mnl_attr_get_payload(attr) + RX_DROPPED,
			       sizeof(uint64_t));
		break;
	}
}

void link_parse(const struct nlmsghdr *msg, struct link *out)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;

	memset(out, 0, sizeof(*out)); /* its gaps, too: link_same() */
	out->ifindex = ifi->ifi_index;
	out->type = ifi->ifi_type;
	out->flags = ifi->ifi_flags;
	out->port_flags = LINK_PORT_USUAL;
	mnl_attr_for_each (attr, msg, sizeof(*ifi))
		read_link_attr(attr, out);
}

static int take_link(const struct nlmsghdr *msg, void *ctx)
{
	struct links *links = ctx;
	struct link *grown;

	/* Grows by doubling: the room is the power of two that holds n. */
	if (!(links->n & (links->n - 1))) {
		grown = reallocarray(links->v, links->n ? links->n * 2 : 1, sizeof(*links->v));
		if (!grown)
			return -ENOMEM;
		links->v = grown;
	}
	link_parse(msg, &links->v[links->n++]);
	return 0;
}

int links_list(struct nl *nl, bool stats, struct links *out, struct why *why)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	struct links links = { 0 };
	int err;

	/* Only with a mask does the kernel make room for the largest device (rtnl_calcit); this one asks for nothing here. */
	mnl_attr_put_u32(msg, IFLA_EXT_MASK,
			 stats ? RTEXT_FILTER_CFM_STATUS : RTEXT_FILTER_SKIP_STATS);
	err = nl_dump(nl, msg, take_link, &links);
	if (err) {
		free(links.v);
		return why_set(why, err, "netlink: cannot list devices: %s", strerror(-err));
	}
	*out = links;
	return 0;
}

static int take_one_link(const struct nlmsghdr *msg, void *ctx)
{
	link_parse(msg, ctx);
	return 0;
}

int link_read(struct nl *nl, int ifindex, struct link *out)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);

	ifi->ifi_index = ifindex;
	return nl_dump(nl, msg, take_one_link, out);
}

bool addr_parse(const struct nlmsghdr *msg, struct addr *out)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr, *local = NULL, *address = NULL;
	struct addr a = { .ifindex = (int)ifa->ifa_index,
			  .duplicate =
				  ifa->ifa_family == AF_INET6 && ifa->ifa_flags & IFA_F_DADFAILED };

	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return false;
	mnl_attr_for_each (attr, msg, sizeof(*ifa)) {
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			local = attr;
		else if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			address = attr;
		else if (mnl_attr_get_type(attr) == IFA_PROTO)
			a.proto = mnl_attr_get_u8(attr);
	}
	/* On a point-to-point device IFA_ADDRESS is the far end and IFA_LOCAL is us. */
	if (!local)
		local = address;
	if (!local)
		return false;
	a.prefix.addr = ip_from_raw(ifa->ifa_family, mnl_attr_get_payload(local));
	a.prefix.bits = ifa->ifa_prefixlen;
	*out = a;
	return true;
}

static int take_addr(const struct nlmsghdr *msg, void *ctx)
{
	struct addrs *addrs = ctx;
	struct addr *grown;

	if (!(addrs->n & (addrs->n - 1))) {
		grown = reallocarray(addrs->v, addrs->n ? addrs->n * 2 : 1, sizeof(*addrs->v));
		if (!grown)
			return -ENOMEM;
		addrs->v = grown;
	}
	addrs->n += addr_parse(msg, &addrs->v[addrs->n]);
	return 0;
}

int addrs_read(struct nl *nl, struct addrs *out, struct why *why)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	struct addrs addrs = { 0 };
	int err;

	err = nl_dump(nl, msg, take_addr, &addrs);
	if (err) {
		free(addrs.v);
		return why_set(why, err, "netlink: cannot list addresses: %s", strerror(-err));
	}
	*out = addrs;
	return 0;
}
