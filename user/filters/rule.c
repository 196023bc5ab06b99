// SPDX-License-Identifier: GPL-2.0
/* Reasons of rules; see rule.h. Pure. */
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
