// SPDX-License-Identifier: GPL-2.0
/* watch: up, then stay in front and keep it so. Sleeps until the kernel has news. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "cmd/export.h"
#include "watch/watched.h"

enum { INTERVAL_MIN = 1, INTERVAL_MAX = 3600, INTERVAL_USUAL = 15 };

struct watch {
	const struct command_args *args;
	struct nl *nl;
	struct events *events;
	int signals;
	struct watched **v;
	size_t n;
	struct exporter exporter;
	bool ended;
};

static void watch_free(struct watch *watch)
{
	for (size_t i = 0; i < watch->n; i++)
		watched_free(watch->v[i]);
	free(watch->v);
	events_close(watch->events);
	nl_close(watch->nl);
	close_fd(&watch->signals);
}
#define autowatch __attribute__((cleanup(watch_free)))

/* --- overlays */

static int add_overlay(struct watch *watch, const char *path, struct why *why)
{
	struct watched *w, **grown;
	int err = watched_new(path, watch->args->verbose, &w, why);

	for (size_t i = 0; !err && i < watch->n; i++) {
		err = conf_check_beside(&w->conf, &watch->v[i]->conf, why);
		if (err)
			watched_free(w);
	}
	if (err)
		return err;
	grown = reallocarray(watch->v, watch->n + 1, sizeof(*watch->v));
	if (!grown)
		out_of_memory();
	watch->v = grown;
	watch->v[watch->n++] = w;
	return 0;
}

/* Every file is read and judged before the kernel is touched for any, as `up` does. */
static int find_overlays(struct watch *watch, struct why *why)
{
	autotargets struct command_targets targets = { 0 };
	int err = command_find_targets(watch->args->arg, false, &targets, why);

	for (size_t i = 0; !err && i < targets.n; i++)
		err = add_overlay(watch, targets.v[i].path, why);
	return err;
}

static bool is_watched(const struct watch *watch, const char *overlay)
{
	for (size_t i = 0; i < watch->n; i++)
		if (strcmp(watch->v[i]->conf.overlay, overlay) == 0)
			return true;
	return false;
}

/* SIGHUP: every config again, and files that were not there. */
static void reread(struct watch *watch)
{
	autotargets struct command_targets targets = { 0 };
	struct why why = { 0 };

	for (size_t i = 0; i < watch->n; i++)
		watched_reread(watch->v[i], watch->nl);
	if (watch->args->arg || command_find_targets(NULL, false, &targets, &why))
		return;
	for (size_t i = 0; i < targets.n; i++)
		if (!is_watched(watch, targets.v[i].overlay) &&
		    add_overlay(watch, targets.v[i].path, &why))
			command_fail(&why);
}

/* --- signals and events */

static int open_signals(struct watch *watch, struct why *why)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch->signals < 0 ? why_set(why, -errno, "signals: %s", strerror(errno)) : 0;
}

