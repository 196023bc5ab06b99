// SPDX-License-Identifier: GPL-2.0
/* vxbpf status: what is up here and how it does, for people or as JSON. Changes nothing. */
#include <errno.h>
#include <string.h>

#include "command.h"
#include "nl.h"
#include "snapshot.h"

struct snapshots {
	struct snapshot *v;
	size_t n;
};

static void snapshots_free(struct snapshots *list)
{
	for (size_t i = 0; i < list->n; i++)
		snapshot_free(&list->v[i]);
	free(list->v);
}
#define autosnapshots __attribute__((cleanup(snapshots_free)))

static int read_all(const struct command_targets *targets, struct snapshots *out, struct why *why)
{
	autonl struct nl *nl = NULL;
	int err = nl_open(&nl, why);

	out->v = err ? NULL : calloc(targets->n + 1, sizeof(*out->v));
	if (!err && !out->v)
		return why_set(why, -ENOMEM, "status: out of memory");
	for (size_t i = 0; !err && i < targets->n; i++) {
		err = snapshot_read(nl, targets->v[i].overlay, targets->v[i].path, &out->v[i], why);
		out->n += !err;
	}
	return err;
}

/* Asked for by name, and neither up nor written down: a mistake, not a state. */
static int check_known(const struct command_args *args, const struct snapshots *list,
		       struct why *why)
{
	const struct snapshot *s = list->v;

	if (!args->arg || !list->n || s->up || s->layout || access(s->path, F_OK) == 0)
		return 0;
	return why_bad(why, "%s: status: it is not up, and there is no %s", s->told.name, s->path);
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

static int print(const struct command_args *args, const struct snapshots *list, struct why *why)
{
	if (args->json) {
		autofree char *text = status_json(list->v, list->n);

		if (!text)
			return why_set(why, -ENOMEM, "status: out of memory");
		puts(text);
	}
	for (size_t i = 0; !args->json && i < list->n; i++) {
		autofree char *text = status_text(&list->v[i], wants_colour());

		if (!text)
			return why_set(why, -ENOMEM, "status: out of memory");
		printf("%s%s", i ? "\n" : "", text);
	}
	if (!args->json && !list->n)
		puts("No overlay is up here, and there is no .yaml file in /etc/vxbpf: write one "
		     "(see "
		     "vxbpf.yaml(5)),\nthen run `vxbpf up`.");
	if (fflush(stdout) == EOF)
		return why_set(why, -errno, "status: write to stdout: %s", strerror(errno));
	return 0;
}

int cmd_status(const struct command_args *args)
{
	autotargets struct command_targets targets = { 0 };
	autosnapshots struct snapshots list = { 0 };
	struct why why = { 0 };
	int err = command_find_targets(args->arg, true, &targets, &why);

	if (!err)
		err = command_need_rights(args->verb, &why);
	if (!err)
		err = read_all(&targets, &list, &why);
	if (!err)
		err = check_known(args, &list, &why);
	if (!err)
		err = print(args, &list, &why);
	if (err)
		return command_fail(&why);
	for (size_t i = 0; i < list.n; i++)
		if (list.v[i].state != SNAPSHOT_UP)
			return EXIT_DIFFERS;
	return EXIT_FINE;
}
