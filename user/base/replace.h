/* SPDX-License-Identifier: GPL-2.0 */
/* Atomic replacement of a file: a reader sees the old text or the new one, never a part. Impure edge. */
#ifndef VXBPF_REPLACE_H
#define VXBPF_REPLACE_H

#include "base/util.h"

/* Writes FILE.tmp beside it, mode 0644, and renames that when it is on the disk. A writer killed in the
 * middle leaves FILE.tmp, which the next one uses. After an error the old file is as it was, and there
 * is no FILE.tmp. Two at once: the second waits for up to wait_ms, then -EBUSY. */
int replace_file(const char *path, const char *text, unsigned wait_ms, struct why *why);

#endif
