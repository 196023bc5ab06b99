// SPDX-License-Identifier: GPL-2.0
/* The rules of nf_tables, kept as they were dumped; see nft_filter.h. Pure. */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "filters/nft_filter.h"

#define ELEMENTS_MAX 4096 /* of a set: more are not looked through */

void nft_filter_free(struct nft_filter *f)
{
	for (size_t i = 0; i < f->n_rules; i++)
		free(f->rules[i]);
	for (size_t i = 0; i < f->n_sets; i++)
		free(f->sets[i].v);
	free(f->rules);
	free(f->sets);
	free(f->chains);
	free(f->dormant);
	*f = (struct nft_filter){ 0 };
}

static uint8_t family_of(const struct nlmsghdr *msg)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family;
}

static void take_table(struct nft_filter *f, const struct nlmsghdr *msg)
{
	if (!(nft_number(nft_attr(msg, NFTA_TABLE_FLAGS), 0) & NFT_TABLE_F_DORMANT))
		return;
	array_add(&f->dormant, &f->n_dormant, sizeof(*f->dormant));
	f->dormant[f->n_dormant - 1].family = family_of(msg);
	nft_text(nft_attr(msg, NFTA_TABLE_NAME), f->dormant[f->n_dormant - 1].name, NFT_NAME);
}

static void take_chain(struct nft_filter *f, const struct nlmsghdr *msg)
{
	struct nft_filter_chain *c = array_add(&f->chains, &f->n_chains, sizeof(*c));
	const struct nlattr *hook = nft_attr(msg, NFTA_CHAIN_HOOK);
	char type[16];

	c->family = family_of(msg);
	nft_text(nft_attr(msg, NFTA_CHAIN_TABLE), c->table, sizeof(c->table));
	nft_text(nft_attr(msg, NFTA_CHAIN_NAME), c->name, sizeof(c->name));
	nft_text(nft_attr(msg, NFTA_CHAIN_TYPE), type, sizeof(type));
	/* Chains that translate addresses do not filter, and may be long. */
	c->base = hook && strcmp(type, "filter") == 0 && !nft_nested(hook, NFTA_HOOK_DEV) &&
		  !nft_nested(hook, NFTA_HOOK_DEVS);
	c->hook = nft_number(nft_nested(hook, NFTA_HOOK_HOOKNUM), UINT32_MAX);
	c->drops = nft_number(nft_attr(msg, NFTA_CHAIN_POLICY), NF_ACCEPT) == NF_DROP;
}

static void take_set(struct nft_filter *f, const struct nlmsghdr *msg)
{
	struct nft_filter_set *set = array_add(&f->sets, &f->n_sets, sizeof(*set));
	uint32_t flags = nft_number(nft_attr(msg, NFTA_SET_FLAGS), 0);

	set->family = family_of(msg);
	nft_text(nft_attr(msg, NFTA_SET_TABLE), set->table, sizeof(set->table));
	nft_text(nft_attr(msg, NFTA_SET_NAME), set->name, sizeof(set->name));
	set->key_len = nft_number(nft_attr(msg, NFTA_SET_KEY_LEN), 0);
	set->intervals = flags & NFT_SET_INTERVAL;
	/* Those that are part of a rule, and those of ports; lists of addresses can be long. */
	set->small = flags & NFT_SET_ANONYMOUS || set->key_len == sizeof(uint16_t);
}

static void take_rule(struct nft_filter *f, const struct nlmsghdr *msg)
{
	const struct nlattr *expressions = nft_attr(msg, NFTA_RULE_EXPRESSIONS);
	struct nft_filter_chain *c;
	struct nlattr **rule;
	char table[NFT_NAME], chain[NFT_NAME];

	nft_text(nft_attr(msg, NFTA_RULE_TABLE), table, sizeof(table));
	nft_text(nft_attr(msg, NFTA_RULE_CHAIN), chain, sizeof(chain));
	c = (struct nft_filter_chain *)nft_filter_chain(f, family_of(msg), table, chain);
	if (!c)
		return;
	if (!c->n)
		c->first = f->n_rules;
	c->scattered |= c->first + c->n != f->n_rules;
	if (c->scattered)
		return;
	rule = array_add(&f->rules, &f->n_rules, sizeof(*rule));
	c->n++;
	if (!expressions)
		return;
	*rule = malloc(expressions->nla_len);
	if (!*rule)
		out_of_memory();
	memcpy(*rule, expressions, expressions->nla_len);
}

