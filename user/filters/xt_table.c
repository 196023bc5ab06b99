// SPDX-License-Identifier: GPL-2.0
/* Tables of legacy iptables; see xt_table.h. Pure. */
#include <arpa/inet.h>
#include <string.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "filters/xt_match.h"
#include "filters/xt_table.h"

#define NEXT_RULE INT32_MIN /* a verdict of ours */

/* The parts of a rule that IPv4 and IPv6 share. */
struct rule {
	const char *iif, *oif;
	const uint8_t *iif_mask, *oif_mask;
	const uint8_t *source, *source_mask, *dest, *dest_mask;
	size_t address_len;
	uint16_t protocol; /* 0 = any */
	uint8_t flipped; /* XT_INV_*, IPT_INV_* */
	bool odd; /* looks at fragments, TOS, ... */
	bool is_goto;
	const uint8_t *matches;
	const struct xt_entry_target *target;
	uint32_t size; /* of all of it, and so where the next begins */
};

static bool all_zero(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		if (b[i])
			return false;
	return true;
}

static void take_ip4(const struct ipt_ip *ip, struct rule *out)
{
	out->iif = ip->iniface;
	out->oif = ip->outiface;
	out->iif_mask = ip->iniface_mask;
	out->oif_mask = ip->outiface_mask;
	out->source = (const uint8_t *)&ip->src;
	out->source_mask = (const uint8_t *)&ip->smsk;
	out->dest = (const uint8_t *)&ip->dst;
	out->dest_mask = (const uint8_t *)&ip->dmsk;
	out->address_len = sizeof(ip->src);
	out->protocol = ip->proto;
	out->flipped = ip->invflags;
	out->odd = ip->flags & IPT_F_FRAG;
	out->is_goto = ip->flags & IPT_F_GOTO;
}

static void take_ip6(const struct ip6t_ip6 *ip, struct rule *out)
{
	out->iif = ip->iniface;
	out->oif = ip->outiface;
	out->iif_mask = ip->iniface_mask;
	out->oif_mask = ip->outiface_mask;
	out->source = (const uint8_t *)&ip->src;
	out->source_mask = (const uint8_t *)&ip->smsk;
	out->dest = (const uint8_t *)&ip->dst;
	out->dest_mask = (const uint8_t *)&ip->dmsk;
	out->address_len = sizeof(ip->src);
	out->protocol = ip->flags & IP6T_F_PROTO ? ip->proto : 0;
	out->flipped = ip->invflags;
	out->odd = ip->flags & IP6T_F_TOS;
	out->is_goto = ip->flags & IP6T_F_GOTO;
}

/* The rule that begins there; false: what is there cannot be one. */
static bool rule_at(const void *bytes, size_t room, uint8_t family, struct rule *out)
{
	bool v4 = family == NFPROTO_IPV4;
	size_t head = v4 ? sizeof(struct ipt_entry) : sizeof(struct ip6t_entry);
	const uint8_t *at = bytes;
	uint16_t target, next;

	*out = (struct rule){ 0 };
	if (room < head)
		return false;
	if (v4) {
		take_ip4(&((const struct ipt_entry *)at)->ip, out);
		target = ((const struct ipt_entry *)at)->target_offset;
		next = ((const struct ipt_entry *)at)->next_offset;
	} else {
		take_ip6(&((const struct ip6t_entry *)at)->ipv6, out);
		target = ((const struct ip6t_entry *)at)->target_offset;
		next = ((const struct ip6t_entry *)at)->next_offset;
	}
	/* The kernel keeps all of it at multiples of eight. */
	if ((target | next) % 8 || target < head || next < target + sizeof(*out->target) ||
	    next > room)
		return false;
	out->matches = at + head;
	out->target = (const void *)(at + target);
	out->size = next;
	return out->target->u.target_size >= sizeof(*out->target) &&
	       out->target->u.target_size <= next - target;
}

/* --- the table as chains */

/* A chain of the operator's begins with an entry that has its name. */
static const char *chain_name(const struct rule *r)
{
	const struct xt_error_target *error = (const void *)r->target;

	if (strcmp(r->target->u.user.name, XT_ERROR_TARGET) != 0 ||
	    r->target->u.target_size < sizeof(*error))
		return NULL;
	return error->errorname;
}

