// SPDX-License-Identifier: GPL-2.0
/* Changes of what is observed: the second half of a .now file; see now.h. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "now.h"

static int bad(const struct now *now, const struct now_line *l, struct why *why, const char *what,
	       const char *word)
{
	return why_bad(why, "%s:%u: %s: %s", now->path, l->no, what, word);
}

static bool fits(const struct obj *o, const char *kind, const char *key)
{
	return strcmp(obj_kind_name(o->kind), kind) == 0 && fnmatch(key, o->key, 0) == 0;
}

/* Hooks and entries are two kinds each, under one word. */
static enum obj_kind kind_of(const char *word, const char *key)
{
	const char *slash = strchr(key, '/');
	bool by_device = strncmp(key, "tunnels/", 8) == 0 ||
			 (strncmp(key, "ports/", 6) == 0 && strcmp(key, "ports/0") != 0);

	if (strcmp(word, "hook") == 0)
		return slash && strncmp(slash, "/wire_", 6) == 0 ? OBJ_WIRE : OBJ_HOOK;
	if (strcmp(word, "entry") == 0)
		return by_device ? OBJ_INDEX : OBJ_ENTRY;
	for (enum obj_kind kind = 0; kind < OBJ_KIND_MAX; kind++)
		if (strcmp(obj_kind_name(kind), word) == 0)
			return kind;
	return OBJ_KIND_MAX;
}

/* As an observation knows it: of `#57`, the index of a device that is gone, none. */
static void set_parent(struct obj *o)
{
	char text[64];
	const char *slash = strchr(o->key, '/');

	text_copy(text, sizeof(text), o->key);
	if (o->kind == OBJ_WIRE || o->kind == OBJ_HOOK)
		text[slash - o->key] = '\0';
	else if (o->kind == OBJ_INDEX)
		text_copy(text, sizeof(text), slash + 1);
	else if (o->kind != OBJ_MEMBER && o->kind != OBJ_QDISC)
		return;
	if (text[0] != '#')
		obj_parent(o, text);
}

static bool set_field(struct obj *o, const char *word, const char *value)
{
	for (enum obj_field f = 0; f < F_MAX; f++) {
		char *end;

		if (strcmp(obj_fields[f].word, word) != 0)
			continue;
		if (obj_fields[f].type == OBJ_TEXT) {
			obj_text(o, f, strcmp(value, "none") == 0 ? "" : value);
			return true;
		}
		if (obj_fields[f].type == OBJ_SWITCH) {
			obj_num(o, f, strcmp(value, "on") == 0);
			return strcmp(value, "on") == 0 || strcmp(value, "off") == 0;
		}
		obj_num(o, f, strtoull(value, &end, 10));
		return value[0] && !*end;
	}
	return false;
}

static int add(const struct now *now, const struct now_line *l, struct objs *observed,
	       struct why *why)
{
	enum obj_kind kind = kind_of(l->words[1], l->words[2]);
	struct obj *o;

	if (kind == OBJ_KIND_MAX)
		return bad(now, l, why, "no such kind", l->words[1]);
	if ((kind == OBJ_HOOK || kind == OBJ_WIRE) && !strchr(l->words[2], '/'))
		return bad(now, l, why, "DEVICE/ROOM is the key of a hook", l->words[2]);
	if (objs_find(observed, kind, l->words[2]))
		return bad(now, l, why, "is there already", l->words[2]);
	o = objs_add(observed, kind, "%s", l->words[2]);
	set_parent(o);
	for (size_t i = 3; i < l->n; i += 2)
		if (i + 1 == l->n || !set_field(o, l->words[i], l->words[i + 1]))
			return bad(now, l, why, "cannot use", l->words[i]);
	return 0;
}

/* The list owns its objects: let one go by making it the only one of a list that ends here. */
static void drop(struct objs *observed, size_t i)
{
	autoobjs struct objs gone = { .v = malloc(sizeof(*gone.v)), .n = 1, .room = 1 };

	if (!gone.v)
		abort();
	gone.v[0] = observed->v[i];
	memmove(&observed->v[i], &observed->v[i + 1], (observed->n - i - 1) * sizeof(*observed->v));
	observed->n--;
}

void now_forget(struct objs *observed, const char *kind, const char *key)
{
	for (size_t i = observed->n; i-- > 0;)
		if (fits(observed->v[i], kind, key))
			drop(observed, i);
}

/* set, blob: of every object that fits. */
static int alter(const struct now *now, const struct now_line *l, struct objs *observed,
		 struct why *why)
{
	bool set = strcmp(l->words[0], "set") == 0;

	for (size_t i = 0; i < observed->n; i++) {
		struct obj *o = observed->v[i];

		if (!fits(o, l->words[1], l->words[2]))
			continue;
		if (set && !set_field(o, l->words[3], l->words[4]))
			return bad(now, l, why, "cannot use", l->words[3]);
		if (!set && !o->blob)
			return bad(now, l, why, "its value is nobody's concern", o->key);
		if (!set)
			((char *)o->blob)[o->blob_len - 1] ^= 1;
	}
	return 0;
}

static void rebuild(struct objs *observed, const char *build)
{
	for (size_t i = 0; i < observed->n; i++) {
		struct obj *o = observed->v[i];

		if (obj_has(o, F_BUILD))
			obj_text(o, F_BUILD, build);
		if (o->kind == OBJ_PROG)
			memcpy(o->key, build, strlen(NOW_BUILD));
	}
	observed->sorted = false;
}

static int change(const struct now *now, const struct now_line *l, struct objs *observed,
		  struct why *why)
{
	const char *word = l->words[0];
	bool found = false;

	if (strcmp(word, "build") == 0 && l->n == 2 && strlen(l->words[1]) == strlen(NOW_BUILD)) {
		rebuild(observed, l->words[1]);
		return 0;
	}
	if (strcmp(word, "add") == 0 && l->n >= 3)
		return add(now, l, observed, why);
	if (!(strcmp(word, "forget") == 0 && l->n == 3) &&
	    !(strcmp(word, "set") == 0 && l->n == 5) && !(strcmp(word, "blob") == 0 && l->n == 3))
		return bad(now, l, why, "cannot use", word);
	for (size_t i = 0; i < observed->n; i++)
		found |= fits(observed->v[i], l->words[1], l->words[2]);
	if (!found)
		return bad(now, l, why, "nothing observed fits", l->words[2]);
	if (strcmp(word, "forget") != 0)
		return alter(now, l, observed, why);
	now_forget(observed, l->words[1], l->words[2]);
	return 0;
}

int now_change(const struct now *now, struct objs *observed, struct why *why)
{
	int err = 0;

	for (size_t i = now->changes; !err && i < now->n_lines; i++)
		err = change(now, &now->lines[i], observed, why);
	return err;
}
