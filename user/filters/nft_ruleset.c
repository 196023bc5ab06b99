// SPDX-License-Identifier: GPL-2.0
/* Rules that frames can meet; see nft_ruleset.h. Pure. */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "filters/nft_ruleset.h"

/* Newer than Debian 12's headers: a device's name up to where a `*` stood. */
#define DEVICE_PREFIX 2

void nft_ruleset_free(struct nft_ruleset *rs)
{
	free(rs->chains);
	free(rs->rules);
	free(rs->dormant);
	*rs = (struct nft_ruleset){ 0 };
}

void nft_device_chains_free(struct nft_device_chains *chains)
{
	for (size_t i = 0; i < chains->n; i++)
		free(chains->v[i].devices);
	free(chains->v);
	*chains = (struct nft_device_chains){ 0 };
}

static void take_table(struct nft_ruleset *rs, const struct nlmsghdr *msg)
{
	char *name;

	if (!(nft_number(nft_attr(msg, NFTA_TABLE_FLAGS), 0) & NFT_TABLE_F_DORMANT))
		return;
	name = array_add(&rs->dormant, &rs->n_dormant, sizeof(*rs->dormant));
	nft_text(nft_attr(msg, NFTA_TABLE_NAME), name, NFT_NAME);
}

static void take_chain(struct nft_ruleset *rs, const struct nlmsghdr *msg)
{
	struct nft_chain *chain = array_add(&rs->chains, &rs->n_chains, sizeof(*chain));

	nft_text(nft_attr(msg, NFTA_CHAIN_TABLE), chain->table, sizeof(chain->table));
	nft_text(nft_attr(msg, NFTA_CHAIN_NAME), chain->name, sizeof(chain->name));
	chain->base = nft_attr(msg, NFTA_CHAIN_HOOK);
}

static void take_rule(struct nft_ruleset *rs, const struct nlmsghdr *msg)
{
	struct nft_placed *rule = array_add(&rs->rules, &rs->n_rules, sizeof(*rule));

	nft_text(nft_attr(msg, NFTA_RULE_TABLE), rule->table, sizeof(rule->table));
	nft_text(nft_attr(msg, NFTA_RULE_CHAIN), rule->chain, sizeof(rule->chain));
	nft_rule_judge(nft_attr(msg, NFTA_RULE_EXPRESSIONS), &rule->rule);
}

static void take_set(struct nft_ruleset *rs, const struct nlmsghdr *msg)
{
	const struct nlattr *one = nft_attr(msg, NFTA_SET_EXPR);
	const struct nlattr *list = nft_attr(msg, NFTA_SET_EXPRESSIONS);
	struct nft_placed *set;

	if (!one && !list)
		return;
	set = array_add(&rs->rules, &rs->n_rules, sizeof(*set));
	set->is_set = true;
	nft_text(nft_attr(msg, NFTA_SET_TABLE), set->table, sizeof(set->table));
	nft_text(nft_attr(msg, NFTA_SET_NAME), set->chain, sizeof(set->chain));
	nft_rule_judge(list, &set->rule);
	if (one)
		nft_expr_judge(one, &set->rule);
}

void nft_ruleset_take(struct nft_ruleset *rs, const struct nlmsghdr *msg)
{
	switch (msg->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		take_table(rs, msg);
		break;
	case NFT_MSG_NEWCHAIN:
		take_chain(rs, msg);
		break;
	case NFT_MSG_NEWRULE:
		take_rule(rs, msg);
		break;
	case NFT_MSG_NEWSET:
		take_set(rs, msg);
		break;
	}
}

/* --- what can be reached */

static bool is_dormant(const struct nft_ruleset *rs, const char *table)
{
	for (size_t i = 0; i < rs->n_dormant; i++)
		if (strcmp(rs->dormant[i], table) == 0)
			return true;
	return false;
}

/* to NULL: all of the table. Returns whether that made a difference. */
static bool reach(struct nft_ruleset *rs, const char *table, const char *to)
{
	bool more = false;

	for (size_t i = 0; i < rs->n_chains; i++) {
		struct nft_chain *chain = &rs->chains[i];

		if (chain->reached || strcmp(chain->table, table) != 0 ||
		    (to && strcmp(chain->name, to) != 0))
			continue;
		chain->reached = more = true;
	}
	return more;
}

