/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text of others, made fit to be shown: names of devices and files may hold any byte, and neither a
 * terminal nor a JSON parser may choke on one. Pure. The caller frees what is returned; NULL: out of
 * memory.
 */
#ifndef VXBPF_SANITIZE_H
#define VXBPF_SANITIZE_H

#include <stdarg.h>

/* One line for a terminal: control characters and bytes that are not UTF-8 become "\x1b". */
char *sanitize_text(const char *text);
char *sanitize_format(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
/* UTF-8 for JSON: what is none becomes U+FFFD. Control characters stay, JSON escapes them. */
char *sanitize_utf8(const char *text);

#endif
