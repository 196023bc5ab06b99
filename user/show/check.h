/* SPDX-License-Identifier: GPL-2.0 */
/* How `check` prints what it found. Pure. */
#ifndef VXBPF_CHECK_H
#define VXBPF_CHECK_H

#include "base/verdict.h"

struct checked {
	const char *overlay;
	struct verdicts verdicts; /* owned */
	struct verdicts information; /* owned; that need no action */
};

/* One line per verdict, "vxbr0: peer_silent: beta: ...", or "vxbr0: nothing is wrong"; then what
 * needs no action, in the same form. columns: where to
 * wrap, 0 = nowhere. The caller frees the text; NULL: out of memory. */
char *check_text(const struct checked *c, size_t columns, bool colour);
/* [{overlay, verdicts: [{id, about, text}], information: [the same]}]. The caller frees the text. */
char *check_json(const struct checked *list, size_t n);

#endif
