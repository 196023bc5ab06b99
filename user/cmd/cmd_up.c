// SPDX-License-Identifier: GPL-2.0
/* up, start, reload: converge to the config. restart: down first. */
#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "kernel/pins.h"
#include "reconcile/converge.h"
#include "reconcile/steps_print.h"

struct overlays {
	struct conf *v;
	size_t n;
};

static void overlays_free(struct overlays *o)
{
	for (size_t i = 0; i < o->n; i++)
		conf_free(&o->v[i]);
	free(o->v);
}
#define autooverlays __attribute__((cleanup(overlays_free)))

/* Every file is read and judged before the kernel is touched for any. */
static int load_all(const struct command_targets *targets, struct overlays *out, struct why *why)
{
	out->v = calloc(targets->n + 1, sizeof(*out->v));
	if (!out->v)
		return why_set(why, -ENOMEM, "config: out of memory");
	for (size_t i = 0; i < targets->n; i++) {
		int err = conf_load(targets->v[i].path, &out->v[i], why);

		for (size_t k = 0; !err && k < out->n; k++)
			err = conf_check_beside(&out->v[i], &out->v[k], why);
		out->n++;
		if (err)
			return err;
	}
	return 0;
}

static int up_one(struct nl *nl, const struct conf *conf, const struct command_args *args,
		  struct why *why)
{
	autoconverge struct converge c = { 0 };
	int err = converge_plan_up(nl, conf, &c, why);

	if (err) /* skip notes: the overlay was not created */
		return command_fail(why);
	if (args->dry_run || args->verbose)
		steps_print(&c.steps);
	if (!args->dry_run)
		err = converge_apply(nl, &c, why);
	tell_all(&c.notes);
	if (err)
		return command_fail(why);
	if (args->dry_run)
		return c.steps.n ? EXIT_DIFFERS : EXIT_FINE;
	return EXIT_FINE;
}

/* Two faults in a row: the first is the one to tell, the worst exit code the one to give. */
static int up_all(struct nl *nl, const struct overlays *overlays, const struct command_args *args)
{
	int code = EXIT_FINE;

	for (size_t i = 0; i < overlays->n; i++) {
		struct why why = { 0 };
		int one = up_one(nl, &overlays->v[i], args, &why);

		if (code == EXIT_FINE || code == EXIT_DIFFERS)
			code = one ? one : code;
	}
	return code;
}

static int go(const struct command_args *args)
{
	autotargets struct command_targets targets = { 0 };
	autooverlays struct overlays overlays = { 0 };
	autonl struct nl *nl = NULL;
	autofd int lock = -1;
	struct why why = { 0 };
	int code, err = command_find_targets(args->arg, false, &targets, &why);

	if (!err)
		err = load_all(&targets, &overlays, &why);
	if (!err)
		err = command_begin(args, true, &nl, &lock, &why);
	if (err)
		return command_fail(&why);
	code = up_all(nl, &overlays, args);
	if (!args->dry_run)
		pins_forget_root(); /* stays unless nothing came of it all */
	return code;
}

int cmd_up(const struct command_args *args)
{
	return go(args);
}

int cmd_restart(const struct command_args *args)
{
	autotargets struct command_targets targets = { 0 };
	autooverlays struct overlays overlays = { 0 };
	autonl struct nl *nl = NULL;
	struct why why = { 0 };
	int code;

	/* A config that cannot be used now must not cost the overlay that is running. */
	if (command_find_targets(args->arg, false, &targets, &why) ||
	    load_all(&targets, &overlays, &why))
		return command_fail(&why);
	if (command_need_loading(args->verb, &why) || nl_open(&nl, &why))
		return command_fail(&why);
	for (size_t i = 0; i < overlays.n; i++) {
		autoconverge struct converge c = { 0 };

		if (converge_plan_up(nl, &overlays.v[i], &c, &why))
			return command_fail(&why);
	}
	code = cmd_down(args);
	if (code)
		return code;
	code = cmd_up(args);
	if (code)
		tell("restart: not everything came up again; run `vxbpf up` once the cause is "
		     "gone");
	return code;
}
