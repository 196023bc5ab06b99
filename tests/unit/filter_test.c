// SPDX-License-Identifier: GPL-2.0
/* Which packets firewalls drop for certain: matches of iptables, tables of rules, and broken ones. */
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
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "filters/xt_match.h"
#include "filters/xt_table.h"

static const struct xt_packet vxlan = { .protocol = IPPROTO_UDP, .dport = 4789 };
static const struct nft_packet packet = {
	.family = NFPROTO_IPV4, .protocol = IPPROTO_UDP, .dport = 4789, .iif = "eth0"
};

static const struct nft_packet packet6 = {
	.family = NFPROTO_IPV6, .protocol = IPPROTO_UDP, .dport = 4789, .iif = "eth0"
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
	static const struct xt_conntrack_mtinfo3 address = { .match_flags = XT_CONNTRACK_ORIGSRC };
	static const struct {
		const char *name;
		unsigned revision;
		const void *info;
		size_t len;
		enum xt_fit fit;
	} rows[] = {
		{ "udp", 0, &exact, sizeof(exact), XT_FITS },
		{ "udp", 0, &exact, sizeof(exact) - 1, XT_MAY_FIT },
		{ "udp", 0, &below, sizeof(below), XT_FITS_NOT },
		{ "udp", 0, &above, sizeof(above), XT_FITS_NOT },
		{ "udp", 0, &not_it, sizeof(not_it), XT_FITS_NOT },
		{ "udp", 0, &source, sizeof(source), XT_MAY_FIT },
		{ "tcp", 0, &exact, sizeof(exact), XT_FITS_NOT },
		{ "multiport", 1, &list, sizeof(list), XT_FITS },
		{ "multiport", 0, &list, sizeof(list), XT_MAY_FIT },
		{ "multiport", 1, &without, sizeof(without), XT_FITS },
		{ "multiport", 1, &either, sizeof(either), XT_MAY_FIT },
		{ "conntrack", 3, &known, sizeof(known), XT_FITS_NOT },
		{ "conntrack", 3, &fresh, sizeof(fresh), XT_FITS },
		{ "conntrack", 1, &fresh, sizeof(fresh), XT_MAY_FIT },
		{ "conntrack", 3, &address, sizeof(address), XT_MAY_FIT },
		{ "comment", 0, NULL, 0, XT_FITS },
		{ "set", 4, NULL, 0, XT_MAY_FIT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (xt_match_fits(rows[i].name, rows[i].revision, rows[i].info, rows[i].len,
				  &vxlan) != rows[i].fit)
			fail_msg("row %zu: %s", i, rows[i].name);
}

/* --- a table of legacy iptables: one rule of INPUT, and its policy */

static struct ip6t_standard table[2];

static struct ip6t_standard verdict(int v)
{
	return (struct ip6t_standard){
		.entry = { .target_offset = sizeof(struct ip6t_entry),
			   .next_offset = sizeof(struct ip6t_standard) },
		.target = { .target.u.user.target_size = sizeof(struct xt_standard_target),
			    .verdict = v },
	};
}

static struct xt_filter legacy(int rule, int policy)
{
	struct xt_filter f = { .hooks = 1U << NF_INET_LOCAL_IN, .size = sizeof(table) };

	table[0] = verdict(rule);
	table[1] = verdict(policy);
	f.rules = table;
	f.policy[NF_INET_LOCAL_IN] = sizeof(struct ip6t_standard);
	return f;
}

static void legacy_tables_drop(void **state)
{
	const int drop = -NF_DROP - 1, accept = -NF_ACCEPT - 1;
	struct xt_filter f = legacy(drop, accept);
	struct nft_culprit by;

	(void)state;
	assert_true(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
	assert_false(by.policy);
	assert_string_equal(by.chain, "INPUT");
	assert_false(xt_filter_drops(&f, NF_INET_FORWARD, &packet6, &by));
	table[0].entry.ipv6.proto = IPPROTO_TCP;
	table[0].entry.ipv6.flags = IP6T_F_PROTO;
	assert_false(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
	table[1].target.verdict = drop;
	assert_true(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
	assert_true(by.policy);
	f = legacy(XT_RETURN, drop);
	assert_true(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
	f = legacy(accept, drop);
	assert_false(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
	table[0].entry.ipv6.smsk.s6_addr[0] = 1; /* only from somewhere */
	assert_false(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
	table[0].entry.ipv6.proto = IPPROTO_TCP;
	table[0].entry.ipv6.flags = IP6T_F_PROTO;
	assert_true(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
	/* Round in a circle. */
	f = legacy(0, drop);
	assert_false(xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by));
}

/* Whatever is in it: no byte beyond is read (the sanitizer sees to that). */
static void broken_tables_are_survived(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int n = 0; n < 20000; n++) {
		struct xt_filter f = legacy(XT_RETURN, -1);
		size_t len = (size_t)rand_r(&seed) % (sizeof(table) + 1);
		struct nft_culprit by;
		uint8_t *rules = malloc(len ? len : 1);

		memcpy(rules, table, len);
		for (int k = 0; len && k < 4; k++)
			rules[(size_t)rand_r(&seed) % len] = (uint8_t)rand_r(&seed);
		f.rules = rules;
		f.size = (uint32_t)len;
		f.entry[NF_INET_LOCAL_IN] = (uint32_t)rand_r(&seed) % 16 ? 0 : 8;
		xt_filter_drops(&f, NF_INET_LOCAL_IN, &packet6, &by);
		free(rules);
	}
}

/* --- nf_tables: an input chain with one rule, udp dport == port */

static char buffer[4096];

static struct nlmsghdr *message(uint16_t type)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *nfg;

	msg->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
	return msg;
}

static void put_chain(struct nft_filter *f, const char *name, bool base, int policy)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWCHAIN);
	struct nlattr *hook;

	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, "t");
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
	if (base) {
		hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(NF_INET_LOCAL_IN));
		mnl_attr_nest_end(msg, hook);
		mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, "filter");
		mnl_attr_put_u32(msg, NFTA_CHAIN_POLICY, htonl((uint32_t)policy));
	}
	nft_filter_take(f, msg);
}

/* what: an expression without data that may or may not match, or NULL. */
static void put_rule(struct nft_filter *f, const char *chain, const char *what, int code,
		     const char *to)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWRULE);
	struct nlattr *list, *element, *data, *value, *verdict_attr;

	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, "t");
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
	list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	if (what) {
		element = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
		mnl_attr_put_strz(msg, NFTA_EXPR_NAME, what);
		mnl_attr_nest_end(msg, element);
	}
	element = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, "immediate");
	data = mnl_attr_nest_start(msg, NFTA_EXPR_DATA);
	value = mnl_attr_nest_start(msg, NFTA_IMMEDIATE_DATA);
	verdict_attr = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(msg, NFTA_VERDICT_CODE, htonl((uint32_t)code));
	if (to)
		mnl_attr_put_strz(msg, NFTA_VERDICT_CHAIN, to);
	mnl_attr_nest_end(msg, verdict_attr);
	mnl_attr_nest_end(msg, value);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, element);
	mnl_attr_nest_end(msg, list);
	nft_filter_take(f, msg);
}

