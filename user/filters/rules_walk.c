// SPDX-License-Identifier: GPL-2.0
/*
 * The one evaluator of rules; see rules_walk.h. Pure. For each chain it works out, from the last rule to the
 * first, how packets may end that come to it: a rule that fits decides, one that does not is passed by, one
 * that may adds its end to those of the rules behind it.
 *
 * lines: the evaluator and each question it answers.
 */
#include <string.h>

#include "filters/nft_rule.h"
#include "filters/rules_walk.h"
#include "filters/xt_table.h"

#define DEPTH 16 /* jumps within jumps, as in the kernel */
#define NOWHERE SIZE_MAX

enum {
	END_ON = 1, /* back to the chain before, or to the policy */
	END_ACCEPT = 2,
	END_DROP = 4,
	END_ANY = END_ON | END_ACCEPT | END_DROP,
};

struct outcome {
	unsigned ends; /* how such packets may end; */
	unsigned by_more; /* those among which more than the flow decides, if more than one */
	/* The first rules to blame, by their texts, or NOWHERE: the last has an effect on some packets only, and
	 * more than the flow decides on which. */
	size_t more_at, effect_at, swayed_at;
	struct rules_culprit dropped_by;
};

struct walk {
	const struct rules *rules;
	const struct rule_packet *packet;
	struct memo {
		enum { NEW, BUSY, DONE } state;
		struct outcome outcome;
	} * chains, *tables; /* one for each; a table's: of all its chains that are jumped to */
};

static const struct outcome nothing = { .more_at = NOWHERE,
					.effect_at = NOWHERE,
					.swayed_at = NOWHERE };

static struct outcome ending(unsigned ends)
{
	struct outcome o = nothing;

	o.ends = ends;
	return o;
}

static bool is_choice(unsigned ends)
{
	return ends & (ends - 1);
}

static size_t first(size_t a, size_t b)
{
	return a != NOWHERE ? a : b;
}

/* Some packets fare as in a, others as in b. */
static struct outcome either(const struct outcome *a, const struct outcome *b)
{
	return (struct outcome){
		.ends = a->ends | b->ends,
		.by_more = a->by_more | b->by_more,
		.more_at = first(a->more_at, b->more_at),
		.effect_at = first(a->effect_at, b->effect_at),
		.swayed_at = first(a->swayed_at, b->swayed_at),
		.dropped_by = b->ends & END_DROP ? b->dropped_by : a->dropped_by,
	};
}

/* Packets that come back from `chain` go on to `rest`. */
static struct outcome then(const struct outcome *chain, const struct outcome *rest)
{
	struct outcome o = *chain;

	if (!(chain->ends & END_ON))
		return o;
	o.ends &= ~(unsigned)END_ON;
	o.by_more &= ~(unsigned)END_ON;
	o = either(&o, rest);
	if (chain->by_more & END_ON)
		o.by_more |= rest->ends;
	if (!is_choice(o.by_more)) {
		o.by_more = 0;
		o.more_at = NOWHERE;
	}
	return o;
}

static struct outcome chain_outcome(struct walk *w, const struct rules_chain *chain,
				    unsigned depth);

static struct outcome puzzle(size_t at)
{
	struct outcome o = ending(END_ANY);

	o.by_more = END_ANY;
	o.more_at = at;
	return o;
}

/* How packets may end that come to any chain of this one's table. */
static struct outcome table_outcome(struct walk *w, const struct rules_chain *from, unsigned depth)
{
	struct memo *memo = &w->tables[from->of];
	struct outcome all = ending(END_ANY);

	if (memo->state == DONE)
		return memo->outcome;
	if (memo->state == BUSY)
		return puzzle(from->first);
	memo->state = BUSY;
	for (size_t i = 0; i < w->rules->n_chains; i++) {
		const struct rules_chain *c = &w->rules->chains[i];
		struct outcome one;

		if (c->base || c->nat || c->of != from->of)
			continue;
		one = chain_outcome(w, c, depth + 1);
		all = either(&one, &all);
	}
	memo->state = DONE;
	memo->outcome = all;
	return all;
}

/* Any verdict, any chain of the table: by a jump, or by a goto, which does not come back here. */
static struct outcome anywhere(struct walk *w, const struct rules_chain *from,
			       const struct outcome *rest, unsigned depth)
{
	struct outcome all = table_outcome(w, from, depth), back = then(&all, rest);

	return either(&all, &back);
}

static struct outcome decided(struct walk *w, const struct rules_chain *chain,
			      const struct rule_answer *a, size_t at, const struct outcome *rest,
			      unsigned depth);