static void take_element(struct nft_filter_set *set, const struct nlattr *element)
{
	const struct nlattr *key =
		nft_nested(nft_nested(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	const struct nlattr *verdict =
		nft_nested(nft_nested(element, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT);
	uint32_t flags = nft_number(nft_nested(element, NFTA_SET_ELEM_FLAGS), 0);
	size_t len = key ? mnl_attr_get_payload_len(key) : 0;
	struct nft_set_element *e;

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
	e->verdict = (int32_t)nft_number(nft_nested(verdict, NFTA_VERDICT_CODE), 0);
	nft_text(nft_nested(verdict, NFTA_VERDICT_CHAIN), e->to, sizeof(e->to));
}

static void take_elements(struct nft_filter *f, const struct nlmsghdr *msg)
{
	const struct nlattr *list = nft_attr(msg, NFTA_SET_ELEM_LIST_ELEMENTS), *element;
	char table[NFT_NAME], name[NFT_NAME];
	struct nft_filter_set *set;

	nft_text(nft_attr(msg, NFTA_SET_ELEM_LIST_TABLE), table, sizeof(table));
	nft_text(nft_attr(msg, NFTA_SET_ELEM_LIST_SET), name, sizeof(name));
	set = (struct nft_filter_set *)nft_filter_set(f, family_of(msg), table, name);
	if (!set)
		return;
	set->read = true;
	if (list)
		mnl_attr_for_each_nested (element, list)
			take_element(set, element);
}

void nft_filter_take(struct nft_filter *f, const struct nlmsghdr *msg)
{
	switch (msg->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		take_table(f, msg);
		break;
	case NFT_MSG_NEWCHAIN:
		take_chain(f, msg);
		break;
	case NFT_MSG_NEWSET:
		take_set(f, msg);
		break;
	case NFT_MSG_NEWRULE:
		take_rule(f, msg);
		break;
	case NFT_MSG_NEWSETELEM:
		take_elements(f, msg);
		break;
	}
}

bool nft_filter_is_dormant(const struct nft_filter *f, uint8_t family, const char *table)
{
	for (size_t i = 0; i < f->n_dormant; i++)
		if (f->dormant[i].family == family && strcmp(f->dormant[i].name, table) == 0)
			return true;
	return false;
}

bool nft_filter_hooks(const struct nft_filter *f, uint8_t family, const char *table, unsigned hooks)
{
	for (size_t i = 0; i < f->n_chains; i++) {
		const struct nft_filter_chain *c = &f->chains[i];

		if (c->base && c->family == family && c->hook < 32 && hooks & 1U << c->hook &&
		    strcmp(c->table, table) == 0)
			return !nft_filter_is_dormant(f, family, table);
	}
	return false;
}

const struct nft_filter_chain *nft_filter_chain(const struct nft_filter *f, uint8_t family,
						const char *table, const char *name)
{
	for (size_t i = 0; i < f->n_chains; i++)
		if (f->chains[i].family == family && strcmp(f->chains[i].name, name) == 0 &&
		    strcmp(f->chains[i].table, table) == 0)
			return &f->chains[i];
	return NULL;
}

const struct nft_filter_set *nft_filter_set(const struct nft_filter *f, uint8_t family,
					    const char *table, const char *name)
{
	for (size_t i = 0; i < f->n_sets; i++)
		if (f->sets[i].family == family && strcmp(f->sets[i].name, name) == 0 &&
		    strcmp(f->sets[i].table, table) == 0)
			return &f->sets[i];
	return NULL;
}
