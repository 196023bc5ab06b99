// SPDX-License-Identifier: GPL-2.0
/* vxbpf top: what each peer does now, on a terminal or as plain rows. Reads counters, changes nothing. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "cmd/command.h"
#include "cmd/snapshots.h"
#include "cmd/top_screen.h"
#include "show/top.h"

#define HEAD_ROWS 40 /* plain rows between two heads */
#define INTERVAL_MAX 3600

struct run {
	const struct command_args *args;
	struct screen screen;
	struct top top;
	struct top_view view;
	struct top_keys keys;
	char clock[16];
	int signals;
	unsigned count; /* rounds to show; 0 = until told to end */
	unsigned looks; /* so far; the first one has no rates */
	size_t rows; /* since the last head */
	bool undrawn; /* the page changed while the one before was on its way */
	bool ended;
};

static void run_free(struct run *run)
{
	screen_close(&run->screen);
	top_free(&run->top);
	close_fd(&run->signals);
}
#define autorun __attribute__((cleanup(run_free)))

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- setting up */

static int choose_sort(struct run *run, struct why *why)
{
	const char *name = run->args->given[OPTION_SORT];
	char names[128] = "";

	/* Rows that keep their places are easier to read by programs. */
	run->view.sort = run->screen.drawn ? TOP_SORT_TRAFFIC : TOP_SORT_PEER;
	if (!name || top_sort_find(name, &run->view.sort))
		return 0;
	for (enum top_sort i = 0; i < TOP_SORT_MAX; i++)
		text_add(names, sizeof(names), "%s%s", i ? ", " : "", top_sort_name(i));
	return why_bad(why, "top: unknown sort key '%s'; use %s", name, names);
}

/* Signals our parent ignores, as nohup does, stay ignored: a blocked one would not. */
static bool is_ignored(int number)
{
	struct sigaction now;

	return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static int open_signals(struct run *run, struct why *why)
{
	static const int all[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!is_ignored(all[i]))
			sigaddset(&set, all[i]);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signals < 0 ? why_set(why, -errno, "signals: %s", strerror(errno)) : 0;
}

static int set_up(struct run *run, struct why *why)
{
	int err = command_number(run->args, OPTION_INTERVAL, 1, INTERVAL_MAX, 1,
				 &run->view.interval, why);

	if (!err)
		err = command_number(run->args, OPTION_ROUNDS, 1, UINT32_MAX, 0, &run->count, why);
	screen_open(&run->screen);
	if (!err)
		err = choose_sort(run, why);
	if (!err)
		err = command_need_rights(run->args->verb, why);
	if (!err)
		err = open_signals(run, why);
	setlocale(LC_CTYPE, "");
	run->view.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	run->view.colour = command_wants_colour();
	run->view.clock = run->clock;
	return err;
}

/* --- a round */

static int look(struct run *run, struct why *why)
{
	autosnapshots struct snapshots list = { 0 };
	time_t now = time(NULL);
	struct tm tm;
	int err = snapshots_read_peers(run->args, &list, why);

	if (!err && !run->looks)
		err = snapshots_check_known(run->args, &list, why);
	if (err)
		return err;
	if (localtime_r(&now, &tm))
		strftime(run->clock, sizeof(run->clock), "%H:%M:%S", &tm);
	top_update(&run->top, list.v, list.n);
	run->looks++;
	return 0;
}

static void draw(struct run *run)
{
	autofree char *page = NULL;

	run->undrawn = run->screen.pending;
	if (run->undrawn)
		return;
	screen_size(&run->screen, &run->view.width, &run->view.height);
	page = top_page(&run->top, &run->view);
	if (page)
		screen_draw(&run->screen, page);
}

static void print_rows(struct run *run)
{
	autofree char *rows = run->looks > 1 ? top_rows(&run->top, &run->view) : NULL;

	if (!rows)
		return;
	if (!run->rows)
		screen_add(&run->screen, top_rows_head());
	screen_add(&run->screen, rows);
	run->rows += run->top.n_rows + 1;
	if (run->rows >= HEAD_ROWS)
		run->rows = 0;
}

static int work(struct run *run, struct why *why)
{
	int err = look(run, why);

	if (err)
		return err;
	if (run->screen.drawn)
		draw(run);
	else
		print_rows(run);
	run->ended |= run->count && run->looks > run->count;
	return 0;
}

/* --- between rounds */

/* Ctrl-Z: the next user of the terminal gets it as it was. */
static void stop(struct run *run)
{
	screen_leave(&run->screen);
	raise(SIGSTOP);
	screen_enter(&run->screen);
	draw(run);
}

static void read_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTSTP && run->screen.drawn)
			stop(run);
		else if (info.ssi_signo == SIGTSTP)
			raise(SIGSTOP);
		else if (info.ssi_signo == SIGWINCH && run->screen.drawn)
			draw(run);
		else if (info.ssi_signo != SIGWINCH)
			run->ended = true;
	}
}