/* One of the map's verdicts. */
static struct outcome mapped(struct walk *w, const struct rules_chain *chain,
			     const struct rule_answer *a, size_t at, const struct outcome *rest,
			     unsigned depth)
{
	struct outcome all = *rest;

	for (size_t i = 0; i < a->map->n; i++) {
		struct rule_answer one = { .fit = RULE_FITS };
		struct outcome o;

		if (!a->map->v[i].has_verdict)
			continue;
		nft_give(w->rules, chain, a->map->v[i].code, a->map->v[i].to, &one);
		o = decided(w, chain, &one, at, rest, depth);
		if (one.effect)
			o.effect_at = at;
		all = either(&o, &all);
	}
	return all;
}

/* How packets end that the rule fits. */
static struct outcome decided(struct walk *w, const struct rules_chain *chain,
			      const struct rule_answer *a, size_t at, const struct outcome *rest,
			      unsigned depth)
{
	struct outcome o = nothing;

	switch (a->verdict) {
	case RULE_CONTINUE:
		return *rest;
	case RULE_ACCEPT:
		return ending(END_ACCEPT);
	case RULE_DROP:
		o = ending(END_DROP);
		o.dropped_by = (struct rules_culprit){ .chain = chain };
		return o;
	case RULE_RETURN:
		return ending(END_ON);
	case RULE_JUMP:
	case RULE_GOTO:
		if (!a->to)
			break;
		o = chain_outcome(w, a->to, depth + 1);
		return a->verdict == RULE_GOTO ? o : then(&o, rest);
	case RULE_MAP:
		return a->map ? mapped(w, chain, a, at, rest, depth)
			      : anywhere(w, chain, rest, depth);
	case RULE_PUZZLES:
		break;
	}
	return puzzle(at);
}

/* Does a rule that more than the flow decides on change packets, or lead to one that does? */
static bool sways(struct walk *w, const struct rule_answer *a, const struct outcome *o,
		  unsigned depth)
{
	struct outcome to;

	if (a->fit != RULE_MAY_BY_MORE)
		return false;
	if (a->effect || a->verdict == RULE_MAP)
		return a->effect || o->effect_at != NOWHERE;
	if (!a->to)
		return false;
	to = chain_outcome(w, a->to, depth + 1);
	return to.effect_at != NOWHERE;
}

static void ask(const struct walk *w, const struct rules_chain *chain, size_t at,
		struct rule_answer *out)
{
	if (chain->legacy)
		xt_rule_ask(w->rules, chain, w->rules->texts[at], w->packet, out);
	else
		nft_rule_ask(w->rules, chain, w->rules->texts[at], w->packet, out);
}

/* How packets end that come to the rule, given how those do that come to the one behind it. */
static struct outcome behind(struct walk *w, const struct rules_chain *chain, size_t at,
			     const struct outcome *rest, unsigned depth)
{
	struct rule_answer a;
	struct outcome o;

	ask(w, chain, at, &a);
	if (a.fit == RULE_FITS_NOT)
		return *rest;
	o = decided(w, chain, &a, at, rest, depth);
	if (a.fit != RULE_FITS)
		o = either(&o, rest);
	if (a.fit == RULE_MAY_BY_MORE && is_choice(o.ends)) {
		o.by_more |= o.ends;
		o.more_at = at;
	}
	if (a.effect)
		o.effect_at = at;
	if (sways(w, &a, &o, depth))
		o.swayed_at = at;
	return o;
}

static struct outcome chain_outcome(struct walk *w, const struct rules_chain *chain, unsigned depth)
{
	struct memo *memo = &w->chains[chain - w->rules->chains];
	struct outcome o = ending(END_ON);

	if (memo->state == DONE)
		return memo->outcome;
	if (memo->state == BUSY || depth > DEPTH || chain->scattered)
		return puzzle(chain->first);
	memo->state = BUSY;
	for (size_t i = chain->n; i-- > 0;)
		o = behind(w, chain, chain->first + i, &o, depth);
	memo->state = DONE;
	memo->outcome = o;
	return o;
}

static struct outcome base_outcome(struct walk *w, const struct rules_chain *chain)
{
	struct outcome policy = ending(chain->drops ? END_DROP : END_ACCEPT), o;

	policy.dropped_by = (struct rules_culprit){ .chain = chain, .policy = true };
	o = chain_outcome(w, chain, 0);
	return then(&o, &policy);
}

static void walk_end(struct walk *w)
{
	free(w->chains);
	free(w->tables);
}
#define autowalk __attribute__((cleanup(walk_end)))

static struct walk walk_begin(const struct rules *rules, const struct rule_packet *packet)
{
	struct walk w = { .rules = rules,
			  .packet = packet,
			  .chains = calloc(rules->n_chains + 1, sizeof(*w.chains)),
			  .tables = calloc(rules->n_tables + 1, sizeof(*w.tables)) };

