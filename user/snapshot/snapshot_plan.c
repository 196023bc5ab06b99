// SPDX-License-Identifier: GPL-2.0
/* Steps that `up` would take in an overlay; see snapshot_read.h. Impure edge. */
#include <string.h>

#include "reconcile/converge.h"
#include "snapshot/snapshot_read.h"

/* The overlay's entry, with another sentence about how its MTU was found and nothing else. */
static bool is_reworded(const struct step *step)
{
	struct vx_overlay is, was;

	if (!step->want || !step->now || step->want->kind != OBJ_ENTRY ||
	    strcmp(step->want->key, "overlay/0") != 0 || step->want->blob_len != sizeof(is) ||
	    step->now->blob_len != sizeof(was))
		return false;
	memcpy(&is, step->want->blob, sizeof(is));
	memcpy(&was, step->now->blob, sizeof(was));
	memcpy(is.mtu_why, was.mtu_why, sizeof(is.mtu_why));
	return memcmp(&is, &was, sizeof(is)) == 0;
}

/* A port that came or went since `up` is reported only for its missing hook, separately; optional steps
 * and leftovers of a removed device ("#7") are not drift either. */
static bool is_drift(const struct step *step)
{
	const struct obj *o = step_obj(step);

	if ((step->want && step->want->optional) || is_reworded(step))
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

/* The address the underlay has now, of the same family: "; eth0 has 192.0.2.77". */
static void name_another(const struct world *world, const struct snapshot *s,
			 const struct vx_addr *own, char *text, size_t size)
{
	for (size_t i = 0; i < world->addrs.n; i++) {
		const struct addr *a = &world->addrs.v[i];
		const struct link *link = links_by_index(&world->links, a->ifindex);
		char addr[IP_TEXT];

		if (!link || !snapshot_is_underlay(s, link->name) ||
		    ip_is_v4(&a->prefix.addr) != ip_is_v4(own) || ip_is_link_local(&a->prefix.addr))
			continue;
		ip_format(&a->prefix.addr, addr);
		snprintf(text, size, " (%s has %s)", link->name, addr);
		return;
	}
}

void snapshot_read_plan(struct reading *r)
{
	struct snapshot *s = r->s;
	struct why why = { 0 };
	struct conf conf = { 0 };

	if (conf_load(s->path, &conf, &why) == 0) {
		autoconverge struct converge c = { 0 };

		if (conf.fastpath == CONF_AUTO)
			c.rules = reading_rules(r, conf.port);
		s->unmet = converge_plan_up(r->nl, &conf, &c, &why) != 0;
		if (!s->unmet) {
			read_drift(s, &c.steps);
			for (size_t i = 0; i < c.steps.n; i++)
				if (!c.steps.v[i].implied)
					read_step(s, &c.steps.v[i]);
			s->notes = c.verdicts;
			c.verdicts = (struct verdicts){ 0 };
			s->fronts = c.fronts;
			c.fronts = (struct in_fronts){ 0 };
		}
	}
	conf_free(&conf);
	text_copy(s->fault, sizeof(s->fault), why.text);
}

void snapshot_say_lost_address(struct reading *r)
{
	struct snapshot *s = r->s;
	char another[IP_TEXT + VX_IF_LEN + 8] = "";
	struct vx_addr own;

	if (!s->up || !s->unmet || !ip_parse(s->told.address, &own) ||
	    addrs_have(&r->world.addrs, &own))
		return;
	name_another(&r->world, s, &own, another, sizeof(another));
	verdicts_add(&s->notes, VERDICT_OWN_ADDRESS, s->told.address,
		     "no device has %s now, this host's address in the mesh, so tunnels carry no "
		     "traffic; add it again, or, if this host has a new address%s, change the "
		     "address of %s in the file on every host and run `vxbpf up`",
		     s->told.address, another, s->told.local);
	s->fault[0] = '\0';
}
