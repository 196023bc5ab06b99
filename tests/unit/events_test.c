// SPDX-License-Identifier: GPL-2.0
/* Messages of rtnetlink as events. */
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "watch/events.h"

static char buffer[1024];

static struct nlmsghdr *message(uint16_t type, size_t extra)
{
	struct nlmsghdr *msg;

	memset(buffer, 0, sizeof(buffer));
	msg = mnl_nlmsg_put_header(buffer);
	msg->nlmsg_type = type;
	mnl_nlmsg_put_extra_header(msg, extra);
	return msg;
}

static void links_are_parsed(void **state)
{
	struct nlmsghdr *msg = message(RTM_NEWLINK, sizeof(struct ifinfomsg));
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	struct nlattr *nest;
	struct event e;

	(void)state;
	ifi->ifi_index = 7;
	mnl_attr_put_strz(msg, IFLA_IFNAME, "c7");
	mnl_attr_put_u32(msg, IFLA_MASTER, 3);
	assert_true(event_parse(msg, &e));
	assert_int_equal(e.kind, EVENT_LINK);
	assert_int_equal(e.link.master, 3);
	assert_string_equal(e.link.name, "c7");
	msg->nlmsg_type = RTM_DELLINK;
	assert_true(event_parse(msg, &e));
	assert_int_equal(e.kind, EVENT_LINK_GONE);
	/* The same family of messages in a bridge's own words. */
	ifi->ifi_family = AF_BRIDGE;
	assert_true(event_parse(msg, &e));
	assert_int_equal(e.kind, EVENT_PORT_GONE);
	msg->nlmsg_type = RTM_NEWLINK;
	nest = mnl_attr_nest_start(msg, IFLA_PROTINFO);
	mnl_attr_put_u8(msg, IFLA_BRPORT_ISOLATED, 1);
	mnl_attr_nest_end(msg, nest);
	assert_true(event_parse(msg, &e));
	assert_int_equal(e.kind, EVENT_PORT);
	assert_true(e.link.isolated);
	assert_int_equal(e.link.port_flags, LINK_PORT_USUAL);
	nest = mnl_attr_nest_start(msg, IFLA_PROTINFO);
	mnl_attr_put_u8(msg, IFLA_BRPORT_STATE, BR_STATE_BLOCKING);
	mnl_attr_put_u8(msg, IFLA_BRPORT_LEARNING, 0);
	mnl_attr_put_u8(msg, IFLA_BRPORT_LOCKED, 1);
	mnl_attr_nest_end(msg, nest);
	assert_true(event_parse(msg, &e));
	assert_int_equal(e.link.port_flags,
			 (LINK_PORT_USUAL & ~(1U << PORT_FORWARDING | 1U << PORT_LEARNS)) |
				 1U << PORT_LOCKED);
	ifi->ifi_family = AF_INET6;
	assert_false(event_parse(msg, &e));
}

static void announced_mtus_are_parsed(void **state)
{
	struct nlmsghdr *msg = message(RTM_NEWLINK, sizeof(struct ifinfomsg));
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	uint32_t conf[DEVCONF_MTU6 + 1] = { [DEVCONF_MTU6] = 1400 };
	struct nlattr *nest;
	struct event e;

	(void)state;
	ifi->ifi_index = 7;
	ifi->ifi_family = AF_INET6;
	nest = mnl_attr_nest_start(msg, IFLA_PROTINFO);
	mnl_attr_put(msg, IFLA_INET6_CONF, sizeof(conf), conf);
	mnl_attr_nest_end(msg, nest);
	assert_true(event_parse(msg, &e));
	assert_int_equal(e.kind, EVENT_INET6);
	assert_int_equal(e.ifindex, 7);
	assert_int_equal(e.link.mtu6, 1400);
	msg->nlmsg_type = RTM_DELLINK;
	assert_false(event_parse(msg, &e));
	/* Too short to say it. */
	msg = message(RTM_NEWLINK, sizeof(struct ifinfomsg));
	ifi->ifi_family = AF_INET6;
	nest = mnl_attr_nest_start(msg, IFLA_PROTINFO);
	mnl_attr_put(msg, IFLA_INET6_CONF, sizeof(conf) - 4, conf);
	mnl_attr_nest_end(msg, nest);
	assert_false(event_parse(msg, &e));
}

