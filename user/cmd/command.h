/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Input of every command: options and arguments already judged by the table in main.c. A command prints
 * its own results and errors and returns the exit code.
 */
#ifndef VXBPF_COMMAND_H
#define VXBPF_COMMAND_H

#include <limits.h>

#include "base/tell.h"
#include "conf/conf.h"
#include "kernel/nl.h"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_DIFFERS = 3 };

/* Their names and what they say are in main.c's table. */
enum command_option {
	OPTION_DRY_RUN,
	OPTION_JSON,
	OPTION_ONCE,
	OPTION_OUTPUT,
	OPTION_EXPORT,
	OPTION_INTERVAL,
	OPTION_COUNT,
	OPTION_SIZE,
	OPTION_ROUNDS,
	OPTION_SORT,
	OPTION_MAX,
};

struct command_args {
	const char *verb;
	const char *subject; /* of the commands with two arguments the first, or NULL */
	const char *arg; /* the one argument, or the second, or NULL */
	const char *given[OPTION_MAX]; /* an option's value, "" of a switch; NULL = not given */
	bool dry_run;
	bool json;
	bool once;
	bool verbose;
};

int cmd_up(const struct command_args *args);
int cmd_check(const struct command_args *args);
int cmd_down(const struct command_args *args);
int cmd_restart(const struct command_args *args);
int cmd_status(const struct command_args *args);
int cmd_top(const struct command_args *args);
int cmd_watch(const struct command_args *args);
int cmd_check(const struct command_args *args);
int cmd_export(const struct command_args *args);
int cmd_ping(const struct command_args *args);
int cmd_who(const struct command_args *args);
int cmd_import(const struct command_args *args);
int cmd_demo(const struct command_args *args);

/* Tells why; returns the exit code it calls for. */
int command_fail(const struct why *why);

/* The whole number given with an option, or `usual` if there is none; one out of range is refused. */
int command_number(const struct command_args *args, enum command_option option, unsigned min,
		   unsigned max, unsigned usual, unsigned *out, struct why *why);

/* The files or names OVERLAY stands for: a path ending in .yaml, a name, or all of /etc/vxbpf. A name
 * or file that says nothing is refused in one sentence. */
struct command_targets {
	struct command_target {
		char overlay[NAME_MAX +
			     1]; /* of a file in a list maybe none, see conf_is_overlay */
		char path[PATH_MAX]; /* of its config, which need not exist */
	} * v;
	size_t n;
};
/* also_up: with no argument, overlays that are up here besides those with a file. */
int command_find_targets(const char *arg, bool also_up, struct command_targets *out,
			 struct why *why);
void command_add_target(struct command_targets *targets, const char *overlay, const char *path);
void command_targets_free(struct command_targets *targets);
#define autotargets __attribute__((cleanup(command_targets_free)))

/* Is stdout a terminal that wants colour? NO_COLOR and TERM=dumb say no. */
bool command_wants_colour(void);

/* -EPERM and a sentence naming what is missing, unless this process may change networks and BPF, and nobody else may
 * change what it would find there. */
int command_need_rights(const char *verb, struct why *why);
/* Likewise, and load programs that read packets. */
int command_need_loading(const char *verb, struct why *why);
/* Every change begins so: these rights, netlink, and the lock unless it is a dry run. */
int command_begin(const struct command_args *args, bool loading, struct nl **nl, int *lock,
		  struct why *why);

#endif
