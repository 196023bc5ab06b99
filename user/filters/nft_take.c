// SPDX-License-Identifier: GPL-2.0
/* Messages of nf_tables become chains, rules and sets; see nft_take.h. Pure. */
#include <linux/netfilter/nf_tables.h>

#include "filters/nft_attr.h"
#include "filters/nft_rule.h"
#include "filters/nft_take.h"

#define ELEMENTS_MAX 4096 /* of a set: more are not looked through */

static void take_table(struct rules *r, const struct nlmsghdr *msg)
{
	char name[RULE_NAME];
	size_t at;

	nft_text(nft_attr(msg, NFTA_TABLE_NAME), name, sizeof(name));
	at = rules_table(r, nft_family(msg), false, name);
	r->tables[at].dormant =
		nft_number(nft_attr(msg, NFTA_TABLE_FLAGS), 0) & NFT_TABLE_F_DORMANT;
}

static struct rules_chain *add_chain(struct rules *r, const struct nlmsghdr *msg,
				     const struct nlattr *table, const struct nlattr *name)
{
	char table_text[RULE_NAME], name_text[RULE_NAME];

	nft_text(table, table_text, sizeof(table_text));
	nft_text(name, name_text, sizeof(name_text));
	return rules_add_chain(r, nft_family(msg), false, table_text, name_text, 0);
}

static void take_chain(struct rules *r, const struct nlmsghdr *msg)
{
	struct rules_chain *c =
		add_chain(r, msg, nft_attr(msg, NFTA_CHAIN_TABLE), nft_attr(msg, NFTA_CHAIN_NAME));
	const struct nlattr *hook = nft_attr(msg, NFTA_CHAIN_HOOK);
	char type[16];

	nft_text(nft_attr(msg, NFTA_CHAIN_TYPE), type, sizeof(type));
	c->drops = nft_number(nft_attr(msg, NFTA_CHAIN_POLICY), NF_ACCEPT) == NF_DROP;
	/* Those on devices are device_chains.h's. */
	if (hook && !nft_nested(hook, NFTA_HOOK_DEV) && !nft_nested(hook, NFTA_HOOK_DEVS))
		rules_hook(r, c, nft_number(nft_nested(hook, NFTA_HOOK_HOOKNUM), UINT32_MAX),
			   strcmp(type, "nat") == 0 && c->family != NFPROTO_BRIDGE);
}

static void take_set(struct rules *r, const struct nlmsghdr *msg)
{
	struct rules_set *set = array_add(&r->sets, &r->n_sets, sizeof(*set));
	uint32_t flags = nft_number(nft_attr(msg, NFTA_SET_FLAGS), 0);

	set->family = nft_family(msg);
	nft_text(nft_attr(msg, NFTA_SET_TABLE), set->table, sizeof(set->table));
	nft_text(nft_attr(msg, NFTA_SET_NAME), set->name, sizeof(set->name));
	rules_index_set(r);
	set->key_len = nft_number(nft_attr(msg, NFTA_SET_KEY_LEN), 0);
	set->intervals = flags & NFT_SET_INTERVAL;
	/* Those that are part of a rule, and those of ports; lists of addresses can be long, and elements of
	 * others come and go with time. */
	set->small = (flags & NFT_SET_ANONYMOUS || set->key_len == sizeof(uint16_t)) &&
		     !(flags & NFT_SET_TIMEOUT);
	nft_set_look(nft_attr(msg, NFTA_SET_EXPR), nft_attr(msg, NFTA_SET_EXPRESSIONS), set->what);
	/* An element of such a set may have a limit that the set does not tell of. */
	if (!set->what[0] && flags & NFT_SET_EVAL)
		text_copy(set->what, sizeof(set->what), "is changed by packets");
}

static void take_rule(struct rules *r, const struct nlmsghdr *msg)
{
	const struct nlattr *expressions = nft_attr(msg, NFTA_RULE_EXPRESSIONS);
	const struct nlattr *table = nft_attr(msg, NFTA_RULE_TABLE);
	const struct nlattr *name = nft_attr(msg, NFTA_RULE_CHAIN);
	char table_text[RULE_NAME], name_text[RULE_NAME];
	struct rules_chain *c;

	nft_text(table, table_text, sizeof(table_text));
	nft_text(name, name_text, sizeof(name_text));
	c = (struct rules_chain *)rules_chain_named(r, nft_family(msg), table_text, name_text);
	if (!c) {
		/* Made meanwhile, so that nothing tells where packets come to it from. */
		c = add_chain(r, msg, table, name);
		c->base = true;
	}
	rules_add(r, c, expressions, expressions ? expressions->nla_len : 0);
}

static void take_element(struct rules_set *set, const struct nlattr *element)
{
	const struct nlattr *key =
		nft_nested(nft_nested(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	const struct nlattr *verdict =
		nft_nested(nft_nested(element, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT);
	uint32_t flags = nft_number(nft_nested(element, NFTA_SET_ELEM_FLAGS), 0);
	size_t len = key ? mnl_attr_get_payload_len(key) : 0;
	struct rules_element *e;

	if ((len != set->key_len && !(flags & NFT_SET_ELEM_CATCHALL)) ||
	    len > sizeof(e->key.bytes) || nft_nested(element, NFTA_SET_ELEM_KEY_END) ||
	    nft_nested(element, NFTA_SET_ELEM_TIMEOUT) || set->n == ELEMENTS_MAX) {
		set->odd = true;
		return;
	}
	e = array_add(&set->v, &set->n, sizeof(*e));
	e->key.len = (uint8_t)len;
	if (len)
		memcpy(e->key.bytes, mnl_attr_get_payload(key), len);
	e->ends = flags & NFT_SET_ELEM_INTERVAL_END;
	e->any = flags & NFT_SET_ELEM_CATCHALL;
	e->has_verdict = verdict;
	e->code = (int32_t)nft_number(nft_nested(verdict, NFTA_VERDICT_CODE), 0);
	nft_text(nft_nested(verdict, NFTA_VERDICT_CHAIN), e->to, sizeof(e->to));
}

static void take_elements(struct rules *r, const struct nlmsghdr *msg)
{
	const struct nlattr *list = nft_attr(msg, NFTA_SET_ELEM_LIST_ELEMENTS), *element;
	char table[RULE_NAME], name[RULE_NAME];
	struct rules_set *set;

	nft_text(nft_attr(msg, NFTA_SET_ELEM_LIST_TABLE), table, sizeof(table));
	nft_text(nft_attr(msg, NFTA_SET_ELEM_LIST_SET), name, sizeof(name));
	set = (struct rules_set *)rules_set_named(r, nft_family(msg), table, name);
	if (!set || !set->small)
		return;
	set->read = true;
	if (list)
		mnl_attr_for_each_nested (element, list)
			take_element(set, element);
}

void nft_take(struct rules *r, const struct nlmsghdr *msg)
{
	switch (msg->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		take_table(r, msg);
		break;
	case NFT_MSG_NEWCHAIN:
		take_chain(r, msg);
		break;
	case NFT_MSG_NEWSET:
		take_set(r, msg);
		break;
	case NFT_MSG_NEWRULE:
		take_rule(r, msg);
		break;
	case NFT_MSG_NEWSETELEM:
		take_elements(r, msg);
		break;
	}
}
