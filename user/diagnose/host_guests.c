// SPDX-License-Identifier: GPL-2.0
/* Others on a bridge that carries the tunnels; see host.h. Impure edge. */
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "diagnose/host.h"
#include "filters/nft_attr.h"
#include "kernel/nl.h"

/* --- the device */

struct device {
	const char *kind;
	int lower;
	uint16_t vlan; /* kind "vlan": its number, else 0 */
	bool filters; /* a bridge that keeps VLANs apart */
};

static int take_device(const struct nlmsghdr *msg, void *ctx)
{
	const struct nlattr *attr, *data;
	struct device *out = ctx;

	mnl_attr_for_each (attr, msg, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_LINK)
			out->lower = (int)mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		data = nft_nested(attr, IFLA_INFO_DATA);
		if (strcmp(out->kind, "vlan") == 0 && nft_nested(data, IFLA_VLAN_ID))
			out->vlan = mnl_attr_get_u16(nft_nested(data, IFLA_VLAN_ID));
		if (strcmp(out->kind, "bridge") == 0 && nft_nested(data, IFLA_BR_VLAN_FILTERING))
			out->filters = mnl_attr_get_u8(nft_nested(data, IFLA_BR_VLAN_FILTERING));
	}
	return 0;
}

static struct device read_device(struct nl *nl, const struct link *link)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	struct device out = { .kind = link->kind };

	((struct ifinfomsg *)mnl_nlmsg_get_payload(msg))->ifi_index = link->ifindex;
	nl_dump(nl, msg, take_device, &out);
	return out;
}

/* --- VLANs */

/* VLANs of a port, or of the bridge itself. */
struct span {
	int ifindex;
	uint16_t from, to;
	bool untagged; /* what comes in without a tag is in this one */
};

struct spans {
	struct span *v;
	size_t n;
};

static int take_spans(const struct nlmsghdr *msg, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	const struct bridge_vlan_info *info;
	const struct nlattr *attr, *vlan;
	struct spans *out = ctx;
	struct span *span;
	uint16_t from = 0;

	mnl_attr_for_each (attr, msg, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) != IFLA_AF_SPEC)
			continue;
		mnl_attr_for_each_nested (vlan, attr) {
			if (mnl_attr_get_type(vlan) != IFLA_BRIDGE_VLAN_INFO)
				continue;
			info = mnl_attr_get_payload(vlan);
			if (!(info->flags & BRIDGE_VLAN_INFO_RANGE_END))
				from = info->vid;
			if (info->flags & BRIDGE_VLAN_INFO_RANGE_BEGIN)
				continue;
			span = array_add(&out->v, &out->n, sizeof(*span));
			*span = (struct span){ ifi->ifi_index, from, info->vid,
					       info->flags & BRIDGE_VLAN_INFO_PVID };
		}
	}
	return 0;
}

static void read_spans(struct nl *nl, struct spans *out)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));

	((struct ifinfomsg *)mnl_nlmsg_get_payload(msg))->ifi_family = AF_BRIDGE;
	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
	nl_dump(nl, msg, take_spans, out);
}

static bool is_in(const struct spans *spans, int ifindex, uint16_t vlan)
{
	for (size_t i = 0; i < spans->n; i++)
		if (spans->v[i].ifindex == ifindex && spans->v[i].from <= vlan &&
		    vlan <= spans->v[i].to)
			return true;
	return false;
}

/* The VLAN that the bridge itself has without a tag; 0: none. */
static uint16_t untagged(const struct spans *spans, int bridge)
{
	for (size_t i = 0; i < spans->n; i++)
		if (spans->v[i].ifindex == bridge && spans->v[i].untagged)
			return spans->v[i].to;
	return 0;
}

/* --- the way to a peer */

struct neighbour {
	int ifindex;
	uint8_t mac[6];
	bool known;
};

static int take_neighbour(const struct nlmsghdr *msg, void *ctx)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(msg);
	struct neighbour *out = ctx;
	const struct nlattr *attr;

	out->ifindex = nd->ndm_ifindex;
	mnl_attr_for_each (attr, msg, sizeof(*nd)) {
		if (mnl_attr_get_type(attr) != NDA_LLADDR || mnl_attr_get_payload_len(attr) != 6)
			continue;
		memcpy(out->mac, mnl_attr_get_payload(attr), 6);
		out->known = true;
	}
	return 0;
}

static bool find_mac(struct nl *nl, int ifindex, const struct vx_addr *addr, struct neighbour *out)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETNEIGH, 0, sizeof(struct ndmsg));
	struct ndmsg *nd = mnl_nlmsg_get_payload(msg);

	nd->ndm_family = (uint8_t)ip_family(addr);
	nd->ndm_ifindex = ifindex;
	mnl_attr_put(msg, NDA_DST, ip_raw_len(addr), ip_raw(addr));
	return !nl_dump(nl, msg, take_neighbour, out) && out->known;
}