static void routes_are_parsed(void **state)
{
	static const uint8_t to[] = { 198, 51, 100, 0 };
	struct nlmsghdr *msg = message(RTM_DELROUTE, sizeof(struct rtmsg));
	struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	struct ip_prefix wanted;
	struct event e;

	(void)state;
	rtm->rtm_family = AF_INET;
	assert_true(event_parse(msg, &e));
	assert_true(ip_parse_prefix("0.0.0.0/0", &wanted));
	assert_true(ip_equal(&e.prefix.addr, &wanted.addr) && e.prefix.bits == 0);
	rtm->rtm_dst_len = 24;
	mnl_attr_put(msg, RTA_DST, sizeof(to), to);
	assert_true(event_parse(msg, &e));
	assert_true(ip_parse_prefix("198.51.100.0/24", &wanted));
	assert_true(ip_equal(&e.prefix.addr, &wanted.addr) && e.prefix.bits == 24);
	rtm->rtm_flags = RTM_F_CLONED;
	assert_false(event_parse(msg, &e));
	rtm->rtm_flags = 0;
	rtm->rtm_family = RTNL_FAMILY_IPMR;
	assert_false(event_parse(msg, &e));
}

static void the_rest_is_parsed(void **state)
{
	struct nlmsghdr *msg = message(RTM_DELTFILTER, sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	struct event e;

	(void)state;
	tcm->tcm_ifindex = 5;
	assert_true(event_parse(msg, &e));
	assert_true(e.kind == EVENT_TC_GONE && e.ifindex == 5 && !e.block);
	tcm->tcm_ifindex = (int)TCM_IFINDEX_MAGIC_BLOCK;
	tcm->tcm_block_index = 77;
	assert_true(event_parse(msg, &e));
	assert_true(e.ifindex == 0 && e.block == 77);
	assert_true(event_parse(message(RTM_NEWRULE, sizeof(struct rtmsg)), &e));
	assert_int_equal(e.kind, EVENT_WAYS);
	assert_false(event_parse(message(RTM_NEWNEIGH, sizeof(struct ifinfomsg)), &e));
}

static bool nft_event(uint16_t type, uint8_t family, uint16_t hook_attr, struct event *out)
{
	struct nlmsghdr *msg =
		message((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), sizeof(struct nfgenmsg));
	struct nlattr *hook;

	((struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family = family;
	if (hook_attr) {
		hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
		mnl_attr_put_strz(msg, hook_attr, "c1");
		mnl_attr_nest_end(msg, hook);
	}
	return event_parse_nft(msg, out);
}

static void rules_are_parsed(void **state)
{
	struct event e;

	(void)state;
	assert_true(nft_event(NFT_MSG_NEWRULE, NFPROTO_BRIDGE, 0, &e));
	assert_int_equal(e.kind, EVENT_FRAME_RULES);
	assert_true(nft_event(NFT_MSG_DELTABLE, NFPROTO_BRIDGE, 0, &e));
	assert_int_equal(e.kind, EVENT_FRAME_RULES);
	assert_false(nft_event(NFT_MSG_NEWSETELEM, NFPROTO_BRIDGE, 0, &e));
	assert_false(nft_event(NFT_MSG_NEWSETELEM, NFPROTO_INET, 0, &e));
	assert_true(nft_event(NFT_MSG_NEWRULE, NFPROTO_IPV4, 0, &e));
	assert_int_equal(e.kind, EVENT_IP_RULES);
	assert_true(nft_event(NFT_MSG_DELTABLE, NFPROTO_IPV6, 0, &e));
	assert_int_equal(e.kind, EVENT_IP_RULES);
	assert_false(nft_event(NFT_MSG_NEWRULE, NFPROTO_ARP, 0, &e));
	assert_false(nft_event(NFT_MSG_NEWGEN, NFPROTO_UNSPEC, 0, &e));
	assert_true(nft_event(NFT_MSG_NEWCHAIN, NFPROTO_NETDEV, NFTA_HOOK_DEV, &e));
	assert_int_equal(e.kind, EVENT_DEVICE_RULES);
	assert_true(nft_event(NFT_MSG_NEWCHAIN, NFPROTO_INET, NFTA_HOOK_DEVS, &e));
	assert_int_equal(e.kind, EVENT_DEVICE_RULES);
	assert_true(nft_event(NFT_MSG_NEWCHAIN, NFPROTO_INET, NFTA_HOOK_HOOKNUM, &e));
	assert_int_equal(e.kind, EVENT_IP_RULES);
	assert_false(nft_event(NFT_MSG_NEWCHAIN, NFPROTO_NETDEV, NFTA_HOOK_HOOKNUM, &e));
	assert_false(nft_event(NFT_MSG_NEWRULE, NFPROTO_NETDEV, 0, &e));
	assert_true(nft_event(NFT_MSG_DELCHAIN, NFPROTO_NETDEV, 0, &e));
	assert_int_equal(e.kind, EVENT_DEVICE_RULES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_parsed),  cmocka_unit_test(announced_mtus_are_parsed),
		cmocka_unit_test(routes_are_parsed), cmocka_unit_test(the_rest_is_parsed),
		cmocka_unit_test(rules_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
