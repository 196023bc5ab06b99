// SPDX-License-Identifier: GPL-2.0
/* The other end of a veth, in a container's namespace; see link.h. The one look into another namespace,
 * and only for `status`. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "link.h"

static int take_far(const struct nlmsghdr *msg, void *ctx)
{
	link_parse(msg, ctx);
	return 0;
}

uint32_t link_far_mtu(struct nl *nl, const struct links *links, const struct link *veth)
{
	const struct link *beside = links_by_index(links, veth->peer);
	struct link far = { 0 };
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg;

	if (!veth->peer_elsewhere || veth->peer_netns < 0)
		return !veth->peer_elsewhere && beside ? beside->mtu : 0;
	msg = nl_request(nl, RTM_GETLINK, 0, sizeof(*ifi));
	ifi = mnl_nlmsg_get_payload(msg);
	ifi->ifi_index = veth->peer;
	mnl_attr_put_u32(msg, IFLA_TARGET_NETNSID, (uint32_t)veth->peer_netns);
	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nl_dump(nl, msg, take_far, &far) ? 0 : far.mtu;
}
