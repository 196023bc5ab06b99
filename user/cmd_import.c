// SPDX-License-Identifier: GPL-2.0
/* vxbpf import SCRIPT: a vxlansetup.sh's settings as YAML on stdout. */
#include <string.h>

#include "command.h"
#include "import.h"
#include "readfile.h"

int cmd_import(const struct command_args *args)
{
	autofree char *text = NULL;
	autofree char *yaml = NULL;
	struct why why = { 0 };
	size_t len;
	int err;

	if (!args->arg) {
		why_bad(&why, "import: which script? See `vxbpf help import`");
		return command_fail(&why);
	}
	err = readfile(args->arg, IMPORT_MAX_SIZE, &text, &len, &why);
	if (!err)
		err = import_script(args->arg, text, len, &yaml, &why);
	if (err)
		return command_fail(&why);
	if (fputs(yaml, stdout) == EOF || fflush(stdout) == EOF) {
		fprintf(stderr, "vxbpf: import: cannot write to stdout: %m\n");
		return 1;
	}
	return 0;
}
