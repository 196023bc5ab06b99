// SPDX-License-Identifier: GPL-2.0
/*
 * Does a rule fit a packet, and what would it do? See nft_expr.h. Pure. A rule fits, does not, or may,
 * where it looks at what is not known.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

#include "filters/nft_expr.h"

#define REGS 24

struct rule_walk {
	const struct nft_asked *asked;
	const struct nft_filter_chain *chain;
	struct {
		bool known;
		struct nft_key key;
	} regs[REGS];
	struct nft_answer *out;
};

/* --- registers */

static void forget(struct rule_walk *r)
{
	for (size_t i = 0; i < REGS; i++)
		r->regs[i].known = false;
}

static void load(struct rule_walk *r, uint32_t reg, const void *bytes, size_t len)
{
	forget(r);
	if (reg >= REGS || !bytes || len > sizeof(r->regs[reg].key.bytes))
		return;
	r->regs[reg].known = true;
	r->regs[reg].key.len = (uint8_t)len;
	memcpy(r->regs[reg].key.bytes, bytes, len);
}

static const struct nft_key *known(const struct rule_walk *r, uint32_t reg)
{
	return reg < REGS && r->regs[reg].known ? &r->regs[reg].key : NULL;
}

static void fits(struct rule_walk *r, enum xt_fit fit)
{
	if (fit < r->out->fit)
		r->out->fit = fit;
}

static void give(struct rule_walk *r, int32_t code)
{
	r->out->given = true;
	r->out->code = code;
	r->out->to[0] = '\0';
}

/* --- what is known of the packet */

static void load_name(struct rule_walk *r, uint32_t reg, const char *name)
{
	char padded[16] = "";

	text_copy(padded, sizeof(padded), name ? name : "");
	load(r, reg, padded[0] ? padded : NULL, sizeof(padded));
}

static void take_meta(struct rule_walk *r, const struct nlattr *data)
{
	const struct nft_packet *p = r->asked->packet;
	uint32_t reg = nft_number(nft_nested(data, NFTA_META_DREG), REGS);
	uint16_t ethertype = htons(p->family == NFPROTO_IPV4 ? ETH_P_IP : ETH_P_IPV6);

	if (nft_nested(data, NFTA_META_SREG))
		return;
	switch (nft_number(nft_nested(data, NFTA_META_KEY), UINT32_MAX)) {
	case NFT_META_NFPROTO:
		load(r, reg, &p->family, 1);
		break;
	case NFT_META_L4PROTO:
		load(r, reg, p->protocol ? &p->protocol : NULL, 1);
		break;
	case NFT_META_PROTOCOL:
		load(r, reg, &ethertype, 2);
		break;
	case NFT_META_IIFNAME:
		load_name(r, reg, p->iif);
		break;
	case NFT_META_OIFNAME:
		load_name(r, reg, p->oif);
		break;
	case NFT_META_IIF:
		load(r, reg, p->iif_index ? &p->iif_index : NULL, 4);
		break;
	case NFT_META_OIF:
		load(r, reg, p->oif_index ? &p->oif_index : NULL, 4);
		break;
	default:
		forget(r);
	}
}

static void take_payload(struct rule_walk *r, const struct nlattr *data)
{
	const struct nft_packet *p = r->asked->packet;
	uint32_t reg = nft_number(nft_nested(data, NFTA_PAYLOAD_DREG), REGS);
	uint32_t base = nft_number(nft_nested(data, NFTA_PAYLOAD_BASE), UINT32_MAX);
	uint32_t offset = nft_number(nft_nested(data, NFTA_PAYLOAD_OFFSET), UINT32_MAX);
	uint32_t len = nft_number(nft_nested(data, NFTA_PAYLOAD_LEN), UINT32_MAX);
	uint32_t protocol_at = p->family == NFPROTO_IPV4 ? 9 : 6;
	uint16_t dport = htons(p->dport);

	if (nft_nested(data, NFTA_PAYLOAD_SREG))
		return;
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 2 && len == 2 && dport)
		load(r, reg, &dport, 2);
	else if (base == NFT_PAYLOAD_NETWORK_HEADER && offset == protocol_at && len == 1 &&
		 p->protocol)
		load(r, reg, &p->protocol, 1);
	else
		forget(r);
}

static void take_ct(struct rule_walk *r, const struct nlattr *data)
{
	uint32_t reg = nft_number(nft_nested(data, NFTA_CT_DREG), REGS);
	static const uint32_t no_status;

	if (nft_nested(data, NFTA_CT_SREG))
		return;
	switch (nft_number(nft_nested(data, NFTA_CT_KEY), UINT32_MAX)) {
	case NFT_CT_STATE:
		load(r, reg, &r->asked->ct_state, 4);
		break;
	case NFT_CT_STATUS: /* of the first packet of a flow that nobody translates */
		load(r, reg, &no_status, 4);
		break;
	default:
		forget(r);
	}
}

