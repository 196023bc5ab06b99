// SPDX-License-Identifier: GPL-2.0
/* A page for people; see page.h. Pure. */
#include "show/page.h"

#include <string.h>

#include "base/sanitize.h"

/* Writes text that is sanitized already. */
static void put(struct page *p, enum paint paint, const char *text, size_t len)
{
	static const char *const codes[] = {
		[GOOD] = "32", [WARN] = "33", [BAD] = "1;31", [DIM] = "2", [STRONG] = "1"
	};

	if (!len)
		return;
	if (p->colour && paint != PLAIN)
		fprintf(p->to, "\033[%sm%.*s\033[0m", codes[paint], (int)len, text);
	else
		fprintf(p->to, "%.*s", (int)len, text);
	p->column += len;
}

void page_put(struct page *p, enum paint paint, const char *text)
{
	autofree char *shown = sanitize_text(text);

	if (shown)
		put(p, paint, shown, strlen(shown));
}

void page_putf(struct page *p, enum paint paint, const char *fmt, ...)
{
	autofree char *shown = NULL;
	va_list args;

	va_start(args, fmt);
	shown = sanitize_format(fmt, args);
	va_end(args);
	if (shown)
		put(p, paint, shown, strlen(shown));
}

void page_fit(struct page *p, enum paint paint, const char *fmt, ...)
{
	size_t room = p->column < p->columns ? p->columns - p->column : 0, len;
	autofree char *shown = NULL;
	va_list args;

	va_start(args, fmt);
	shown = sanitize_format(fmt, args);
	va_end(args);
	len = shown ? strlen(shown) : 0;
	put(p, paint, shown, len < room ? len : room);
}

void page_end_line(struct page *p)
{
	fputc('\n', p->to);
	p->column = 0;
}

void page_indent_to(struct page *p, size_t column)
{
	while (p->column < column)
		put(p, PLAIN, " ", 1);
}

/* A character of UTF-8 is never broken. */
static size_t fitting(const char *text, size_t len, size_t room)
{
	if (len <= room)
		return len;
	while (room > 1 && ((unsigned char)text[room] & 0xc0) == 0x80)
		room--;
	return room;
}

static void put_word(struct page *p, enum paint paint, size_t indent, const char *word, size_t len)
{
	if (p->column > indent && p->column + 1 + len > p->columns)
		page_end_line(p);
	if (p->column > indent)
		put(p, PLAIN, " ", 1);
	while (len) {
		size_t n;

		page_indent_to(p, indent);
		n = fitting(word, len, p->columns > indent ? p->columns - p->column : 1);
		put(p, paint, word, n);
		word += n;
		len -= n;
		if (len)
			page_end_line(p);
	}
}

void page_words(struct page *p, enum paint paint, size_t indent, const char *text)
{
	autofree char *shown = sanitize_text(text);
	const char *at = shown ? shown : "";

	while (*(at += strspn(at, " "))) {
		size_t len = strcspn(at, " ");

		put_word(p, paint, indent, at, len);
		at += len;
	}
}
