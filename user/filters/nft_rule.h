/* SPDX-License-Identifier: GPL-2.0 */
/* A rule of nf_tables and a packet of which some is known, in the words of rule.h. Pure. */
#ifndef VXBPF_NFT_RULE_H
#define VXBPF_NFT_RULE_H

#include <libmnl/libmnl.h>

#include "filters/rules.h"

/* expressions: NFTA_RULE_EXPRESSIONS of a rule of that chain, or NULL. */
void nft_rule_ask(const struct rules *rules, const struct rules_chain *chain,
		  const struct nlattr *expressions, const struct rule_packet *packet,
		  struct rule_answer *out);
/* A verdict of nf_tables, NFT_* or NF_*, in a rule of that chain; to: the chain it names. */
void nft_give(const struct rules *rules, const struct rules_chain *chain, int32_t code,
	      const char *to, struct rule_answer *out);
/* Why the expressions in a set check more than the flow, or "". one: NFTA_SET_EXPR; list:
 * NFTA_SET_EXPRESSIONS. */
void nft_set_look(const struct nlattr *one, const struct nlattr *list, char what[RULE_WHAT]);

#endif
