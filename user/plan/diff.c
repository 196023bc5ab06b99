// SPDX-License-Identifier: GPL-2.0
/* Compares wanted and existing objects; see diff.h. Pure. */
#include <errno.h>
#include <string.h>

#include "base/sanitize.h"
#include "plan/diff.h"

/* Objects with a twin of the same key on the other side, or NULL. */
struct pair {
	const struct obj *want;
	const struct obj *now;
	uint32_t changed;
	enum { KEEP, ADD, CHANGE, REPLACE, REMOVE } verdict;
};

static __attribute__((returns_nonnull)) const struct obj *about(const struct pair *p)
{
	return p->want ? p->want : p->now;
}

struct pairs {
	struct pair *v;
	size_t n;
};

static struct step *add_step(struct steps *steps, enum step_op op, const struct pair *p)
{
	if (steps->n == steps->room) {
		steps->room = steps->room ? steps->room * 2 : 64;
		steps->v = reallocarray(steps->v, steps->room, sizeof(*steps->v));
		if (!steps->v)
			out_of_memory();
	}
	steps->v[steps->n++] = (struct step){
		.op = op,
		.want = op == STEP_REMOVE ? NULL : p->want,
		.now = op == STEP_ADD ? NULL : p->now,
		.changed = p->changed,
	};
	return &steps->v[steps->n - 1];
}

static bool blob_differs(const struct obj *want, const struct obj *now)
{
	return want->blob && (!now->blob || want->blob_len != now->blob_len ||
			      memcmp(want->blob, now->blob, want->blob_len) != 0);
}

static bool fixed_differs(uint32_t changed)
{
	for (enum obj_field f = 0; f < F_MAX; f++)
		if (changed & 1U << f && obj_fields[f].flags & OBJ_FIXED)
			return true;
	return false;
}

static void judge(struct pair *p)
{
	if (!p->now)
		p->verdict = ADD;
	else if (!p->want) /* a bridge's setup goes with the bridge */
		p->verdict = p->now->kind == OBJ_SETUP ? KEEP : REMOVE;
	else if ((p->changed = obj_compare(p->want, p->now)))
		p->verdict = fixed_differs(p->changed) ? REPLACE : CHANGE;
	else
		p->verdict = blob_differs(p->want, p->now) ? CHANGE : KEEP;
}

static int order(const struct obj *a, const struct obj *b)
{
	if (!a || !b)
		return a ? -1 : b ? 1 : 0;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->key, b->key);
}

/* The walk over two sorted lists: neighbours with the same key become one pair. */
static int match(const struct objs *want, const struct objs *now, struct pairs *out,
		 struct why *why)
{
	size_t w = 0, n = 0;

	while (w < want->n || n < now->n) {
		const struct obj *a = w < want->n ? want->v[w] : NULL;
		const struct obj *b = n < now->n ? now->v[n] : NULL;
		int cmp = order(a, b);
		struct pair *p = &out->v[out->n];

		*p = (struct pair){ .want = cmp <= 0 ? a : NULL, .now = cmp >= 0 ? b : NULL };
		w += cmp <= 0;
		n += cmp >= 0;
		if (p->now && p->now->foreign && p->want)
			return why_set(why, -EEXIST, "%s: %s", p->now->key,
				       p->now->note ? p->now->note
						    : "exists already and was not made by vxbpf");
		if (p->now && p->now->foreign)
			continue;
		judge(p);
		out->n++;
	}
	return 0;
}

