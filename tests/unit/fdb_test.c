// SPDX-License-Identifier: GPL-2.0
/* The kernel's words on where VXLAN devices send. */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "kernel/fdb.h"

static char buffer[1024];
static const uint8_t everything[6], somebody[6] = { 2, 0, 0, 0, 0, 9 };

static struct nlmsghdr *entry(uint16_t state, uint8_t flags, const uint8_t mac[6], const char *to)
{
	struct nlmsghdr *msg;
	struct ndmsg *ndm;
	struct vx_addr addr;

	memset(buffer, 0, sizeof(buffer));
	msg = mnl_nlmsg_put_header(buffer);
	msg->nlmsg_type = RTM_NEWNEIGH;
	ndm = mnl_nlmsg_put_extra_header(msg, sizeof(*ndm));
	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = 7;
	ndm->ndm_state = state;
	ndm->ndm_flags = flags;
	mnl_attr_put(msg, NDA_LLADDR, 6, mac);
	if (to && ip_parse(to, &addr))
		mnl_attr_put(msg, NDA_DST, ip_raw_len(&addr), ip_raw(&addr));
	return msg;
}

static void entries_are_parsed(void **state)
{
	const struct link_vxlan free_one = { 0 }, bound = { .lower = 3 };
	struct nlmsghdr *msg = entry(NUD_PERMANENT, NTF_SELF, everything, "192.0.2.2");
	struct fdb_entry e;

	(void)state;
	assert_true(fdb_parse(msg, &e));
	assert_int_equal(e.ifindex, 7);
	assert_true(e.lasting);
	assert_true(fdb_is_plain(&e, &free_one));
	assert_false(fdb_is_plain(&e, &bound));
	mnl_attr_put_u32(msg, NDA_IFINDEX, 3);
	assert_true(fdb_parse(msg, &e));
	assert_false(fdb_is_plain(&e, &free_one));
	assert_true(fdb_is_plain(&e, &bound));
	mnl_attr_put_u16(msg, NDA_PORT, htons(4790));
	assert_true(fdb_parse(msg, &e));
	assert_int_equal(e.port, 4790);
	assert_false(fdb_is_plain(&e, &bound));
	assert_true(
		fdb_parse(entry(NUD_NOARP | NUD_REACHABLE, NTF_SELF, somebody, "2001:db8::2"), &e));
	assert_true(e.lasting);
	assert_false(fdb_is_plain(&e, &free_one));
}

static void others_entries_are_none(void **state)
{
	struct fdb_entry e;

	(void)state;
	/* Learned by the device: nobody's doing. */
	assert_true(fdb_parse(entry(NUD_REACHABLE, NTF_SELF, somebody, "192.0.2.2"), &e));
	assert_false(e.lasting);
	/* A bridge's, a plain device's, a host's neighbour. */
	assert_false(fdb_parse(entry(NUD_PERMANENT, 0, somebody, "192.0.2.2"), &e));
	assert_false(fdb_parse(entry(NUD_PERMANENT, NTF_SELF, somebody, NULL), &e));
	entry(NUD_PERMANENT, NTF_SELF, somebody, "192.0.2.2");
	((struct ndmsg *)mnl_nlmsg_get_payload((struct nlmsghdr *)buffer))->ndm_family = AF_INET;
	assert_false(fdb_parse((struct nlmsghdr *)buffer, &e));
}

static struct fdb_entry to(int ifindex, const char *text)
{
	struct fdb_entry e = { .ifindex = ifindex, .lasting = true };

	assert_true(ip_parse(text, &e.to));
	return e;
}

static void what_is_amiss_shows(void **state)
{
	struct fdb_entry v[] = { to(5, "192.0.2.5"), to(7, "192.0.2.2"), to(7, "192.0.2.9"),
				 to(7, "192.0.2.3"), to(8, "2001:db8::2") };
	const struct fdb fdb = { v, ARRAY_LEN(v) };
	char text[128];

	(void)state;
	fdb_text(&fdb, &(struct link){ .ifindex = 5 }, text, sizeof(text));
	assert_string_equal(text, "192.0.2.5");
	fdb_text(&fdb, &(struct link){ .ifindex = 6 }, text, sizeof(text));
	assert_string_equal(text, "");
	fdb_text(&fdb, &(struct link){ .ifindex = 8, .vxlan.lower = 3 }, text, sizeof(text));
	assert_string_equal(text, "2001:db8::2 device 0");
	v[2].port = 4790;
	v[2].vni = 7;
	memcpy(v[2].mac, somebody, 6);
	v[3].lasting = false;
	fdb_text(&fdb, &(struct link){ .ifindex = 7 }, text, sizeof(text));
	assert_string_equal(text, "192.0.2.2 and 192.0.2.9 port 4790 vni 7 for 02:00:00:00:00:09");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_parsed),
		cmocka_unit_test(others_entries_are_none),
		cmocka_unit_test(what_is_amiss_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
