// SPDX-License-Identifier: GPL-2.0
/* START HERE: the table of commands, its options, and who gets called. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

#include "cmd/command.h"
#include "kernel/bpfobj.h"

#define TAKES(option) (1U << (option))

struct command {
	const char *verb;
	const char *alias;
	const char *synopsis;
	const char *sentence;
	unsigned options; /* TAKES(...) of enum command_option */
	unsigned max_args; /* two: what it is about, then an overlay */
	int (*run)(const struct command_args *args);
};

/* Every option but --help, -v and --version; those that are given a value say what. */
static const struct command_option_row {
	const char *name; /* long, without dashes */
	char letter; /* short, 0 = none */
	const char *value; /* NULL = a switch */
	const char *sentence;
} options[OPTION_MAX] = {
	[OPTION_DRY_RUN] = { "dry-run", 0, NULL,
			     "print the steps and change nothing; exit 3 if there are any" },
	[OPTION_JSON] = { "json", 0, NULL, "print JSON; vxbpf-json(7) has the schema" },
	[OPTION_ONCE] = { "once", 0, NULL, "run one pass, like `up`, then exit" },
	[OPTION_OUTPUT] = { "output", 0, "FILE",
			    "write atomically to FILE, such as the node exporter's (default: "
			    "stdout)" },
	[OPTION_EXPORT] = { "export", 0, "FILE",
			    "write the metrics of `vxbpf export` to FILE at each interval" },
	[OPTION_INTERVAL] = { "interval", 0, "S", "seconds between updates, 1 to 3600" },
	[OPTION_COUNT] = { NULL, 'c', "N", "number of probes (default 4)" },
	[OPTION_SIZE] = { NULL, 's', "SIZE",
			  "probe with IP packets of SIZE bytes; if none arrives, find the largest "
			  "that does" },
	[OPTION_ROUNDS] = { "count", 'n', "N", "exit after N updates" },
	[OPTION_SORT] = { "sort", 0, "KEY",
			  "sort by traffic, receive, transmit, packets, fast, drops, state or "
			  "peer" },
};

static int cmd_version(const struct command_args *args);
static int cmd_help(const struct command_args *args);

static const struct command commands[] = {
	{ "up", "start", "[OVERLAY] [--dry-run]",
	  "apply the config; leave alone what already matches it", TAKES(OPTION_DRY_RUN), 1,
	  cmd_up },
	{ "down", "stop", "[OVERLAY] [--dry-run]",
	  "remove the overlay; the bridge stays while others use it", TAKES(OPTION_DRY_RUN), 1,
	  cmd_down },
	{ "restart", NULL, "[OVERLAY]", "down, then up; containers stay attached", 0, 1,
	  cmd_restart },
	{ "reload", NULL, "[OVERLAY] [--dry-run]",
	  "re-read the config, change only what differs, upgrade programs in place",
	  TAKES(OPTION_DRY_RUN), 1, cmd_up },
	{ "status", NULL, "[OVERLAY] [--json]", "show this host, its peers and any problems",
	  TAKES(OPTION_JSON), 1, cmd_status },
	{ "top", NULL, "[OVERLAY] [OPTIONS]", "show rates per peer, live or as plain rows",
	  TAKES(OPTION_SORT) | TAKES(OPTION_INTERVAL) | TAKES(OPTION_ROUNDS), 1, cmd_top },
	{ "watch", NULL, "[OVERLAY] [--once] [--export FILE]",
	  "up, then keep running: hook new ports, follow routes, repair drift",
	  TAKES(OPTION_ONCE) | TAKES(OPTION_EXPORT) | TAKES(OPTION_INTERVAL), 1, cmd_watch },
	{ "check", NULL, "[OVERLAY] [--json]",
	  "list problems and how to fix them; exit 3 if there are any", TAKES(OPTION_JSON), 1,
	  cmd_check },
	{ "export", NULL, "[OVERLAY] [--output FILE]",
	  "print all counters as Prometheus text, or write them to a file", TAKES(OPTION_OUTPUT), 1,
	  cmd_export },
	{ "ping", NULL, "PEER [OVERLAY] [-c N] [-s SIZE]",
	  "probe a peer through its tunnel: reachability, round-trip time, path MTU",
	  TAKES(OPTION_COUNT) | TAKES(OPTION_SIZE), 2, cmd_ping },
	{ "who", NULL, "MAC|IP [OVERLAY] [--json]",
	  "show where the overlay has seen a MAC or IP address", TAKES(OPTION_JSON), 2, cmd_who },
	{ "import", NULL, "SCRIPT", "convert the settings of a vxlansetup.sh to YAML on stdout", 0,
	  1, cmd_import },
	{ "demo", NULL, "", "create a three-host mesh on this machine, show it working, remove it",
	  0, 0, cmd_demo },
	{ "version", NULL, "", "print the version", 0, 0, cmd_version },
	{ "help", NULL, "[COMMAND]", "print this help, or the usage of one command", 0, 1,
	  cmd_help },
};

