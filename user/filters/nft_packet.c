// SPDX-License-Identifier: GPL-2.0
/*
 * One packet's way through the chains of filter rules; see nft_filter.h. Pure. A packet that may be
 * accepted is not certainly dropped, regardless of later rules.
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "filters/nft_expr.h"

#define STEPS 20000 /* rules looked at; more are not understood */
#define DEPTH 16 /* jumps within jumps, as in the kernel */
#define NFT_STATE_NEW (1U << (IP_CT_NEW % IP_CT_IS_REPLY + 1))

/* The fate of packets that reach a rule or chain. */
enum fate {
	FATE_ON, /* they, or some of them, go on behind it; the others are dropped */
	FATE_DROPPED,
	FATE_MAY_PASS, /* some of them, for good */
};

struct walk {
	struct nft_asked asked;
	unsigned steps;
	struct nft_culprit *culprit;
};

static enum fate walk_chain(struct walk *w, const struct nft_filter_chain *chain, unsigned depth);

static enum fate blame(const struct walk *w, const struct nft_filter_chain *chain, bool policy)
{
	struct nft_culprit *c = w->culprit;

	c->family = chain->family;
	c->policy = policy;
	text_copy(c->table, sizeof(c->table), chain->table);
	text_copy(c->chain, sizeof(c->chain), chain->name);
	return FATE_DROPPED;
}

/* returns: what the rule has left goes back to the chain before, or some of it does. */
static enum fate walk_verdict(struct walk *w, const struct nft_filter_chain *chain,
			      const struct nft_answer *r, unsigned depth, bool *returns)
{
	const struct nft_filter_chain *to;
	bool certain = r->fit == XT_FITS;
	enum fate fate;

	switch (r->code) {
	case NF_DROP:
		return certain ? blame(w, chain, false) : FATE_ON;
	case NFT_CONTINUE:
		return FATE_ON;
	case NFT_RETURN:
		*returns = true;
		return FATE_ON;
	case NFT_JUMP:
	case NFT_GOTO:
		to = nft_filter_chain(w->asked.f, chain->family, chain->table, r->to);
		fate = to ? walk_chain(w, to, depth + 1) : FATE_MAY_PASS;
		*returns = r->code == NFT_GOTO && fate == FATE_ON;
		return fate == FATE_DROPPED && !certain ? FATE_ON : fate;
	default:
		return FATE_MAY_PASS;
	}
}

static enum fate walk_chain(struct walk *w, const struct nft_filter_chain *chain, unsigned depth)
{
	bool some_returned = false;

	if (depth > DEPTH || chain->scattered)
		return FATE_MAY_PASS;
	for (size_t i = chain->first; i < chain->first + chain->n; i++) {
		struct nft_answer r;
		bool returns = false;
		enum fate fate;

		if (++w->steps > STEPS)
			return FATE_MAY_PASS;
		nft_rule_ask(&w->asked, chain, w->asked.f->rules[i], &r);
		if (r.fit == XT_FITS_NOT)
			continue;
		if (r.puzzling)
			return FATE_MAY_PASS;
		if (!r.given)
			continue;
		fate = walk_verdict(w, chain, &r, depth, &returns);
		if (fate == FATE_MAY_PASS || (fate == FATE_DROPPED && !some_returned))
			return fate;
		if (fate == FATE_DROPPED || (returns && r.fit == XT_FITS))
			return FATE_ON;
		some_returned |= returns;
	}
	return FATE_ON;
}

static bool drops(const struct nft_filter *f, uint32_t hook, const struct nft_packet *packet,
		  uint32_t ct_state, struct nft_culprit *out)
{
	for (size_t i = 0; i < f->n_chains; i++) {
		const struct nft_filter_chain *chain = &f->chains[i];
		struct walk w = { .asked = { f, packet, ct_state }, .culprit = out };
		enum fate fate;

		if (!chain->base || chain->hook != hook ||
		    (chain->family != packet->family && chain->family != NFPROTO_INET) ||
		    nft_filter_is_dormant(f, chain->family, chain->table))
			continue;
		fate = walk_chain(&w, chain, 0);
		if (fate == FATE_ON && chain->drops)
			fate = blame(&w, chain, true);
		if (fate == FATE_DROPPED)
			return true;
	}
	return false;
}

bool nft_filter_drops(const struct nft_filter *f, uint32_t hook, const struct nft_packet *packet,
		      struct nft_culprit *out)
{
	struct nft_culprit culprit = { 0 };

	/* Whether connections are tracked at all others decide: it must not matter. */
	if (!drops(f, hook, packet, NFT_STATE_UNTRACKED, &culprit) ||
	    !drops(f, hook, packet, NFT_STATE_NEW, &culprit))
		return false;
	*out = culprit;
	return true;
}
