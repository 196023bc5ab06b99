// SPDX-License-Identifier: GPL-2.0
/*
 * What rules do with packets: chains of nf_tables.
 *
 * lines: all questions about chains, with the messages they are made of.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "filters/nft_take.h"
#include "filters/rules_walk.h"

static const struct rule_packet packet = {
	.family = NFPROTO_IPV4, .protocol = IPPROTO_UDP, .dport = 4789, .iif = "eth0"
};

static char buffer[4096];

static struct nlmsghdr *message(uint16_t type, uint8_t family)
{
	struct nlmsghdr *msg;
	struct nfgenmsg *nfg;

	memset(buffer, 0, sizeof(buffer));
	msg = mnl_nlmsg_put_header(buffer);
	msg->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));
	nfg->nfgen_family = family;
	return msg;
}

enum { NO_BASE = -1 }; /* instead of a policy */

static void put_chain(struct rules *rules, uint8_t family, const char *table, const char *name,
		      int policy)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWCHAIN, family);
	struct nlattr *hook;

	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
	if (policy != NO_BASE) {
		hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(NF_INET_LOCAL_IN));
		mnl_attr_nest_end(msg, hook);
		mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, "filter");
		mnl_attr_put_u32(msg, NFTA_CHAIN_POLICY, htonl((uint32_t)policy));
	}
	nft_take(rules, msg);
}

/* An expression of this kind, with a verdict (to NULL: no chain) or a look-up in `set` for data. */
static void put_expression(struct nlmsghdr *msg, const char *what, int code, const char *to,
			   const char *set)
{
	struct nlattr *element = mnl_attr_nest_start(msg, NFTA_LIST_ELEM), *data, *value, *verdict;

	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, what);
	data = mnl_attr_nest_start(msg, NFTA_EXPR_DATA);
	if (set) {
		mnl_attr_put_strz(msg, NFTA_LOOKUP_SET, set);
		if (code == NFT_JUMP)
			mnl_attr_put_u32(msg, NFTA_LOOKUP_DREG, htonl(NFT_REG_VERDICT));
	} else {
		value = mnl_attr_nest_start(msg, NFTA_IMMEDIATE_DATA);
		verdict = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
		mnl_attr_put_u32(msg, NFTA_VERDICT_CODE, htonl((uint32_t)code));
		if (to)
			mnl_attr_put_strz(msg, NFTA_VERDICT_CHAIN, to);
		mnl_attr_nest_end(msg, verdict);
		mnl_attr_nest_end(msg, value);
	}
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, element);
}

/* what: an expression before the verdict, by which the rule may fit or not; or NULL. */
static void put_rule_in(struct rules *rules, uint8_t family, const char *table, const char *chain,
			const char *what, int code, const char *to)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWRULE, family);
	bool map = what && strcmp(what, "map") == 0, set = what && strcmp(what, "set") == 0;
	struct nlattr *list;

	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
	list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	if (map || set)
		put_expression(msg, "lookup", map ? NFT_JUMP : 0, NULL, "s");
	else if (what)
		put_expression(msg, what, NFT_CONTINUE, NULL, NULL);
	if (!map && code != NFT_CONTINUE)
		put_expression(msg, "immediate", code, to, NULL);
	mnl_attr_nest_end(msg, list);
	nft_take(rules, msg);
}

static void put_rule(struct rules *rules, const char *chain, const char *what, int code,
		     const char *to)
{
	put_rule_in(rules, NFPROTO_INET, "t", chain, what, code, to);
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
		autorules struct rules f = { 0 };
		struct rules_culprit by;

		put_chain(&f, NFPROTO_INET, "t", "in", rows[i].drops ? NF_DROP : NF_ACCEPT);
		put_chain(&f, NFPROTO_INET, "t", "sub", NO_BASE);
		for (size_t k = 0; k < 2 && rows[i].in[k].code != 1000; k++)
			put_rule(&f, "in", rows[i].in[k].what, rows[i].in[k].code,
				 rows[i].in[k].to);
		for (size_t k = 0; k < 2 && rows[i].sub[k].code != 1000; k++)
			put_rule(&f, "sub", rows[i].sub[k].what, rows[i].sub[k].code,
				 rows[i].sub[k].to);
		if (rules_drop(&f, NF_INET_LOCAL_IN, &packet, &by) != rows[i].dropped)
			fail_msg("row %zu", i);
		assert_false(rules_drop(&f, NF_INET_FORWARD, &packet, &by));
	}
}

/* --- do two frames of one flow fare differently? */