/* --- what is asked about it */

static const struct nlattr *value_of(const struct nlattr *data, uint16_t attr)
{
	return nft_nested(nft_nested(data, attr), NFTA_DATA_VALUE);
}

static void take_cmp(struct rule_walk *r, const struct nlattr *data)
{
	const struct nft_key *key = known(r, nft_number(nft_nested(data, NFTA_CMP_SREG), REGS));
	const struct nlattr *value = value_of(data, NFTA_CMP_DATA);
	uint32_t op = nft_number(nft_nested(data, NFTA_CMP_OP), UINT32_MAX);
	int order;
	bool yes;

	if (!key || !value || mnl_attr_get_payload_len(value) > key->len || op > NFT_CMP_GTE) {
		fits(r, XT_MAY_FIT);
		return;
	}
	order = memcmp(key->bytes, mnl_attr_get_payload(value), mnl_attr_get_payload_len(value));
	yes = op == NFT_CMP_EQ	  ? order == 0
	      : op == NFT_CMP_NEQ ? order != 0
	      : op == NFT_CMP_LT  ? order < 0
	      : op == NFT_CMP_LTE ? order <= 0
	      : op == NFT_CMP_GT  ? order > 0
				  : order >= 0;
	fits(r, yes ? XT_FITS : XT_FITS_NOT);
}

static void take_range(struct rule_walk *r, const struct nlattr *data)
{
	const struct nft_key *key = known(r, nft_number(nft_nested(data, NFTA_RANGE_SREG), REGS));
	const struct nlattr *from = value_of(data, NFTA_RANGE_FROM_DATA);
	const struct nlattr *to = value_of(data, NFTA_RANGE_TO_DATA);
	bool within;

	if (!key || !from || !to || mnl_attr_get_payload_len(from) != key->len ||
	    mnl_attr_get_payload_len(to) != key->len) {
		fits(r, XT_MAY_FIT);
		return;
	}
	within = memcmp(key->bytes, mnl_attr_get_payload(from), key->len) >= 0 &&
		 memcmp(key->bytes, mnl_attr_get_payload(to), key->len) <= 0;
	fits(r, within == (nft_number(nft_nested(data, NFTA_RANGE_OP), 0) == NFT_RANGE_EQ)
			? XT_FITS
			: XT_FITS_NOT);
}

static void take_bitwise(struct rule_walk *r, const struct nlattr *data)
{
	uint32_t reg = nft_number(nft_nested(data, NFTA_BITWISE_DREG), REGS);
	const struct nft_key *key = known(r, nft_number(nft_nested(data, NFTA_BITWISE_SREG), REGS));
	const struct nlattr *mask = value_of(data, NFTA_BITWISE_MASK);
	const struct nlattr *flip = value_of(data, NFTA_BITWISE_XOR);
	uint8_t bytes[16];

	if (!key || !mask || !flip || mnl_attr_get_payload_len(mask) < key->len ||
	    mnl_attr_get_payload_len(flip) < key->len) {
		forget(r);
		return;
	}
	for (size_t i = 0; i < key->len; i++)
		bytes[i] = (uint8_t)((key->bytes[i] & ((uint8_t *)mnl_attr_get_payload(mask))[i]) ^
				     ((uint8_t *)mnl_attr_get_payload(flip))[i]);
	load(r, reg, bytes, key->len);
}

/* The element that speaks of this key: itself, or of intervals the last bound that is not beyond it. */
static const struct nft_set_element *look_up(const struct nft_filter_set *set,
					     const struct nft_key *key)
{
	const struct nft_set_element *best = NULL, *any = NULL;

	for (size_t i = 0; i < set->n; i++) {
		const struct nft_set_element *e = &set->v[i];
		int beyond = memcmp(e->key.bytes, key->bytes, key->len);
		int after = best ? memcmp(e->key.bytes, best->key.bytes, key->len) : 1;

		if (e->any)
			any = e;
		else if (beyond > 0 || (beyond && !set->intervals))
			continue;
		else if (after > 0 || (after == 0 && best->ends))
			best = e;
	}
	return best && !best->ends ? best : any;
}

