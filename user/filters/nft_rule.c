// SPDX-License-Identifier: GPL-2.0
/* The fields that one rule of nf_tables checks; see nft_rule.h. Pure. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <netinet/in.h>
#include <string.h>

#include "filters/nft_rule.h"
#include "filters/nft_xt.h"

/* The conditions the rule has checked so far: the same byte of a packet is not the same thing in IPv4
 * and IPv6. */
enum layer3 { L3_UNKNOWN, L3_IP4, L3_IP6, L3_VLAN, L3_OTHER };
enum loaded { LOADED_OTHER, LOADED_ETHERTYPE, LOADED_PROTOCOL };

struct walk {
	struct nft_rule *out;
	enum layer3 l3;
	bool tcp;
	uint32_t reg; /* the register loaded last */
	enum loaded loaded;
};

const struct nlattr *nft_nested(const struct nlattr *parent, uint16_t type)
{
	const struct nlattr *attr, *found = NULL;

	if (parent)
		mnl_attr_for_each_nested (attr, parent)
			if (mnl_attr_get_type(attr) == type)
				found = attr;
	return found;
}

uint32_t nft_number(const struct nlattr *attr, uint32_t none)
{
	return attr && mnl_attr_get_payload_len(attr) >= 4 ? ntohl(mnl_attr_get_u32(attr)) : none;
}

const struct nlattr *nft_attr(const struct nlmsghdr *msg, uint16_t type)
{
	const struct nlattr *attr, *last = NULL;

	mnl_attr_for_each (attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == type)
			last = attr;
	return last;
}

void nft_text(const struct nlattr *attr, char *to, size_t size)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	memset(to, 0, size);
	if (len)
		memcpy(to, mnl_attr_get_payload(attr), len < size ? len : size - 1);
}

/* The first finding is the one that is told. */
static void found(struct walk *w, const char *what)
{
	if (!w->out->what[0])
		text_copy(w->out->what, sizeof(w->out->what), what);
}

static void found_use(struct walk *w, const char *kind, const char *name)
{
	char what[NFT_WHAT];

	snprintf(what, sizeof(what), "uses %s%.18s", kind, name);
	found(w, what);
}

static void load(struct walk *w, uint32_t reg, enum loaded what)
{
	w->reg = reg;
	w->loaded = what;
}

/* --- the frame's bytes */

struct range {
	uint32_t from, to;
	const char *what;
};

static bool within(uint32_t offset, uint32_t len, uint32_t from, uint32_t to)
{
	return offset >= from && offset < to && len <= to - offset;
}

static const char *name_of(const struct range *ranges, uint32_t offset, const char *else_what)
{
	for (; ranges->what; ranges++)
		if (offset >= ranges->from && offset < ranges->to)
			return ranges->what;
	return else_what;
}

static const char *see_network(const struct walk *w, uint32_t offset, uint32_t len)
{
	static const struct range ip4[] = { { 1, 2, "checks the DSCP" },
					    { 2, 4, "checks the packet length" },
					    { 4, 8, "checks fragments" },
					    { 8, 9, "checks the TTL" },
					    { 0 } };
	static const struct range ip6[] = { { 0, 4, "checks the DSCP or flow label" },
					    { 4, 6, "checks the packet length" },
					    { 7, 8, "checks the hop limit" },
					    { 0 } };
	const char *more = "checks more than addresses";

	switch (w->l3) {
	case L3_OTHER:
		return NULL; /* never goes fast */
	case L3_IP4:
		if (within(offset, len, 9, 10) || within(offset, len, 12, 20))
			return NULL;
		return name_of(ip4, offset, more);
	case L3_IP6:
		if (within(offset, len, 6, 7) || within(offset, len, 8, 40))
			return NULL;
		return name_of(ip6, offset, more);
	default: /* the addresses of either */
		return within(offset, len, 12, 20) ? NULL : more;
	}
}

static const char *see_payload(const struct walk *w, uint32_t base, uint32_t offset, uint32_t len)
{
	switch (base) {
	case NFT_PAYLOAD_LL_HEADER:
		return within(offset, len, 0, w->l3 == L3_VLAN ? 18 : 14)
			       ? NULL
			       : "checks beyond the Ethernet header";
	case NFT_PAYLOAD_NETWORK_HEADER:
		return see_network(w, offset, len);
	case NFT_PAYLOAD_TRANSPORT_HEADER:
		if (w->l3 == L3_OTHER || within(offset, len, 0, 4))
			return NULL;
		return w->tcp && offset == 13 ? "checks TCP flags" : "checks beyond the ports";
	default:
		return "checks the packet payload";
	}
}

