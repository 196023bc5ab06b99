// SPDX-License-Identifier: GPL-2.0
/* START HERE: the table of commands, its options, and who gets called. */
#include <getopt.h>
#include <string.h>

#include "bpfobj.h"
#include "command.h"
#include "import.h"

enum { OPT_DRY_RUN = 1, OPT_JSON = 2, OPT_ONCE = 4 };

struct command {
	const char *verb;
	const char *alias;
	const char *synopsis;
	const char *sentence;
	unsigned options;
	unsigned max_args;
	int (*run)(const struct command_args *args);
};

static int cmd_version(const struct command_args *args);
static int cmd_help(const struct command_args *args);
static int run_import(const struct command_args *args);

static const struct command commands[] = {
	{ "up", "start", "[OVERLAY] [--dry-run]",
	  "converge to the config; what is right already is not touched", OPT_DRY_RUN, 1, cmd_up },
	{ "down", "stop", "[OVERLAY] [--dry-run]",
	  "remove what is ours; the bridge stays while others use it", OPT_DRY_RUN, 1, cmd_down },
	{ "restart", NULL, "[OVERLAY]", "down, then up; containers stay attached", 0, 1,
	  cmd_restart },
	{ "reload", NULL, "[OVERLAY] [--dry-run]",
	  "re-read the config, change only what differs, upgrade programs in place", OPT_DRY_RUN, 1,
	  cmd_up },
	{ "status", NULL, "[OVERLAY] [--json]", "who am I, which peers, what is wrong", OPT_JSON, 1,
	  cmd_status },
	{ "watch", NULL, "[OVERLAY] [--once]",
	  "up, then stay: hook ports as they come, follow routes, repair", OPT_ONCE, 1, cmd_watch },
	{ "import", NULL, "SCRIPT", "turn a vxlansetup.sh's settings into YAML on stdout", 0, 1,
	  run_import },
	{ "demo", NULL, "", "a three-host mesh on this machine, shown working, then removed", 0, 0,
	  cmd_demo },
	{ "version", NULL, "", "print the version", 0, 0, cmd_version },
	{ "help", NULL, "[COMMAND]", "print this, or one command's usage", 0, 1, cmd_help },
};

static const struct command *find_command(const char *verb)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].verb, verb) == 0 ||
		    (commands[i].alias && strcmp(commands[i].alias, verb) == 0))
			return &commands[i];
	return NULL;
}

static void print_usage(const struct command *c)
{
	printf("usage: vxbpf %s%s%s %s\n  %s\n", c->verb, c->alias ? "|" : "",
	       c->alias ? c->alias : "", c->synopsis, c->sentence);
	if (c->options & OPT_DRY_RUN)
		puts("  --dry-run  print the steps, change nothing; exit 3 if there are any");
	if (c->options & OPT_JSON)
		puts("  --json     for programs; the manual page has the schema");
	if (c->options & OPT_ONCE)
		puts("  --once     one pass, like `up`, for those without a daemon");
	puts("  -v         say more: the steps, the verifier's words");
}

static int print_overview(void)
{
	puts("usage: vxbpf COMMAND [ARGUMENT] [OPTIONS]   (no command: status)\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];
		char head[64];

		snprintf(head, sizeof(head), "%s%s%s %s", c->verb, c->alias ? "|" : "",
			 c->alias ? c->alias : "", c->synopsis);
		printf("  %-34s %s\n", head, c->sentence);
	}
	puts("\nOVERLAY is a name (/etc/vxbpf/NAME.yaml) or a path ending in .yaml; none: all of "
	     "them.\n"
	     "Exit codes: 0 fine, 1 failed, 2 usage or bad config, 3 differences found.\n"
	     "See vxbpf(8) and vxbpf.yaml(5).");
	return EXIT_FINE;
}

static int usage_error(const char *what, const char *why)
{
	command_tell("%s: %s; see `vxbpf help`", what, why);
	return EXIT_USAGE;
}

static int cmd_version(const struct command_args *args)
{
	(void)args;
	puts("vxbpf " VXBPF_VERSION);
	return EXIT_FINE;
}

static int cmd_help(const struct command_args *args)
{
	const struct command *c = args->arg ? find_command(args->arg) : NULL;

	if (!args->arg)
		return print_overview();
	if (!c)
		return usage_error(args->arg, "there is no such command");
	print_usage(c);
	return EXIT_FINE;
}

static int run_import(const struct command_args *args)
{
	char *argv[] = { (char *)"import", (char *)args->arg, NULL };

	return cmd_import(args->arg ? 2 : 1, argv);
}

/* Options may stand anywhere; the first word that is none is the verb, the second its argument. */
static int parse(int argc, char **argv, const struct command **out, struct command_args *args,
		 bool *help)
{
	static const struct option longs[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "once", no_argument, NULL, 'o' },
		{ 0 },
	};
	unsigned used = 0;
	int c;

	opterr = 0;
	args->verb = "status";
	while ((c = getopt_long(argc, argv, ":hv", longs, NULL)) != -1) {
		used |= c == 'n' ? OPT_DRY_RUN : c == 'j' ? OPT_JSON : c == 'o' ? OPT_ONCE : 0;
		args->verbose |= c == 'v';
		*help |= c == 'h';
		if (c == 'V')
			args->verb = "version";
		if (c == '?' || c == ':')
			return usage_error(argv[optind - 1], "there is no such option");
	}
	if (optind < argc)
		args->verb = argv[optind++];
	*out = find_command(args->verb);
	if (!*out)
		return usage_error(args->verb, "there is no such command");
	if (*help)
		return EXIT_FINE;
	if (used & ~(*out)->options)
		return usage_error(args->verb, "does not take that option");
	args->arg = optind < argc ? argv[optind++] : NULL;
	if (optind < argc || (args->arg && !(*out)->max_args))
		return usage_error(args->verb, "one argument too many");
	args->dry_run = used & OPT_DRY_RUN;
	args->json = used & OPT_JSON;
	args->once = used & OPT_ONCE;
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	struct command_args args = { 0 };
	bool help = false;
	int code = parse(argc, argv, &command, &args, &help);

	if (code)
		return code;
	if (help && argc == 2)
		return print_overview();
	if (help) {
		print_usage(command);
		return EXIT_FINE;
	}
	bpfobj_verbose(args.verbose);
	return command->run(&args);
}