static const struct pair *find_device(const struct pairs *pairs, enum obj_kind kind,
				      const char *ifname)
{
	size_t low = 0, high = pairs->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct pair *p = &pairs->v[mid];
		const struct obj *o = about(p);
		int cmp = o->kind != kind ? (o->kind < kind ? -1 : 1) : strcmp(o->key, ifname);

		if (!cmp)
			return p;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool goes(const struct pairs *pairs, enum obj_kind kind, const char *ifname)
{
	const struct pair *p = find_device(pairs, kind, ifname);

	return p && (p->verdict == REMOVE || p->verdict == REPLACE);
}

/* Does the device this belongs to go in this run (and perhaps come again as another one)? */
static bool loses_parent(const struct pairs *pairs, const struct pair *p)
{
	const struct obj *o = p->now;
	const char *device = o && o->kind == OBJ_SETUP ? o->key : o ? o->parent : NULL;

	/* Addresses are taken off a bridge before it goes. */
	if (!device || o->kind == OBJ_ADDR)
		return false;
	return goes(pairs, OBJ_TUNNEL, device) || goes(pairs, OBJ_BRIDGE, device);
}

/* Objects the kernel removes along with the device. */
static bool goes_along(enum obj_kind kind)
{
	return kind == OBJ_MEMBER || kind == OBJ_QDISC || kind == OBJ_SETUP;
}

/* Programs use the old one until the new ones run: its successor is made first. */
static bool is_followed(const struct pair *p)
{
	return p->verdict == REPLACE && p->want->kind == OBJ_MAP;
}

static bool goes_early(enum obj_kind kind)
{
	return kind == OBJ_ADDR || kind == OBJ_TUNNEL || kind == OBJ_BRIDGE || kind == OBJ_TREE;
}

/* Hooks that stay run the new programs, even where these are built alike. */
static void run_anew(struct pair *p, enum obj_kind kind)
{
	if ((kind != OBJ_WIRE && kind != OBJ_HOOK && kind != OBJ_BLOCK) || p->verdict != KEEP)
		return;
	p->verdict = CHANGE;
	p->changed = 1U << F_BUILD;
}

/* In a tree of another layout nothing can be kept: its maps, programs and entries are made anew: the
 * old programs know the old maps only. */
static void follow_tree(struct pairs *pairs)
{
	bool anew = pairs->n && pairs->v[0].verdict == REPLACE;

	for (size_t i = 1; anew && i < pairs->n; i++) {
		struct pair *p = &pairs->v[i];
		const struct obj *o = about(p);

		if (o->kind == OBJ_MAP || o->kind == OBJ_PROG || o->kind == OBJ_ENTRY ||
		    o->kind == OBJ_INDEX)
			p->verdict = p->want ? ADD : KEEP;
	}
}

static bool is_shared(const struct obj *o)
{
	return o->kind == OBJ_MAP || (o->kind == OBJ_ENTRY && strcmp(o->key, "overlay/0") == 0);
}

/* Likewise where what all programs share is lost: a map's pin, as programs that stayed would go on with
 * the map nobody else can reach; or the entry with their secret, as the next program would have another. */
static void follow_maps(struct pairs *pairs)
{
	bool lost = false;

	for (size_t i = 0; i < pairs->n; i++)
		lost |= pairs->v[i].verdict == ADD && is_shared(about(&pairs->v[i]));
	for (size_t i = 0; i < pairs->n; i++) {
		struct pair *p = &pairs->v[i];
		enum obj_kind kind = about(p)->kind;

		if (lost && kind == OBJ_PROG && p->verdict == KEEP && p->want)
			p->verdict = REPLACE;
		if (lost)
			run_anew(p, kind);
	}
}

/* A member, entry or hook of a device that goes has to be made again on its successor; the pins and
 * entries left of the old one are cleared at the end. */
static void follow_tunnels(struct pairs *pairs, struct steps *late)
{
	for (size_t i = 0; i < pairs->n; i++) {
		struct pair *p = &pairs->v[i];

		if (p->verdict == ADD || !loses_parent(pairs, p))
			continue;
		if (!goes_along(p->now->kind) && p->verdict != REMOVE)
			add_step(late, STEP_REMOVE, p);
		if (goes_along(p->now->kind) || p->verdict != REMOVE)
			p->verdict = p->want ? ADD : KEEP;
	}
}

static bool block_stays(const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		const struct pair *p = &pairs->v[i];

		if (p->now && p->want && p->now->kind == OBJ_QDISC && p->verdict == KEEP)
			return true;
	}
	return false;
}

/* Objects that go along with a tunnel, with the last one of a block, or with a bridge. */
static bool is_implied(const struct pairs *pairs, const struct pair *p)
{
	return p->now &&
	       (loses_parent(pairs, p) || (p->now->kind == OBJ_BLOCK && !block_stays(pairs)));
}

/* A block lives as long as a qdisc refers to it: when none of them stays, its filter has to be set
 * again, before the first tunnel becomes a member (I2). */
static void follow_qdiscs(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		struct pair *p = &pairs->v[i];

		if (p->want && p->want->kind == OBJ_BLOCK && !block_stays(pairs))
			p->verdict = ADD;
	}
}

/* wire_out demands of frames a word that programs on tunnels and ports have written. */
static bool demands(const struct pair *p)
{
	const struct obj *o = about(p);

	return o->kind == OBJ_WIRE && strstr(o->key, "/wire_out");
}