	if (!w.chains || !w.tables)
		out_of_memory();
	return w;
}

/* Is it a chain that such packets come to at one of these hooks (bits), the first of their connection if `nat`? */
static bool is_met(const struct walk *w, const struct rules_chain *c, unsigned hooks, bool nat)
{
	uint8_t family = w->packet->family;
	bool of_family =
		c->family == family || (c->family == NFPROTO_INET && family != NFPROTO_BRIDGE);

	bool at_hook = hooks == UINT32_MAX || (c->hook < 32 && hooks & 1U << c->hook);

	return (nat ? c->nat : c->base) && of_family && at_hook && !rules_are_dormant(w->rules, c);
}

static bool drops(const struct rules *rules, uint32_t hook, const struct rule_packet *packet,
		  bool nat, struct rules_culprit *out)
{
	autowalk struct walk w = walk_begin(rules, packet);

	for (size_t i = 0; i < rules->n_chains; i++) {
		const struct rules_chain *c = &rules->chains[i];
		struct outcome o;

		if (!is_met(&w, c, 1U << hook, nat))
			continue;
		o = base_outcome(&w, c);
		if (o.ends == END_DROP) {
			*out = o.dropped_by;
			/* A rule put into the built-in chain is ahead of all that it jumps to. */
			if (c->legacy)
				out->chain = c;
			return true;
		}
	}
	return false;
}

bool rules_drop(const struct rules *rules, uint32_t hook, const struct rule_packet *packet,
		struct rules_culprit *out)
{
	struct rule_packet p = *packet;
	struct rules_culprit culprit;

	/* Whether connections are tracked at all others decide: it must not matter. */
	p.tracked = RULE_CT_UNTRACKED;
	if (!drops(rules, hook, &p, false, &culprit))
		return false;
	p.tracked = RULE_CT_NEW;
	return drops(rules, hook, &p, false, out);
}

bool rules_translate(const struct rules *rules, uint32_t first_hook,
		     const struct rule_packet *packet, struct rules_culprit *out)
{
	struct rule_packet p = *packet;
	struct rules_culprit untracked;

	p.tracked = RULE_CT_NEW;
	p.ask = RULE_ASK_NOTRACK;
	if (drops(rules, first_hook, &p, false, &untracked) && !untracked.policy)
		return false;
	p.ask = RULE_ASK_SOURCE;
	return drops(rules, NF_INET_POST_ROUTING, &p, true, out) && !out->policy;
}

static void tell(const struct walk *w, size_t at, char why[RULES_WHY])
{
	static const char *const of[] = {
		[NFPROTO_IPV4] = "IPv4", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "IPv6"
	};
	const struct rules *r = w->rules;
	struct rule_answer a;

	for (size_t i = 0; i < r->n_chains; i++) {
		const struct rules_chain *c = &r->chains[i];

		if (at < c->first || at >= c->first + c->n)
			continue;
		ask(w, c, at, &a);
		snprintf(why, RULES_WHY, "%s rule in table %.15s, %s %.15s %s",
			 of[w->packet->family], c->table, a.set[0] ? "set" : "chain",
			 a.set[0] ? a.set : c->name, a.what[0] ? a.what : "is too complex");
		return;
	}
}

/* By the order of the rules. */
static size_t first_of(const struct outcome *o, bool any_effect)
{
	size_t effect = any_effect ? o->effect_at : o->swayed_at;

	return is_choice(o->by_more) && o->more_at < effect ? o->more_at : effect;
}

static void tell_more(const struct rules *rules, const struct rule_packet *packet, unsigned hooks,
		      char why[RULES_WHY])
{
	autowalk struct walk w = walk_begin(rules, packet);

	why[0] = '\0';
	for (size_t i = 0; i < rules->n_chains && !why[0]; i++) {
		const struct rules_chain *c = &rules->chains[i];
		struct outcome o;
		size_t at;

		if (!is_met(&w, c, hooks, false))
			continue;
		o = base_outcome(&w, c);
		at = first_of(&o, packet->family == NFPROTO_BRIDGE);
		if (at != NOWHERE)
			tell(&w, at, why);
	}
}

void rules_tell_more(const struct rules *rules, char why[RULES_WHY])
{
	static const struct rule_packet any = { .family = NFPROTO_BRIDGE };

	tell_more(rules, &any, UINT32_MAX, why);
}

void rules_tell_apart(const struct rules *rules, const struct rule_packet *packet, unsigned hooks,
		      char why[RULES_WHY])
{
	struct rule_packet p = *packet;

	/* A tunnel's packets are answered by others: each looks like its flow's first. */
	p.tracked = RULE_CT_NEW;
	tell_more(rules, &p, hooks, why);
}
