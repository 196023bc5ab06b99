// SPDX-License-Identifier: GPL-2.0
/* Reasons of rules; see rule.h. Pure. */
#include <linux/netfilter.h>
#include <string.h>

#include "filters/rule.h"

/* The first finding is the one that is told. */
static void reason(struct rule_answer *a, const char *kind, const char *name)
{
	if (!a->what[0])
		snprintf(a->what, sizeof(a->what), "%s%.18s", kind, name);
}

void rule_more(struct rule_answer *a, const char *kind, const char *name)
{
	reason(a, kind, name);
	rule_condition(a, RULE_MAY_BY_MORE);
}

void rule_effect(struct rule_answer *a, const char *kind, const char *name)
{
	reason(a, kind, name);
	a->effect = true;
}

void rule_puzzle(struct rule_answer *a, const char *kind, const char *name)
{
	rule_effect(a, kind, name);
	a->verdict = RULE_PUZZLES;
}

void rule_new_source(struct rule_answer *a, const struct rule_packet *p, const uint8_t *to,
		     size_t len)
{
	size_t size = p->family == NFPROTO_IPV4 ? 4 : 16;

	if (p->ask != RULE_ASK_SOURCE)
		rule_puzzle(a, "uses ", "NAT");
	else if (to ? p->source && len == size && memcmp(to, p->source, size) == 0
		    : !p->masquerades)
		a->verdict = RULE_ACCEPT; /* as it is */
	else
		a->verdict = RULE_DROP;
}

void rule_untracked(struct rule_answer *a, const struct rule_packet *p, const char *kind,
		    const char *name)
{
	if (p->ask == RULE_ASK_NOTRACK)
		a->verdict = RULE_DROP;
	else
		rule_effect(a, kind, name);
}
