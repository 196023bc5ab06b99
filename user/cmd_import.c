// SPDX-License-Identifier: GPL-2.0
/* vxbpf import SCRIPT: a vxlansetup.sh's settings as YAML on stdout. */
#include <string.h>

#include "command.h"
#include "import.h"
#include "readfile.h"

static const char usage[] =
	"usage: vxbpf import SCRIPT\n"
	"Prints the settings of a vxlansetup.sh as a config file. The script is read, never run.\n";

int cmd_import(int argc, char **argv)
{
	autofree char *text = NULL;
	autofree char *yaml = NULL;
	struct why why = { 0 };
	size_t len;
	int err;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc != 2 || argv[1][0] == '-') {
		fputs(usage, stderr);
		return 2;
	}
	err = readfile(argv[1], IMPORT_MAX_SIZE, &text, &len, &why);
	if (!err)
		err = import_script(argv[1], text, len, &yaml, &why);
	if (err)
		return command_fail(&why);
	if (fputs(yaml, stdout) == EOF || fflush(stdout) == EOF) {
		fprintf(stderr, "vxbpf: import: cannot write to stdout: %m\n");
		return 1;
	}
	return 0;
}
