// SPDX-License-Identifier: GPL-2.0
/*
 * Config, kernel, diff, steps, and a second look; see converge.h.
 *
 * lines: one loop, for everything and for one port.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "kernel/attach.h"
#include "kernel/pins_overlay.h"
#include "kernel/tcplace.h"
#include "reconcile/apply.h"
#include "reconcile/converge.h"
#include "reconcile/observe_pins.h"
#include "reconcile/xfrm.h"

/* Everything the steps point into, alive as long as they are. */
struct converge_state {
	char overlay[VX_IF_LEN];
	const struct conf *conf; /* NULL: towards nothing */
	struct view view; /* as this plan saw it; after apply, as the second look saw it */
	struct view *known; /* of a plan for one port: what is known besides */
	int port; /* its ifindex; 0: everything */
	struct bpfobj *bo;
	struct objs want;
	struct objs now;
	const struct fastpath_rules *rules; /* those given, or */
	struct fastpath_rules own_rules; /* read for this plan */
};

static void state_free(struct converge_state *s)
{
	if (!s)
		return;
	objs_free(&s->want);
	objs_free(&s->now);
	bpfobj_close(s->bo);
	view_free(&s->view);
	fastpath_rules_free(&s->own_rules);
	free(s);
}

void converge_free(struct converge *c)
{
	steps_free(&c->steps);
	verdicts_free(&c->verdicts);
	in_fronts_free(&c->fronts);
	notes_free(&c->notes);
	state_free(c->state);
	*c = (struct converge){ .rules = c->rules };
}

static struct converge_state *state_new(const char *overlay, const struct conf *conf)
{
	struct converge_state *s = calloc(1, sizeof(*s));

	if (!s)
		out_of_memory();
	text_copy(s->overlay, sizeof(s->overlay), overlay);
	s->conf = conf;
	return s;
}

static int build_mesh(struct converge_state *s, struct why *why)
{
	const struct addrs *addrs = &s->view.world.addrs;
	autofree struct vx_addr *locals = calloc(addrs->n + 1, sizeof(*locals));

	if (!locals)
		return why_set(why, -ENOMEM, "mesh: out of memory");
	for (size_t i = 0; i < addrs->n; i++)
		locals[i] = addrs->v[i].prefix.addr;
	return mesh_build(s->conf, locals, addrs->n, &s->view.mesh, why);
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
	struct vx_overlay o;
	struct observe_target t = { .nl = nl, .overlay = s->overlay, .bo = s->bo };
	int err = pinned_overlay_if_any(s->overlay, &o, why);

	if (err)
		return err;
	t.host = s->conf ? s->view.mesh.self->name : o.local;
	return observe(&t, &s->view.world, &s->now, why);
}

/* With `auto` alone they matter. */
static const struct fastpath_rules *find_rules(struct converge_state *s)
{
	if (s->rules || s->conf->fastpath != CONF_AUTO)
		return s->rules ?: &s->own_rules;
	fastpath_read_rules(s->conf->port, &s->own_rules);
	s->rules = &s->own_rules;
	return s->rules;
}

/* Reads what keeps the fast path out of devices, or XDP at the other ends of ports: only where it matters. */
static void look_into_devices(struct nl *nl, struct converge_state *s, const struct plan_base *base,
			      struct foreigns *out)
{
	struct links *links = &s->view.world.links;
	const struct foreign_places places = { .overlay = s->overlay,
					       .links = links,
					       .bridge = links_by_name(links, s->conf->bridge),
					       .underlay = base->underlay.ifindex,
					       .n_underlay = base->underlay.n };

	if (!places.bridge || !base->cfg.fastpath)
		return;
	links_ask_far(nl, links, places.bridge->ifindex);
	if (s->conf->fastpath == CONF_AUTO)
		foreigns_read(nl, &places, find_rules(s), out);
}

