/* SPDX-License-Identifier: GPL-2.0 */
/* A judged snapshot as a page for people, and as JSON. Pure. */
#ifndef VXBPF_STATUS_H
#define VXBPF_STATUS_H

#include "snapshot/snapshot.h"

#define STATUS_COLUMNS 100 /* the page for people has no more, */
#define STATUS_COLUMNS_LEAST 72 /* and needs at least this */
/* The page for people, and the array for programs (design 1.7). The caller frees the text. */
char *status_text(const struct snapshot *s, bool colour, size_t columns);
char *status_json(const struct snapshot *list, size_t n);

#endif
