// SPDX-License-Identifier: GPL-2.0
/*
 * vxbpf demo: a script inside the binary, in namespaces of its own. It is process 1 of its process
 * namespace, so whatever ends it, the kernel takes all it made away.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cmd/command.h"

static const char script[] = {
#include "demo.sh.inc"
	0
};

static int run(struct why *why)
{
	char self[PATH_MAX] = "";
	char *argv[] = { (char *)"unshare",
			 (char *)"--mount",
			 (char *)"--net",
			 (char *)"--pid",
			 (char *)"--fork",
			 (char *)"--kill-child",
			 (char *)"--mount-proc",
			 (char *)"bash",
			 (char *)"-c",
			 (char *)script,
			 (char *)"vxbpf-demo",
			 self,
			 NULL };

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return why_set(why, -errno, "demo: cannot find this program: %s", strerror(errno));
	/* A shell cannot catch what was ignored when it started, as in `vxbpf demo &` of a script. */
	signal(SIGINT, SIG_DFL);
	execvp(argv[0], argv);
	return why_set(why, -errno, "demo: cannot run unshare (package util-linux): %s",
		       strerror(errno));
}

int cmd_demo(const struct command_args *args)
{
	struct why why = { 0 };

	if (command_need_loading(args->verb, &why))
		return command_fail(&why);
	run(&why); /* only comes back if it failed */
	return command_fail(&why);
}
