// SPDX-License-Identifier: GPL-2.0
/* Messages of netlink's multicast groups as events; see events.h. Pure. */
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "watch/events.h"

/* A bridge's own words: IFLA_MASTER, IFLA_PROTINFO > IFLA_BRPORT_* */
static void parse_port(const struct nlmsghdr *msg, struct link *out)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;

	*out = (struct link){ .ifindex = ifi->ifi_index, .port_flags = LINK_PORT_USUAL };
	mnl_attr_for_each (attr, msg, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			text_copy(out->name, sizeof(out->name), mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == IFLA_MASTER)
			out->master = (int)mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == IFLA_PROTINFO)
			link_parse_port(attr, out);
	}
}

/* IPv6's own words about a device: IFLA_PROTINFO > IFLA_INET6_CONF */
static bool parse_inet6(const struct nlmsghdr *msg, struct event *e)
{
	const struct nlattr *attr;

	e->kind = EVENT_INET6;
	mnl_attr_for_each (attr, msg, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == IFLA_PROTINFO)
			link_parse_inet6(attr, &e->link);
	return msg->nlmsg_type == RTM_NEWLINK && e->link.mtu6;
}

static bool parse_link(const struct nlmsghdr *msg, struct event *e)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	bool gone = msg->nlmsg_type == RTM_DELLINK;
	const struct nlattr *attr;

	e->ifindex = ifi->ifi_index;
	if (ifi->ifi_family == AF_BRIDGE) {
		e->kind = gone ? EVENT_PORT_GONE : EVENT_PORT;
		parse_port(msg, &e->link);
		return gone || e->link.master; /* a bridge's words about itself are of no use */
	}
	if (ifi->ifi_family == AF_INET6)
		return parse_inet6(msg, e);
	if (ifi->ifi_family != AF_UNSPEC)
		return false;
	e->kind = gone ? EVENT_LINK_GONE : EVENT_LINK;
	link_parse(msg, &e->link);
	mnl_attr_for_each (attr, msg, sizeof(*ifi))
		if (mnl_attr_get_type(attr) == IFLA_EVENT)
			e->features = mnl_attr_get_u32(attr) == IFLA_EVENT_FEATURES;
	return true;
}

static bool parse_addr(const struct nlmsghdr *msg, struct event *e)
{
	struct addr addr;

	if (!addr_parse(msg, &addr))
		return false;
	e->kind = msg->nlmsg_type == RTM_DELADDR ? EVENT_ADDR_GONE : EVENT_ADDR;
	e->ifindex = addr.ifindex;
	e->prefix = addr.prefix;
	return true;
}

static bool parse_route(const struct nlmsghdr *msg, struct event *e)
{
	static const uint8_t any[16];
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;
	const void *to = any;
	size_t need = rtm->rtm_family == AF_INET ? 4 : 16;

	if ((rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    rtm->rtm_flags & RTM_F_CLONED)
		return false;
	mnl_attr_for_each (attr, msg, sizeof(*rtm))
		if (mnl_attr_get_type(attr) == RTA_DST && mnl_attr_get_payload_len(attr) >= need)
			to = mnl_attr_get_payload(attr);
	e->kind = EVENT_ROUTE;
	e->prefix.addr = ip_from_raw(rtm->rtm_family, to);
	e->prefix.bits = rtm->rtm_dst_len;
	return true;
}

/* Entries that devices learn by themselves do not matter. */
static bool parse_fdb(const struct nlmsghdr *msg, struct event *e)
{
	e->kind = msg->nlmsg_type == RTM_DELNEIGH ? EVENT_FDB_GONE : EVENT_FDB;
	if (!fdb_parse(msg, &e->fdb) || !e->fdb.lasting)
		return false;
	e->ifindex = e->fdb.ifindex;
	return true;
}

static bool parse_tc(const struct nlmsghdr *msg, struct event *e)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	bool gone = msg->nlmsg_type == RTM_DELQDISC || msg->nlmsg_type == RTM_DELTFILTER ||
		    msg->nlmsg_type == RTM_DELCHAIN;

	e->kind = gone ? EVENT_TC_GONE : EVENT_TC;
	e->root = tcm->tcm_parent == TC_H_ROOT;
	if (msg->nlmsg_type == RTM_NEWTFILTER || msg->nlmsg_type == RTM_DELTFILTER)
		e->filter = tcm->tcm_handle;
	if (tcm->tcm_ifindex == (int)TCM_IFINDEX_MAGIC_BLOCK)
		e->block = tcm->tcm_block_index;
	else
		e->ifindex = tcm->tcm_ifindex;
	return true;
}

bool event_parse(const struct nlmsghdr *msg, struct event *out)
{
	*out = (struct event){ 0 };
	switch (msg->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return parse_link(msg, out);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return parse_addr(msg, out);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return parse_route(msg, out);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return parse_fdb(msg, out);
	case RTM_NEWQDISC:
	case RTM_DELQDISC:
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER:
	case RTM_DELCHAIN:
		return parse_tc(msg, out);
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		out->kind = EVENT_WAYS;
		return true;
	default:
		return false;
	}
}

static bool is_on_devices(const struct nlmsghdr *msg)
{
	const struct nlattr *attr, *hook;

	mnl_attr_for_each (attr, msg, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_CHAIN_HOOK)
			continue;
		mnl_attr_for_each_nested (hook, attr)
			if (mnl_attr_get_type(hook) == NFTA_HOOK_DEV ||
			    mnl_attr_get_type(hook) == NFTA_HOOK_DEVS)
				return true;
	}
	return false;
}

bool event_parse_nft(const struct nlmsghdr *msg, struct event *out)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(msg);
	unsigned type = msg->nlmsg_type & 0xff;

	*out = (struct event){ 0 };
	if (msg->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return false;
	/* The elements of a set do not change what a rule checks. */
	if (type == NFT_MSG_NEWSETELEM || type == NFT_MSG_DELSETELEM)
		return false;
	switch (nfg->nfgen_family) {
	case NFPROTO_BRIDGE:
		out->kind = EVENT_FRAME_RULES;
		return true;
	case NFPROTO_NETDEV:
		out->kind = EVENT_DEVICE_RULES;
		/* The kernel no longer says where a removed chain was. */
		return type == NFT_MSG_DELCHAIN || (type == NFT_MSG_NEWCHAIN && is_on_devices(msg));
	case NFPROTO_INET:
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
		out->kind = is_on_devices(msg) ? EVENT_DEVICE_RULES : EVENT_IP_RULES;
		return true;
	default:
		return false;
	}
}
