// SPDX-License-Identifier: GPL-2.0
/* The kernel's answers about routes: which devices a route may leave by. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/route.h"

static char buffer[4096];

static struct nlmsghdr *answer(unsigned char type)
{
	struct nlmsghdr *msg;
	struct rtmsg *rtm;

	memset(buffer, 0, sizeof(buffer));
	msg = mnl_nlmsg_put_header(buffer);
	msg->nlmsg_type = RTM_NEWROUTE;
	rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));
	rtm->rtm_type = type;
	return msg;
}

/* RTA_MULTIPATH of hops by these devices, each with a gateway behind it. */
static void put_hops(struct nlmsghdr *msg, const int *devices, size_t n)
{
	struct nlattr *list = mnl_attr_nest_start(msg, RTA_MULTIPATH);

	for (size_t i = 0; i < n; i++) {
		struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(msg);

		hop->rtnh_ifindex = devices[i];
		msg->nlmsg_len += sizeof(*hop);
		mnl_attr_put_u32(msg, RTA_GATEWAY, 0);
		hop->rtnh_len =
			(unsigned short)((char *)mnl_nlmsg_get_payload_tail(msg) - (char *)hop);
	}
	mnl_attr_nest_end(msg, list);
}

static void one_device(void **state)
{
	struct nlmsghdr *msg = answer(RTN_UNICAST);
	struct route route = { 0 };
	struct nlattr *metrics;
	uint32_t id;

	(void)state;
	mnl_attr_put_u32(msg, RTA_OIF, 3);
	mnl_attr_put_u32(msg, RTA_NH_ID, 7); /* said beside its device: no need to ask */
	metrics = mnl_attr_nest_start(msg, RTA_METRICS);
	mnl_attr_put_u32(msg, RTAX_MTU, 1400);
	mnl_attr_nest_end(msg, metrics);
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_int_equal(route.n, 1);
	assert_int_equal(route.ifindex[0], 3);
	assert_int_equal(route.mtu, 1400);
	assert_int_equal(id, 0);
	assert_false(route.local);
	assert_false(ip_is_set(&route.source));
}

static void source_and_who_wrote_it(void **state)
{
	static const unsigned char four[4] = { 192, 0, 2, 101 };
	struct nlmsghdr *msg = answer(RTN_UNICAST);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	struct route route = { 0 };
	char text[IP_TEXT];
	uint32_t id;

	(void)state;
	rtm->rtm_family = AF_INET;
	rtm->rtm_protocol = RTPROT_STATIC;
	mnl_attr_put_u32(msg, RTA_OIF, 3);
	mnl_attr_put(msg, RTA_PREFSRC, sizeof(four), four);
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_int_equal(route.protocol, RTPROT_STATIC);
	ip_format(&route.source, text);
	assert_string_equal(text, "192.0.2.101");
	/* Cut short, it says nothing. */
	msg = answer(RTN_UNICAST);
	mnl_attr_put_u32(msg, RTA_OIF, 3);
	mnl_attr_put(msg, RTA_PREFSRC, 2, four);
	route = (struct route){ 0 };
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_false(ip_is_set(&route.source));
}

static void several_hops_each_device_once(void **state)
{
	static const int devices[] = { 3, 4, 3, 9 };
	struct nlmsghdr *msg = answer(RTN_UNICAST);
	struct route route = { 0 };
	uint32_t id;

	(void)state;
	put_hops(msg, devices, ARRAY_LEN(devices));
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_int_equal(route.n, 3);
	assert_int_equal(route.ifindex[0], 3);
	assert_int_equal(route.ifindex[1], 4);
	assert_int_equal(route.ifindex[2], 9);
}

static void more_hops_than_there_is_room_for(void **state)
{
	int devices[ROUTE_DEVICES + 5];
	struct nlmsghdr *msg = answer(RTN_UNICAST);
	struct route route = { 0 };
	uint32_t id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		devices[i] = (int)i + 1;
	put_hops(msg, devices, ARRAY_LEN(devices));
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_int_equal(route.n, ROUTE_DEVICES);
}