static void chain(struct rules *rules, const char *table, const char *name, int policy)
{
	put_chain(rules, NFPROTO_BRIDGE, table, name, policy);
}

static void rule(struct rules *rules, const char *table, const char *in, const char *what, int code,
		 const char *to)
{
	put_rule_in(rules, NFPROTO_BRIDGE, table, in, what, code, to);
}

static void limit(struct rules *rules, const char *table, const char *in)
{
	rule(rules, table, in, "limit", NF_DROP, NULL);
}

static void expect_why(const struct rules *rules, const char *wanted)
{
	char why[RULES_WHY];

	rules_tell_more(rules, why);
	assert_string_equal(why, wanted);
}

#define END                                                                                        \
	{                                                                                          \
		"", 0, NULL                                                                        \
	}

static void a_rule_matters_by_its_outcome(void **state)
{
	static const struct {
		struct {
			const char *what; /* "" ends the chain */
			int code;
			const char *to;
		} in[4], sub[4];
		bool drops; /* the policy */
		bool matters;
	} rows[] = {
		{ { { "limit", NF_ACCEPT, 0 }, END }, { END }, false, false },
		{ { { "limit", NF_ACCEPT, 0 }, END }, { END }, true, true },
		{ { { "limit", NFT_CONTINUE, 0 }, END }, { END }, true, false },
		{ { { "limit", NF_DROP, 0 }, { NULL, NF_DROP, 0 }, END }, { END }, false, false },
		/* What stands between decides by the flow, and so do its neighbours. */
		{ { { "set", NF_DROP, 0 }, { "limit", NF_ACCEPT, 0 }, END },
		  { END },
		  false,
		  false },
		{ { { "limit", NF_ACCEPT, 0 }, { "set", NF_DROP, 0 }, END }, { END }, false, true },
		/* Two rules without a consequence, for different flows, are not one with. */
		{ { { "set", NFT_JUMP, "sub" },
		    { "limit", NF_DROP, 0 },
		    { NULL, NF_DROP, 0 },
		    END },
		  { { "limit", NF_ACCEPT, 0 }, { NULL, NF_ACCEPT, 0 }, END },
		  true,
		  false },
		/* Behind what decides. */
		{ { { NULL, NF_ACCEPT, 0 }, { "limit", NF_DROP, 0 }, END }, { END }, false, false },
		/* Docker: what is established, and then all that stays on the bridge. */
		{ { { "set", NFT_JUMP, "sub" }, END },
		  { { "ct", NF_ACCEPT, 0 }, { NULL, NF_ACCEPT, 0 }, END },
		  true,
		  false },
		{ { { "set", NFT_JUMP, "sub" }, END },
		  { { "ct", NF_ACCEPT, 0 }, { "set", NF_ACCEPT, 0 }, END },
		  true,
		  true },
		/* Back from a chain, or accepted there: the same, if what comes then accepts. */
		{ { { NULL, NFT_JUMP, "sub" }, END },
		  { { "limit", NFT_RETURN, 0 }, END },
		  true,
		  false },
		{ { { NULL, NFT_JUMP, "sub" }, END },
		  { { "limit", NF_ACCEPT, 0 }, END },
		  false,
		  false },
		{ { { NULL, NFT_JUMP, "sub" }, END },
		  { { "limit", NF_ACCEPT, 0 }, END },
		  true,
		  true },
		{ { { NULL, NFT_JUMP, "sub" }, { NULL, NF_ACCEPT, 0 }, END },
		  { { "limit", NF_ACCEPT, 0 }, END },
		  true,
		  false },
		{ { { NULL, NFT_GOTO, "sub" }, { NULL, NF_ACCEPT, 0 }, END },
		  { { "limit", NF_ACCEPT, 0 }, END },
		  true,
		  true },
		/* A map that was not read may go to a chain that does not come back. */
		{ { { "map", 0, 0 }, { NULL, NF_ACCEPT, 0 }, END },
		  { { "limit", NF_ACCEPT, 0 }, END },
		  true,
		  true },
		/* An effect is one whatever the verdict. */
		{ { { "queue", NF_ACCEPT, 0 }, END }, { END }, false, true },
		{ { { "dynset", NFT_CONTINUE, 0 }, END }, { END }, false, true },
		{ { { "news", NFT_CONTINUE, 0 }, END }, { END }, false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autorules struct rules rules = { 0 };
		char why[RULES_WHY];

		chain(&rules, "t", "in", rows[i].drops ? NF_DROP : NF_ACCEPT);
		chain(&rules, "t", "sub", NO_BASE);
		for (size_t k = 0; !rows[i].in[k].what || rows[i].in[k].what[0]; k++)
			rule(&rules, "t", "in", rows[i].in[k].what, rows[i].in[k].code,
			     rows[i].in[k].to);
		for (size_t k = 0; !rows[i].sub[k].what || rows[i].sub[k].what[0]; k++)
			rule(&rules, "t", "sub", rows[i].sub[k].what, rows[i].sub[k].code,
			     rows[i].sub[k].to);
		rules_tell_more(&rules, why);
		if (!!why[0] != rows[i].matters)
			fail_msg("row %zu: \"%s\"", i, why);
	}
}

static void rules_nobody_reaches_do_not_count(void **state)
{
	autorules struct rules rules = { 0 };

	(void)state;
	expect_why(&rules, "");
	chain(&rules, "t", "base", NF_ACCEPT);
	chain(&rules, "t", "a", NO_BASE);
	chain(&rules, "t", "b", NO_BASE);
	chain(&rules, "t", "c", NO_BASE);
	chain(&rules, "other", "b", NO_BASE);
	limit(&rules, "t", "c");
	limit(&rules, "other", "b");
	rule(&rules, "t", "b", NULL, NFT_JUMP, "c");
	rule(&rules, "t", "a", NULL, NFT_JUMP, "b");
	expect_why(&rules, "");
	rule(&rules, "t", "base", NULL, NFT_JUMP, "a");
	expect_why(&rules, "bridge rule in table t, chain c uses a limit");
}

static void a_map_may_jump_to_any_chain_of_its_table(void **state)
{
	autorules struct rules rules = { 0 };

	(void)state;
	chain(&rules, "t", "base", NF_ACCEPT);
	chain(&rules, "t", "a", NO_BASE);
	limit(&rules, "t", "a");
	expect_why(&rules, "");
	rule(&rules, "t", "base", "map", 0, NULL);
	expect_why(&rules, "bridge rule in table t, chain a uses a limit");
}

static void sleeping_tables_do_not_count(void **state)
{
	autorules struct rules rules = { 0 };
	struct nlmsghdr *msg = message(NFT_MSG_NEWTABLE, NFPROTO_BRIDGE);

	(void)state;
	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, "u");
	mnl_attr_put_u32(msg, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_DORMANT));
	nft_take(&rules, msg);
	chain(&rules, "u", "base", NF_ACCEPT);
	limit(&rules, "u", "base");
	expect_why(&rules, "");
	chain(&rules, "t", "base", NF_ACCEPT);
	limit(&rules, "t", "base");
	expect_why(&rules, "bridge rule in table t, chain base uses a limit");
}

