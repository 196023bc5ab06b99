// SPDX-License-Identifier: GPL-2.0
/* One snapshot per overlay a command is about; see snapshots.h. */
#include <errno.h>
#include <string.h>

#include "nl.h"
#include "snapshots.h"

static int read_all(const struct command_args *args, const struct command_targets *targets,
		    struct snapshots *out, struct why *why)
{
	autonl struct nl *nl = NULL;
	int err = nl_open(&nl, why);

	out->v = err ? NULL : calloc(targets->n + 1, sizeof(*out->v));
	if (!err && !out->v)
		return why_set(why, -ENOMEM, "%s: out of memory", args->verb);
	for (size_t i = 0; !err && i < targets->n; i++) {
		err = snapshot_read(nl, targets->v[i].overlay, targets->v[i].path, &out->v[i], why);
		out->n += !err;
	}
	return err;
}

/* Asked for by name, and neither up nor written down: a mistake, not a state. */
int snapshots_check_known(const struct command_args *args, const struct snapshots *list,
			  struct why *why)
{
	const struct snapshot *s = list->v;

	if (!args->arg || !list->n || s->up || s->layout || access(s->path, F_OK) == 0)
		return 0;
	return why_bad(why, "%s: %s: it is not up, and there is no %s", s->told.name, args->verb,
		       s->path);
}

int snapshots_read(const struct command_args *args, struct snapshots *out, struct why *why)
{
	autotargets struct command_targets targets = { 0 };
	int err = command_find_targets(args->arg, true, &targets, why);

	if (!err)
		err = command_need_rights(args->verb, why);
	if (!err)
		err = read_all(args, &targets, out, why);
	return err ? err : snapshots_check_known(args, out, why);
}

int snapshots_read_peers(const struct command_args *args, struct snapshots *out, struct why *why)
{
	autotargets struct command_targets targets = { 0 };
	int err = command_find_targets(args->arg, true, &targets, why);

	out->v = err ? NULL : calloc(targets.n + 1, sizeof(*out->v));
	if (!err && !out->v)
		return why_set(why, -ENOMEM, "%s: out of memory", args->verb);
	for (size_t i = 0; !err && i < targets.n; i++) {
		struct command_target *t = &targets.v[i];

		err = snapshot_read_peers(t->overlay, &out->v[i]);
		if (err)
			why_set(why, err, "%s: read its maps: %s", t->overlay, strerror(-err));
		text_copy(out->v[i].path, sizeof(out->v[i].path), t->path);
		out->n++;
	}
	return err;
}

void snapshots_free(struct snapshots *list)
{
	for (size_t i = 0; i < list->n; i++)
		snapshot_free(&list->v[i]);
	free(list->v);
}
