// SPDX-License-Identifier: GPL-2.0
/* down, stop: remove what is ours. Works without a readable config. */
#include <string.h>

#include "cmd/command.h"
#include "kernel/pins.h"
#include "reconcile/converge.h"
#include "reconcile/steps_print.h"

static int down_one(struct nl *nl, const char *overlay, const struct command_args *args)
{
	autoconverge struct converge c = { 0 };
	struct why why = { 0 };
	int err = converge_plan_down(nl, overlay, &c, &why);

	if (!err && (args->dry_run || args->verbose))
		steps_print(&c.steps);
	if (!err && !args->dry_run)
		err = converge_apply(nl, &c, &why);
	tell_all(&c.notes);
	if (err)
		return command_fail(&why);
	return args->dry_run && c.steps.n ? EXIT_DIFFERS : EXIT_FINE;
}

int cmd_down(const struct command_args *args)
{
	autotargets struct command_targets targets = { 0 };
	autonl struct nl *nl = NULL;
	autofd int lock = -1;
	struct why why = { 0 };
	int code = EXIT_FINE;
	int err = command_find_targets(args->arg, true, &targets, &why);

	if (!err)
		err = command_begin(args, false, &nl, &lock, &why);
	if (err)
		return command_fail(&why);
	for (size_t i = 0; i < targets.n; i++) {
		int one = conf_is_overlay(targets.v[i].overlay)
				  ? down_one(nl, targets.v[i].overlay, args)
				  : EXIT_FINE;

		if (code == EXIT_FINE || code == EXIT_DIFFERS)
			code = one ? one : code;
	}
	if (!args->dry_run)
		pins_forget_root();
	return code;
}