/* Made up once, kept as long as the overlay is up: another one would mean other programs. */
static int keep_secret(const char *overlay, struct plan_secret *out, struct why *why)
{
	struct vx_overlay o;
	int err = pinned_overlay_if_any(overlay, &o, why);

	if (err)
		return err;
	*out = (struct plan_secret){ o.secret, o.salt };
	while (!out->secret || !out->salt)
		if (getrandom(out, sizeof(*out), 0) < 0 && errno != EINTR)
			return why_set(why, -errno, "%s: cannot generate its secret: %s", overlay,
				       strerror(errno));
	return 0;
}

static int want_up(struct nl *nl, struct converge_state *s, struct converge *c, struct why *why)
{
	autofree struct route *routes = NULL;
	autofree bool *ipsec = NULL;
	autoforeigns struct foreigns foreigns = { 0 };
	autoslots struct slots slots = { 0 };
	struct plan_surroundings around = { .links = &s->view.world.links,
					    .addrs = &s->view.world.addrs,
					    .tc_mode = attach_tc_mode() };
	struct plan_built built = { .now = &s->now, .slots = &slots, .foreigns = &foreigns };
	struct fastpath_facts fastpath;
	struct plan_underlay ways_in;
	struct object_names names;
	struct plan_base base;
	int err = build_mesh(s, why);

	if (!err)
		err = observe_routes(nl, &s->view.world, s->conf, &s->view.mesh, &routes, why);
	if (err)
		return err;
	observe_ways_in(nl, &s->view.world, s->conf, &s->view.mesh, routes, &ways_in);
	around.ways_in = &ways_in;
	err = xfrm_covers(&s->view.mesh, s->conf->port, &ipsec, why);
	if (err)
		return err;
	around.routes = routes;
	around.inet6_off = observe_inet6_off();
	around.ipsec = ipsec;
	fastpath_read(links_by_name(around.links, s->conf->bridge), find_rules(s), &fastpath);
	around.fastpath = &fastpath;
	err = keep_secret(s->overlay, &around.secret, why);
	if (!err)
		err = plan_settle(s->conf, &s->view.mesh, &around, &base, &c->verdicts, why);
	if (!err)
		err = bpfobj_open(s->overlay, &base.cfg, &s->bo, why);
	if (err)
		return err;
	s->view.conf = s->conf;
	s->view.underlay = base.underlay;
	list_object(s->bo, &names);
	err = look(nl, s, why);
	if (err)
		return err;
	slots_assign(&s->view.mesh, &s->now, &slots);
	err = bpfobj_set_slots(s->bo, slots.size, why);
	if (err)
		return err;
	text_copy(s->view.build, sizeof(s->view.build), bpfobj_build(s->bo));
	built.build = bpfobj_build(s->bo);
	built.maps = names.maps;
	built.progs = names.progs;
	s->view.fastpath = base.cfg.fastpath;
	text_copy(s->view.fastpath_why, sizeof(s->view.fastpath_why),
		  fastpath_why_off(s->conf, &fastpath) ?: "");
	look_into_devices(nl, s, &base, &foreigns);
	plan_objects(s->conf, &s->view.mesh, &around, &built, &base, &s->want, &c->verdicts);
	in_front_read(nl, s->overlay, around.links, &s->now, &s->want, &c->fronts);
	return 0;
}

/* The bridge as it is known and the port as it is: all the links a plan for one port looks at. */
static int look_at_port(struct nl *nl, struct converge_state *s, struct why *why)
{
	const struct link *bridge = view_bridge(s->known);
	struct links *links = &s->view.world.links;
	int err;

	if (!bridge)
		return why_set(why, -ENODEV, "%s: bridge does not exist", s->conf->bridge);
	links->v = calloc(2, sizeof(*links->v));
	if (!links->v)
		return why_set(why, -ENOMEM, "port: out of memory");
	links->v[links->n++] = *bridge;
	err = link_read(nl, s->port, &links->v[1]);
	if (err && err != -ENODEV)
		return why_set(why, err, "netlink: cannot read a device: %s", strerror(-err));
	links->n += !err;
	err = links_ask_tc(nl, attach_tc_mode(), links);
	return err ? why_set(why, err, "netlink: cannot read qdiscs: %s", strerror(-err)) : 0;
}

