/* SPDX-License-Identifier: GPL-2.0 */
/* Reads a small text file whole: the impure edge of the config and of `vxbpf import`. */
#ifndef VXBPF_READFILE_H
#define VXBPF_READFILE_H

#include "base/util.h"

/* At most `max` bytes of a regular file; anything else is refused without reading (a FIFO would block,
 * a device may act on being opened). The caller frees *out, which is NUL-terminated. Faults the user
 * can fix, such as a missing or unreadable file, are why->bad_input and -EINVAL. */
int readfile(const char *path, size_t max, char **out, size_t *out_len, struct why *why);

#endif
