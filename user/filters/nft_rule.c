// SPDX-License-Identifier: GPL-2.0
/* The expressions of one rule of nf_tables; see nft_rule.h. Pure. */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <netinet/in.h>

#include "filters/nft_attr.h"
#include "filters/nft_load.h"
#include "filters/nft_rule.h"
#include "filters/xt_match.h"

/* --- what is asked about it */

static const struct nlattr *value_of(const struct nlattr *data, uint16_t attr)
{
	return nft_nested(nft_nested(data, attr), NFTA_DATA_VALUE);
}

/* The rest of the rule may take this for granted. */
static void learn(struct nft_walk *w, const struct nlattr *value)
{
	const uint8_t *bytes = mnl_attr_get_payload(value);
	size_t len = mnl_attr_get_payload_len(value);

	if (w->as == NFT_AS_ETHERTYPE && len >= 2)
		w->layers.l3 = nft_l3_of((uint16_t)(bytes[0] << 8 | bytes[1]));
	else if (w->as == NFT_AS_PROTOCOL && len >= 1)
		w->layers.tcp = bytes[0] == IPPROTO_TCP;
}

/* Both ports by one comparison, as iptables has it; only that of the receiver may be known. */
static bool is_other_port(const struct nft_walk *w, const struct nlattr *value)
{
	const uint8_t *bytes = mnl_attr_get_payload(value);

	return w->as == NFT_AS_PORTS && w->packet->dport && mnl_attr_get_payload_len(value) == 4 &&
	       (bytes[2] << 8 | bytes[3]) != w->packet->dport;
}

static void take_cmp(struct nft_walk *w, const struct nlattr *data)
{
	uint32_t reg = nft_number(nft_nested(data, NFTA_CMP_SREG), NFT_REGS);
	uint32_t op = nft_number(nft_nested(data, NFTA_CMP_OP), UINT32_MAX);
	const struct rules_key *key = nft_known(w, reg);
	const struct nlattr *value = value_of(data, NFTA_CMP_DATA);
	int order;
	bool yes;

	if (value && op == NFT_CMP_EQ && reg == w->loaded) {
		learn(w, value);
		if (is_other_port(w, value)) {
			rule_condition(w->out, RULE_FITS_NOT);
			return;
		}
	}
	if (!key || !value || mnl_attr_get_payload_len(value) > key->len || op > NFT_CMP_GTE) {
		rule_condition(w->out, RULE_MAY_BY_FLOW);
		return;
	}
	order = memcmp(key->bytes, mnl_attr_get_payload(value), mnl_attr_get_payload_len(value));
	yes = op == NFT_CMP_EQ	  ? order == 0
	      : op == NFT_CMP_NEQ ? order != 0
	      : op == NFT_CMP_LT  ? order < 0
	      : op == NFT_CMP_LTE ? order <= 0
	      : op == NFT_CMP_GT  ? order > 0
				  : order >= 0;
	rule_condition(w->out, yes ? RULE_FITS : RULE_FITS_NOT);
}

static void take_range(struct nft_walk *w, const struct nlattr *data)
{
	const struct rules_key *key =
		nft_known(w, nft_number(nft_nested(data, NFTA_RANGE_SREG), NFT_REGS));
	const struct nlattr *from = value_of(data, NFTA_RANGE_FROM_DATA);
	const struct nlattr *to = value_of(data, NFTA_RANGE_TO_DATA);
	bool within;

	if (!key || !from || !to || mnl_attr_get_payload_len(from) != key->len ||
	    mnl_attr_get_payload_len(to) != key->len) {
		rule_condition(w->out, RULE_MAY_BY_FLOW);
		return;
	}
	within = memcmp(key->bytes, mnl_attr_get_payload(from), key->len) >= 0 &&
		 memcmp(key->bytes, mnl_attr_get_payload(to), key->len) <= 0;
	rule_condition(w->out,
		       within == (nft_number(nft_nested(data, NFTA_RANGE_OP), 0) == NFT_RANGE_EQ)
			       ? RULE_FITS
			       : RULE_FITS_NOT);
}

