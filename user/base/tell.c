// SPDX-License-Identifier: GPL-2.0
/* See tell.h. */
#include <stdio.h>

#include "base/sanitize.h"
#include "base/tell.h"

void tell(const char *fmt, ...)
{
	autofree char *shown = NULL;
	va_list args;

	va_start(args, fmt);
	shown = sanitize_format(fmt, args);
	va_end(args);
	fprintf(stderr, "vxbpf: %s\n", shown ? shown : "out of memory");
}

void tell_all(const struct notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		tell("%s", notes->v[i]);
}