static const struct command *find_command(const char *verb)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].verb, verb) == 0 ||
		    (commands[i].alias && strcmp(commands[i].alias, verb) == 0))
			return &commands[i];
	return NULL;
}

static void print_option(const struct command_option_row *o)
{
	char head[64] = "  ";

	if (o->letter)
		text_add(head, sizeof(head), "-%c", o->letter);
	if (o->name)
		text_add(head, sizeof(head), "%s--%s", o->letter ? ", " : "", o->name);
	if (o->value)
		text_add(head, sizeof(head), " %s", o->value);
	printf("%-16s  %s\n", head, o->sentence);
}

static void print_usage(const struct command *c)
{
	printf("usage: vxbpf %s%s%s %s\n  %s\n", c->verb, c->alias ? "|" : "",
	       c->alias ? c->alias : "", c->synopsis, c->sentence);
	for (unsigned i = 0; i < OPTION_MAX; i++)
		if (c->options & TAKES(i))
			print_option(&options[i]);
	puts("  -v              verbose: print the steps and the verifier's log");
}

static int print_overview(void)
{
	puts("usage: vxbpf COMMAND [ARGUMENT] [OPTIONS]   (no command: status)\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];
		char head[80];

		snprintf(head, sizeof(head), "%s%s%s %s", c->verb, c->alias ? "|" : "",
			 c->alias ? c->alias : "", c->synopsis);
		printf("  %-40s %s\n", head, c->sentence);
	}
	puts("\nOVERLAY is a name (/etc/vxbpf/NAME.yaml) or a path ending in .yaml (default: all "
	     "overlays).\nExit codes: 0 success, 1 failed, 2 usage or bad config, 3 differences "
	     "found.\nSee vxbpf(8), vxbpf.yaml(5), vxbpf-check(7), vxbpf-metrics(7) and "
	     "vxbpf-json(7).");
	return EXIT_FINE;
}

static int usage_error(const char *what, const char *why)
{
	tell("%s: %s; see `vxbpf help`", what, why);
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
		return usage_error(args->arg, "unknown command");
	print_usage(c);
	return EXIT_FINE;
}

enum { LETTER_LONG = 256 }; /* what getopt says of a long option: this plus its number */

/* The same table as getopt wants it. */
static void list_options(struct option *longs, char *letters)
{
	*letters++ = ':';
	*letters++ = 'h';
	*letters++ = 'v';
	for (int i = 0; i < OPTION_MAX; i++) {
		const struct command_option_row *o = &options[i];

		if (o->letter) {
			*letters++ = o->letter;
			if (o->value)
				*letters++ = ':';
		}
		if (o->name)
			*longs++ = (struct option){ o->name,
						    o->value ? required_argument : no_argument,
						    NULL, LETTER_LONG + i };
	}
	*letters = '\0';
	*longs++ = (struct option){ "help", no_argument, NULL, 'h' };
	*longs++ = (struct option){ "verbose", no_argument, NULL, 'v' };
	*longs++ = (struct option){ "version", no_argument, NULL, 'V' };
	*longs = (struct option){ 0 };
}

