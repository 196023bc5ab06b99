// SPDX-License-Identifier: GPL-2.0
/* One overlay under watch; see watched.h. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/tell.h"
#include "kernel/pins.h"
#include "reconcile/steps_print.h"
#include "watch/event_filter.h"
#include "watch/watched.h"

#define SPACING_MS 200 /* between passes over everything: a storm of events makes few of them */
#define PINS_MS 100 /* from the last pin that went to a look at what is left */
#define BUSY_MS 20 /* another vxbpf is at it: look again */
#define RETRY_MS 1000 /* after a failure, doubled each time */
#define RETRY_MAX_MS 60000
#define PATIENCE_MS 500 /* how long a stream of ports may put off a pass over everything */
#define MOVING_TRIES 3 /* passes that may find things changing under their hands without a word */

uint64_t watched_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- the config */

/* The file's marks are taken first: what is written after them shows as a change. */
static int load(const char *path, struct conf *out, struct stat *out_file, struct why *why)
{
	if (stat(path, out_file))
		memset(out_file, 0, sizeof(*out_file));
	return conf_load(path, out, why);
}

static bool changed_on_disk(const struct watched *w)
{
	struct stat now;

	return stat(w->conf.path, &now) == 0 &&
	       (now.st_ino != w->file.st_ino || now.st_dev != w->file.st_dev ||
		now.st_size != w->file.st_size || now.st_mtim.tv_sec != w->file.st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != w->file.st_mtim.tv_nsec);
}

int watched_new(const char *path, bool verbose, struct watched **out, struct why *why)
{
	struct watched *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	w->verbose = verbose;
	w->all = true;
	w->lease = -1;
	err = load(path, &w->conf, &w->file, why);
	if (err)
		free(w);
	else
		*out = w;
	return err;
}

/* Is it a config that `up` would not refuse here and now? */
static int try_conf(struct nl *nl, const struct conf *conf, struct why *why)
{
	autoconverge struct converge c = { 0 };

	return converge_plan_up(nl, conf, &c, why) && why->bad_input ? -EINVAL : 0;
}

void watched_reread(struct watched *w, struct nl *nl)
{
	struct conf conf = { 0 };
	struct why why = { 0 };
	int err = load(w->conf.path, &conf, &w->file, &why);

	/* While the one in force cannot be met either, any may be the better one. */
	if (!err && w->settled) {
		err = try_conf(nl, &conf, &why);
		if (err)
			conf_free(&conf);
	}
	if (err) {
		tell("%s; the previous config stays in force", why.text);
		return;
	}
	view_free(&w->view); /* it points into the old one */
	conf_free(&w->conf);
	w->conf = conf;
	w->settled = false;
	w->has_rules = false;
	w->n_ports = 0; /* the pass over everything sees them, too */
	w->all = true;
	w->due_ms = 0;
}

/* --- what is due */

void watched_queue_all(struct watched *w)
{
	uint64_t soon = w->last_ms + SPACING_MS;

	/* While something fails, news may be just what it takes: no need to wait longer. */
	if (!w->all || w->due_ms > soon)
		w->due_ms = soon;
	w->all = true;
}

void watched_queue_all_after(struct watched *w)
{
	uint64_t then = watched_clock_ms() + PINS_MS;

	watched_queue_all(w);
	if (w->due_ms < then)
		w->due_ms = then;
}

void watched_hear(struct watched *w, const struct event *e)
{
	if (e->kind == EVENT_LOST) {
		watched_queue_rules(w);
		if (w->verbose)
			printf("%s: too many events at once, some were lost\n", w->conf.overlay);
	}
	switch (event_matters(e, &w->view, w->settled)) {
	case MATTER_NOT:
		break;
	case MATTER_RULES:
		watched_queue_rules(w);
		break;
	case MATTER_PORT:
		watched_queue_port(w, event_ifindex(e));
		break;
	case MATTER_ALL:
		if (e->kind == EVENT_PIN_GONE)
			watched_queue_all_after(w);
		else
			watched_queue_all(w);
		break;
	}
}

uint64_t watched_due(const struct watched *w)
{
	uint64_t due = w->all ? w->due_ms : WATCHED_NEVER;
	uint64_t ports = w->view.conf ? watched_ports_due(w) : WATCHED_NEVER;

	if (w->asks_rules && !w->reader.runs && w->view.conf && w->rules_due_ms < due)
		due = w->rules_due_ms;
	return ports < due ? ports : due;
}

void watched_free(struct watched *w)
{
	if (!w)
		return;
	watched_end_lease(w);
	rules_reader_end(&w->reader);
	fastpath_rules_free(&w->rules);
	view_free(&w->view);
	conf_free(&w->conf);
	notes_free(&w->said);
	free(w->ports);
	free(w);
}

/* --- saying */

static bool was_said(const struct notes *said, const char *text)
{
	for (size_t i = 0; i < said->n; i++)
		if (strcmp(said->v[i], text) == 0)
			return true;
	return false;
}

/* Each once, until a pass has no cause to say it. */
static void say_notes(struct watched *w, struct notes *notes)
{
	struct notes before = w->said;

	for (size_t i = 0; i < notes->n; i++)
		if (!was_said(&before, notes->v[i]))
			tell("%s", notes->v[i]);
	w->said = *notes;
	*notes = (struct notes){ 0 };
	notes_free(&before);
}

static void say_fault(struct watched *w, const struct why *why)
{
	if (strcmp(w->fault, why->text) != 0)
		tell("%s", why->text);
	text_copy(w->fault, sizeof(w->fault), why->text);
}

