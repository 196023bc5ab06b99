// SPDX-License-Identifier: GPL-2.0
/* What is said of a device that is left to the kernel. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "filters/device_chains.h"
#include "filters/foreign.h"

static void what_is_of_others_is_named(void **state)
{
	static const struct {
		struct foreign_seen seen;
		const char *wanted;
	} rows[] = {
		{ { .qdisc = "noqueue" }, "" },
		{ { .qdisc = "pfifo_fast" }, "" }, /* a tap's own */
		{ { .qdisc = "noqueue", .qdisc_handle = 0x80010000 }, "" },
		{ { .qdisc = "fq_codel", .qdisc_handle = 0x80010000 },
		  "its root qdisc is fq_codel" },
		{ { .qdisc = "htb",
		    .qdisc_handle = 0x10000,
		    .ways[0] = { .filter = "u32", .chain = "c", .table = "t" } },
		  "its root qdisc is htb" },
		{ { .unread = true, .ways[0].filter = "u32" },
		  "its filters and qdiscs cannot be read" },
		{ { .floods = true },
		  "MAC learning is off on it, so the bridge floods frames for it" },
		{ { .ways[0].filter = "u32" }, "a u32 filter is on its ingress" },
		{ { .ways[1].filter = "bpf" }, "a bpf filter is on its egress" },
		{ { .ways[0].programs = 1 }, "another BPF program is on its ingress" },
		{ { .ways[1].programs = 2 }, "another BPF program is on its egress" },
		{ { .ways[0].filter = "u32", .ways[1].blocked = "its ingress qdisc is there" },
		  "a u32 filter is on its ingress" },
		{ { .ways[1] = { .filter = "u32", .blocked = "its ingress qdisc is there" } },
		  "its ingress qdisc is there" },
		{ { .ways[1] = { .chain = "c", .table = "t" } },
		  "nftables chain c of table t is on it" },
	};
	char why[FOREIGN_WHY];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		foreign_say(&rows[i].seen, FOREIGN_IN | FOREIGN_OUT, why);
		assert_string_equal(why, rows[i].wanted);
	}
}

static void each_way_meets_its_own(void **state)
{
	struct foreign_seen seen = { .qdisc = "tbf",
				     .qdisc_handle = 0x10000,
				     .ways[0] = { .chain = "c", .table = "t" } };
	char why[FOREIGN_WHY];

	(void)state;
	foreign_say(&seen, FOREIGN_OUT, why);
	assert_string_equal(why, "its root qdisc is tbf");
	foreign_say(&seen, FOREIGN_IN, why);
	assert_string_equal(why, "nftables chain c of table t is on it");
	seen.ways[0].chain = NULL;
	foreign_say(&seen, FOREIGN_IN, why);
	assert_string_equal(why, "");
	seen.xdp = true;
	foreign_say(&seen, FOREIGN_IN, why);
	assert_string_equal(why, "an XDP program is on it");
	seen.qdisc_handle = 0;
	foreign_say(&seen, FOREIGN_OUT, why);
	assert_string_equal(why, "");
	seen.unread = true;
	foreign_say(&seen, FOREIGN_IN, why);
	assert_string_equal(why, "its filters and qdiscs cannot be read");
}

static char buffer[1024];

static struct nlmsghdr *chain_message(const char *name)
{
	struct nlmsghdr *msg;

	memset(buffer, 0, sizeof(buffer));
	msg = mnl_nlmsg_put_header(buffer);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct nfgenmsg));
	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, "t");
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
	return msg;
}

static void chains_on_devices_are_found_by_name(void **state)
{
	autodevicechains struct device_chains chains = { 0 };
	struct nlmsghdr *msg = chain_message("forward");
	struct nlattr *hook, *list;

	(void)state;
	mnl_attr_nest_end(msg, mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK));
	device_chains_take(&chains, msg);
	assert_int_equal(chains.n, 0);
	msg = chain_message("one");
	hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	mnl_attr_put_strz(msg, NFTA_HOOK_DEV, "c1");
	mnl_attr_nest_end(msg, hook);
	device_chains_take(&chains, msg);
	msg = chain_message("many");
	hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	list = mnl_attr_nest_start(msg, NFTA_HOOK_DEVS);
	mnl_attr_put_strz(msg, NFTA_DEVICE_NAME, "c2");
	mnl_attr_put_strz(msg, 2 /* NFTA_DEVICE_PREFIX */, "veth");
	mnl_attr_nest_end(msg, list);
	mnl_attr_nest_end(msg, hook);
	device_chains_take(&chains, msg);
	assert_string_equal(device_chains_on(&chains, "c1", false)->name, "one");
	assert_string_equal(device_chains_on(&chains, "c2", false)->name, "many");
	assert_string_equal(device_chains_on(&chains, "veth7", false)->name, "many");
	assert_null(device_chains_on(&chains, "c22", false));
	assert_null(device_chains_on(&chains, "vet", false));
	assert_null(device_chains_on(&chains, "c1", true));
	msg = chain_message("out");
	((struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family = NFPROTO_NETDEV;
	hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(1));
	mnl_attr_put_strz(msg, NFTA_HOOK_DEV, "c1");
	mnl_attr_nest_end(msg, hook);
	device_chains_take(&chains, msg);
	assert_string_equal(device_chains_on(&chains, "c1", true)->name, "out");
	assert_string_equal(device_chains_on(&chains, "c1", false)->name, "one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_of_others_is_named),
		cmocka_unit_test(each_way_meets_its_own),
		cmocka_unit_test(chains_on_devices_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