static int option_of(int c)
{
	if (c >= LETTER_LONG)
		return c - LETTER_LONG;
	for (int i = 0; i < OPTION_MAX; i++)
		if (options[i].letter == c)
			return i;
	return OPTION_MAX;
}

/* `word` is what getopt has left behind: not yet, of several letters behind one dash. For a long option
 * with a value it does not take, optopt is its usual return value. */
static int refuse_option(const char *word)
{
	const char letter[3] = { '-', (char)optopt, '\0' };
	bool known = optopt >= LETTER_LONG || (optopt && strchr("hvV", optopt));

	if (optopt && !(known && strncmp(word, "--", 2) == 0))
		return usage_error(letter, "unknown option");
	return usage_error(word, known ? "this option does not take a value" : "unknown option");
}

static int parse_options(int argc, char **argv, struct command_args *args, unsigned *used,
			 bool *help)
{
	struct option longs[OPTION_MAX + 4];
	char letters[2 * OPTION_MAX + 4];
	int c;

	list_options(longs, letters);
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == '?')
			return refuse_option(argv[optind - 1]);
		if (c == ':')
			return usage_error(argv[optind - 1], "this option requires a value");
		args->verbose |= c == 'v';
		*help |= c == 'h';
		if (c == 'V')
			args->verb = "version";
		if (option_of(c) == OPTION_MAX)
			continue;
		*used |= TAKES(option_of(c));
		args->given[option_of(c)] = optarg ? optarg : "";
	}
	return EXIT_FINE;
}

/* Options may stand anywhere; the first word that is none is the verb, the others its arguments. */
static int parse(int argc, char **argv, const struct command **out, struct command_args *args,
		 bool *help)
{
	unsigned used = 0;
	int code;

	args->verb = "status";
	code = parse_options(argc, argv, args, &used, help);
	if (code)
		return code;
	/* --version means just that, whatever stands beside it. */
	if (strcmp(args->verb, "version") == 0) {
		optind = argc;
		used = 0;
	}
	if (optind < argc)
		args->verb = argv[optind++];
	*out = find_command(args->verb);
	if (!*out)
		return usage_error(args->verb, "unknown command");
	if (*help)
		return EXIT_FINE;
	if (used & ~(*out)->options)
		return usage_error(args->verb, "this command does not accept that option");
	if (argc - optind > (int)(*out)->max_args)
		return usage_error(args->verb, "too many arguments");
	if ((*out)->max_args > 1 && optind < argc)
		args->subject = argv[optind++];
	args->arg = optind < argc ? argv[optind] : NULL;
	args->dry_run = args->given[OPTION_DRY_RUN];
	args->json = args->given[OPTION_JSON];
	args->once = args->given[OPTION_ONCE];
	return EXIT_FINE;
}

/* A closed one of the first three must not become some socket or map that is then written to. */
static void open_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

/* Lost output is a failure, too. */
static int finish(const char *verb, int code)
{
	const char *reason = fflush(stdout) == EOF ? strerror(errno)
			     : ferror(stdout)	   ? "the output is incomplete"
						   : NULL;

	if (!reason || code == EXIT_FAILED || code == EXIT_USAGE)
		return code;
	tell("%s: cannot write to stdout: %s", verb, reason);
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	struct command_args args = { 0 };
	bool help = false;
	int code;

	open_standard();
	code = parse(argc, argv, &command, &args, &help);
	if (code)
		return code;
	if (help && argc == 2)
		return finish("help", print_overview());
	if (help) {
		print_usage(command);
		return finish("help", EXIT_FINE);
	}
	bpfobj_verbose(args.verbose);
	return finish(command->verb, command->run(&args));
}
