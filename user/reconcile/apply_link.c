// SPDX-License-Identifier: GPL-2.0
/* Bridge, tunnels, membership: one rtnetlink message or a few each; see apply.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "kernel/link.h"
#include "plan/plan.h"
#include "reconcile/apply.h"

#define EVERYTHING UINT32_MAX

/* A message about an existing device, by name: the kernel resolves it at that moment. */
static struct nlmsghdr *put_link(struct apply *a, uint16_t type, uint16_t flags, const char *ifname,
				 size_t tag)
{
	struct nlmsghdr *msg = nl_put(a->nl, type, flags, sizeof(struct ifinfomsg), tag);

	mnl_attr_put_strz(msg, IFLA_IFNAME, ifname);
	return msg;
}

static void put_flags(struct nlmsghdr *msg, unsigned change, unsigned flags)
{
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);

	ifi->ifi_change = change;
	ifi->ifi_flags = flags;
}

static void put_mac(struct nlmsghdr *msg, const struct obj *o)
{
	uint8_t mac[6];

	if (mac_parse(obj_get_text(o, F_MAC), mac))
		mnl_attr_put(msg, IFLA_ADDRESS, sizeof(mac), mac);
}

/* IFLA_AF_SPEC > AF_INET6 > IFLA_INET6_ADDR_GEN_MODE */
static void put_addrgen(struct nlmsghdr *msg, bool on)
{
	struct nlattr *spec = mnl_attr_nest_start(msg, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(msg, AF_INET6);

	mnl_attr_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE,
			on ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(msg, inet6);
	mnl_attr_nest_end(msg, spec);
}

static int remove_link(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)why;
	put_link(a, RTM_DELLINK, 0, now->key, tag);
	return 0;
}

/* --- bridge */

