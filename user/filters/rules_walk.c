// SPDX-License-Identifier: GPL-2.0
/*
 * The one evaluator of rules; see rules_walk.h. Pure. For each chain it works out, from the last rule to the
 * first, how packets may end that come to it: a rule that fits decides, one that does not is passed by, one
 * that may adds its end to those of the rules behind it.
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
	size_t more_at, effect_at; /* the first rules to blame, by their texts; or NOWHERE */
	struct rules_culprit dropped_by;
};

struct walk {
	const struct rules *rules;
	const struct rule_packet *packet;
	struct chain_memo {
		enum { NEW, BUSY, DONE } state;
		struct outcome outcome;
	} * memo; /* one for each chain */
};

static const struct outcome nothing = { .more_at = NOWHERE, .effect_at = NOWHERE };

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

/* Any verdict, any chain of the table: by a jump, or by a goto, which does not come back here. */
static struct outcome anywhere(struct walk *w, const struct rules_chain *from,
			       const struct outcome *rest, unsigned depth)
{
	struct outcome all = ending(END_ANY), back;

	for (size_t i = 0; i < w->rules->n_chains; i++) {
		const struct rules_chain *c = &w->rules->chains[i];
		struct outcome one;

		if (c->base || c->family != from->family || strcmp(c->table, from->table) != 0)
			continue;
		one = chain_outcome(w, c, depth + 1);
		all = either(&one, &all);
	}
	back = then(&all, rest);
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
	o = ending(END_ANY);
	o.by_more = END_ANY;
	o.more_at = at;
	return o;
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
	return o;
}

static struct outcome chain_outcome(struct walk *w, const struct rules_chain *chain, unsigned depth)
{
	struct chain_memo *memo = &w->memo[chain - w->rules->chains];
	struct outcome o = ending(END_ON);

	if (memo->state == DONE)
		return memo->outcome;
	if (memo->state == BUSY || depth > DEPTH || chain->scattered) {
		o = ending(END_ANY);
		o.by_more = END_ANY;
		o.more_at = chain->first;
		return o;
	}
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

static struct chain_memo *memo_for(const struct rules *rules)
{
	struct chain_memo *memo = calloc(rules->n_chains + 1, sizeof(*memo));

	if (!memo)
		out_of_memory();
	return memo;
}

static bool drops(const struct rules *rules, uint32_t hook, const struct rule_packet *packet,
		  struct rules_culprit *out)
{
	autofree struct chain_memo *memo = memo_for(rules);
	struct walk w = { .rules = rules, .packet = packet, .memo = memo };

	for (size_t i = 0; i < rules->n_chains; i++) {
		const struct rules_chain *c = &rules->chains[i];
		struct outcome o;

		if (!c->base || c->hook != hook ||
		    (c->family != packet->family && c->family != NFPROTO_INET) ||
		    rules_are_dormant(rules, c))
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
	if (!drops(rules, hook, &p, &culprit))
		return false;
	p.tracked = RULE_CT_NEW;
	return drops(rules, hook, &p, out);
}

static void tell(const struct walk *w, size_t at, char why[RULES_WHY])
{
	const struct rules *r = w->rules;
	struct rule_answer a;

	for (size_t i = 0; i < r->n_chains; i++) {
		const struct rules_chain *c = &r->chains[i];

		if (at < c->first || at >= c->first + c->n)
			continue;
		ask(w, c, at, &a);
		snprintf(why, RULES_WHY, "bridge rule in table %.15s, %s %.15s %s", c->table,
			 a.set[0] ? "set" : "chain", a.set[0] ? a.set : c->name,
			 a.what[0] ? a.what : "is too complex");
		return;
	}
}

void rules_tell_more(const struct rules *rules, char why[RULES_WHY])
{
	static const struct rule_packet any = { .family = NFPROTO_BRIDGE };
	autofree struct chain_memo *memo = memo_for(rules);
	struct walk w = { .rules = rules, .packet = &any, .memo = memo };

	why[0] = '\0';
	for (size_t i = 0; i < rules->n_chains && !why[0]; i++) {
		const struct rules_chain *c = &rules->chains[i];
		struct outcome o;

		if (!c->base || c->family != NFPROTO_BRIDGE || rules_are_dormant(rules, c))
			continue;
		o = base_outcome(&w, c);
		/* By the order of the rules. */
		if (o.effect_at != NOWHERE || is_choice(o.by_more))
			tell(&w,
			     is_choice(o.by_more) && o.more_at < o.effect_at ? o.more_at
									     : o.effect_at,
			     why);
	}
}
