/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The settings at the top of a vxlansetup.sh -> a config file with the same VNIs. The script is
 * read as text and never run: what only a shell can know (variables, commands) is refused. Pure.
 */
#ifndef VXBPF_IMPORT_H
#define VXBPF_IMPORT_H

#include "base/util.h"

#define IMPORT_MAX_SIZE (1U << 20) /* bytes of a script */

/* `path` is for messages: "<path>:<line>: <VARIABLE>: <why>". The caller frees *out, YAML that
 * conf_parse takes. text[len] is a NUL. -EINVAL with why->bad_input if something is missing or not
 * understood. */
int import_script(const char *path, const char *text, size_t len, char **out, struct why *why);

#endif
