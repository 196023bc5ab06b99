// SPDX-License-Identifier: GPL-2.0
/* See steps_print.h. */
#include <stdio.h>

#include "base/sanitize.h"
#include "reconcile/steps_print.h"

void steps_print(const struct steps *steps)
{
	char text[512];

	for (size_t i = 0; i < steps->n; i++) {
		autofree char *shown = NULL;

		if (steps->v[i].implied)
			continue;
		step_print(&steps->v[i], false, text, sizeof(text));
		shown = sanitize_text(text);
		puts(shown ? shown : "out of memory");
	}
}