static void take_payload(struct walk *w, const struct nlattr *data)
{
	uint32_t base = nft_number(nft_nested(data, NFTA_PAYLOAD_BASE), UINT32_MAX);
	uint32_t offset = nft_number(nft_nested(data, NFTA_PAYLOAD_OFFSET), UINT32_MAX);
	uint32_t len = nft_number(nft_nested(data, NFTA_PAYLOAD_LEN), UINT32_MAX);
	const char *what = see_payload(w, base, offset, len);
	bool type =
		base == NFT_PAYLOAD_LL_HEADER && len == 2 && offset == (w->l3 == L3_VLAN ? 16 : 12);
	bool protocol = base == NFT_PAYLOAD_NETWORK_HEADER && len == 1 &&
			((w->l3 == L3_IP4 && offset == 9) || (w->l3 == L3_IP6 && offset == 6));

	if (nft_nested(data, NFTA_PAYLOAD_SREG))
		what = "changes frames";
	if (what)
		found(w, what);
	load(w, nft_number(nft_nested(data, NFTA_PAYLOAD_DREG), 0),
	     type	? LOADED_ETHERTYPE
	     : protocol ? LOADED_PROTOCOL
			: LOADED_OTHER);
}

/* --- what the kernel knows about the frame */

static const char *see_meta(uint32_t key)
{
	switch (key) {
	case NFT_META_PROTOCOL:
	case NFT_META_NFPROTO:
	case NFT_META_L4PROTO:
	case NFT_META_MARK: /* who sets it by more than the flow is found there */
	case NFT_META_PKTTYPE:
	case NFT_META_IIF:
	case NFT_META_OIF:
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
	case NFT_META_IIFTYPE:
	case NFT_META_OIFTYPE:
	case NFT_META_IIFGROUP:
	case NFT_META_OIFGROUP:
	case NFT_META_IIFKIND:
	case NFT_META_OIFKIND:
	case NFT_META_BRI_IIFNAME:
	case NFT_META_BRI_OIFNAME:
	case NFT_META_BRI_IIFPVID:
	case NFT_META_BRI_IIFVPROTO:
	case NFT_META_NFTRACE:
		return NULL;
	case NFT_META_LEN:
		return "checks the packet length";
	case NFT_META_PRIORITY:
		return "checks the priority";
	case NFT_META_TIME_NS:
	case NFT_META_TIME_DAY:
	case NFT_META_TIME_HOUR:
		return "checks the time";
	case NFT_META_PRANDOM:
		return "uses a random number";
	case NFT_META_CPU:
		return "checks the CPU";
	case NFT_META_SKUID:
	case NFT_META_SKGID:
	case NFT_META_CGROUP:
		return "checks the sending program";
	default:
		return "checks more than the flow";
	}
}

static void take_meta(struct walk *w, const struct nlattr *data)
{
	uint32_t key = nft_number(nft_nested(data, NFTA_META_KEY), UINT32_MAX);
	const char *what = see_meta(key);

	if (nft_nested(data, NFTA_META_SREG))
		what = key == NFT_META_NFTRACE ? NULL
		       : key == NFT_META_MARK  ? "changes the mark"
					       : "changes frames";
	if (what)
		found(w, what);
	load(w, nft_number(nft_nested(data, NFTA_META_DREG), 0),
	     key == NFT_META_PROTOCOL  ? LOADED_ETHERTYPE
	     : key == NFT_META_L4PROTO ? LOADED_PROTOCOL
				       : LOADED_OTHER);
}

/* --- what is done with it */

static enum layer3 layer3_of(uint16_t ethertype)
{
	switch (ethertype) {
	case ETH_P_IP:
		return L3_IP4;
	case ETH_P_IPV6:
		return L3_IP6;
	case ETH_P_8021Q:
	case ETH_P_8021AD: /* a tag of the bridge's own: outside the frame has none */
		return L3_VLAN;
	default:
		return L3_OTHER;
	}
}

static void take_cmp(struct walk *w, const struct nlattr *data)
{
	const struct nlattr *value = nft_nested(nft_nested(data, NFTA_CMP_DATA), NFTA_DATA_VALUE);
	const uint8_t *bytes = value ? mnl_attr_get_payload(value) : NULL;

	if (!bytes || nft_number(nft_nested(data, NFTA_CMP_OP), UINT32_MAX) != NFT_CMP_EQ ||
	    nft_number(nft_nested(data, NFTA_CMP_SREG), UINT32_MAX) != w->reg)
		return;
	if (w->loaded == LOADED_ETHERTYPE && mnl_attr_get_payload_len(value) >= 2)
		w->l3 = layer3_of((uint16_t)(bytes[0] << 8 | bytes[1]));
	else if (w->loaded == LOADED_PROTOCOL && mnl_attr_get_payload_len(value) >= 1)
		w->tcp = bytes[0] == IPPROTO_TCP;
}