/* A chain that is made between two dumps is taken for one that frames come to. */
static void rules_of_a_chain_unheard_of_count(void **state)
{
	autorules struct rules rules = { 0 };

	(void)state;
	limit(&rules, "t", "new");
	expect_why(&rules, "bridge rule in table t, chain new uses a limit");
}

static void a_set_with_a_limit_counts_where_it_is_used(void **state)
{
	autorules struct rules rules = { 0 };
	struct nlmsghdr *msg = message(NFT_MSG_NEWSET, NFPROTO_BRIDGE);
	struct nlattr *nest;

	(void)state;
	mnl_attr_put_strz(msg, NFTA_SET_TABLE, "t");
	mnl_attr_put_strz(msg, NFTA_SET_NAME, "s");
	nest = mnl_attr_nest_start(msg, NFTA_SET_EXPR);
	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, "limit");
	mnl_attr_nest_end(msg, nest);
	nft_take(&rules, msg);
	chain(&rules, "t", "base", NF_ACCEPT);
	chain(&rules, "t", "a", NO_BASE);
	rule(&rules, "t", "a", "set", NF_DROP, NULL);
	expect_why(&rules, "");
	rule(&rules, "t", "base", NULL, NFT_JUMP, "a");
	expect_why(&rules, "bridge rule in table t, set s uses a limit");
}

static void long_names_leave_room_for_the_cause(void **state)
{
	static const char name[] =
		"a-name-longer-than-anybody-needs-but-someone-will-have-it-anyway";
	autorules struct rules rules = { 0 };

	(void)state;
	chain(&rules, name, name, NF_ACCEPT);
	limit(&rules, name, name);
	expect_why(&rules,
		   "bridge rule in table a-name-longer-t, chain a-name-longer-t uses a limit");
}

/* --- of packets between tunnels */

