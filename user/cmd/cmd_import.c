// SPDX-License-Identifier: GPL-2.0
/* vxbpf import SCRIPT: a vxlansetup.sh's settings as YAML on stdout. */
#include <string.h>

#include "base/readfile.h"
#include "cmd/command.h"
#include "conf/import.h"

int cmd_import(const struct command_args *args)
{
	autofree char *text = NULL;
	autofree char *yaml = NULL;
	struct why why = { 0 };
	size_t len;
	int err = 0;

	if (!args->arg)
		err = why_bad(&why, "import: missing SCRIPT; see `vxbpf help import`");
	if (!err)
		err = readfile(args->arg, IMPORT_MAX_SIZE, &text, &len, &why);
	if (!err)
		err = import_script(args->arg, text, len, &yaml, &why);
	if (err)
		return command_fail(&why);
	fputs(yaml, stdout);
	return EXIT_FINE;
}