/* Behind which port of the bridge a MAC is; 0: not known. */
static int find_port(struct nl *nl, int bridge, const uint8_t *mac, uint16_t vlan)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETNEIGH, 0, sizeof(struct ndmsg));
	struct neighbour at = { 0 };

	((struct ndmsg *)mnl_nlmsg_get_payload(msg))->ndm_family = AF_BRIDGE;
	mnl_attr_put(msg, NDA_LLADDR, 6, mac);
	mnl_attr_put_u32(msg, NDA_MASTER, (uint32_t)bridge);
	if (vlan)
		mnl_attr_put_u16(msg, NDA_VLAN, vlan);
	return nl_dump(nl, msg, take_neighbour, &at) ? 0 : at.ifindex;
}

struct under {
	struct nl *nl;
	const struct snapshot *s;
	const struct links *links;
	const struct link *device; /* of the underlay, */
	const struct link *bridge; /* and the bridge that it is or stands on */
	uint16_t vlan; /* of its frames there, 0 = the bridge keeps none apart */
	int ways[16]; /* ports by which peers are reached */
	size_t n_ways;
};

static bool is_way(const struct under *u, int ifindex)
{
	for (size_t i = 0; i < u->n_ways; i++)
		if (u->ways[i] == ifindex)
			return true;
	return false;
}

static void read_ways(struct under *u)
{
	struct vx_addr last = { 0 }; /* most peers are behind one router */

	for (size_t i = 0; i < u->s->n_peers && u->n_ways < ARRAY_LEN(u->ways); i++) {
		const struct snapshot_peer *p = &u->s->peers[i];
		struct neighbour next = { 0 };
		struct vx_addr addr = p->route.via;
		int port;

		if (strcmp(p->route.device, u->device->name) != 0 ||
		    (!ip_is_set(&addr) && !ip_parse(p->address, &addr)) || ip_equal(&addr, &last) ||
		    !find_mac(u->nl, u->device->ifindex, &addr, &next))
			continue;
		last = addr;
		port = find_port(u->nl, u->bridge->ifindex, next.mac, u->vlan);
		if (port && !is_way(u, port))
			u->ways[u->n_ways++] = port;
	}
}

/* --- guests */

/* A container's or a VM's. Neither a NIC nor this host's own end of a pair. */
static bool is_guest(const struct under *u, const struct link *port)
{
	const struct link *far = port->peer_elsewhere ? NULL : links_by_index(u->links, port->peer);

	if (port->master != u->bridge->ifindex || !(port->flags & IFF_UP))
		return false;
	if (strcmp(port->kind, "tun") == 0)
		return true;
	return strcmp(port->kind, "veth") == 0 && (!far || far->is_port);
}

static void see_guests(const struct under *u, const struct spans *spans, struct host_facts *out)
{
	struct host_guest *guest;

	for (size_t i = 0; i < u->links->n; i++) {
		const struct link *port = &u->links->v[i];

		if (!is_guest(u, port) || (u->vlan && !is_in(spans, port->ifindex, u->vlan)) ||
		    is_way(u, port->ifindex))
			continue;
		guest = array_add(&out->guests, &out->n_guests, sizeof(*guest));
		text_copy(guest->port, sizeof(guest->port), port->name);
		text_copy(guest->device, sizeof(guest->device), u->device->name);
	}
}

void host_read_guests(struct nl *nl, const struct snapshot *s, struct host_facts *out)
{
	struct why why = { 0 };
	struct links links = { 0 };

	if (!s->up || links_list(nl, false, &links, &why))
		return;
	for (size_t i = 0; i < s->n_devices; i++) {
		struct under u = { .nl = nl, .s = s, .links = &links };
		struct spans spans = { 0 };
		struct device device, bridge;

		u.device = links_by_name(&links, s->devices[i].ifname);
		if (!u.device)
			continue;
		device = read_device(nl, u.device);
		u.bridge = device.vlan ? links_by_index(&links, device.lower) : u.device;
		if (!u.bridge || strcmp(u.bridge->kind, "bridge") != 0)
			continue;
		bridge = read_device(nl, u.bridge);
		if (bridge.filters) {
			read_spans(nl, &spans);
			u.vlan = device.vlan ? device.vlan : untagged(&spans, u.bridge->ifindex);
		}
		read_ways(&u);
		see_guests(&u, &spans, out);
		free(spans.v);
	}
	free(links.v);
}