static void read_signals(struct watch *watch)
{
	struct signalfd_siginfo info;

	while (read(watch->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reread(watch);
		else
			watch->ended = true;
	}
}

static void hear(const struct event *e, void *ctx)
{
	struct watch *watch = ctx;

	for (size_t i = 0; i < watch->n; i++)
		watched_hear(watch->v[i], e);
}

/* --- metrics */

static int set_exporter(struct watch *watch, struct why *why)
{
	const struct command_args *args = watch->args;
	struct exporter *e = &watch->exporter;
	unsigned seconds;
	int err = command_number(args, OPTION_INTERVAL, INTERVAL_MIN, INTERVAL_MAX, INTERVAL_USUAL,
				 &seconds, why);

	e->path = args->given[OPTION_EXPORT];
	e->interval_ms = seconds * 1000ULL;
	e->due_ms = watched_clock_ms(); /* at once, and that is after the first pass */
	if (!err && !e->path && args->given[OPTION_INTERVAL])
		return why_bad(why, "watch: --interval requires --export FILE");
	if (!err && e->path && strcmp(e->path, "-") == 0)
		return why_bad(why, "watch: --export requires a file, not stdout");
	return err;
}

static void export(struct watch *watch)
{
	autofree struct export_known *known = calloc(watch->n + 1, sizeof(*known));

	if (!watch->exporter.path || watch->exporter.due_ms > watched_clock_ms() || !known)
		return;
	for (size_t i = 0; i < watch->n; i++) {
		const struct watched *w = watch->v[i];

		known[i] = (struct export_known){ .overlay = w->conf.overlay,
						  .path = w->conf.path,
						  .unmet = w->fault[0] };
	}
	exporter_work(&watch->exporter, watch->nl, known, watch->n, watched_clock_ms());
}

/* Without a daemon: what `up` and `export` do. */
static int once(const struct command_args *args)
{
	struct command_args output = { .verb = "export", .verbose = args->verbose };
	int code = cmd_up(args);

	output.given[OPTION_OUTPUT] = args->given[OPTION_EXPORT];
	return code || !args->given[OPTION_EXPORT] ? code : cmd_export(&output);
}

/* --- the loop */

/* Until there is news, or something is due. */
static int wait(struct watch *watch, struct why *why)
{
	autofree struct pollfd *fds = calloc(EVENTS_FDS + 1 + watch->n, sizeof(*fds));
	uint64_t now = watched_clock_ms();
	uint64_t due = watch->exporter.path ? watch->exporter.due_ms : WATCHED_NEVER;
	int timeout, news, err = 0;

	if (!fds)
		out_of_memory();
	for (size_t i = 0; i < watch->n; i++) {
		if (watched_due(watch->v[i]) < due)
			due = watched_due(watch->v[i]);
		if (watched_lease_due(watch->v[i]) < due)
			due = watched_lease_due(watch->v[i]);
	}
	timeout = due == WATCHED_NEVER ? -1 : due <= now ? 0 : (int)(due - now);
	events_poll(watch->events, fds);
	fds[EVENTS_FDS] = (struct pollfd){ .fd = watch->signals, .events = POLLIN };
	for (size_t i = 0; i < watch->n; i++) {
		const struct rules_reader *r = &watch->v[i]->reader;

		fds[EVENTS_FDS + 1 + i] =
			(struct pollfd){ .fd = r->runs ? r->done : -1, .events = POLLIN };
	}
	news = poll(fds, EVENTS_FDS + 1 + watch->n, timeout);
	if (news < 0 && errno != EINTR)
		return why_set(why, -errno, "poll: %s", strerror(errno));
	if (news > 0) {
		read_signals(watch);
		err = events_read(watch->events, hear, watch);
		for (size_t i = 0; i < watch->n; i++)
			watched_hear_rules(watch->v[i]);
	}
	if (err)
		return why_set(why, err, "netlink: cannot read events: %s", strerror(-err));
	/* Interrupted, there may be news. */
	for (size_t i = 0; news >= 0 && !watch->ended && i < watch->n; i++)
		watched_renew(watch->v[i], watch->nl);
	return 0;
}

static void work(struct watch *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		struct watched *w = watch->v[i];

		if (watched_due(w) > watched_clock_ms())
			continue;
		watched_work(w, watch->nl, watched_clock_ms());
		events_watch_pins(watch->events, w->conf.overlay);
	}
}

int cmd_watch(const struct command_args *args)
{
	autowatch struct watch watch = { .args = args, .signals = -1 };
	struct why why = { 0 };
	int err = set_exporter(&watch, &why);

	if (err)
		return command_fail(&why);
	if (args->once)
		return once(args);
	setvbuf(stdout, NULL, _IOLBF, 0);
	err = find_overlays(&watch, &why);
	if (!err)
		err = command_need_loading(args->verb, &why);
	if (!err)
		err = open_signals(&watch, &why);
	if (!err)
		err = nl_open(&watch.nl, &why);
	/* Subscribed before the first look, so that nothing happens in between. */
	if (!err)
		err = events_open(&watch.events, &why);
	while (!err && !watch.ended) {
		work(&watch);
		export(&watch);
		err = wait(&watch, &why);
	}
	return err ? command_fail(&why) : EXIT_FINE;
}
