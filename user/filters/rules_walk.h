/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host's rules and packets of which some is known. Two questions: are they dropped, for certain; and could
 * two packets of one flow fare differently? Pure.
 */
#ifndef VXBPF_RULES_WALK_H
#define VXBPF_RULES_WALK_H

#include "filters/rules.h"

struct rules_culprit {
	const struct rules_chain *chain;
	bool policy; /* no rule of that chain, but what it does with the rest */
};

/* Are all such packets dropped at that hook (NF_INET_*), by whom? Where a rule looks at what is not known,
 * or is not understood, the answer is no. */
bool rules_drop(const struct rules *rules, uint32_t hook, const struct rule_packet *packet,
		struct rules_culprit *out);

#define RULES_WHY 96

/*
 * The first rule that frames of a bridge meet that checks more than the flow and whose outcome depends on
 * it, or that changes frames: "bridge rule in table filter, chain forward uses a limit"; "" if
 * there is none. A rule whose frames end as those beside it do does not matter.
 */
void rules_tell_more(const struct rules *rules, char why[RULES_WHY]);

#endif