/* With what its other end says. */
static void remember_port(struct converge_state *s)
{
	view_set_link(s->known, s->port, links_by_index(&s->view.world.links, s->port));
}

/* The plan for a bridge with only this port, without objects that are not the port's. */
static int want_port(struct nl *nl, struct converge_state *s, struct why *why)
{
	static const char *const none[] = { NULL };
	const struct plan_base base = { .cfg.fastpath = s->known->fastpath };
	autoverdicts struct verdicts verdicts = { 0 };
	autoforeigns struct foreigns foreigns = { 0 };
	const struct mesh alone = { .self = s->known->mesh.self };
	const struct plan_surroundings around = { .links = &s->view.world.links,
						  .addrs = &s->view.world.addrs,
						  .tc_mode = attach_tc_mode() };
	const struct plan_built built = { .now = &s->now,
					  .build = s->known->build,
					  .maps = none,
					  .progs = none,
					  .foreigns = &foreigns };
	const struct observe_target t = {
		.nl = nl, .overlay = s->overlay, .host = alone.self->name, .port = (unsigned)s->port
	};
	int err = look_at_port(nl, s, why);

	if (!err)
		err = observe_pins(&t, &s->view.world, &s->now, why);
	if (err)
		return err;
	look_into_devices(nl, s, &base, &foreigns);
	remember_port(s);
	plan_objects(s->conf, &alone, &around, &built, &base, &s->want, &verdicts);
	objs_keep_device(&s->want, (unsigned)s->port);
	objs_keep_device(&s->now, (unsigned)s->port);
	return 0;
}

static int want_all(struct nl *nl, struct converge_state *s, struct converge *c, struct why *why)
{
	int err = world_read(nl, &s->view.world, why);

	if (!err && s->conf)
		return want_up(nl, s, c, why);
	if (!err)
		err = look(nl, s, why);
	if (!err)
		plan_nothing(s->overlay, &s->view.world.links, &s->view.world.addrs, &s->want,
			     &c->verdicts);
	return err;
}

static int plan(struct nl *nl, struct converge_state *s, struct converge *out, struct why *why)
{
	autoverdicts struct verdicts fronts = { 0 };
	int err;

	out->state = s;
	s->rules = out->rules;
	err = s->port ? want_port(nl, s, why) : want_all(nl, s, out, why);
	in_front_say(&out->fronts, &fronts);
	/* `status` and `check` name whatever only slows things down. */
	for (size_t i = 0; i < out->verdicts.n; i++)
		if (out->verdicts.v[i].id != VERDICT_FASTPATH)
			notes_add(&out->notes, "%s", out->verdicts.v[i].text);
	for (size_t i = 0; i < fronts.n; i++)
		notes_add(&out->notes, "%s", fronts.v[i].text);
	return err ? err : diff_make(&s->want, &s->now, &out->steps, why);
}

int converge_plan_up(struct nl *nl, const struct conf *conf, struct converge *out, struct why *why)
{
	return plan(nl, state_new(conf->overlay, conf), out, why);
}

int converge_plan_down(struct nl *nl, const char *overlay, struct converge *out, struct why *why)
{
	return plan(nl, state_new(overlay, NULL), out, why);
}

static struct converge_state *port_state(struct view *known, int ifindex)
{
	struct converge_state *s = state_new(known->conf->overlay, known->conf);

	s->known = known;
	s->port = ifindex;
	return s;
}

int converge_plan_port(struct nl *nl, struct view *known, int ifindex, struct converge *out,
		       struct why *why)
{
	return plan(nl, port_state(known, ifindex), out, why);
}

void converge_take_view(struct converge *c, struct view *out)
{
	*out = c->state->view;
	c->state->view = (struct view){ 0 };
}

