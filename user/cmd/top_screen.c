// SPDX-License-Identifier: GPL-2.0
/*
 * Terminals and pipes; see top_screen.h. No curses: pages come whole from memory, so all that is needed is
 * termios and a few sequences every terminal of the last decades knows, and a library would have to be
 * kept from its own signals and blocking writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cmd/top_screen.h"

/* The other page; no cursor; no wrapping, should it be narrower than we think. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
/* A terminal without another page is left with its last line empty. */
#define LEAVE "\033[999;1H\033[K\033[0m\033[?7h\033[?25h\033[?1049l"
#define LEAVE_MS 500

static bool is_dumb(void)
{
	const char *term = getenv("TERM");

	return !term || !term[0] || strcmp(term, "dumb") == 0;
}

/* A description of our own does not block; the one we have is shared with others, who want theirs to. */
static int open_again(int flags)
{
	int fd = open("/proc/self/fd/1", flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? STDOUT_FILENO : fd;
}

void screen_open(struct screen *s)
{
	struct stat st;

	*s = (struct screen){ .fd = STDOUT_FILENO };
	if (isatty(STDOUT_FILENO))
		s->fd = open_again(O_RDWR);
	else if (fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode))
		s->fd = open_again(O_WRONLY);
	s->drawn = isatty(s->fd) && s->fd != STDOUT_FILENO && !is_dumb() &&
		   tcgetattr(s->fd, &s->before) == 0;
}

static void drop_pending(struct screen *s)
{
	free(s->pending);
	s->pending = NULL;
	s->len = s->at = 0;
}

void screen_close(struct screen *s)
{
	screen_leave(s);
	drop_pending(s);
	if (s->fd != STDOUT_FILENO)
		close_fd(&s->fd);
}

void screen_enter(struct screen *s)
{
	struct termios raw = s->before;

	if (!s->drawn || s->entered)
		return;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	s->entered = true;
	tcsetattr(s->fd, TCSANOW, &raw);
	screen_add(s, ENTER);
	screen_flush(s);
}

/* Output on its way is not worth waiting for, but half of it must not eat the sequences behind it. */
void screen_leave(struct screen *s)
{
	struct pollfd fd = { .fd = s->fd, .events = POLLOUT };

	if (!s->entered)
		return;
	s->entered = false;
	screen_add(s, LEAVE);
	while (screen_flush(s) == 0 && s->pending && poll(&fd, 1, LEAVE_MS) > 0)
		;
	drop_pending(s);
	tcsetattr(s->fd, TCSANOW, &s->before);
}

static unsigned from_environment(const char *name, unsigned usual)
{
	const char *text = getenv(name);
	long n = text ? strtol(text, NULL, 10) : 0;

	return n > 0 && n < 10000 ? (unsigned)n : usual;
}

void screen_size(const struct screen *s, unsigned *width, unsigned *height)
{
	struct winsize size = { 0 };

	ioctl(s->fd, TIOCGWINSZ, &size);
	*width = size.ws_col ? size.ws_col : from_environment("COLUMNS", 80);
	*height = size.ws_row ? size.ws_row : from_environment("LINES", 24);
}

void screen_add(struct screen *s, const char *text)
{
	size_t left = s->len - s->at, len = strlen(text);
	char *all = malloc(left + len + 1);

	if (!all)
		out_of_memory();
	memcpy(all, s->pending ? s->pending + s->at : "", left);
	memcpy(all + left, text, len + 1);
	free(s->pending);
	s->pending = all;
	s->len = left + len;
	s->at = 0;
}

/* Each line is cleared in front of its text: behind it, the cursor may still stand on the last column.
 * While the page before is on its way, this one is left out, and the caller's to remember. */
void screen_draw(struct screen *s, const char *page)
{
	char *text = NULL;
	size_t size;
	FILE *to = s->pending ? NULL : open_memstream(&text, &size);

	if (!to)
		return;
	fputs("\033[H", to);
	while (*page) {
		size_t len = strcspn(page, "\n");

		fprintf(to, "\033[K%.*s", (int)len, page);
		page += len + (page[len] == '\n');
		if (*page)
			fputs("\r\n", to);
	}
	fclose(to);
	screen_add(s, text);
	free(text);
}

int screen_flush(struct screen *s)
{
	while (s->pending) {
		ssize_t n = write(s->fd, s->pending + s->at, s->len - s->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		s->at += (size_t)n;
		if (s->at == s->len)
			drop_pending(s);
	}
	return 0;
}

/* POLLERR and POLLHUP come unasked when the other end is gone. */
struct pollfd screen_poll(const struct screen *s)
{
	return (struct pollfd){
		.fd = s->fd, .events = (short)((s->drawn ? POLLIN : 0) | (s->pending ? POLLOUT : 0))
	};
}
