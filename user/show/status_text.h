/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the parts of the page for people; for status_text.c and status_peers.c only. */
#ifndef VXBPF_STATUS_TEXT_H
#define VXBPF_STATUS_TEXT_H

#include "show/page.h"
#include "show/status.h"
#include "snapshot/snapshot.h"

#define STATUS_LABEL 13 /* width of "  fast path  " */

/* "  mtu", then room up to where its text goes. */
void status_put_label(struct page *p, const char *label);
/* The same with its text, wrapped. */
void status_put_line(struct page *p, const char *label, const char *text);

/* "  peers      37: 2 silent, 35 up" */
void status_put_states(struct page *p, const struct snapshot *s);
/* The table, and below it what was dropped, by reason. */
void status_put_peers(struct page *p, const struct snapshot *s);

#endif