static void locked_mtu_is_the_routes(void **state)
{
	struct nlmsghdr *msg = answer(RTN_UNICAST);
	struct route route = { 0 };
	struct nlattr *metrics;
	uint32_t id;

	(void)state;
	mnl_attr_put_u32(msg, RTA_OIF, 3);
	metrics = mnl_attr_nest_start(msg, RTA_METRICS);
	mnl_attr_put_u32(msg, RTAX_LOCK, 1 << RTAX_MTU);
	mnl_attr_put_u32(msg, RTAX_MTU, 1300);
	mnl_attr_nest_end(msg, metrics);
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_int_equal(route.mtu, 1300);
}

static void the_narrowest_decides(void **state)
{
	static struct link devices[] = {
		{ .ifindex = 3, .mtu = 1500, .mtu6 = 1500 },
		{ .ifindex = 4, .mtu = 1420, .mtu6 = 1420 },
		{ .ifindex = 5, .mtu = 1500, .mtu6 = 1400 }, /* as a router announced it */
	};
	static const struct links links = { devices, ARRAY_LEN(devices) };
	static const struct {
		int ifindex[3];
		uint32_t own;
		bool v4;
		uint32_t mtu;
		int narrow;
	} rows[] = {
		{ { 3 }, 0, true, 1500, 3 },	   { { 3 }, 1300, true, 1300, 0 },
		{ { 3 }, 9000, true, 1500, 3 },	   { { 3, 4 }, 0, true, 1420, 4 },
		{ { 4, 3 }, 0, true, 1420, 4 },	   { { 3, 4 }, 1410, true, 1410, 0 },
		{ { 3, 4 }, 1450, true, 1420, 4 }, { { 5 }, 0, true, 1500, 5 },
		{ { 5 }, 0, false, 1400, 5 },	   { { 3, 4, 5 }, 0, false, 1400, 5 },
		{ { 7, 3 }, 0, true, 1500, 3 }, /* 7 has gone meanwhile */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct route route = { .mtu = rows[i].own };

		memcpy(route.ifindex, rows[i].ifindex, sizeof(rows[i].ifindex));
		while (route.n < 3 && route.ifindex[route.n])
			route.n++;
		route_narrow(&links, rows[i].v4, &route);
		if (route.mtu != rows[i].mtu || route.narrow != rows[i].narrow)
			fail_msg("row %zu: %u by %d", i, route.mtu, route.narrow);
	}
}

static void a_number_only(void **state)
{
	struct nlmsghdr *msg = answer(RTN_UNICAST);
	struct route route = { 0 };
	uint32_t id;

	(void)state;
	mnl_attr_put_u32(msg, RTA_NH_ID, 7);
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_int_equal(route.n, 0);
	assert_int_equal(id, 7);
}

static void no_way(void **state)
{
	static const unsigned char types[] = { RTN_UNREACHABLE, RTN_BLACKHOLE, RTN_PROHIBIT };
	struct route route = { 0 };
	struct nlmsghdr *msg;
	uint32_t id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		msg = answer(types[i]);
		mnl_attr_put_u32(msg, RTA_OIF, 1);
		assert_int_equal(route_parse(msg, &route, &id), -ENETUNREACH);
	}
	assert_int_equal(route_parse(answer(RTN_UNICAST), &route, &id), -ENETUNREACH);
	msg = answer(RTN_LOCAL);
	mnl_attr_put_u32(msg, RTA_OIF, 3);
	assert_int_equal(route_parse(msg, &route, &id), 0);
	assert_true(route.local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_device),
		cmocka_unit_test(source_and_who_wrote_it),
		cmocka_unit_test(several_hops_each_device_once),
		cmocka_unit_test(more_hops_than_there_is_room_for),
		cmocka_unit_test(locked_mtu_is_the_routes),
		cmocka_unit_test(the_narrowest_decides),
		cmocka_unit_test(a_number_only),
		cmocka_unit_test(no_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
