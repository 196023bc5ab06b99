// SPDX-License-Identifier: GPL-2.0
/* This host's rules, and the fast path of an overlay under watch; see watched.h. */
#include <string.h>

#include "watch/watched.h"

/* From one look at the rules to the next: a host that changes its many rules all the time keeps a tenth of a
 * CPU busy, no more. */
#define SPACING_MS 200
#define REST_TIMES 10

static void replace(struct watched *w, const struct fastpath_rules *rules)
{
	fastpath_rules_free(&w->rules);
	w->rules = *rules;
	w->has_rules = true;
}

void watched_need_rules(struct watched *w)
{
	struct fastpath_rules rules = { 0 };

	/* Until a pass has gone well there is nothing that news could be judged against. */
	if (w->has_rules && w->view.conf)
		return;
	if (w->conf.fastpath == CONF_AUTO)
		fastpath_read_rules(w->conf.port, &rules);
	replace(w, &rules);
}

void watched_queue_rules(struct watched *w)
{
	uint64_t rest_ms = w->reader.took_ms * REST_TIMES;

	if (!w->asks_rules)
		w->rules_due_ms = w->judged_ms + (rest_ms > SPACING_MS ? rest_ms : SPACING_MS);
	w->asks_rules = w->conf.fastpath == CONF_AUTO;
}

void watched_judge(struct watched *w)
{
	struct fastpath_facts facts;
	const char *why;

	if (!w->view.conf || !w->has_rules)
		return;
	fastpath_read(view_bridge(&w->view), &w->rules, &facts);
	why = fastpath_why_off(&w->conf, &facts) ?: "";
	if (strcmp(why, w->view.fastpath_why) != 0)
		watched_queue_all(w);
}

/* With news the plan may be another one. */
static void take_rules(struct watched *w, struct fastpath_rules *rules)
{
	bool same = w->has_rules && fastpath_rules_equal(&w->rules, rules);

	replace(w, rules);
	w->judged_ms = watched_clock_ms();
	if (!same)
		watched_queue_all(w);
	watched_judge(w);
}

void watched_work_on_rules(struct watched *w)
{
	struct fastpath_rules rules;

	w->asks_rules = false;
	/* Where no thread is to be had it takes the time it takes. */
	if (rules_reader_start(&w->reader, w->conf.port) == 0)
		return;
	fastpath_read_rules(w->conf.port, &rules);
	take_rules(w, &rules);
}

void watched_hear_rules(struct watched *w)
{
	struct fastpath_rules rules;

	if (!rules_reader_take(&w->reader, &rules))
		return;
	/* The config may be another one by now. */
	if (w->reader.port == w->conf.port && w->conf.fastpath == CONF_AUTO) {
		take_rules(w, &rules);
		return;
	}
	fastpath_rules_free(&rules);
	watched_queue_rules(w);
}
