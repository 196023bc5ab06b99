// SPDX-License-Identifier: GPL-2.0
/* Routes to peers, read back from rtnetlink; see route.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/route.h"

static void add_device(struct route *route, int ifindex)
{
	for (size_t i = 0; i < route->n; i++)
		if (route->ifindex[i] == ifindex)
			return;
	if (ifindex && route->n < ARRAY_LEN(route->ifindex))
		route->ifindex[route->n++] = ifindex;
}

/* RTA_MULTIPATH > { struct rtnexthop, attributes }... */
static void add_hops(struct route *route, const struct nlattr *attr)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	while (RTNH_OK(hop, left)) {
		add_device(route, hop->rtnh_ifindex);
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
}

int route_parse(const struct nlmsghdr *msg, struct route *out, uint32_t *out_id)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr, *metric;

	*out_id = 0;
	out->local = rtm->rtm_type == RTN_LOCAL;
	out->protocol = rtm->rtm_protocol;
	if (rtm->rtm_type == RTN_UNREACHABLE || rtm->rtm_type == RTN_BLACKHOLE ||
	    rtm->rtm_type == RTN_PROHIBIT)
		return -ENETUNREACH;
	mnl_attr_for_each (attr, msg, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			add_device(out, (int)mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			add_hops(out, attr);
		if (mnl_attr_get_type(attr) == RTA_NH_ID)
			*out_id = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == RTA_PREFSRC &&
		    mnl_attr_get_payload_len(attr) == (rtm->rtm_family == AF_INET ? 4 : 16))
			out->source = ip_from_raw(rtm->rtm_family, mnl_attr_get_payload(attr));
		if (mnl_attr_get_type(attr) == RTA_GATEWAY &&
		    mnl_attr_get_payload_len(attr) == (rtm->rtm_family == AF_INET ? 4 : 16))
			out->via = ip_from_raw(rtm->rtm_family, mnl_attr_get_payload(attr));
		if (mnl_attr_get_type(attr) != RTA_METRICS)
			continue;
		mnl_attr_for_each_nested (metric, attr)
			if (mnl_attr_get_type(metric) == RTAX_MTU)
				out->mtu = mnl_attr_get_u32(metric);
	}
	if (out->n)
		*out_id = 0;
	return out->n || *out_id ? 0 : -ENETUNREACH;
}

/* --- next hops by their numbers */

struct hop {
	int ifindex;
	uint32_t members[256]; /* of a group */
	size_t n;
};

static int take_hop(const struct nlmsghdr *msg, void *ctx)
{
	const struct nexthop_grp *group;
	const struct nlattr *attr;
	struct hop *hop = ctx;

	mnl_attr_for_each (attr, msg, sizeof(struct nhmsg)) {
		if (mnl_attr_get_type(attr) == NHA_OIF)
			hop->ifindex = (int)mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) != NHA_GROUP)
			continue;
		group = mnl_attr_get_payload(attr);
		for (size_t i = 0; i < mnl_attr_get_payload_len(attr) / sizeof(*group) &&
				   hop->n < ARRAY_LEN(hop->members);
		     i++)
			hop->members[hop->n++] = group[i].id;
	}
	return 0;
}

static int hop_read(struct nl *nl, uint32_t id, struct hop *out)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETNEXTHOP, 0, sizeof(struct nhmsg));

	*out = (struct hop){ 0 };
	mnl_attr_put_u32(msg, NHA_ID, id);
	return nl_dump(nl, msg, take_hop, out);
}

static int add_hop(struct nl *nl, uint32_t id, struct route *route)
{
	struct hop hop, member;
	int err = hop_read(nl, id, &hop);

	if (err)
		return err;
	add_device(route, hop.ifindex);
	for (size_t i = 0; i < hop.n; i++)
		if (hop_read(nl, hop.members[i], &member) == 0)
			add_device(route, member.ifindex);
	return route->n ? 0 : -ENETUNREACH;
}

/* --- how much fits */

void route_narrow(const struct links *links, bool v4, struct route *route)
{
	for (size_t i = 0; i < route->n; i++) {
		const struct link *link = links_by_index(links, route->ifindex[i]);
		uint32_t mtu = link ? link->mtu : 0;

		if (link && !v4 && link->mtu6 && link->mtu6 < mtu)
			mtu = link->mtu6;
		if (!mtu || (route->mtu && route->mtu <= mtu))
			continue;
		route->mtu = mtu;
		route->narrow = link->ifindex;
	}
}

/* --- the look-up */

struct looking {
	struct route *route;
	uint32_t hop;
};

static int take_route(const struct nlmsghdr *msg, void *ctx)
{
	struct looking *looking = ctx;

	return route_parse(msg, looking->route, &looking->hop);
}

int route_read(struct nl *nl, const struct links *links, const struct vx_addr *local,
	       const struct vx_addr *remote, uint16_t port, int oif, struct route *out)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	struct looking looking = { .route = out };

	*out = (struct route){ 0 };
	/* The route as it was made, with all its next hops and its own MTU; not the one way that some
	 * flow takes, nor what somebody on that way claimed for some minutes. */
	rtm->rtm_flags = RTM_F_FIB_MATCH;
	rtm->rtm_family = (unsigned char)ip_family(remote);
	rtm->rtm_dst_len = (unsigned char)(ip_raw_len(remote) * 8);
	rtm->rtm_src_len = local ? rtm->rtm_dst_len : 0;
	mnl_attr_put(msg, RTA_DST, ip_raw_len(remote), ip_raw(remote));
	if (local)
		mnl_attr_put(msg, RTA_SRC, ip_raw_len(local), ip_raw(local));
	if (oif)
		mnl_attr_put_u32(msg, RTA_OIF, (uint32_t)oif);
	mnl_attr_put_u8(msg, RTA_IP_PROTO, IPPROTO_UDP);
	mnl_attr_put_u16(msg, RTA_DPORT, htons(port));
	out->err = nl_dump(nl, msg, take_route, &looking);
	if (!out->err && looking.hop)
		out->err = add_hop(nl, looking.hop, out);
	if (!out->err)
		route_narrow(links, ip_is_v4(remote), out);
	return out->err;
}
