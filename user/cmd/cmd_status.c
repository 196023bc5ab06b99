// SPDX-License-Identifier: GPL-2.0
/* vxbpf status: what is up here and how it does, for people or as JSON. Changes nothing. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cmd/command.h"
#include "cmd/snapshots.h"
#include "show/status.h"

/* The width of a narrow terminal; otherwise, and in a pipe, the page's. */
static size_t wanted_columns(void)
{
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col ||
	    size.ws_col > STATUS_COLUMNS)
		return STATUS_COLUMNS;
	return size.ws_col < STATUS_COLUMNS_LEAST ? STATUS_COLUMNS_LEAST : size.ws_col;
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
		autofree char *text =
			status_text(&list->v[i], command_wants_colour(), wanted_columns());

		if (!text)
			return why_set(why, -ENOMEM, "status: out of memory");
		printf("%s%s", i ? "\n" : "", text);
	}
	if (!args->json && !list->n)
		puts("No overlay is up here, and /etc/vxbpf has no .yaml file. Create one (see "
		     "vxbpf.yaml(5)),\nthen run `vxbpf up`.");
	return 0;
}

int cmd_status(const struct command_args *args)
{
	autosnapshots struct snapshots list = { 0 };
	struct why why = { 0 };
	int err = snapshots_read(args, &list, &why);

	if (!err)
		err = print(args, &list, &why);
	if (err)
		return command_fail(&why);
	for (size_t i = 0; i < list.n; i++)
		if (list.v[i].state != SNAPSHOT_UP)
			return EXIT_DIFFERS;
	return EXIT_FINE;
}
