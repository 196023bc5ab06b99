// SPDX-License-Identifier: GPL-2.0
/* What rules look at: messages recorded from a kernel (nft_vectors.py), and which of them count. */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "filters/nft_ruleset.h"

static const struct vector {
	const char *rule, *wanted, *hex;
} vectors[] = {
#include "nft.vectors"
};

/* A copy of exactly its size, so that reading beyond it is seen. */
static struct nlmsghdr *decode(const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = malloc(len);

	for (size_t i = 0; i < len; i++)
		sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
	return (struct nlmsghdr *)bytes;
}

static void recorded_rules_are_judged(void **state)
{
	(void)state;
	assert_true(ARRAY_LEN(vectors) > 80);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		autoruleset struct nft_ruleset rules = { 0 };
		struct nlmsghdr *msg = decode(vectors[i].hex);

		nft_ruleset_take(&rules, msg);
		free(msg);
		assert_int_equal(rules.n_rules, 1);
		if (strcmp(rules.rules[0].rule.what, vectors[i].wanted) != 0)
			fail_msg("%s: wanted \"%s\", got \"%s\"", vectors[i].rule,
				 vectors[i].wanted, rules.rules[0].rule.what);
	}
}

/* Nothing the kernel sends is that short; nothing that short may be read beyond its end. */
static void cut_off_messages_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct nlmsghdr *whole = decode(vectors[i].hex);

		for (uint32_t len = 20; len < whole->nlmsg_len; len += 4) {
			autoruleset struct nft_ruleset rules = { 0 };
			struct nlmsghdr *msg = malloc(len);

			memcpy(msg, whole, len);
			msg->nlmsg_len = len;
			nft_ruleset_take(&rules, msg);
			free(msg);
		}
		free(whole);
	}
}

/* --- which rules count */

static char buffer[2048];

static struct nlmsghdr *message(uint16_t type)
{
	struct nlmsghdr *msg;

	memset(buffer, 0, sizeof(buffer));
	msg = mnl_nlmsg_put_header(buffer);
	msg->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct nfgenmsg));
	return msg;
}

static void table(struct nft_ruleset *rules, const char *name, uint32_t flags)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWTABLE);

	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, name);
	mnl_attr_put_u32(msg, NFTA_TABLE_FLAGS, htonl(flags));
	nft_ruleset_take(rules, msg);
}

static struct nlmsghdr *chain_message(const char *in, const char *name)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWCHAIN);

	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, in);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
	return msg;
}

static void chain(struct nft_ruleset *rules, const char *in, const char *name, bool base)
{
	struct nlmsghdr *msg = chain_message(in, name);

	if (base)
		mnl_attr_nest_end(msg, mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK));
	nft_ruleset_take(rules, msg);
}

static struct nlmsghdr *rule_message(const char *in, const char *at)
{
	struct nlmsghdr *msg = message(NFT_MSG_NEWRULE);

	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, in);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, at);
	return msg;
}

static void limit(struct nft_ruleset *rules, const char *in, const char *at)
{
	struct nlmsghdr *msg = rule_message(in, at);
	struct nlattr *list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	struct nlattr *one = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);

	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, "limit");
	mnl_attr_nest_end(msg, one);
	mnl_attr_nest_end(msg, list);
	nft_ruleset_take(rules, msg);
}

static void jump(struct nft_ruleset *rules, const char *in, const char *at, const char *to)
{
	struct nlmsghdr *msg = rule_message(in, at);
	struct nlattr *list = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	struct nlattr *one = mnl_attr_nest_start(msg, NFTA_LIST_ELEM), *nest[3];

	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, to ? "immediate" : "lookup");
	nest[0] = mnl_attr_nest_start(msg, NFTA_EXPR_DATA);
	if (to) {
		nest[1] = mnl_attr_nest_start(msg, NFTA_IMMEDIATE_DATA);
		nest[2] = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
		mnl_attr_put_u32(msg, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
		mnl_attr_put_strz(msg, NFTA_VERDICT_CHAIN, to);
		mnl_attr_nest_end(msg, nest[2]);
		mnl_attr_nest_end(msg, nest[1]);
	} else {
		mnl_attr_put_strz(msg, NFTA_LOOKUP_SET, "s");
		mnl_attr_put_u32(msg, NFTA_LOOKUP_DREG, htonl(NFT_REG_VERDICT));
	}
	mnl_attr_nest_end(msg, nest[0]);
	mnl_attr_nest_end(msg, one);
	mnl_attr_nest_end(msg, list);
	nft_ruleset_take(rules, msg);
}

static void expect_why(struct nft_ruleset *rules, const char *wanted)
{
	char why[NFT_WHY];

	nft_ruleset_why(rules, why);
	assert_string_equal(why, wanted);
}

