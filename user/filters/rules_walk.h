/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host's rules and packets of which some is known. Three questions: are they dropped, for certain; do they get
 * another source address, for certain; and could two packets of one flow fare differently? Pure.
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

/* Do all such packets leave this host with another source address, by whom? first_hook: where they begin,
 * NF_INET_LOCAL_OUT or NF_INET_PRE_ROUTING. */
bool rules_translate(const struct rules *rules, uint32_t first_hook,
		     const struct rule_packet *packet, struct rules_culprit *out);

#define RULES_WHY 96

/*
 * The first rule that frames of a bridge meet that checks more than the flow and whose outcome depends on
 * it, or that changes frames: "bridge rule in table filter, chain forward uses a limit"; "" if
 * there is none. A rule whose frames end as those beside it do does not matter.
 */
void rules_tell_more(const struct rules *rules, char why[RULES_WHY]);
/*
 * The same for IP packets at these hooks (bits by NF_INET_*) that no connection answers, as those between tunnels:
 * "IPv4 rule in table filter, chain input uses a limit". A change to all packets of a flow alike does not matter.
 */
void rules_tell_apart(const struct rules *rules, const struct rule_packet *packet, unsigned hooks,
		      char why[RULES_WHY]);

#endif
