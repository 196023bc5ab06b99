// SPDX-License-Identifier: GPL-2.0
/* The other ends of veths, in containers' namespaces; see link.h. The one look into other namespaces. */
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "kernel/link.h"

static bool is_far(const struct link *port, int bridge)
{
	return port->master == bridge && strcmp(port->kind, "veth") == 0;
}

/* By a user, by a sniffer's socket, or by a device on top of it that is up and has a MAC of its own. */
static bool is_promiscuous(const struct nlmsghdr *msg)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, msg, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == IFLA_PROMISCUITY)
			return mnl_attr_get_u32(attr);
	return false;
}

/* The number may be another device's by now: only the one whose other end is this veth may answer. */
static void take_far(void *ctx, size_t tag, const struct nlmsghdr *msg)
{
	struct link *veth = &((struct links *)ctx)->v[tag], far;

	link_parse(msg, &far);
	if (strcmp(far.kind, "veth") != 0 || far.peer != veth->ifindex)
		return;
	veth->far_mtu = far.mtu;
	veth->far_passes_on = far.master || is_promiscuous(msg);
	veth->far = far.xdp == XDP_ATTACHED_NONE  ? FAR_CLEAR
		    : far.xdp == XDP_ATTACHED_SKB ? FAR_GENERIC
						  : FAR_NATIVE;
}

static void ask(struct nl *nl, const struct link *veth, size_t tag)
{
	struct nlmsghdr *msg = nl_put(nl, RTM_GETLINK, 0, sizeof(struct ifinfomsg), tag);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);

	ifi->ifi_index = veth->peer;
	if (veth->peer_elsewhere)
		mnl_attr_put_u32(msg, IFLA_TARGET_NETNSID, (uint32_t)veth->peer_netns);
	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* XDP at the other end takes TSO off this one, and the kernel tells everybody. Where it is off already
 * nobody would hear of it. */
static bool would_tell(int sock, const struct link *veth)
{
	struct ethtool_value tso = { .cmd = ETHTOOL_GTSO };
	struct ifreq req = { .ifr_data = (void *)&tso };

	text_copy(req.ifr_name, sizeof(req.ifr_name), veth->name);
	return ioctl(sock, SIOCETHTOOL, &req) == 0 && tso.data;
}

void links_ask_far(struct nl *nl, struct links *links, int bridge)
{
	autofd int sock = -1;

	nl_on_result(nl, NULL, links);
	nl_on_answer(nl, take_far);
	for (size_t i = 0; i < links->n; i++) {
		struct link *veth = &links->v[i];

		if (!is_far(veth, bridge))
			continue;
		veth->far = FAR_UNKNOWN;
		veth->far_mtu = 0;
		veth->far_passes_on = false;
		if (!veth->peer_elsewhere || veth->peer_netns >= 0)
			ask(nl, veth, i);
	}
	nl_flush(nl); /* who does not answer stays unknown */
	nl_on_answer(nl, NULL);
	for (size_t i = 0; i < links->n; i++) {
		struct link *veth = &links->v[i];

		if (!is_far(veth, bridge))
			continue;
		if (sock < 0)
			sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		veth->far_told = would_tell(sock, veth);
	}
}
