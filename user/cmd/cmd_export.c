// SPDX-License-Identifier: GPL-2.0
/* vxbpf export: Prometheus text of all overlays, to a file or stdout. Changes nothing else. */
#include <errno.h>
#include <string.h>

#include "base/replace.h"
#include "cmd/command.h"
#include "cmd/export.h"

#define FOLDER "/var/lib/prometheus/node-exporter" /* where Debian's node exporter looks */
#define WAIT_MS 10000

/* NULL: stdout. One overlay's numbers must not take the place of all others' in the usual file. */
static const char *find_output(const struct command_args *args)
{
	const char *file = args->given[OPTION_OUTPUT];

	if (file)
		return strcmp(file, "-") == 0 ? NULL : file;
	return !args->arg && access(FOLDER, F_OK) == 0 ? FOLDER "/vxbpf.prom" : NULL;
}

int cmd_export(const struct command_args *args)
{
	autosnapshots struct snapshots list = { 0 };
	autofree char *text = NULL;
	const char *file = find_output(args);
	struct why why = { 0 };
	int err = snapshots_read_counted(args, &list, &why);

	if (!err)
		err = export_text(&list, &text, &why);
	if (!err && file)
		err = replace_file(file, text, WAIT_MS, &why);
	if (!err && !file && fputs(text, stdout) == EOF)
		err = why_set(&why, -errno, "export: cannot write to stdout: %s", strerror(errno));
	if (err)
		return command_fail(&why);
	/* To a person it would look as if nothing had happened. */
	if (file && !args->given[OPTION_OUTPUT] && isatty(STDOUT_FILENO))
		printf("wrote %s; use `--output -` to print it\n", file);
	return EXIT_FINE;
}
