// SPDX-License-Identifier: GPL-2.0
/* The kernel's objects as values; see model.h. Pure. */
#include <string.h>

#include "plan/model.h"

const struct obj_field_info obj_fields[F_MAX] = {
#define OBJ_FIELD(name, word, type, flags) [F_##name] = { word, type, flags },
#include "plan/fields.def"
#undef OBJ_FIELD
};
_Static_assert(F_MAX <= 32, "struct obj.have has a bit per field");

static const char *const kind_names[] = {
	[OBJ_TREE] = "tree",	 [OBJ_MAP] = "map",	 [OBJ_PROG] = "program",
	[OBJ_ENTRY] = "entry",	 [OBJ_WIRE] = "hook",	 [OBJ_BRIDGE] = "bridge",
	[OBJ_TUNNEL] = "tunnel", [OBJ_INDEX] = "entry",	 [OBJ_QDISC] = "clsact",
	[OBJ_HOOK] = "hook",	 [OBJ_BLOCK] = "filter", [OBJ_MEMBER] = "member",
	[OBJ_SETUP] = "setup",	 [OBJ_ADDR] = "address",
};
_Static_assert(ARRAY_LEN(kind_names) == OBJ_KIND_MAX, "every kind has a name");

static void *must(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

static void set_text(char **to, const char *from)
{
	free(*to);
	*to = must(strdup(from));
}

struct obj *objs_add(struct objs *objs, enum obj_kind kind, const char *fmt, ...)
{
	struct obj *o = must(calloc(1, sizeof(*o)));
	va_list args;

	if (objs->n == objs->room) {
		objs->room = objs->room ? objs->room * 2 : 64;
		objs->v = must(reallocarray(objs->v, objs->room, sizeof(*objs->v)));
	}
	o->kind = kind;
	va_start(args, fmt);
	if (vasprintf(&o->key, fmt, args) < 0)
		must(NULL);
	va_end(args);
	objs->v[objs->n++] = o;
	objs->sorted = false;
	return o;
}

static void obj_free(struct obj *o)
{
	for (enum obj_field f = 0; f < F_MAX; f++)
		if (obj_fields[f].type == OBJ_TEXT)
			free(o->v[f].text);
	free(o->key);
	free(o->parent);
	free(o->note);
	free(o->blob);
	free(o);
}

void objs_free(struct objs *objs)
{
	for (size_t i = 0; i < objs->n; i++)
		obj_free(objs->v[i]);
	free(objs->v);
	*objs = (struct objs){ 0 };
}

void objs_keep_device(struct objs *objs, unsigned ifindex)
{
	size_t kept = 0;

	for (size_t i = 0; i < objs->n; i++) {
		if (objs->v[i]->ifindex == ifindex)
			objs->v[kept++] = objs->v[i];
		else
			obj_free(objs->v[i]);
	}
	objs->n = kept;
}

static int compare_keys(const void *a, const void *b)
{
	const struct obj *x = *(struct obj *const *)a, *y = *(struct obj *const *)b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->key, y->key);
}

void objs_sort(struct objs *objs)
{
	if (objs->n && !objs->sorted)
		qsort(objs->v, objs->n, sizeof(*objs->v), compare_keys);
	objs->sorted = true;
}

struct obj *objs_find(struct objs *objs, enum obj_kind kind, const char *key)
{
	const struct obj wanted = { .kind = kind, .key = (char *)key }, *p = &wanted;
	struct obj **found;

	objs_sort(objs);
	found = objs->n ? bsearch(&p, objs->v, objs->n, sizeof(*objs->v), compare_keys) : NULL;
	return found ? *found : NULL;
}

void obj_num(struct obj *o, enum obj_field f, uint64_t num)
{
	o->have |= 1U << f;
	o->v[f].num = num;
}

void obj_text(struct obj *o, enum obj_field f, const char *text)
{
	o->have |= 1U << f;
	set_text(&o->v[f].text, text);
}

void obj_parent(struct obj *o, const char *ifname)
{
	set_text(&o->parent, ifname);
}

void obj_note(struct obj *o, const char *fmt, ...)
{
	va_list args;

	free(o->note);
	va_start(args, fmt);
	if (vasprintf(&o->note, fmt, args) < 0)
		must(NULL);
	va_end(args);
}

void obj_blob(struct obj *o, const void *blob, size_t len)
{
	free(o->blob);
	o->blob = must(malloc(len));
	memcpy(o->blob, blob, len);
	o->blob_len = len;
}

uint64_t obj_get_num(const struct obj *o, enum obj_field f)
{
	return obj_has(o, f) ? o->v[f].num : 0;
}

const char *obj_get_text(const struct obj *o, enum obj_field f)
{
	return obj_has(o, f) ? o->v[f].text : "";
}

uint32_t obj_compare(const struct obj *want, const struct obj *now)
{
	uint32_t differs = 0;

	for (enum obj_field f = 0; f < F_MAX; f++) {
		if (!obj_has(want, f))
			continue;
		if (!obj_has(now, f) ||
		    (obj_fields[f].type == OBJ_TEXT ? strcmp(want->v[f].text, now->v[f].text) != 0
						    : want->v[f].num != now->v[f].num))
			differs |= 1U << f;
	}
	return differs;
}

const char *obj_kind_name(enum obj_kind kind)
{
	return kind_names[kind];
}

void obj_value_text(const struct obj *o, enum obj_field f, char *text, size_t size)
{
	text[0] = '\0';
	if (!obj_has(o, f))
		text_add(text, size, "none");
	else if (obj_fields[f].type == OBJ_TEXT)
		text_add(text, size, "%s", o->v[f].text[0] ? o->v[f].text : "none");
	else if (obj_fields[f].type == OBJ_SWITCH)
		text_add(text, size, "%s", o->v[f].num ? "on" : "off");
	else
		text_add(text, size, "%llu", (unsigned long long)o->v[f].num);
}