static const struct xt_standard_target *standard_of(const struct rule *r)
{
	return !r->target->u.user.name[0] &&
			       r->target->u.target_size >= sizeof(struct xt_standard_target)
		       ? (const void *)r->target
		       : NULL;
}

static bool is_whole(const struct xt_table *t, uint8_t family)
{
	struct rule r;

	for (uint32_t at = 0; at < t->size; at += r.size)
		if (!rule_at((const uint8_t *)t->bytes + at, t->size - at, family, &r))
			return false;
	return true;
}

/* A rule without a verdict has a jump to the next instead, which the copy of one rule could not tell. */
static void take_rule(struct rules *rules, struct rules_chain *chain, const struct rule *r,
		      const uint8_t *bytes, uint32_t at)
{
	const struct xt_standard_target *standard = standard_of(r);
	size_t n = rules->n_texts;
	uint8_t *copy;

	rules_add(rules, chain, bytes, r->size);
	if (rules->n_texts == n || !standard || standard->verdict != (int)(at + r->size))
		return;
	copy = rules->texts[n];
	copy += (const uint8_t *)standard - bytes;
	((struct xt_standard_target *)(void *)copy)->verdict = NEXT_RULE;
}

/* The chain that begins at `from`; its rules are those up to `to`. */
static struct rules_chain *take_chain(struct rules *rules, uint8_t family, const struct xt_table *t,
				      const char *name, uint32_t from, uint32_t to)
{
	struct rules_chain *c = rules_add_chain(rules, family, true, t->name, name, from);
	struct rule r;

	for (uint32_t at = from; at < to && at < t->size; at += r.size) {
		const uint8_t *bytes = (const uint8_t *)t->bytes + at;

		if (!rule_at(bytes, t->size - at, family, &r) || chain_name(&r))
			break;
		take_rule(rules, c, &r, bytes, at);
	}
	return c;
}

static void take_base(struct rules *rules, uint8_t family, const struct xt_table *t, unsigned hook)
{
	static const char *const names[NF_INET_NUMHOOKS] = {
		[NF_INET_PRE_ROUTING] = "PREROUTING",	[NF_INET_LOCAL_IN] = "INPUT",
		[NF_INET_FORWARD] = "FORWARD",		[NF_INET_LOCAL_OUT] = "OUTPUT",
		[NF_INET_POST_ROUTING] = "POSTROUTING",
	};
	uint32_t policy = t->policy[hook];
	const struct xt_standard_target *last;
	struct rules_chain *c;
	struct rule r;

	if (policy % 8 || policy >= t->size || t->entry[hook] % 8 ||
	    !rule_at((const uint8_t *)t->bytes + policy, t->size - policy, family, &r))
		return;
	last = standard_of(&r);
	c = take_chain(rules, family, t, names[hook], t->entry[hook], policy);
	rules_hook(rules, c, hook, strcmp(t->name, "nat") == 0);
	c->drops = last && last->verdict == -NF_DROP - 1;
}

void xt_table_take(struct rules *rules, uint8_t family, const struct xt_table *t)
{
	struct rule r;

	if (!is_whole(t, family))
		return;
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (t->hooks & 1U << hook)
			take_base(rules, family, t, hook);
	for (uint32_t at = 0; at < t->size; at += r.size) {
		char text[XT_FUNCTION_MAXNAMELEN + 1];
		const char *name;

		rule_at((const uint8_t *)t->bytes + at, t->size - at, family, &r);
		name = chain_name(&r);
		if (!name || at + r.size >= t->size)
			continue;
		snprintf(text, sizeof(text), "%.*s", XT_FUNCTION_MAXNAMELEN, name);
		take_chain(rules, family, t, text, at + r.size, t->size);
	}
}

/* --- one rule */

static enum rule_fit device_fits(const char *name, const uint8_t *mask, const char *device,
				 bool flip)
{
	char padded[IFNAMSIZ] = "";
	bool same = true;

	if (all_zero(mask, IFNAMSIZ))
		return flip ? RULE_FITS_NOT : RULE_FITS;
	if (!device || !device[0])
		return RULE_MAY_BY_FLOW;
	text_copy(padded, sizeof(padded), device);
	for (size_t i = 0; i < IFNAMSIZ; i++)
		same &= !((name[i] ^ padded[i]) & mask[i]);
	return same != flip ? RULE_FITS : RULE_FITS_NOT;
}

