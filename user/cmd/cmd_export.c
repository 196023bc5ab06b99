// SPDX-License-Identifier: GPL-2.0
/* vxbpf export: Prometheus text of all overlays, to a file or stdout. Changes nothing else. */
#include <errno.h>
#include <string.h>

#include "base/replace.h"
#include "cmd/command.h"
#include "cmd/export.h"

int cmd_export(const struct command_args *args)
{
	autosnapshots struct snapshots list = { 0 };
	autofree char *text = NULL;
	const char *file = args->given[OPTION_OUTPUT];
	struct why why = { 0 };
	int err;

	if (file && strcmp(file, "-") == 0)
		file = NULL;
	err = snapshots_read_counted(args, &list, &why);

	if (!err)
		err = export_text(&list, &text, &why);
	if (!err && file)
		err = replace_file(file, text, &why);
	if (!err && !file && fputs(text, stdout) == EOF)
		err = why_set(&why, -errno, "export: cannot write to stdout: %s", strerror(errno));
	if (err)
		return command_fail(&why);
	return EXIT_FINE;
}
