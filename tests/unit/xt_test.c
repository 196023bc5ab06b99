// SPDX-License-Identifier: GPL-2.0
/* Matches of iptables, and tables of iptables-legacy: right ones and broken ones. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "filters/rules_walk.h"
#include "filters/xt_match.h"
#include "filters/xt_table.h"

static const struct rule_packet packet = {
	.family = NFPROTO_IPV4,
	.protocol = IPPROTO_UDP,
	.dport = 4789,
	.iif = "eth0",
	.tracked = RULE_CT_NEW,
};

static const struct rule_packet packet6 = {
	.family = NFPROTO_IPV6,
	.protocol = IPPROTO_UDP,
	.dport = 4789,
	.iif = "eth0",
	.tracked = RULE_CT_NEW,
};

static void matches_fit(void **state)
{
	static const struct xt_udp exact = { { 0, 65535 }, { 4789, 4789 }, 0 };
	static const struct xt_udp below = { { 0, 65535 }, { 0, 4788 }, 0 };
	static const struct xt_udp above = { { 0, 65535 }, { 4790, 65535 }, 0 };
	static const struct xt_udp not_it = { { 0, 65535 }, { 4789, 4789 }, XT_UDP_INV_DSTPT };
	static const struct xt_udp source = { { 4789, 4789 }, { 0, 65535 }, 0 };
	static const struct xt_multiport_v1 list = { .flags = XT_MULTIPORT_DESTINATION,
						     .count = 3,
						     .ports = { 53, 4000, 5000 },
						     .pflags = { 0, 1, 0 } };
	static const struct xt_multiport_v1 without = {
		.flags = XT_MULTIPORT_DESTINATION, .count = 2, .ports = { 53, 54 }, .invert = 1
	};
	static const struct xt_multiport_v1 either = { .flags = XT_MULTIPORT_EITHER,
						       .count = 1,
						       .ports = { 4789 } };
	static const struct xt_conntrack_mtinfo3 known = {
		.match_flags = XT_CONNTRACK_STATE,
		.state_mask = XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED),
	};
	static const struct xt_conntrack_mtinfo3 fresh = {
		.match_flags = XT_CONNTRACK_STATE,
		.state_mask = XT_CONNTRACK_STATE_BIT(IP_CT_NEW),
	};
	static const struct xt_tcp tcp_any = { .dpts = { 0, 65535 } };
	static const struct xt_conntrack_mtinfo3 address = { .match_flags = XT_CONNTRACK_ORIGSRC };
	static const struct xt_set_info_match_v4 set = { .match_set.index = 1 };
	static const struct xt_set_info_match_v4 counting = { .packets.op = IPSET_COUNTER_GT };
	static const struct {
		const char *name;
		unsigned revision;
		const void *info;
		size_t len;
		enum rule_fit fit;
	} rows[] = {
		{ "udp", 0, &exact, sizeof(exact), RULE_FITS },
		{ "udp", 0, &exact, sizeof(exact) - 1, RULE_MAY_BY_MORE },
		{ "udp", 0, &below, sizeof(below), RULE_FITS_NOT },
		{ "udp", 0, &above, sizeof(above), RULE_FITS_NOT },
		{ "udp", 0, &not_it, sizeof(not_it), RULE_FITS_NOT },
		{ "udp", 0, &source, sizeof(source), RULE_MAY_BY_FLOW },
		{ "multiport", 1, &list, sizeof(list), RULE_FITS },
		{ "multiport", 0, &list, sizeof(list), RULE_MAY_BY_MORE },
		{ "multiport", 1, &without, sizeof(without), RULE_FITS },
		{ "multiport", 1, &either, sizeof(either), RULE_MAY_BY_FLOW },
		{ "conntrack", 3, &known, sizeof(known), RULE_FITS_NOT },
		{ "conntrack", 3, &fresh, sizeof(fresh), RULE_FITS },
		{ "conntrack", 1, &fresh, sizeof(fresh), RULE_MAY_BY_MORE },
		{ "conntrack", 3, &address, sizeof(address), RULE_MAY_BY_MORE },
		{ "comment", 0, NULL, 0, RULE_FITS },
		{ "set", 4, NULL, 0, RULE_MAY_BY_MORE },
		{ "set", 4, &set, sizeof(set), RULE_MAY_BY_FLOW },
		{ "set", 4, &counting, sizeof(counting), RULE_MAY_BY_MORE },
		{ "rpfilter", 0, NULL, 0, RULE_MAY_BY_FLOW },
		{ "statistic", 0, NULL, 0, RULE_MAY_BY_MORE },
		{ "physdev", 0, NULL, 0, RULE_MAY_BY_FLOW },
		{ "tcp", 0, &tcp_any, sizeof(tcp_any), RULE_FITS_NOT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rule_answer answer = { .fit = RULE_FITS };

		xt_match_ask(rows[i].name, rows[i].revision, rows[i].info, rows[i].len, &packet,
			     &answer);
		if (answer.fit != rows[i].fit)
			fail_msg("row %zu: %s", i, rows[i].name);
		assert_int_equal(answer.fit == RULE_MAY_BY_MORE, !!answer.what[0]);
	}
}

/* --- a table of legacy iptables: one rule of INPUT, and its policy */

