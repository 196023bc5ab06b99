// SPDX-License-Identifier: GPL-2.0
/* Prometheus text of this host; see export.h. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/replace.h"
#include "cmd/export.h"
#include "diagnose/judge.h"
#include "show/metrics.h"

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

int export_text(const struct snapshots *list, char **out, struct why *why)
{
	const struct metrics_now now = { .real_ns = clock_ns(CLOCK_REALTIME),
					 .mono_ns = clock_ns(CLOCK_MONOTONIC) };

	*out = metrics_text(list->v, list->n, &now);
	return *out ? 0 : why_set(why, -ENOMEM, "export: out of memory");
}

static bool is_target(const struct command_targets *targets, const char *overlay)
{
	for (size_t i = 0; i < targets->n; i++)
		if (strcmp(targets->v[i].overlay, overlay) == 0)
			return true;
	return false;
}

/* One that is down and whose file is elsewhere is found by nobody else. */
static void add_known(struct command_targets *targets, const struct export_known *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_target(targets, known[i].overlay))
			command_add_target(targets, known[i].overlay, known[i].path);
}

static void tell_known(struct snapshots *list, const struct export_known *known, size_t n)
{
	for (size_t i = 0; i < list->n * n; i++) {
		const struct export_known *k = &known[i % n];
		struct snapshot *s = &list->v[i / n];

		if (strcmp(s->told.name, k->overlay) != 0)
			continue;
		s->watched = true;
		s->unmet = k->unmet;
		snapshot_judge(s);
	}
}

static int write_file(const struct exporter *e, struct nl *nl, const struct export_known *known,
		      size_t n, struct why *why)
{
	autotargets struct command_targets targets = { 0 };
	autosnapshots struct snapshots list = { 0 };
	autofree char *text = NULL;
	int err = command_find_targets(NULL, true, &targets, why);

	if (err)
		return err;
	add_known(&targets, known, n);
	err = snapshots_of(nl, &targets, snapshot_read_counted, &list, why);
	if (err)
		return err;
	tell_known(&list, known, n);
	err = export_text(&list, &text, why);
	return err ? err : replace_file(e->path, text, why);
}

void exporter_work(struct exporter *e, struct nl *nl, const struct export_known *known, size_t n,
		   uint64_t now_ms)
{
	struct why why = { 0 };
	int err = write_file(e, nl, known, n, &why);

	/* No catching up on what was missed while this process, or the machine, did not run. */
	e->due_ms += e->interval_ms;
	if (e->due_ms <= now_ms)
		e->due_ms = now_ms + e->interval_ms;
	if (err && strcmp(e->fault, why.text) != 0)
		command_fail(&why);
	else if (!err && e->fault[0])
		printf("%s: written again after errors\n", e->path);
	text_copy(e->fault, sizeof(e->fault), err ? why.text : "");
}
