// SPDX-License-Identifier: GPL-2.0
/* A list of things that are wrong; see verdict.h. Pure. */
#include "verdict.h"

#include <string.h>

static const char *const names[VERDICT_MAX] = {
#define VERDICT(name, id, meaning) [VERDICT_##name] = id,
#include "verdicts.def"
#undef VERDICT
};

const char *verdict_name(enum verdict_id id)
{
	return names[id];
}

void verdicts_add(struct verdicts *list, enum verdict_id id, const char *about, const char *fmt,
		  ...)
{
	struct verdict *grown = reallocarray(list->v, list->n + 1, sizeof(*list->v));
	struct verdict *v;
	va_list args;

	if (!grown)
		abort();
	list->v = grown;
	v = &grown[list->n++];
	*v = (struct verdict){ .id = id, .about = strdup(about) };
	va_start(args, fmt);
	if (!v->about || vasprintf(&v->text, fmt, args) < 0)
		abort();
	va_end(args);
}

void verdicts_free(struct verdicts *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].about);
		free(list->v[i].text);
	}
	free(list->v);
	*list = (struct verdicts){ 0 };
}