static void chains_are_walked(void **state)
{
	static const struct {
		struct {
			const char *what;
			int code;
			const char *to;
		} in[2], sub[2]; /* rules of the chains; code 1000: none */
		bool drops; /* the policy */
		bool dropped;
	} rows[] = {
		{ { { NULL, 1000, 0 }, { NULL, 1000, 0 } }, { { NULL, 1000, 0 } }, true, true },
		{ { { NULL, NF_DROP, 0 }, { NULL, 1000, 0 } }, { { NULL, 1000, 0 } }, false, true },
		{ { { "limit", NF_DROP, 0 }, { NULL, 1000, 0 } },
		  { { NULL, 1000, 0 } },
		  false,
		  false },
		{ { { "limit", NF_ACCEPT, 0 }, { NULL, NF_DROP, 0 } },
		  { { NULL, 1000, 0 } },
		  true,
		  false },
		{ { { "news", NFT_CONTINUE, 0 }, { NULL, NF_DROP, 0 } },
		  { { NULL, 1000, 0 } },
		  true,
		  false },
		{ { { NULL, NFT_JUMP, "sub" }, { NULL, 1000, 0 } },
		  { { NULL, NF_DROP, 0 }, { NULL, 1000, 0 } },
		  false,
		  true },
		{ { { "limit", NFT_JUMP, "sub" }, { NULL, 1000, 0 } },
		  { { NULL, NF_DROP, 0 }, { NULL, 1000, 0 } },
		  false,
		  false },
		{ { { "limit", NFT_JUMP, "sub" }, { NULL, 1000, 0 } },
		  { { NULL, NF_DROP, 0 }, { NULL, 1000, 0 } },
		  true,
		  true },
		{ { { NULL, NFT_JUMP, "sub" }, { NULL, NF_DROP, 0 } },
		  { { NULL, NFT_RETURN, 0 }, { NULL, NF_ACCEPT, 0 } },
		  false,
		  true },
		/* Some return, the others are dropped: not all, unless the policy drops those, too. */
		{ { { NULL, NFT_JUMP, "sub" }, { NULL, 1000, 0 } },
		  { { "limit", NFT_RETURN, 0 }, { NULL, NF_DROP, 0 } },
		  false,
		  false },
		{ { { NULL, NFT_JUMP, "sub" }, { NULL, 1000, 0 } },
		  { { "limit", NFT_RETURN, 0 }, { NULL, NF_DROP, 0 } },
		  true,
		  true },
		/* After a goto what is left goes to the policy. */
		{ { { NULL, NFT_GOTO, "sub" }, { NULL, NF_DROP, 0 } },
		  { { "limit", NF_DROP, 0 }, { NULL, 1000, 0 } },
		  false,
		  false },
		{ { { NULL, NFT_GOTO, "gone" }, { NULL, NF_DROP, 0 } },
		  { { NULL, 1000, 0 } },
		  true,
		  false },
		{ { { NULL, NFT_JUMP, "sub" }, { NULL, NF_DROP, 0 } },
		  { { NULL, NFT_JUMP, "sub" }, { NULL, 1000, 0 } },
		  true,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofilter struct nft_filter f = { 0 };
		struct nft_culprit by;

		put_chain(&f, "in", true, rows[i].drops ? NF_DROP : NF_ACCEPT);
		put_chain(&f, "sub", false, 0);
		for (size_t k = 0; k < 2 && rows[i].in[k].code != 1000; k++)
			put_rule(&f, "in", rows[i].in[k].what, rows[i].in[k].code,
				 rows[i].in[k].to);
		for (size_t k = 0; k < 2 && rows[i].sub[k].code != 1000; k++)
			put_rule(&f, "sub", rows[i].sub[k].what, rows[i].sub[k].code,
				 rows[i].sub[k].to);
		if (nft_filter_drops(&f, NF_INET_LOCAL_IN, &packet, &by) != rows[i].dropped)
			fail_msg("row %zu", i);
		assert_false(nft_filter_drops(&f, NF_INET_FORWARD, &packet, &by));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_fit),
		cmocka_unit_test(legacy_tables_drop),
		cmocka_unit_test(broken_tables_are_survived),
		cmocka_unit_test(chains_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