static void rules_nobody_reaches_do_not_count(void **state)
{
	autoruleset struct nft_ruleset rules = { 0 };

	(void)state;
	expect_why(&rules, "");
	chain(&rules, "t", "base", true);
	chain(&rules, "t", "a", false);
	chain(&rules, "t", "b", false);
	chain(&rules, "t", "c", false);
	chain(&rules, "other", "b", false);
	limit(&rules, "t", "c");
	limit(&rules, "other", "b");
	jump(&rules, "t", "b", "c");
	jump(&rules, "t", "a", "b");
	expect_why(&rules, "");
	jump(&rules, "t", "base", "a");
	expect_why(&rules, "bridge rule in table t, chain c uses a limit");
}

static void a_map_may_jump_to_any_chain_of_its_table(void **state)
{
	autoruleset struct nft_ruleset rules = { 0 };

	(void)state;
	chain(&rules, "t", "base", true);
	chain(&rules, "t", "a", false);
	limit(&rules, "t", "a");
	jump(&rules, "t", "base", NULL);
	expect_why(&rules, "bridge rule in table t, chain a uses a limit");
}

static void sleeping_tables_do_not_count(void **state)
{
	autoruleset struct nft_ruleset rules = { 0 };

	(void)state;
	table(&rules, "t", 0);
	table(&rules, "u", NFT_TABLE_F_DORMANT);
	chain(&rules, "u", "base", true);
	limit(&rules, "u", "base");
	expect_why(&rules, "");
	chain(&rules, "t", "base", true);
	limit(&rules, "t", "base");
	expect_why(&rules, "bridge rule in table t, chain base uses a limit");
}

static void a_set_with_a_limit_counts_where_it_is_used(void **state)
{
	autoruleset struct nft_ruleset rules = { 0 };
	struct nlmsghdr *msg = message(NFT_MSG_NEWSET);
	struct nlattr *nest;

	(void)state;
	mnl_attr_put_strz(msg, NFTA_SET_TABLE, "t");
	mnl_attr_put_strz(msg, NFTA_SET_NAME, "s");
	nft_ruleset_take(&rules, msg);
	expect_why(&rules, "");
	nest = mnl_attr_nest_start(msg, NFTA_SET_EXPR);
	mnl_attr_put_strz(msg, NFTA_EXPR_NAME, "limit");
	mnl_attr_nest_end(msg, nest);
	nft_ruleset_take(&rules, msg);
	expect_why(&rules, "");
	chain(&rules, "t", "base", true);
	chain(&rules, "t", "a", false);
	jump(&rules, "t", "a", NULL);
	expect_why(&rules, "");
	jump(&rules, "t", "base", "a");
	expect_why(&rules, "bridge rule in table t, set s uses a limit");
}

static void long_names_leave_room_for_the_cause(void **state)
{
	static const char name[] =
		"a-name-longer-than-anybody-needs-but-someone-will-have-it-anyway";
	autoruleset struct nft_ruleset rules = { 0 };

	(void)state;
	chain(&rules, name, name, true);
	limit(&rules, name, name);
	expect_why(&rules,
		   "bridge rule in table a-name-longer-t, chain a-name-longer-t uses a limit");
}

/* --- chains on devices */

static void chains_on_devices_are_found_by_name(void **state)
{
	autodevicechains struct nft_device_chains chains = { 0 };
	struct nlmsghdr *msg = chain_message("t", "forward");
	struct nlattr *hook, *list;

	(void)state;
	mnl_attr_nest_end(msg, mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK));
	nft_device_chains_take(&chains, msg);
	assert_int_equal(chains.n, 0);
	msg = chain_message("t", "one");
	hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	mnl_attr_put_strz(msg, NFTA_HOOK_DEV, "c1");
	mnl_attr_nest_end(msg, hook);
	nft_device_chains_take(&chains, msg);
	msg = chain_message("t", "many");
	hook = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
	list = mnl_attr_nest_start(msg, NFTA_HOOK_DEVS);
	mnl_attr_put_strz(msg, NFTA_DEVICE_NAME, "c2");
	mnl_attr_put_strz(msg, 2 /* NFTA_DEVICE_PREFIX */, "veth");
	mnl_attr_nest_end(msg, list);
	mnl_attr_nest_end(msg, hook);
	nft_device_chains_take(&chains, msg);
	assert_string_equal(nft_device_chains_on(&chains, "c1")->name, "one");
	assert_string_equal(nft_device_chains_on(&chains, "c2")->name, "many");
	assert_string_equal(nft_device_chains_on(&chains, "veth7")->name, "many");
	assert_null(nft_device_chains_on(&chains, "c22"));
	assert_null(nft_device_chains_on(&chains, "vet"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_rules_are_judged),
		cmocka_unit_test(cut_off_messages_do_no_harm),
		cmocka_unit_test(rules_nobody_reaches_do_not_count),
		cmocka_unit_test(a_map_may_jump_to_any_chain_of_its_table),
		cmocka_unit_test(sleeping_tables_do_not_count),
		cmocka_unit_test(a_set_with_a_limit_counts_where_it_is_used),
		cmocka_unit_test(long_names_leave_room_for_the_cause),
		cmocka_unit_test(chains_on_devices_are_found_by_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
