// SPDX-License-Identifier: GPL-2.0
/* A list of things that are wrong; see verdict.h. Pure. */
#include "base/verdict.h"

#include <json-c/json.h>
#include <string.h>

#include "base/sanitize.h"

static const char *const names[VERDICT_MAX] = {
#define VERDICT(name, id, meaning) [VERDICT_##name] = id,
#include "base/verdicts.def"
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
		out_of_memory();
	list->v = grown;
	v = &grown[list->n++];
	*v = (struct verdict){ .id = id, .about = strdup(about) };
	va_start(args, fmt);
	if (!v->about || vasprintf(&v->text, fmt, args) < 0)
		out_of_memory();
	va_end(args);
}

bool verdicts_have(const struct verdicts *list, const struct verdict *v)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].id == v->id && strcmp(list->v[i].about, v->about) == 0 &&
		    strcmp(list->v[i].text, v->text) == 0)
			return true;
	return false;
}

void verdicts_copy(struct verdicts *to, const struct verdict *v)
{
	verdicts_add(to, v->id, v->about, "%s", v->text);
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

static void add_text(struct json_object *o, const char *key, const char *text)
{
	autofree char *utf8 = sanitize_utf8(text);

	json_object_object_add(o, key, json_object_new_string(utf8 ? utf8 : ""));
}

struct json_object *verdicts_json(const struct verdicts *list)
{
	struct json_object *all = json_object_new_array();

	for (size_t i = 0; i < list->n; i++) {
		struct json_object *o = json_object_new_object();

		add_text(o, "id", verdict_name(list->v[i].id));
		add_text(o, "about", list->v[i].about);
		add_text(o, "text", list->v[i].text);
		json_object_array_add(all, o);
	}
	return all;
}
