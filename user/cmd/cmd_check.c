// SPDX-License-Identifier: GPL-2.0
/* vxbpf check: problems and how to fix them, in plain sentences. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cmd/command.h"
#include "cmd/snapshots.h"
#include "diagnose/host.h"
#include "diagnose/judge.h"
#include "kernel/nl.h"
#include "show/check.h"

#define COLUMNS_MAX 100 /* longer lines are hard to read */

struct checking {
	const struct command_args *args;
	struct nl *nl;
	struct checked *list; /* one per overlay */
	size_t n;
	struct verdicts host; /* what was said of the whole machine so far */
};

static void checking_free(struct checking *c)
{
	for (size_t i = 0; i < c->n; i++) {
		verdicts_free(&c->list[i].verdicts);
		verdicts_free(&c->list[i].information);
	}
	free(c->list);
	verdicts_free(&c->host);
	nl_close(c->nl);
}

/* Once is enough of what is true for every overlay. `first`: what explains most of the rest. */
static void take_host(struct checking *c, struct checked *to, const struct verdicts *host,
		      bool first)
{
	for (size_t i = 0; i < host->n; i++) {
		if ((host->v[i].id == VERDICT_PORT_FILTERED) != first ||
		    verdicts_have(&c->host, &host->v[i]))
			continue;
		verdicts_copy(&c->host, &host->v[i]);
		verdicts_copy(&to->verdicts, &host->v[i]);
	}
}

/* Certain for each peer only where all have the family that the rule is about. */
static void note_firewall(struct snapshot *s, const struct verdicts *host)
{
	if (host_uses(s, true) && host_uses(s, false))
		return;
	for (size_t i = 0; i < host->n; i++)
		s->filtered |= host->v[i].id == VERDICT_PORT_FILTERED;
}

static int check_one(struct checking *c, struct snapshot *s, struct why *why)
{
	struct checked *to = &c->list[c->n++];
	autoverdicts struct verdicts host = { 0 };
	autohost struct host_facts facts = { 0 };
	int err = snapshot_look(c->nl, s, why);

	to->overlay = snapshot_name(s);
	if (err)
		return err;
	snapshot_probe(s);
	err = host_read(c->nl, s, &facts, why);
	if (err)
		return err;
	host_judge(&facts, s, &host);
	note_firewall(s, &host);
	snapshot_judge(s);
	take_host(c, to, &host, true);
	for (size_t i = 0; i < s->problems.n; i++)
		verdicts_copy(&to->verdicts, &s->problems.v[i]);
	take_host(c, to, &host, false);
	host_inform(&facts, s, &to->information);
	for (size_t i = 0; i < s->information.n; i++)
		verdicts_copy(&to->information, &s->information.v[i]);
	return 0;
}

static int check_all(struct checking *c, const struct snapshots *list, struct why *why)
{
	int err = nl_open(&c->nl, why);

	c->list = err ? NULL : calloc(list->n + 1, sizeof(*c->list));
	if (!err && !c->list)
		return why_set(why, -ENOMEM, "check: out of memory");
	for (size_t i = 0; !err && i < list->n; i++)
		err = check_one(c, &list->v[i], why);
	return err;
}

/* Lines stay whole for grep where no person reads them. */
static size_t columns_of_stdout(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
		return 80;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

static int print(const struct checking *c, struct why *why)
{
	if (c->args->json) {
		autofree char *text = check_json(c->list, c->n);

		if (!text)
			return why_set(why, -ENOMEM, "check: out of memory");
		puts(text);
	}
	for (size_t i = 0; !c->args->json && i < c->n; i++) {
		autofree char *text =
			check_text(&c->list[i], columns_of_stdout(), command_wants_colour());

		if (!text)
			return why_set(why, -ENOMEM, "check: out of memory");
		fputs(text, stdout);
	}
	if (!c->args->json && !c->n)
		puts("No overlay is up here, and /etc/vxbpf has no .yaml file; nothing to check.");
	return 0;
}

int cmd_check(const struct command_args *args)
{
	autosnapshots struct snapshots list = { 0 };
	__attribute__((cleanup(checking_free))) struct checking c = { .args = args };
	struct why why = { 0 };
	int err = snapshots_read(args, &list, &why);

	if (!err)
		err = check_all(&c, &list, &why);
	if (!err)
		err = print(&c, &why);
	if (err)
		return command_fail(&why);
	for (size_t i = 0; i < c.n; i++)
		if (c.list[i].verdicts.n)
			return EXIT_DIFFERS;
	return EXIT_FINE;
}