static void outer_packets_are_told_apart(void **state)
{
	static const struct {
		struct {
			const char *what;
			int code;
			const char *to;
		} in[2];
		const char *sub; /* the one expression of the chain `sub` */
		const char *why;
	} rows[] = {
		{ { { "limit", NF_DROP, 0 } }, NULL, "chain in uses a limit" },
		{ { { "limit", NF_ACCEPT, 0 } }, NULL, "" }, /* as the policy does */
		{ { { "limit", NFT_CONTINUE, 0 } }, NULL, "" },
		{ { { "numgen", NF_DROP, 0 } }, NULL, "chain in generates numbers" },
		/* What follows from addresses and routes is the flow's. */
		{ { { "fib", NF_DROP, 0 } }, NULL, "" },
		{ { { "rt", NF_DROP, 0 } }, NULL, "" },
		{ { { "notrack", NFT_CONTINUE, 0 } }, NULL, "" },
		/* All packets of the flow are changed alike, or only those within a rate. */
		{ { { NULL, NFT_JUMP, "sub" } }, "notrack", "" },
		{ { { "limit", NFT_JUMP, "sub" } }, "notrack", "chain in uses a limit" },
		{ { { "limit", NFT_JUMP, "sub" } }, "counter", "" },
		{ { { "dynset", NFT_CONTINUE, 0 } }, NULL, "chain in updates a set from packet" },
		{ { { "queue", NFT_CONTINUE, 0 } }, NULL, "chain in passes frames to a program" },
		{ { { "dup", NFT_CONTINUE, 0 } }, NULL, "chain in uses dup" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autorules struct rules f = { 0 };
		char why[RULES_WHY];

		put_chain(&f, NFPROTO_INET, "t", "in", NF_ACCEPT);
		put_chain(&f, NFPROTO_INET, "t", "sub", NO_BASE);
		put_rule(&f, "in", rows[i].in[0].what, rows[i].in[0].code, rows[i].in[0].to);
		put_rule(&f, "sub", rows[i].sub, NFT_CONTINUE, NULL);
		rules_tell_apart(&f, &packet, 1U << NF_INET_LOCAL_IN, why);
		if (!(rows[i].why[0] ? !!strstr(why, rows[i].why) : !why[0]))
			fail_msg("row %zu: %s", i, why);
		rules_tell_apart(&f, &packet, 1U << NF_INET_LOCAL_OUT, why);
		assert_string_equal(why, "");
	}
}

/* --- do packets get another source? */

static void put_nat_chain(struct rules *rules)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWCHAIN, NFPROTO_IPV4);
	struct nlattr *hook;

	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, "n");
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, "post");
	hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(NF_INET_POST_ROUTING));
	mnl_attr_nest_end(msg, hook);
	mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, "nat");
	nft_take(rules, msg);
}

static void sources_are_translated(void **state)
{
	static const struct {
		const char *before; /* an expression of a first rule, which accepts */
		bool masquerades;
		bool wanted;
	} rows[] = {
		{ NULL, true, true },
		{ NULL, false, false }, /* by the address it has */
		{ "limit", true, false }, /* some are not */
		{ "fib", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rule_packet p = packet;
		autorules struct rules f = { 0 };
		struct rules_culprit by;

		p.masquerades = rows[i].masquerades;
		put_nat_chain(&f);
		if (rows[i].before)
			put_rule_in(&f, NFPROTO_IPV4, "n", "post", rows[i].before, NF_ACCEPT, NULL);
		put_rule_in(&f, NFPROTO_IPV4, "n", "post", "masq", NFT_CONTINUE, NULL);
		assert_int_equal(rules_translate(&f, NF_INET_LOCAL_OUT, &p, &by), rows[i].wanted);
		if (rows[i].wanted)
			assert_string_equal(by.chain->name, "post");
		/* It filters nothing. */
		assert_false(rules_drop(&f, NF_INET_POST_ROUTING, &p, &by));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_are_walked),
		cmocka_unit_test(a_rule_matters_by_its_outcome),
		cmocka_unit_test(rules_nobody_reaches_do_not_count),
		cmocka_unit_test(a_map_may_jump_to_any_chain_of_its_table),
		cmocka_unit_test(sleeping_tables_do_not_count),
		cmocka_unit_test(rules_of_a_chain_unheard_of_count),
		cmocka_unit_test(a_set_with_a_limit_counts_where_it_is_used),
		cmocka_unit_test(long_names_leave_room_for_the_cause),
		cmocka_unit_test(outer_packets_are_told_apart),
		cmocka_unit_test(sources_are_translated),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
