// SPDX-License-Identifier: GPL-2.0
/* Config, kernel, diff, steps, and a second look; see converge.h. */
#include <errno.h>
#include <string.h>

#include "apply.h"
#include "attach.h"
#include "converge.h"
#include "observe.h"
#include "plan.h"
#include "xfrm.h"

/* Everything the steps point into, alive as long as they are. */
struct converge_state {
	char overlay[VX_IF_LEN];
	const struct conf *conf; /* NULL: towards nothing */
	struct world world;
	struct mesh mesh;
	struct bpfobj *bo;
	struct objs want;
	struct objs now;
};

static void state_free(struct converge_state *s)
{
	if (!s)
		return;
	objs_free(&s->want);
	objs_free(&s->now);
	bpfobj_close(s->bo);
	mesh_free(&s->mesh);
	world_free(&s->world);
	free(s);
}

void converge_free(struct converge *c)
{
	steps_free(&c->steps);
	notes_free(&c->notes);
	state_free(c->state);
	*c = (struct converge){ 0 };
}

static struct converge_state *state_new(const char *overlay, const struct conf *conf)
{
	struct converge_state *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	text_copy(s->overlay, sizeof(s->overlay), overlay);
	s->conf = conf;
	return s;
}

static int build_mesh(struct converge_state *s, struct why *why)
{
	autofree struct vx_addr *locals = calloc(s->world.addrs.n + 1, sizeof(*locals));

	if (!locals)
		return why_set(why, -ENOMEM, "mesh: out of memory");
	for (size_t i = 0; i < s->world.addrs.n; i++)
		locals[i] = s->world.addrs.v[i].prefix.addr;
	return mesh_build(s->conf, locals, s->world.addrs.n, &s->mesh, why);
}

/* Names of the object's maps and programs as plain lists, for the pure side. */
struct object_names {
	const char *maps[32];
	const char *progs[32];
};

static void list_object(const struct bpfobj *bo, struct object_names *out)
{
	*out = (struct object_names){ 0 };
	for (size_t i = 0; i + 1 < ARRAY_LEN(out->maps); i++)
		if (!(out->maps[i] = bpfobj_map_name(bo, i)))
			break;
	for (size_t i = 0; i + 1 < ARRAY_LEN(out->progs); i++)
		if (!(out->progs[i] = bpfobj_prog_name(bo, i)))
			break;
}

static int look(struct nl *nl, struct converge_state *s, struct why *why)
{
	struct vx_overlay o = { 0 };
	struct observe_target t = { .nl = nl, .overlay = s->overlay, .bo = s->bo };

	observe_overlay(s->overlay, &o);
	t.host = s->conf ? s->mesh.self->name : o.local;
	return observe(&t, &s->world, &s->now, why);
}

static int want_up(struct nl *nl, struct converge_state *s, struct notes *notes, struct why *why)
{
	autofree struct route *routes = NULL;
	autofree bool *ipsec = NULL;
	struct plan_facts facts = { .links = &s->world.links, .addrs = &s->world.addrs };
	struct fastpath_facts fastpath;
	struct object_names names;
	struct plan_base base;
	int err = build_mesh(s, why);

	if (!err)
		err = observe_routes(nl, &s->world, s->conf, &s->mesh, &routes, why);
	if (err)
		return err;
	ipsec = xfrm_covers(&s->mesh, s->conf->port);
	facts.routes = routes;
	facts.ipsec = ipsec;
	fastpath_read(&fastpath);
	facts.fastpath = &fastpath;
	facts.tc_mode = attach_tc_mode();
	err = plan_settle(s->conf, &s->mesh, &facts, &base, notes, why);
	if (!err)
		err = bpfobj_open(s->overlay, &base.cfg, &s->bo, why);
	if (err)
		return err;
	list_object(s->bo, &names);
	err = look(nl, s, why);
	if (err)
		return err;
	facts.now = &s->now;
	facts.maps = names.maps;
	facts.progs = names.progs;
	plan_objects(s->conf, &s->mesh, &facts, &base, bpfobj_build(s->bo), &s->want, notes);
	return 0;
}

static int plan(struct nl *nl, struct converge_state *s, struct converge *out, struct why *why)
{
	int err = world_read(nl, &s->world, why);

	out->state = s;
	if (!err && s->conf)
		err = want_up(nl, s, &out->notes, why);
	if (!err && !s->conf) {
		err = look(nl, s, why);
		plan_nothing(s->overlay, &s->world.links, &s->world.addrs, &s->want, &out->notes);
	}
	if (err)
		return err;
	return diff_make(&s->want, &s->now, &out->steps, why);
}

int converge_plan_up(struct nl *nl, const struct conf *conf, struct converge *out, struct why *why)
{
	return plan(nl, state_new(conf->overlay, conf), out, why);
}

int converge_plan_down(struct nl *nl, const char *overlay, struct converge *out, struct why *why)
{
	return plan(nl, state_new(overlay, NULL), out, why);
}

/* Plans once more, as the next run would: anything left to do did not stick. */
static int verify(struct nl *nl, const struct converge_state *s, struct why *why)
{
	autoconverge struct converge again = { 0 };
	int err = plan(nl, state_new(s->overlay, s->conf), &again, why);

	for (size_t i = 0; !err && i < again.steps.n; i++) {
		const struct step *step = &again.steps.v[i];
		char text[400];

		if (step->want && step->want->optional)
			continue;
		step_print(step, text, sizeof(text));
		err = why_set(why, -EAGAIN,
			      "%s: something on this host undoes what is set: still to do: %s",
			      s->overlay, text);
	}
	return err;
}

int converge_apply(struct nl *nl, struct converge *c, struct why *why)
{
	struct apply a = {
		.nl = nl, .overlay = c->state->overlay, .bo = c->state->bo, .notes = &c->notes
	};
	int err;

	if (!c->steps.n)
		return 0;
	err = apply(&a, &c->steps, why);
	return err ? err : verify(nl, c->state, why);
}
