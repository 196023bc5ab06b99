/* SPDX-License-Identifier: GPL-2.0 */
/* A page for people, written to memory: columns counted, colours where wanted, words wrapped. Pure. */
#ifndef VXBPF_PAGE_H
#define VXBPF_PAGE_H

#include "base/util.h"

struct page {
	FILE *to;
	bool colour;
	size_t columns; /* no line is longer */
	size_t column; /* where the next character goes */
};

enum paint { PLAIN, GOOD, WARN, BAD, DIM, STRONG };

/* Text of others is made fit to be shown, see sanitize.h. */
void page_put(struct page *p, enum paint paint, const char *text);
void page_putf(struct page *p, enum paint paint, const char *fmt, ...) PRINTF(3, 4);
/* As much of it as fits into the line. */
void page_fit(struct page *p, enum paint paint, const char *fmt, ...) PRINTF(3, 4);
void page_indent_to(struct page *p, size_t column);
void page_end_line(struct page *p);

/* Words, each on a new line at `indent` if this one is full; one that no line has room for is broken. */
void page_words(struct page *p, enum paint paint, size_t indent, const char *text);

#endif