/* Where those are replaced it comes after them, or it would refuse what the old ones let through. Else
 * it comes before them, as nothing may pass it unseen. */
static bool writers_change(const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		enum obj_kind kind = about(&pairs->v[i])->kind;

		if ((kind == OBJ_HOOK || kind == OBJ_BLOCK) && pairs->v[i].verdict == CHANGE)
			return true;
	}
	return false;
}

static void emit_new(const struct pairs *pairs, struct steps *steps, bool demanding)
{
	bool wait = writers_change(pairs);

	for (size_t i = 0; i < pairs->n; i++) {
		const struct pair *p = &pairs->v[i];

		if ((wait && demands(p)) != demanding)
			continue;
		if (p->verdict == ADD || p->verdict == REPLACE)
			add_step(steps, STEP_ADD, p);
		else if (p->verdict == CHANGE)
			add_step(steps, STEP_CHANGE, p);
	}
}

static void emit(const struct pairs *pairs, struct steps *steps, const struct steps *late)
{
	for (size_t i = pairs->n; i-- > 0;) {
		const struct pair *p = &pairs->v[i];
		enum obj_kind kind = about(p)->kind;

		if (is_implied(pairs, p))
			add_step(steps, STEP_REMOVE, p)->implied = true;
		if (p->verdict == REPLACE && !is_followed(p))
			add_step(steps, STEP_REPLACE, p);
		else if (p->verdict == REMOVE && goes_early(kind) && kind != OBJ_TREE)
			add_step(steps, STEP_REMOVE, p);
	}
	emit_new(pairs, steps, false);
	emit_new(pairs, steps, true);
	for (size_t i = 0; i < late->n; i++)
		add_step(steps, STEP_REMOVE, &(struct pair){ .now = late->v[i].now });
	for (size_t i = pairs->n; i-- > 0;) {
		const struct pair *p = &pairs->v[i];

		if (is_followed(p))
			add_step(steps, STEP_REPLACE, p);
		else if (p->verdict == REMOVE &&
			 (!goes_early(p->now->kind) || p->now->kind == OBJ_TREE))
			add_step(steps, STEP_REMOVE, p);
	}
}

int diff_make(struct objs *want, struct objs *now, struct steps *out, struct why *why)
{
	autofree struct pair *room = calloc(want->n + now->n + 1, sizeof(*room));
	struct pairs pairs = { .v = room };
	autosteps struct steps late = { 0 };
	int err;

	if (!room)
		return why_set(why, -ENOMEM, "plan: out of memory");
	objs_sort(want);
	objs_sort(now);
	err = match(want, now, &pairs, why);
	if (err)
		return err;
	follow_tree(&pairs);
	follow_maps(&pairs);
	follow_tunnels(&pairs, &late);
	follow_qdiscs(&pairs);
	emit(&pairs, out, &late);
	return 0;
}

void steps_free(struct steps *steps)
{
	free(steps->v);
	*steps = (struct steps){ 0 };
}

static void print_field(const struct step *s, enum obj_field f, char *text, size_t size)
{
	char value[128];

	text_add(text, size, "  %s ", obj_fields[f].word);
	if (s->now && s->want) {
		obj_value_text(s->now, f, value, sizeof(value));
		text_add(text, size, "%s -> ", value);
	}
	obj_value_text(step_obj(s), f, value, sizeof(value));
	text_add(text, size, "%s", value);
}

void step_print(const struct step *s, bool brief, char *text, size_t size)
{
	const struct obj *o = step_obj(s);
	bool pairwise = s->op == STEP_CHANGE || s->op == STEP_REPLACE;
	uint32_t fields = pairwise ? s->changed : s->op == STEP_ADD && !brief ? o->have : 0;

	snprintf(text, size, "%c %-8s %s", "+~!-"[s->op], obj_kind_name(o->kind), o -> key);
	if (o->note)
		text_add(text, size, "  %s", o->note);
	for (enum obj_field f = 0; f < F_MAX; f++)
		if (fields & 1U << f && (s->op == STEP_CHANGE || !(obj_fields[f].flags & OBJ_BORN)))
			print_field(s, f, text, size);
	if (s->op == STEP_REPLACE)
		text_add(text, size,
			 fields ? "  (fixed at creation, so it is recreated)" : "  (recreated)");
}
