/* SPDX-License-Identifier: GPL-2.0 */
/* Atomic replacement of a file: a reader sees the old text or the new one, never a part. Impure edge. */
#ifndef VXBPF_REPLACE_H
#define VXBPF_REPLACE_H

#include "base/util.h"

/* Writes FILE.tmpXXXXXX beside it, 0600, and renames that, 0644, when it is on the disk. The next writer removes
 * files of a writer that was killed. After an error the old file is as it was. Two at once: the later one stays. */
int replace_file(const char *path, const char *text, struct why *why);

#endif