/* IFLA_LINKINFO > { IFLA_INFO_KIND "bridge", IFLA_INFO_DATA > IFLA_BR_MCAST_SNOOPING } */
static void put_bridge(struct nlmsghdr *msg, const struct obj *want)
{
	struct nlattr *info = mnl_attr_nest_start(msg, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	mnl_attr_put_u8(msg, IFLA_BR_MCAST_SNOOPING, !obj_get_num(want, F_MCAST_ALL));
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
}

static int change_bridge(struct apply *a, const struct obj *now, const struct obj *want,
			 uint32_t changed, size_t tag, struct why *why)
{
	struct nlmsghdr *msg = put_link(a, RTM_SETLINK, 0, want->key, tag);

	(void)now;
	(void)why;
	if (changed & 1U << F_ALIAS)
		mnl_attr_put_strz(msg, IFLA_IFALIAS, obj_get_text(want, F_ALIAS));
	if (changed & 1U << F_MAC)
		put_mac(msg, want);
	if (changed & 1U << F_MCAST_ALL)
		put_bridge(put_link(a, RTM_NEWLINK, 0, want->key, tag), want);
	return 0;
}

/* The kernel ignores an alias at creation. So that it follows in the same batch and yet never marks
 * a bridge that somebody else made a moment ago, it goes to a group of devices that only ours is in. */
static int add_bridge(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	struct nlmsghdr *msg = put_link(a, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, want->key, tag);
	uint32_t group = fnv32(plan_group(a->overlay), want->key, strlen(want->key)) | 0x80000000U;
	struct link made;

	(void)why;
	put_mac(msg, want);
	mnl_attr_put_u32(msg, IFLA_GROUP, group);
	put_bridge(msg, want);
	msg = nl_put(a->nl, RTM_NEWLINK, 0, sizeof(struct ifinfomsg), tag);
	mnl_attr_put_u32(msg, IFLA_GROUP, group);
	mnl_attr_put_strz(msg, IFLA_IFALIAS, obj_get_text(want, F_ALIAS));
	if (nl_flush(a->nl) || link_read(a->nl, (int)if_nametoindex(want->key), &made) ||
	    made.group != group)
		return 0; /* there is none of ours: the kernel has said why */
	msg = put_link(a, RTM_SETLINK, 0, want->key, tag);
	mnl_attr_put_u32(msg, IFLA_GROUP, 0);
	return 0;
}

const struct apply_ops apply_bridge = { add_bridge, change_bridge, remove_link, NULL };

/* --- tunnels */

static void put_altname(struct apply *a, uint16_t type, const char *ifname, const char *altname,
			size_t tag)
{
	struct nlmsghdr *msg;
	struct nlattr *list;

	if (!altname[0])
		return;
	/* In a removal NLM_F_EXCL would be NLM_F_BULK. */
	msg = put_link(a, type,
		       type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0,
		       ifname, tag);
	list = mnl_attr_nest_start(msg, IFLA_PROP_LIST);
	mnl_attr_put_strz(msg, IFLA_ALT_IFNAME, altname);
	mnl_attr_nest_end(msg, list);
}

/* A device whose MTU grows beyond this gets IPv6 anew, as the kernel makes it: with an address if it is up. */
static bool gets_inet6(const struct obj *now, const struct obj *want)
{
	return now && obj_get_num(now, F_MTU) < LINK_MTU_INET6 &&
	       obj_get_num(want, F_MTU) >= LINK_MTU_INET6;
}

static bool is_up(struct apply *a, const char *ifname)
{
	struct link link;

	return !nl_flush(a->nl) && !link_read(a->nl, (int)if_nametoindex(ifname), &link) &&
	       link.flags & IFF_UP;
}

static int change_tunnel(struct apply *a, const struct obj *now, const struct obj *want,
			 uint32_t changed, size_t tag, struct why *why)
{
	bool anew = changed & 1U << F_MTU && gets_inet6(now, want);
	bool pause = anew && is_up(a, want->key);
	struct nlmsghdr *msg;

	if (pause)
		put_flags(put_link(a, RTM_SETLINK, 0, want->key, tag), IFF_UP, 0);
	msg = put_link(a, RTM_SETLINK, 0, want->key, tag);
	if (changed & 1U << F_ALIAS)
		mnl_attr_put_strz(msg, IFLA_IFALIAS, obj_get_text(want, F_ALIAS));
	if (changed & 1U << F_MTU)
		mnl_attr_put_u32(msg, IFLA_MTU, (uint32_t)obj_get_num(want, F_MTU));
	if (changed & 1U << F_GROUP)
		mnl_attr_put_u32(msg, IFLA_GROUP, (uint32_t)obj_get_num(want, F_GROUP));
	if (changed & 1U << F_MAC)
		put_mac(msg, want);
	/* The kernel refuses a request about IPv6 as a whole where the device has none: so this is one of its
	 * own, and that answer is fine (see hear). */
	if (anew || changed & 1U << F_ADDRGEN)
		put_addrgen(put_link(a, RTM_SETLINK, 0, want->key, tag),
			    obj_get_num(want, F_ADDRGEN));
	if (pause)
		put_flags(put_link(a, RTM_SETLINK, 0, want->key, tag), IFF_UP, IFF_UP);
	if (changed & 1U << F_ALTNAME) {
		if (now)
			put_altname(a, RTM_DELLINKPROP, want->key, obj_get_text(now, F_ALTNAME),
				    tag);
		put_altname(a, RTM_NEWLINKPROP, want->key, obj_get_text(want, F_ALTNAME), tag);
	}
	return changed & 1U << F_TO ? apply_fdb(a, want, tag, why) : 0;
}

static void put_address(struct nlmsghdr *msg, const struct obj *o, enum obj_field f, uint16_t v4,
			uint16_t v6)
{
	struct vx_addr addr;

	if (ip_parse(obj_get_text(o, f), &addr))
		mnl_attr_put(msg, ip_is_v4(&addr) ? v4 : v6, ip_raw_len(&addr), ip_raw(&addr));
}

/* RTM_NEWLINK: name, MAC, group, MTU, IFLA_LINKINFO > { IFLA_INFO_KIND "vxlan", IFLA_INFO_DATA > ... } */
static int add_tunnel(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	struct nlmsghdr *msg = put_link(a, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, want->key, tag);
	const char *lower = obj_get_text(want, F_LOWER);
	struct nlattr *info, *data;

	put_mac(msg, want);
	mnl_attr_put_u32(msg, IFLA_GROUP, (uint32_t)obj_get_num(want, F_GROUP));
	mnl_attr_put_u32(msg, IFLA_MTU, (uint32_t)obj_get_num(want, F_MTU));
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "vxlan");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	mnl_attr_put_u32(msg, IFLA_VXLAN_ID, (uint32_t)obj_get_num(want, F_VNI));
	mnl_attr_put_u16(msg, IFLA_VXLAN_PORT, htons((uint16_t)obj_get_num(want, F_PORT)));
	put_address(msg, want, F_LOCAL, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
	put_address(msg, want, F_REMOTE, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6);
	if (lower[0])
		mnl_attr_put_u32(msg, IFLA_VXLAN_LINK, if_nametoindex(lower));
	mnl_attr_put_u8(msg, IFLA_VXLAN_LEARNING, (uint8_t)obj_get_num(want, F_LEARNING));
	mnl_attr_put_u8(msg, IFLA_VXLAN_UDP_CSUM, (uint8_t)obj_get_num(want, F_CSUM));
	/* Only where it means something: devices with different receive flags cannot share a port, and
	 * an IPv4 one of somebody else may be on ours. */
	if (strchr(obj_get_text(want, F_REMOTE), ':')) {
		mnl_attr_put_u8(msg, IFLA_VXLAN_UDP_ZERO_CSUM6_TX, !obj_get_num(want, F_CSUM));
		mnl_attr_put_u8(msg, IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 1);
	}
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	(void)why;
	return 0;
}

/* Ignored at creation: alias, altname, and no IPv6 address of its own. */
static int mark_tunnel(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	return change_tunnel(a, NULL, want, 1U << F_ALIAS | 1U << F_ALTNAME | 1U << F_ADDRGEN, tag,
			     why);
}

const struct apply_ops apply_tunnel = { add_tunnel, change_tunnel, remove_link, mark_tunnel };

/* --- membership: master, isolation, up, in that order */

#define PORT_FLAG(name, attr, usual) 1U << F_##name |
static const uint32_t port_fields =
#include "kernel/portflags.def"
	1U << F_ISOLATED | 1U << F_MCAST_ALL;
#undef PORT_FLAG

static void put_port_flag(struct nlmsghdr *msg, uint16_t attr, bool on)
{
	uint8_t value = on;

	if (attr == IFLA_BRPORT_STATE)
		value = on ? BR_STATE_FORWARDING : BR_STATE_DISABLED;
	mnl_attr_put_u8(msg, attr, value);
}

static void put_port_flags(struct nlmsghdr *msg, const struct obj *want, uint32_t changed)
{
#define PORT_FLAG(name, attr, usual)                                                               \
	if (changed & 1U << F_##name)                                                              \
		put_port_flag(msg, attr, obj_get_num(want, F_##name));
#include "kernel/portflags.def"
#undef PORT_FLAG
	if (changed & 1U << F_MCAST_ALL)
		mnl_attr_put_u8(msg, IFLA_BRPORT_MULTICAST_ROUTER,
				obj_get_num(want, F_MCAST_ALL) ? MDB_RTR_TYPE_PERM
							       : MDB_RTR_TYPE_TEMP_QUERY);
}

static int change_member(struct apply *a, const struct obj *now, const struct obj *want,
			 uint32_t changed, size_t tag, struct why *why)
{
	struct nlmsghdr *msg;
	struct nlattr *port;

	(void)now;
	if (changed & 1U << F_MASTER) {
		unsigned master = if_nametoindex(obj_get_text(want, F_MASTER));

		if (!master)
			return why_set(why, -ENODEV, "bridge %s does not exist",
				       obj_get_text(want, F_MASTER));
		msg = put_link(a, RTM_SETLINK, 0, want->key, tag);
		mnl_attr_put_u32(msg, IFLA_MASTER, master);
	}
	if (changed & (1U << F_MASTER | port_fields)) {
		unsigned ifindex = if_nametoindex(want->key);
		struct ifinfomsg *ifi;

		if (!ifindex)
			return why_set(why, -ENODEV, "the device no longer exists");
		msg = nl_put(a->nl, RTM_SETLINK, 0, sizeof(*ifi), tag);
		ifi = mnl_nlmsg_get_payload(msg);
		ifi->ifi_family = PF_BRIDGE;
		ifi->ifi_index = (int)ifindex;
		port = mnl_attr_nest_start(msg, IFLA_PROTINFO);
		mnl_attr_put_u8(msg, IFLA_BRPORT_ISOLATED, (uint8_t)obj_get_num(want, F_ISOLATED));
		put_port_flags(msg, want, changed);
		mnl_attr_nest_end(msg, port);
	}
	if (changed & 1U << F_UP) {
		msg = put_link(a, RTM_SETLINK, 0, want->key, tag);
		put_flags(msg, IFF_UP, obj_get_num(want, F_UP) ? IFF_UP : 0);
	}
	return 0;
}

static int add_member(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	return change_member(a, NULL, want,
			     1U << F_MASTER | 1U << F_ISOLATED | 1U << F_UP |
				     (want->have & 1U << F_MCAST_ALL),
			     tag, why);
}

static int remove_member(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	struct nlmsghdr *msg = put_link(a, RTM_SETLINK, 0, now->key, tag);

	(void)why;
	put_flags(msg, IFF_UP, 0);
	msg = put_link(a, RTM_SETLINK, 0, now->key, tag);
	mnl_attr_put_u32(msg, IFLA_MASTER, 0);
	return 0;
}

const struct apply_ops apply_member = { add_member, change_member, remove_member, NULL };

/* --- what must be set after the members changed */

static int write_accept_ra(const char *ifname, bool on, struct why *why)
{
	char path[128];
	autofd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* a kernel without IPv6 takes no router advertisements */
	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		return why_set(why, -errno, "write %s: %s", path, strerror(errno));
	return 0;
}

static void put_mtu(struct apply *a, const char *ifname, uint32_t mtu, size_t tag)
{
	mnl_attr_put_u32(put_link(a, RTM_SETLINK, 0, ifname, tag), IFLA_MTU, mtu);
}

static int change_setup(struct apply *a, const struct obj *now, const struct obj *want,
			uint32_t changed, size_t tag, struct why *why)
{
	uint32_t mtu = (uint32_t)obj_get_num(want, F_MTU);
	int err = 0;

	(void)now;
	/* A bridge follows its smallest port until its MTU is set by hand, and setting what it has
	 * does not count: so by way of a value it surely does not have. */
	if (changed & 1U << F_MTU && mtu) {
		put_mtu(a, want->key, mtu + 1, tag);
		put_mtu(a, want->key, mtu, tag);
	}
	/* With less than this MTU the bridge has no IPv6, and with more it has it anew. */
	if (changed & 1U << F_MTU && mtu >= LINK_MTU_INET6)
		changed |= 1U << F_ACCEPT_RA;
	if (changed & 1U << F_ACCEPT_RA && !nl_flush(a->nl))
		err = write_accept_ra(want->key, obj_get_num(want, F_ACCEPT_RA), why);
	if (changed & 1U << F_UP)
		put_flags(put_link(a, RTM_SETLINK, 0, want->key, tag), IFF_UP,
			  obj_get_num(want, F_UP) ? IFF_UP : 0);
	return err;
}

static int add_setup(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	return change_setup(a, NULL, want, EVERYTHING, tag, why);
}

/* It goes with its bridge. */
static int keep_setup(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)a, (void)now, (void)tag, (void)why;
	return 0;
}

const struct apply_ops apply_setup = { add_setup, change_setup, keep_setup, NULL };
