/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text of others, made fit to be shown: names of devices and files may hold any byte, and neither a
 * terminal nor a JSON parser shall choke on one. Pure. The caller frees what is returned; NULL: out of
 * memory.
 */
#ifndef VXBPF_SANITIZE_H
#define VXBPF_SANITIZE_H

/* One line for a terminal: what is no UTF-8, and control characters, become "\x1b". */
char *sanitize_text(const char *text);
/* UTF-8 for JSON: what is none becomes U+FFFD. Control characters stay, JSON escapes them. */
char *sanitize_utf8(const char *text);

#endif