static struct ip6t_standard entries[2];

static struct ip6t_standard verdict(int v)
{
	return (struct ip6t_standard){
		.entry = { .target_offset = sizeof(struct ip6t_entry),
			   .next_offset = sizeof(struct ip6t_standard) },
		.target = { .target.u.user.target_size = sizeof(struct xt_standard_target),
			    .verdict = v },
	};
}

static struct xt_table legacy(int rule, int policy)
{
	struct xt_table f = { .name = "filter",
			      .hooks = 1U << NF_INET_LOCAL_IN,
			      .size = sizeof(entries) };

	entries[0] = verdict(rule);
	entries[1] = verdict(policy);
	f.bytes = entries;
	f.policy[NF_INET_LOCAL_IN] = sizeof(struct ip6t_standard);
	return f;
}

/* By which chain: its name, with "policy", or NULL. */
static const char *dropped_by(const struct xt_table *t, uint32_t hook)
{
	autorules struct rules rules = { 0 };
	static char text[RULE_NAME + 8];
	struct rules_culprit by;

	xt_table_take(&rules, NFPROTO_IPV6, t);
	if (!rules_drop(&rules, hook, &packet6, &by))
		return NULL;
	assert_true(by.chain->legacy);
	snprintf(text, sizeof(text), "%s%s", by.chain->name, by.policy ? " policy" : "");
	return text;
}

static void legacy_tables_drop(void **state)
{
	const int drop = -NF_DROP - 1, accept = -NF_ACCEPT - 1;
	struct xt_table f = legacy(drop, accept);
	(void)state;
	assert_string_equal(dropped_by(&f, NF_INET_LOCAL_IN), "INPUT");
	assert_null(dropped_by(&f, NF_INET_FORWARD));
	entries[0].entry.ipv6.proto = IPPROTO_TCP;
	entries[0].entry.ipv6.flags = IP6T_F_PROTO;
	assert_null(dropped_by(&f, NF_INET_LOCAL_IN));
	entries[1].target.verdict = drop;
	assert_string_equal(dropped_by(&f, NF_INET_LOCAL_IN), "INPUT policy");
	f = legacy(XT_RETURN, drop);
	assert_non_null(dropped_by(&f, NF_INET_LOCAL_IN));
	f = legacy(accept, drop);
	assert_null(dropped_by(&f, NF_INET_LOCAL_IN));
	entries[0].entry.ipv6.smsk.s6_addr[0] = 1; /* only from somewhere */
	assert_null(dropped_by(&f, NF_INET_LOCAL_IN));
	entries[0].entry.ipv6.proto = IPPROTO_TCP;
	entries[0].entry.ipv6.flags = IP6T_F_PROTO;
	assert_non_null(dropped_by(&f, NF_INET_LOCAL_IN));
	/* A rule without a verdict, as the kernel has it: on to the next. */
	f = legacy(sizeof(struct ip6t_standard), drop);
	assert_non_null(dropped_by(&f, NF_INET_LOCAL_IN));
	/* `! -i +` and `! -s ::/0` fit nothing. */
	f = legacy(drop, accept);
	entries[0].entry.ipv6.invflags = IP6T_INV_VIA_IN;
	assert_null(dropped_by(&f, NF_INET_LOCAL_IN));
	entries[0].entry.ipv6.invflags = IP6T_INV_SRCIP;
	assert_null(dropped_by(&f, NF_INET_LOCAL_IN));
	/* Round in a circle. */
	f = legacy(0, drop);
	assert_null(dropped_by(&f, NF_INET_LOCAL_IN));
}

/* Whatever is in it: no byte beyond is read (the sanitizer sees to that). */
static void broken_tables_are_survived(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int n = 0; n < 20000; n++) {
		struct xt_table f = legacy(XT_RETURN, -1);
		size_t len = (size_t)rand_r(&seed) % (sizeof(entries) + 1);
		uint8_t *bytes = malloc(len ? len : 1);

		memcpy(bytes, entries, len);
		for (int k = 0; len && k < 4; k++)
			bytes[(size_t)rand_r(&seed) % len] = (uint8_t)rand_r(&seed);
		f.bytes = bytes;
		f.size = (uint32_t)len;
		f.entry[NF_INET_LOCAL_IN] = (uint32_t)rand_r(&seed) % 16 ? 0 : 8;
		dropped_by(&f, NF_INET_LOCAL_IN);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_fit),
		cmocka_unit_test(legacy_tables_drop),
		cmocka_unit_test(broken_tables_are_survived),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
