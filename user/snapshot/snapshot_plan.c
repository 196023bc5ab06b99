// SPDX-License-Identifier: GPL-2.0
/* Steps that `up` would take in an overlay; see snapshot_read.h. Impure edge. */
#include <string.h>

#include "reconcile/converge.h"
#include "snapshot/snapshot_read.h"

/* A port that came or went since `up` is reported only for its missing hook, separately; optional steps
 * and leftovers of a removed device ("#7") are not drift either. */
static bool is_drift(const struct step *step)
{
	const struct obj *o = step_obj(step);

	if (step->want && step->want->optional)
		return false;
	if (o->kind == OBJ_INDEX && strncmp(o->key, "ports/", 6) == 0)
		return false;
	return step->op != STEP_REMOVE || !strchr(o->key, '#');
}

/* The most useful steps come first: those of devices; then map entries; last programs, of which a
 * single other number in the config replaces all. */
static unsigned step_rank(const struct step *step)
{
	switch (step_obj(step)->kind) {
	case OBJ_TREE:
	case OBJ_MAP:
	case OBJ_PROG:
		return 2;
	case OBJ_ENTRY:
	case OBJ_INDEX:
		return 1;
	default:
		return step->op == STEP_CHANGE && step->changed == 1U << F_BUILD ? 2 : 0;
	}
}

/* As --dry-run prints it, less what aligns its columns. */
static void add_step(struct snapshot *s, const struct step *step)
{
	char text[512], *to = text;

	step_print(step, true, text, sizeof(text));
	for (const char *from = text; *from; from++)
		if (*from != ' ' || from[1] != ' ')
			*to++ = *from;
	*to = '\0';
	notes_add(&s->steps, "%s", text);
}

static void read_drift(struct snapshot *s, const struct steps *steps)
{
	for (unsigned rank = 0; rank < 3; rank++)
		for (size_t i = 0; i < steps->n; i++) {
			const struct step *step = &steps->v[i];

			if (!step->implied && step_rank(step) == rank && is_drift(step) &&
			    s->drift++ < SNAPSHOT_STEPS)
				add_step(s, step);
		}
}

static void read_step(struct snapshot *s, const struct step *step)
{
	const struct obj *want = step->want;

	if (!want)
		return;
	if (want->kind == OBJ_WIRE)
		snapshot_add_device(s, want->parent)->xdp_wanted |=
			step->op == STEP_ADD && strstr(want->key, "/wire_xdp");
	else if (!s->up && want->kind == OBJ_ENTRY && strcmp(want->key, "overlay/0") == 0)
		memcpy(&s->told, want->blob, sizeof(s->told));
}

void snapshot_read_plan(struct reading *r)
{
	struct snapshot *s = r->s;
	struct why why = { 0 };
	struct conf conf = { 0 };

	if (conf_load(s->path, &conf, &why) == 0) {
		autoconverge struct converge c = { 0 };

		s->unmet = converge_plan_up(r->nl, &conf, &c, &why) != 0;
		if (!s->unmet) {
			read_drift(s, &c.steps);
			for (size_t i = 0; i < c.steps.n; i++)
				if (!c.steps.v[i].implied)
					read_step(s, &c.steps.v[i]);
			s->notes = c.verdicts;
			c.verdicts = (struct verdicts){ 0 };
		}
	}
	conf_free(&conf);
	text_copy(s->fault, sizeof(s->fault), why.text);
}
