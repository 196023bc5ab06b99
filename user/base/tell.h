/* SPDX-License-Identifier: GPL-2.0 */
/* Messages to the user. */
#ifndef VXBPF_TELL_H
#define VXBPF_TELL_H

#include "base/util.h"

/* "vxbpf: <sentence>" on stderr, with nothing in it that a terminal obeys. */
void tell(const char *fmt, ...) PRINTF(1, 2);
void tell_all(const struct notes *notes);

#endif
