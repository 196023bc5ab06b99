/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where `top` writes to: a terminal it draws on, or plain text, and never so that a reader who has stopped
 * holds it up. Impure edge.
 */
#ifndef VXBPF_TOP_SCREEN_H
#define VXBPF_TOP_SCREEN_H

#include <poll.h>
#include <termios.h>

#include "base/util.h"

struct screen {
	int fd;
	bool drawn; /* a terminal that can be drawn on, and is not dumb */
	bool entered; /* it is as we want it, and has to be put right */
	struct termios before;
	char *pending; /* still to be written */
	size_t len, at;
};

void screen_open(struct screen *s);
void screen_close(struct screen *s); /* leaves it, too */
#define autoscreen __attribute__((cleanup(screen_close)))

/* Only if it is `drawn`: the other page, no cursor, no echo; and back again. */
void screen_enter(struct screen *s);
void screen_leave(struct screen *s);
void screen_size(const struct screen *s, unsigned *width, unsigned *height);

/* A page in place of the one before. */
void screen_draw(struct screen *s, const char *page);
/* Text after what was there. */
void screen_add(struct screen *s, const char *text);
/* Writes what can be written now. -errno: nobody is there any more. */
int screen_flush(struct screen *s);
/* The descriptor to poll. */
struct pollfd screen_poll(const struct screen *s);

#endif
