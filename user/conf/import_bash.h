/* SPDX-License-Identifier: GPL-2.0 */
/* Reads assignments of constants out of a bash script, without running it. Pure. */
#ifndef VXBPF_IMPORT_BASH_H
#define VXBPF_IMPORT_BASH_H

#include "base/util.h"

#define BASH_WORD 64 /* longest word kept, with its NUL */
#define BASH_WORDS 999 /* in one array: as many as a host can have peers */

struct bash_word {
	char text[BASH_WORD];
	unsigned line;
};

struct bash_var {
	const char *name;
	bool required;
	bool array; /* more than one word is fine */
	unsigned line; /* of its assignment, 0 = none seen */
	struct bash_word *words;
	size_t n_words;
};

/* Fills in those of `vars` that the script sets; bash_free them also after a failure. Refuses one
 * that is not set, set twice, set by anything but constant words. text[len] is a NUL. */
int bash_read(const char *path, const char *text, size_t len, struct bash_var *vars, size_t n_vars,
	      struct why *why);
void bash_free(struct bash_var *vars, size_t n_vars);

#endif
