// SPDX-License-Identifier: GPL-2.0
/* vxbpf check: what is wrong, in plain sentences. Changes nothing. */
#include "command.h"
#include "host.h"
#include "nl.h"
#include "snapshots.h"

static int check_one(struct nl *nl, const struct snapshot *s, struct verdicts *found,
		     struct why *why)
{
	autohost struct host_facts facts = { 0 };
	int err = host_read(nl, s, &facts, why);

	if (!err)
		host_judge(&facts, s, found);
	return err;
}

int cmd_check(const struct command_args *args)
{
	autosnapshots struct snapshots list = { 0 };
	autonl struct nl *nl = NULL;
	struct why why = { 0 };
	int err = snapshots_read(args, &list, &why);
	size_t n = 0;

	if (!err)
		err = nl_open(&nl, &why);
	for (size_t i = 0; !err && i < list.n; i++) {
		autoverdicts struct verdicts found = { 0 };

		err = check_one(nl, &list.v[i], &found, &why);
		for (size_t k = 0; k < found.n; k++)
			printf("%s: %s: %s\n", list.v[i].told.name, verdict_name(found.v[k].id),
			       found.v[k].text);
		n += found.n;
	}
	if (err)
		return command_fail(&why);
	return n ? EXIT_DIFFERS : EXIT_FINE;
}