static void take_lookup(struct rule_walk *r, const struct nlattr *data)
{
	const struct nft_key *key = known(r, nft_number(nft_nested(data, NFTA_LOOKUP_SREG), REGS));
	bool inverted = nft_number(nft_nested(data, NFTA_LOOKUP_FLAGS), 0) & NFT_LOOKUP_F_INV;
	const struct nft_filter_chain *chain = r->chain;
	uint32_t dreg = nft_number(nft_nested(data, NFTA_LOOKUP_DREG), REGS);
	const struct nft_filter_set *set;
	const struct nft_set_element *e;
	char name[NFT_NAME];

	nft_text(nft_nested(data, NFTA_LOOKUP_SET), name, sizeof(name));
	set = nft_filter_set(r->asked->f, chain->family, chain->table, name);
	if (!key || !set || !set->read || set->odd || set->key_len != key->len) {
		fits(r, XT_MAY_FIT);
		r->out->puzzling |= dreg == NFT_REG_VERDICT;
		forget(r);
		return;
	}
	e = look_up(set, key);
	fits(r, !e == inverted ? XT_FITS : XT_FITS_NOT);
	if (e && e->has_verdict && dreg == NFT_REG_VERDICT) {
		give(r, e->verdict);
		text_copy(r->out->to, sizeof(r->out->to), e->to);
	}
	forget(r);
}

static void take_match(struct rule_walk *r, const struct nlattr *data)
{
	const struct nlattr *info = nft_nested(data, NFTA_MATCH_INFO);
	const struct xt_packet packet = {
		.protocol = r->asked->packet->protocol,
		.dport = r->asked->packet->dport,
		.untracked = r->asked->ct_state == NFT_STATE_UNTRACKED,
	};
	char name[32];

	nft_text(nft_nested(data, NFTA_MATCH_NAME), name, sizeof(name));
	fits(r, xt_match_fits(name, nft_number(nft_nested(data, NFTA_MATCH_REV), 0),
			      info ? mnl_attr_get_payload(info) : NULL,
			      info ? mnl_attr_get_payload_len(info) : 0, &packet));
}

/* --- what is done with it */

static void take_immediate(struct rule_walk *r, const struct nlattr *data)
{
	const struct nlattr *verdict =
		nft_nested(nft_nested(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);

	if (!verdict)
		return; /* a value for what is set or sent: nothing is asked about it */
	give(r, (int32_t)nft_number(nft_nested(verdict, NFTA_VERDICT_CODE), NF_ACCEPT));
	nft_text(nft_nested(verdict, NFTA_VERDICT_CHAIN), r->out->to, sizeof(r->out->to));
}

static void take_reject(struct rule_walk *r, const struct nlattr *data)
{
	(void)data;
	give(r, NF_DROP);
}

static void take_target(struct rule_walk *r, const struct nlattr *data)
{
	char name[32];

	nft_text(nft_nested(data, NFTA_TARGET_NAME), name, sizeof(name));
	if (strcmp(name, "REJECT") == 0)
		give(r, NF_DROP);
	else
		r->out->puzzling |= !xt_target_goes_on(name);
}

static void take_any(struct rule_walk *r, const struct nlattr *data)
{
	(void)data;
	fits(r, XT_MAY_FIT);
	forget(r);
}

static const struct known {
	const char *name;
	void (*take)(struct rule_walk *r, const struct nlattr *data); /* NULL: changes nothing */
} expressions[] = {
	{ "meta", take_meta },
	{ "payload", take_payload },
	{ "ct", take_ct },
	{ "cmp", take_cmp },
	{ "range", take_range },
	{ "bitwise", take_bitwise },
	{ "lookup", take_lookup },
	{ "match", take_match },
	{ "immediate", take_immediate },
	{ "reject", take_reject },
	{ "target", take_target },
	{ "counter", NULL },
	{ "log", NULL },
	{ "last", NULL },
	{ "notrack", NULL },
	{ "flow_offload", NULL },
	{ "limit", take_any },
	{ "quota", take_any },
	{ "connlimit", take_any },
	{ "objref", take_any },
	{ "dynset", take_any },
	{ "fib", take_any },
	{ "rt", take_any },
	{ "socket", take_any },
	{ "osf", take_any },
	{ "exthdr", take_any },
	{ "tunnel", take_any },
	{ "xfrm", take_any },
	{ "hash", take_any },
	{ "numgen", take_any },
	{ "byteorder", take_any },
};

static void take_expression(struct rule_walk *r, const struct nlattr *expression)
{
	char name[32];

	nft_text(nft_nested(expression, NFTA_EXPR_NAME), name, sizeof(name));
	for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
		if (strcmp(expressions[i].name, name) != 0)
			continue;
		if (expressions[i].take)
			expressions[i].take(r, nft_nested(expression, NFTA_EXPR_DATA));
		return;
	}
	r->out->puzzling = true;
}

void nft_rule_ask(const struct nft_asked *asked, const struct nft_filter_chain *chain,
		  const struct nlattr *rule, struct nft_answer *out)
{
	struct rule_walk r = { .asked = asked, .chain = chain, .out = out };
	const struct nlattr *expression;

	*out = (struct nft_answer){ .fit = XT_FITS };
	if (rule)
		mnl_attr_for_each_nested (expression, rule)
			take_expression(&r, expression);
}