static bool is_reached(const struct nft_ruleset *rs, const struct nft_placed *rule)
{
	for (size_t i = 0; i < rs->n_chains; i++)
		if (strcmp(rs->chains[i].name, rule->chain) == 0 &&
		    strcmp(rs->chains[i].table, rule->table) == 0)
			return rs->chains[i].reached;
	return true; /* of a chain made meanwhile */
}

static bool is_looked_up(const struct nft_ruleset *rs, const struct nft_placed *set)
{
	for (size_t i = 0; i < rs->n_rules; i++) {
		const struct nft_placed *r = &rs->rules[i];

		if (!r->is_set && strcmp(r->table, set->table) == 0 &&
		    (r->rule.many_sets || strcmp(r->rule.set, set->chain) == 0) &&
		    is_reached(rs, r))
			return true;
	}
	return false;
}

static void reach_all(struct nft_ruleset *rs)
{
	bool more = true;

	for (size_t i = 0; i < rs->n_chains; i++)
		rs->chains[i].reached = rs->chains[i].base && !is_dormant(rs, rs->chains[i].table);
	while (more) {
		more = false;
		for (size_t i = 0; i < rs->n_rules; i++) {
			const struct nft_placed *r = &rs->rules[i];

			if (r->is_set || (!r->rule.to[0] && !r->rule.to_any) || !is_reached(rs, r))
				continue;
			more |= reach(rs, r->table, r->rule.to_any ? NULL : r->rule.to);
		}
	}
}

void nft_ruleset_why(struct nft_ruleset *rs, char why[NFT_WHY])
{
	why[0] = '\0';
	reach_all(rs);
	for (size_t i = 0; i < rs->n_rules && !why[0]; i++) {
		const struct nft_placed *r = &rs->rules[i];

		if (r->rule.what[0] && (r->is_set ? is_looked_up(rs, r) : is_reached(rs, r)))
			snprintf(why, NFT_WHY, "bridge rule in table %.15s, %s %.15s %s", r->table,
				 r->is_set ? "set" : "chain", r->chain, r->rule.what);
	}
}

/* --- chains on devices */

static void add_device(struct nft_device_chain *chain, const struct nlattr *name, bool prefix)
{
	char *device = array_add(&chain->devices, &chain->n_devices, sizeof(*chain->devices));

	nft_text(name, device, sizeof(*chain->devices));
	if (prefix)
		text_add(device, sizeof(*chain->devices), "*");
}

void nft_device_chains_take(struct nft_device_chains *chains, const struct nlmsghdr *msg)
{
	const struct nlattr *hook = nft_attr(msg, NFTA_CHAIN_HOOK);
	const struct nlattr *one = nft_nested(hook, NFTA_HOOK_DEV);
	const struct nlattr *list = nft_nested(hook, NFTA_HOOK_DEVS), *attr;
	struct nft_device_chain *chain;

	if (!one && !list)
		return;
	chain = array_add(&chains->v, &chains->n, sizeof(*chain));
	nft_text(nft_attr(msg, NFTA_CHAIN_TABLE), chain->table, sizeof(chain->table));
	nft_text(nft_attr(msg, NFTA_CHAIN_NAME), chain->name, sizeof(chain->name));
	if (one)
		add_device(chain, one, false);
	if (list)
		mnl_attr_for_each_nested (attr, list)
			add_device(chain, attr, mnl_attr_get_type(attr) == DEVICE_PREFIX);
}

static bool is_device(const char *device, const char *ifname)
{
	size_t len = strlen(device);

	if (len && device[len - 1] == '*')
		return strncmp(device, ifname, len - 1) == 0;
	return strcmp(device, ifname) == 0;
}

const struct nft_device_chain *nft_device_chains_on(const struct nft_device_chains *chains,
						    const char *ifname)
{
	for (size_t i = 0; i < chains->n; i++)
		for (size_t k = 0; k < chains->v[i].n_devices; k++)
			if (is_device(chains->v[i].devices[k], ifname))
				return &chains->v[i];
	return NULL;
}