static void say_steps(const struct watched *w, const char *what, const struct steps *steps)
{
	if (!w->verbose)
		return;
	steps_print(steps);
	printf("%s: checked %s, %zu steps to do\n", w->conf.overlay, what, steps->n);
}

/* Held while something is changed and no longer, so that a person's commands work beside. */
static int lock(struct watched *w, int *out_fd, struct why *why)
{
	int err = pins_try_lock(out_fd, why);

	w->busy = err == -EBUSY;
	return err;
}

/* --- a port */

static int pass_over_port(struct watched *w, struct nl *nl, int ifindex, struct why *why)
{
	autoconverge struct converge c = { .rules = &w->rules };
	autofd int locked = -1;
	char what[32];
	int err = lock(w, &locked, why);

	if (!err)
		err = converge_plan_port(nl, &w->view, ifindex, &c, why);
	if (err)
		return err;
	snprintf(what, sizeof(what), "port %d", ifindex);
	say_steps(w, what, &c.steps);
	err = converge_apply(nl, &c, why);
	watched_take_lease(w);
	/* A failure at one port may have a cause that only the whole shows. */
	return err ? err : c.notes.n ? -EAGAIN : 0;
}

static void work_on_port(struct watched *w, struct nl *nl, uint64_t now_ms)
{
	struct why why = { 0 };
	int ifindex = watched_next_port(w);
	int err = pass_over_port(w, nl, ifindex, &why);

	if (err && w->busy) {
		w->ports_due_ms = now_ms + BUSY_MS;
		return;
	}
	watched_took_port(w, ifindex);
	w->ports_due_ms = 0;
	if (err)
		watched_queue_all(w);
	/* Settings nobody tells of are looked at when there is cause to look. */
	watched_judge(w);
	watched_queue_rules(w);
}

/* --- everything */

static int plan_with_file(struct watched *w, struct nl *nl, struct converge *c, struct why *why)
{
	int err;

	watched_need_rules(w);
	err = converge_plan_up(nl, &w->conf, c, why);
	/* Another vxbpf may have set up what the file says now: then that is what is wanted. */
	if ((!err && !c->steps.n) || !changed_on_disk(w))
		return err;
	converge_free(c);
	*why = (struct why){ 0 };
	watched_reread(w, nl);
	watched_need_rules(w);
	return converge_plan_up(nl, &w->conf, c, why);
}

static int apply_locked(struct watched *w, struct nl *nl, struct converge *c, struct why *why)
{
	autofd int locked = -1;
	int err = lock(w, &locked, why);

	if (err)
		return err;
	/* Again: until now somebody else may have been at it. */
	converge_free(c);
	err = converge_plan_up(nl, &w->conf, c, why);
	if (err)
		return err;
	say_steps(w, "everything, locked", &c->steps);
	return converge_apply(nl, c, why);
}

static int pass_over_all(struct watched *w, struct nl *nl, struct why *why)
{
	autoconverge struct converge c = { .rules = &w->rules };
	struct view seen;
	int err = plan_with_file(w, nl, &c, why);

	if (!err && !c.steps.n)
		say_steps(w, "everything", &c.steps);
	if (!err && c.steps.n)
		err = apply_locked(w, nl, &c, why);
	if (err && w->busy)
		return err;
	say_notes(w, &c.notes);
	if (err)
		return err;
	converge_take_view(&c, &seen);
	if (w->view.conf && strcmp(w->view.fastpath_why, seen.fastpath_why) != 0)
		printf("%s: fast path %s%s\n", w->conf.overlay,
		       seen.fastpath ? "on" : "off: ", seen.fastpath_why);
	view_free(&w->view);
	w->view = seen;
	watched_take_lease(w);
	watched_note_programs(w);
	return 0;
}

static uint64_t retry_ms(unsigned failures)
{
	uint64_t ms = RETRY_MS;

	for (unsigned i = 1; i < failures && ms < RETRY_MAX_MS; i++)
		ms *= 2;
	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static void failed(struct watched *w, int err, const struct why *why)
{
	w->settled = false;
	w->all = true;
	w->failures++;
	w->due_ms = w->last_ms + retry_ms(w->failures);
	/* Containers that come and go change things under its hands: only if it lasts. */
	if (err == -EAGAIN && w->failures < MOVING_TRIES)
		w->due_ms = w->last_ms + SPACING_MS;
	else
		say_fault(w, why);
}

static void work_on_all(struct watched *w, struct nl *nl)
{
	struct why why = { 0 };
	int err;

	w->all = false;
	w->busy = false;
	err = pass_over_all(w, nl, &why);
	w->last_ms = watched_clock_ms();
	if (err && w->busy) {
		w->all = true;
		w->due_ms = w->last_ms + BUSY_MS;
	} else if (err) {
		failed(w, err, &why);
	} else {
		if (w->fault[0])
			printf("%s: matches its config again\n", w->conf.overlay);
		w->fault[0] = '\0';
		w->failures = 0;
		w->settled = true;
	}
}

void watched_work(struct watched *w, struct nl *nl, uint64_t now_ms)
{
	bool all = w->all && w->due_ms <= now_ms;
	bool port = w->view.conf && watched_ports_due(w) <= now_ms;

	if (w->asks_rules && !w->reader.runs && w->view.conf && w->rules_due_ms <= now_ms)
		watched_work_on_rules(w);
	else if (port && !(all && now_ms - w->due_ms > PATIENCE_MS))
		work_on_port(w, nl, now_ms);
	else if (all)
		work_on_all(w, nl);
}