static enum rule_fit address_fits(const uint8_t *address, const uint8_t *mask, size_t len,
				  const uint8_t *of_packet, bool flip)
{
	bool same = true;

	if (all_zero(mask, len))
		return flip ? RULE_FITS_NOT : RULE_FITS;
	if (!of_packet)
		return RULE_MAY_BY_FLOW;
	for (size_t i = 0; i < len; i++)
		same &= !((address[i] ^ of_packet[i]) & mask[i]);
	return same != flip ? RULE_FITS : RULE_FITS_NOT;
}

static void ask_matches(const struct rule *r, const struct rule_packet *p, struct rule_answer *out)
{
	const uint8_t *end = (const uint8_t *)r->target;

	for (const uint8_t *at = r->matches; at < end;) {
		const struct xt_entry_match *m = (const void *)at;

		if (end - at < (ptrdiff_t)sizeof(*m) || m->u.match_size < sizeof(*m) ||
		    m->u.match_size % 8 || m->u.match_size > end - at) {
			rule_condition(out, RULE_MAY_BY_FLOW);
			out->verdict = RULE_PUZZLES;
			return;
		}
		xt_match_ask(m->u.user.name, m->u.user.revision, m->data,
			     m->u.match_size - sizeof(*m), p, out);
		at += m->u.match_size;
	}
}

static void ask_target(const struct rules *rules, const struct rules_chain *chain,
		       const struct rule *r, const struct rule_packet *p, struct rule_answer *out)
{
	const struct xt_standard_target *standard = standard_of(r);

	if (r->target->u.user.name[0]) {
		xt_target_ask(r->target->u.user.name, r->target->u.user.revision, r->target->data,
			      r->target->u.target_size - sizeof(*r->target), p, out);
		return;
	}
	if (!standard) {
		out->verdict = RULE_PUZZLES;
		return;
	}
	switch (standard->verdict) {
	case -NF_DROP - 1:
		out->verdict = RULE_DROP;
		break;
	case -NF_ACCEPT - 1:
		out->verdict = RULE_ACCEPT;
		break;
	case NEXT_RULE:
		break;
	case XT_RETURN:
		out->verdict = RULE_RETURN;
		break;
	default:
		out->to = standard->verdict < 0
				  ? NULL
				  : rules_chain_at(rules, chain, (uint32_t)standard->verdict);
		out->verdict = standard->verdict < 0 ? RULE_PUZZLES
			       : r->is_goto	     ? RULE_GOTO
						     : RULE_JUMP;
	}
}

void xt_rule_ask(const struct rules *rules, const struct rules_chain *chain, const void *entry,
		 const struct rule_packet *p, struct rule_answer *out)
{
	struct rule r;

	*out = (struct rule_answer){ .fit = RULE_FITS };
	/* It was looked at when it was taken; its size stands in itself. */
	if (!rule_at(entry, SIZE_MAX, chain->family, &r)) {
		out->verdict = RULE_PUZZLES;
		return;
	}
	rule_condition(out, address_fits(r.source, r.source_mask, r.address_len, p->source,
					 r.flipped & IPT_INV_SRCIP));
	rule_condition(out, address_fits(r.dest, r.dest_mask, r.address_len, p->dest,
					 r.flipped & IPT_INV_DSTIP));
	if (r.odd)
		rule_more(out, "checks fragments or the DSCP", "");
	rule_condition(out, device_fits(r.iif, r.iif_mask, p->iif, r.flipped & IPT_INV_VIA_IN));
	rule_condition(out, device_fits(r.oif, r.oif_mask, p->oif, r.flipped & IPT_INV_VIA_OUT));
	if (r.protocol && !p->protocol)
		rule_condition(out, RULE_MAY_BY_FLOW);
	else if (r.protocol && (r.protocol == p->protocol) == !!(r.flipped & XT_INV_PROTO))
		rule_condition(out, RULE_FITS_NOT);
	ask_matches(&r, p, out);
	if (out->verdict != RULE_PUZZLES)
		ask_target(rules, chain, &r, p, out);
}
