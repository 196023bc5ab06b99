// SPDX-License-Identifier: GPL-2.0
/* One snapshot per overlay a command is about; see snapshots.h. */
#include <errno.h>
#include <string.h>

#include "cmd/snapshots.h"
#include "diagnose/judge.h"

#define TRIES 3 /* an overlay may go down, or come up, while it is read */

static int read_one(struct nl *nl, const struct command_target *target, snapshot_fn *read,
		    struct snapshot *out, struct why *why)
{
	int err = -ENOENT;

	for (int i = 0; err == -ENOENT && i < TRIES; i++)
		err = read(nl, target->overlay, target->path, out, why);
	return err;
}

int snapshots_of(struct nl *nl, const struct command_targets *targets, snapshot_fn *read,
		 struct snapshots *out, struct why *why)
{
	int err = 0;

	out->v = calloc(targets->n + 1, sizeof(*out->v));
	if (!out->v)
		return why_set(why, -ENOMEM, "snapshots: out of memory");
	for (size_t i = 0; !err && i < targets->n; i++) {
		/* A file that can be no overlay is for those who judge configs; it has no numbers. */
		if (read == snapshot_read_counted && !conf_is_overlay(targets->v[i].overlay))
			continue;
		err = read_one(nl, &targets->v[i], read, &out->v[out->n], why);
		if (!err)
			snapshot_judge(&out->v[out->n++]);
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
	return why_bad(why, "%s: %s: the overlay is not up, and %s does not exist", s->told.name,
		       args->verb, s->path);
}

static int read_for(const struct command_args *args, snapshot_fn *read, struct snapshots *out,
		    struct why *why)
{
	autotargets struct command_targets targets = { 0 };
	autonl struct nl *nl = NULL;
	int err = command_find_targets(args->arg, true, &targets, why);

	if (!err)
		err = command_need_rights(args->verb, why);
	if (!err)
		err = nl_open(&nl, why);
	if (!err)
		err = snapshots_of(nl, &targets, read, out, why);
	return err ? err : snapshots_check_known(args, out, why);
}

int snapshots_read(const struct command_args *args, struct snapshots *out, struct why *why)
{
	return read_for(args, snapshot_read, out, why);
}

int snapshots_read_counted(const struct command_args *args, struct snapshots *out, struct why *why)
{
	return read_for(args, snapshot_read_counted, out, why);
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
		struct snapshot *s = &out->v[out->n];

		if (!conf_is_overlay(t->overlay))
			continue;
		err = snapshot_read_peers(t->overlay, s);
		if (err)
			why_set(why, err, "%s: cannot read its maps: %s", t->overlay,
				strerror(-err));
		snapshot_judge_peers(s);
		text_copy(s->path, sizeof(s->path), t->path);
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