static void read_keys(struct run *run)
{
	char bytes[64];
	ssize_t n = read(run->screen.fd, bytes, sizeof(bytes));
	bool changed = false;

	run->ended |= n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	for (ssize_t i = 0; i < n; i++) {
		enum top_key key = top_press(&run->keys, bytes[i], &run->view);

		run->ended |= key == TOP_KEY_QUIT;
		changed |= key == TOP_KEY_CHANGED;
	}
	if (changed)
		draw(run);
}

/* A reader who has gone has seen enough; anything else he should know. */
static int flush(struct run *run, struct why *why)
{
	int err = screen_flush(&run->screen);

	run->ended |= err != 0;
	if (!err || err == -EPIPE || err == -EIO)
		return 0;
	return why_set(why, err, "top: cannot write to stdout: %s", strerror(-err));
}

static int wait(struct run *run, int64_t due, struct why *why)
{
	struct pollfd fds[] = { screen_poll(&run->screen),
				{ .fd = run->signals, .events = POLLIN } };
	int64_t left = due - now_ms();

	/* A reader who has stopped: no next round before this one is out. */
	if (!run->screen.drawn && run->screen.pending)
		left = -1;
	else if (left < 0)
		left = 0;
	if (poll(fds, ARRAY_LEN(fds), (int)left) < 0 && errno != EINTR)
		return why_set(why, -errno, "poll: %s", strerror(errno));
	if (fds[1].revents)
		read_signals(run);
	if (fds[0].revents & POLLIN)
		read_keys(run);
	if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
		run->ended = true;
	if (flush(run, why))
		return -EIO;
	if (run->undrawn && run->screen.drawn && !run->screen.pending)
		draw(run);
	return 0;
}

/* With -n the last page is left to be read, and the last rows are not cut off. */
static int finish(struct run *run, struct why *why)
{
	int err = 0;

	if (run->screen.drawn) {
		autofree char *page = top_page(&run->top, &run->view);

		screen_leave(&run->screen);
		run->screen.drawn = false;
		screen_add(&run->screen, page ? page : "");
	}
	run->ended = false;
	while (!err && !run->ended && run->screen.pending) {
		err = flush(run, why);
		if (!err && !run->ended && run->screen.pending)
			err = wait(run, now_ms(), why);
	}
	return err;
}

/* Nothing is made up for if it took longer, or we were stopped meanwhile. */
static int64_t next_round(const struct run *run, int64_t due)
{
	int64_t interval = 1000 * (int64_t)run->view.interval, now = now_ms();

	return due + interval > now ? due + interval : now + interval;
}

int cmd_top(const struct command_args *args)
{
	autorun struct run run = { .args = args, .signals = -1, .screen = { .fd = STDOUT_FILENO } };
	struct why why = { 0 };
	int64_t due;
	int err = set_up(&run, &why);

	due = now_ms();
	while (!err && !run.ended) {
		if (due <= now_ms() && (run.screen.drawn || !run.screen.pending)) {
			screen_enter(&run.screen);
			err = work(&run, &why);
			due = next_round(&run, due);
		}
		if (!err && !run.ended)
			err = wait(&run, due, &why);
	}
	if (!err && run.count && run.looks > run.count)
		err = finish(&run, &why);
	screen_leave(&run.screen);
	return err ? command_fail(&why) : EXIT_FINE;
}