static void take_bitwise(struct nft_walk *w, const struct nlattr *data)
{
	uint32_t reg = nft_number(nft_nested(data, NFTA_BITWISE_DREG), NFT_REGS);
	const struct rules_key *key =
		nft_known(w, nft_number(nft_nested(data, NFTA_BITWISE_SREG), NFT_REGS));
	const struct nlattr *mask = value_of(data, NFTA_BITWISE_MASK);
	const struct nlattr *flip = value_of(data, NFTA_BITWISE_XOR);
	uint8_t bytes[16];

	if (!key || !mask || !flip || mnl_attr_get_payload_len(mask) < key->len ||
	    mnl_attr_get_payload_len(flip) < key->len) {
		nft_forget(w);
		return;
	}
	for (size_t i = 0; i < key->len; i++)
		bytes[i] = (uint8_t)((key->bytes[i] & ((uint8_t *)mnl_attr_get_payload(mask))[i]) ^
				     ((uint8_t *)mnl_attr_get_payload(flip))[i]);
	nft_load(w, reg, bytes, key->len);
}

static void take_byteorder(struct nft_walk *w, const struct nlattr *data)
{
	(void)data;
	nft_forget(w);
}

/* The element that speaks of this key: itself, or of intervals the last bound that is not beyond it. */
static const struct rules_element *look_up(const struct rules_set *set, const struct rules_key *key)
{
	const struct rules_element *best = NULL, *any = NULL;

	for (size_t i = 0; i < set->n; i++) {
		const struct rules_element *e = &set->v[i];
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

void nft_give(const struct rules *rules, const struct rules_chain *chain, int32_t code,
	      const char *to, struct rule_answer *out)
{
	if (out->verdict == RULE_PUZZLES)
		return;
	out->to = NULL;
	switch (code) {
	case NF_DROP:
		out->verdict = RULE_DROP;
		break;
	case NF_ACCEPT:
		out->verdict = RULE_ACCEPT;
		break;
	case NFT_CONTINUE:
		out->verdict = RULE_CONTINUE;
		break;
	case NFT_RETURN:
		out->verdict = RULE_RETURN;
		break;
	case NFT_JUMP:
	case NFT_GOTO:
		out->verdict = code == NFT_JUMP ? RULE_JUMP : RULE_GOTO;
		if (rules)
			out->to = rules_chain_named(rules, chain->family, chain->table, to);
		break;
	default:
		out->verdict = RULE_PUZZLES;
		rule_effect(out, "passes frames to a program", "");
	}
}

static void take_lookup(struct nft_walk *w, const struct nlattr *data)
{
	const struct rules_key *key =
		nft_known(w, nft_number(nft_nested(data, NFTA_LOOKUP_SREG), NFT_REGS));
	bool inverted = nft_number(nft_nested(data, NFTA_LOOKUP_FLAGS), 0) & NFT_LOOKUP_F_INV;
	bool map = nft_number(nft_nested(data, NFTA_LOOKUP_DREG), NFT_REGS) == NFT_REG_VERDICT;
	const struct rules_set *set = NULL;
	const struct rules_element *e;
	char name[RULE_NAME];

	nft_text(nft_nested(data, NFTA_LOOKUP_SET), name, sizeof(name));
	if (w->rules)
		set = rules_set_named(w->rules, w->chain->family, w->chain->table, name);
	if (set && set->what[0] && !w->out->what[0])
		text_copy(w->out->set, sizeof(w->out->set), set->name);
	if (set && set->what[0])
		rule_more(w->out, set->what, "");
	if (!key || !set || !set->read || set->odd || set->key_len != key->len) {
		rule_condition(w->out, RULE_MAY_BY_FLOW);
		if (map) {
			w->out->verdict = RULE_MAP;
			w->out->map = set && set->read && !set->odd ? set : NULL;
		}
		nft_forget(w);
		return;
	}
	e = look_up(set, key);
	rule_condition(w->out, !e == inverted ? RULE_FITS : RULE_FITS_NOT);
	if (e && e->has_verdict && map)
		nft_give(w->rules, w->chain, e->code, e->to, w->out);
	nft_forget(w);
}

/* --- what is done with it */

static void take_immediate(struct nft_walk *w, const struct nlattr *data)
{
	const struct nlattr *verdict =
		nft_nested(nft_nested(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
	char to[RULE_NAME];

	const struct nlattr *value = value_of(data, NFTA_IMMEDIATE_DATA);

	w->as = NFT_AS_OTHER;
	if (!verdict) {
		nft_load(w, nft_number(nft_nested(data, NFTA_IMMEDIATE_DREG), NFT_REGS),
			 value ? mnl_attr_get_payload(value) : NULL,
			 value ? mnl_attr_get_payload_len(value) : 0);
		return;
	}
	nft_text(nft_nested(verdict, NFTA_VERDICT_CHAIN), to, sizeof(to));
	nft_give(w->rules, w->chain,
		 (int32_t)nft_number(nft_nested(verdict, NFTA_VERDICT_CODE), NF_ACCEPT), to,
		 w->out);
}

static void take_object(struct nft_walk *w, const struct nlattr *data)
{
	static const char *const what[] = {
		[NFT_OBJECT_QUOTA] = "uses a quota",
		[NFT_OBJECT_LIMIT] = "uses a limit",
		[NFT_OBJECT_CONNLIMIT] = "counts connections",
	};
	uint32_t type = nft_number(nft_nested(data, NFTA_OBJREF_IMM_TYPE), UINT32_MAX);

	if (type == NFT_OBJECT_COUNTER)
		return;
	if (type < ARRAY_LEN(what) && what[type]) {
		rule_more(w->out, what[type], "");
		return;
	}
	/* It gives a mark or a helper, answers for others, or is found in a map. */
	rule_more(w->out, "uses an object", "");
	rule_effect(w->out, "uses an object", "");
}

/* Without a register to load an option into it writes or removes one. */
static void take_exthdr(struct nft_walk *w, const struct nlattr *data)
{
	rule_more(w->out, "checks packet options", "");
	if (!nft_nested(data, NFTA_EXTHDR_DREG))
		rule_effect(w->out, "changes frames", "");
	nft_forget(w);
}

static void take_match(struct nft_walk *w, const struct nlattr *data)
{
	const struct nlattr *info = nft_nested(data, NFTA_MATCH_INFO);
	char name[32];

	nft_text(nft_nested(data, NFTA_MATCH_NAME), name, sizeof(name));
	xt_match_ask(name, nft_number(nft_nested(data, NFTA_MATCH_REV), 0),
		     info ? mnl_attr_get_payload(info) : NULL,
		     info ? mnl_attr_get_payload_len(info) : 0, w->packet, w->out);
}

static void take_target(struct nft_walk *w, const struct nlattr *data)
{
	const struct nlattr *info = nft_nested(data, NFTA_TARGET_INFO);
	char name[32];

	nft_text(nft_nested(data, NFTA_TARGET_NAME), name, sizeof(name));
	xt_target_ask(name, nft_number(nft_nested(data, NFTA_TARGET_REV), 0),
		      info ? mnl_attr_get_payload(info) : NULL,
		      info ? mnl_attr_get_payload_len(info) : 0, w->packet, w->out);
}

/* --- other addresses */

static void take_masquerade(struct nft_walk *w, const struct nlattr *data)
{
	(void)data;
	rule_new_source(w->out, w->packet, NULL, 0);
}

static void take_nat(struct nft_walk *w, const struct nlattr *data)
{
	const struct rules_key *to =
		nft_known(w, nft_number(nft_nested(data, NFTA_NAT_REG_ADDR_MIN), NFT_REGS));

	if (nft_number(nft_nested(data, NFTA_NAT_TYPE), NFT_NAT_DNAT) == NFT_NAT_SNAT)
		rule_new_source(w->out, w->packet, to ? to->bytes : NULL, to ? to->len : 0);
	else
		rule_puzzle(w->out, "uses ", "nat");
}

static void take_notrack(struct nft_walk *w, const struct nlattr *data)
{
	(void)data;
	rule_untracked(w->out, w->packet, "uses notrack", "");
}

static void take_expression(struct nft_walk *w, const struct nlattr *expression)
{
	static const char queue[] = "passes frames to a program";
	static const struct {
		const char *name;
		void (*take)(struct nft_walk *w, const struct nlattr *data);
		const char *more; /* whether the rule fits depends on more than the flow */
		const char *effect;
		enum rule_verdict verdict;
		bool derived; /* `more`, but of an IP packet it follows from the flow all the same */
	} known[] = {
		{ "payload", .take = nft_load_payload },
		{ "meta", .take = nft_load_meta },
		{ "ct", .take = nft_load_ct },
		{ "cmp", .take = take_cmp },
		{ "range", .take = take_range },
		{ "bitwise", .take = take_bitwise },
		{ "byteorder", .take = take_byteorder },
		{ "lookup", .take = take_lookup },
		{ "immediate", .take = take_immediate },
		{ "objref", .take = take_object },
		{ "match", .take = take_match },
		{ "target", .take = take_target },
		{ "reject", .verdict = RULE_DROP },
		{ "counter", .take = NULL },
		{ "last", .take = NULL },
		{ "log", .take = NULL },
		{ "limit", .more = "uses a limit" },
		{ "quota", .more = "uses a quota" },
		{ "connlimit", .more = "counts connections" },
		{ "numgen", .more = "generates numbers" },
		{ "exthdr", .take = take_exthdr },
		{ "fib", .more = "uses fib", .derived = true },
		{ "rt", .more = "uses rt", .derived = true },
		{ "socket", .more = "uses socket", .derived = true },
		{ "osf", .more = "uses osf" },
		{ "tunnel", .more = "uses tunnel" },
		{ "xfrm", .more = "uses xfrm", .derived = true },
		{ "hash", .more = "uses hash" },
		{ "dynset", .more = "updates a set from packets",
		  .effect = "updates a set from packets" },
		{ "notrack", .take = take_notrack },
		{ "masq", .take = take_masquerade },
		{ "nat", .take = take_nat },
		{ "flow_offload", .effect = "uses flow_offload" },
		{ "queue", .effect = queue, .verdict = RULE_PUZZLES },
	};
	const struct nlattr *data = nft_nested(expression, NFTA_EXPR_DATA);
	char name[32];

	nft_text(nft_nested(expression, NFTA_EXPR_NAME), name, sizeof(name));
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		if (known[i].take)
			known[i].take(w, data);
		if (known[i].more)
			nft_forget(w);
		if (known[i].more && !(known[i].derived && w->packet->family != NFPROTO_BRIDGE))
			rule_more(w->out, known[i].more, "");
		if (known[i].effect)
			rule_effect(w->out, known[i].effect, "");
		if (known[i].verdict && w->out->verdict != RULE_PUZZLES)
			w->out->verdict = known[i].verdict;
		return;
	}
	rule_puzzle(w->out, "uses ", name);
}

void nft_rule_ask(const struct rules *rules, const struct rules_chain *chain,
		  const struct nlattr *expressions, const struct rule_packet *packet,
		  struct rule_answer *out)
{
	struct nft_walk w = { .rules = rules, .chain = chain, .packet = packet, .out = out };
	const struct nlattr *expression;

	*out = (struct rule_answer){ .fit = RULE_FITS };
	if (packet->family == NFPROTO_IPV4)
		w.layers.l3 = NFT_L3_IP4;
	else if (packet->family == NFPROTO_IPV6)
		w.layers.l3 = NFT_L3_IP6;
	if (expressions)
		mnl_attr_for_each_nested (expression, expressions)
			take_expression(&w, expression);
}

void nft_set_look(const struct nlattr *one, const struct nlattr *list, char what[RULE_WHAT])
{
	static const struct rule_packet any = { .family = NFPROTO_BRIDGE };
	struct rule_answer answer = { .fit = RULE_FITS };
	struct nft_walk w = { .packet = &any, .out = &answer };
	const struct nlattr *expression;

	if (one)
		take_expression(&w, one);
	if (list)
		mnl_attr_for_each_nested (expression, list)
			take_expression(&w, expression);
	text_copy(what, RULE_WHAT, answer.what);
}