/* Plans once more, as the next run would: anything left to do did not stick. */
static int verify(struct nl *nl, struct converge_state *s, struct why *why)
{
	autoconverge struct converge again = { .rules = s->rules };
	struct converge_state *second =
		s->port ? port_state(s->known, s->port) : state_new(s->overlay, s->conf);
	int err = plan(nl, second, &again, why);

	/* Usage or a bad config, exit code 2, says that nothing was changed. */
	why->bad_input = false;
	for (size_t i = 0; !err && i < again.steps.n; i++) {
		const struct step *step = &again.steps.v[i];
		char text[400];

		/* Ports come and go by themselves, and leave things behind for the next run. */
		if ((step->want && step->want->optional) ||
		    (step->op == STEP_REMOVE &&
		     (step->now->kind == OBJ_INDEX || step->now->kind == OBJ_HOOK)))
			continue;
		step_print(step, false, text, sizeof(text));
		err = why_set(
			why, -EAGAIN,
			"%s: not as its config wants it after two attempts, so another program "
			"may change it back; still to do: %s",
			s->overlay, text);
	}
	if (!err) {
		struct view before = s->view;

		s->view = second->view;
		second->view = before;
	}
	return err;
}

/*
 * Another mark bit, without losing a packet (I9): first programs that set both bits and take either,
 * then those of the new one alone. The plan in `c` is made again after that.
 */
static int change_mark(struct nl *nl, struct converge *c, struct why *why)
{
	const struct conf *conf = c->state->conf;
	struct vx_overlay o;
	struct conf both;
	int err;

	if (!conf || c->state->port)
		return 0;
	err = pinned_overlay_if_any(conf->overlay, &o, why);
	if (err || !o.mark || o.mark == conf->mark)
		return err;
	both = *conf;
	both.mark |= o.mark;
	converge_free(c);
	err = converge_plan_up(nl, &both, c, why);
	if (!err) {
		struct apply a = {
			.nl = nl, .overlay = conf->overlay, .bo = c->state->bo, .notes = &c->notes
		};

		err = apply(&a, &c->steps, why);
	}
	if (err)
		return err;
	converge_free(c);
	return converge_plan_up(nl, conf, c, why);
}

static int apply_once(struct nl *nl, struct converge *c, struct why *why)
{
	struct apply a = { .nl = nl, .notes = &c->notes };
	int err = c->steps.n ? change_mark(nl, c, why) : 0;

	if (err || !c->steps.n)
		return err;
	a.overlay = c->state->overlay;
	a.bo = c->state->bo;
	err = apply(&a, &c->steps, why);
	return err ? err : verify(nl, c->state, why);
}

/* A change that others made while vxbpf was at it needs a second attempt, and mostly no more. */
static int apply_again(struct nl *nl, struct converge *c, struct why *why)
{
	autoconverge struct converge next = { 0 };
	int err;

	*why = (struct why){ 0 };
	err = plan(nl, state_new(c->state->overlay, c->state->conf), &next, why);
	if (!err)
		err = apply_once(nl, &next, why);
	if (!err) {
		struct view before = c->state->view;

		c->state->view = next.state->view;
		next.state->view = before;
	}
	return err;
}

static bool makes_overlay(const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].op == STEP_ADD && steps->v[i].want->kind == OBJ_TREE)
			return true;
	return false;
}

/* Nothing half-done is left of an overlay that was not there before. One that was runs on as well as it can. */
static void take_away(struct nl *nl, struct converge *c, struct why *why)
{
	autoconverge struct converge down = { 0 };
	struct why fault = { 0 };
	int err = converge_plan_down(nl, c->state->overlay, &down, &fault);

	if (!err)
		err = apply_once(nl, &down, &fault);
	if (err)
		notes_add(&c->notes, "cannot undo: %s", fault.text);
	else
		text_add(why->text, sizeof(why->text), "; the overlay was removed again");
}

int converge_apply(struct nl *nl, struct converge *c, struct why *why)
{
	bool is_new = makes_overlay(&c->steps);
	int err = apply_once(nl, c, why);

	if (err != -EAGAIN || c->state->port)
		return err;
	err = apply_again(nl, c, why);
	if (err == -EAGAIN && is_new && c->state->conf)
		take_away(nl, c, why);
	return err;
}