static void take_changed(struct walk *w, const struct nlattr *data)
{
	(void)data;
	w->loaded = LOADED_OTHER;
}

static void take_immediate(struct walk *w, const struct nlattr *data)
{
	const struct nlattr *verdict =
		nft_nested(nft_nested(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
	int32_t code = (int32_t)nft_number(nft_nested(verdict, NFTA_VERDICT_CODE), 0);

	w->loaded = LOADED_OTHER;
	if (!verdict)
		return;
	if (code >= 0 && code != NF_DROP && code != NF_ACCEPT)
		found(w, "passes frames to a program");
	nft_text(nft_nested(verdict, NFTA_VERDICT_CHAIN), w->out->to, sizeof(w->out->to));
}

static void take_lookup(struct walk *w, const struct nlattr *data)
{
	const struct nlattr *dreg = nft_nested(data, NFTA_LOOKUP_DREG);

	w->loaded = LOADED_OTHER;
	w->out->many_sets |= w->out->set[0];
	nft_text(nft_nested(data, NFTA_LOOKUP_SET), w->out->set, sizeof(w->out->set));
	if (dreg && nft_number(dreg, 0) == NFT_REG_VERDICT)
		w->out->to_any = true;
}

static void take_object(struct walk *w, const struct nlattr *data)
{
	static const char *const what[] = {
		[NFT_OBJECT_QUOTA] = "uses a quota",
		[NFT_OBJECT_LIMIT] = "uses a limit",
		[NFT_OBJECT_CONNLIMIT] = "counts connections",
	};
	uint32_t type = nft_number(nft_nested(data, NFTA_OBJREF_IMM_TYPE), UINT32_MAX);

	if (type != NFT_OBJECT_COUNTER)
		found(w, type < ARRAY_LEN(what) && what[type] ? what[type] : "uses an object");
}

static void take_match(struct walk *w, const struct nlattr *data)
{
	char name[32];
	const struct nlattr *info = nft_nested(data, NFTA_MATCH_INFO);
	const char *what;

	nft_text(nft_nested(data, NFTA_MATCH_NAME), name, sizeof(name));
	what = nft_xt_match(name, info ? mnl_attr_get_payload(info) : NULL,
			    info ? mnl_attr_get_payload_len(info) : 0);
	if (what && what[0])
		found(w, what);
	else if (what)
		found_use(w, "the match ", name);
}

static void take_target(struct walk *w, const struct nlattr *data)
{
	char name[32];

	nft_text(nft_nested(data, NFTA_TARGET_NAME), name, sizeof(name));
	if (!nft_xt_target_is_plain(name))
		found_use(w, "the target ", name);
}

static const struct known {
	const char *name;
	void (*take)(struct walk *w, const struct nlattr *data); /* NULL: nothing to look at */
	const char *what; /* NULL: of the flow, as far as `take` finds nothing */
} known[] = {
	{ "payload", take_payload, NULL },
	{ "meta", take_meta, NULL },
	{ "cmp", take_cmp, NULL },
	{ "range", NULL, NULL },
	{ "bitwise", take_changed, NULL },
	{ "byteorder", take_changed, NULL },
	{ "immediate", take_immediate, NULL },
	{ "lookup", take_lookup, NULL },
	{ "objref", take_object, NULL },
	{ "match", take_match, NULL },
	{ "target", take_target, NULL },
	{ "counter", NULL, NULL },
	{ "last", NULL, NULL },
	{ "log", NULL, NULL },
	{ "reject", NULL, NULL },
	{ "limit", NULL, "uses a limit" },
	{ "quota", NULL, "uses a quota" },
	{ "ct", NULL, "uses connection tracking" },
	{ "connlimit", NULL, "counts connections" },
	{ "numgen", NULL, "generates numbers" },
	{ "dynset", NULL, "updates a set from packets" },
	{ "exthdr", NULL, "checks packet options" },
	{ "queue", NULL, "passes frames to a program" },
};

static void take_expression(struct walk *w, const struct nlattr *expression)
{
	const struct nlattr *data = nft_nested(expression, NFTA_EXPR_DATA);
	char name[32];

	nft_text(nft_nested(expression, NFTA_EXPR_NAME), name, sizeof(name));
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		if (known[i].what)
			found(w, known[i].what);
		if (known[i].take)
			known[i].take(w, data);
		return;
	}
	found_use(w, "", name);
}

void nft_rule_judge(const struct nlattr *expressions, struct nft_rule *out)
{
	struct walk w = { .out = out };
	const struct nlattr *expression;

	if (expressions)
		mnl_attr_for_each_nested (expression, expressions)
			take_expression(&w, expression);
}

void nft_expr_judge(const struct nlattr *expression, struct nft_rule *out)
{
	struct walk w = { .out = out };

	take_expression(&w, expression);
}
