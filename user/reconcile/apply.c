// SPDX-License-Identifier: GPL-2.0
/* Steps into the kernel, and out again; see apply.h. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "reconcile/apply.h"

static const struct apply_ops *const ops[] = {
	[OBJ_TREE] = &apply_tree,     [OBJ_MAP] = &apply_map,	  [OBJ_PROG] = &apply_prog,
	[OBJ_ENTRY] = &apply_entry,   [OBJ_WIRE] = &apply_hook,	  [OBJ_BRIDGE] = &apply_bridge,
	[OBJ_TUNNEL] = &apply_tunnel, [OBJ_INDEX] = &apply_index, [OBJ_HOOK] = &apply_hook,
	[OBJ_QDISC] = &apply_qdisc,   [OBJ_BLOCK] = &apply_block, [OBJ_MEMBER] = &apply_member,
	[OBJ_SETUP] = &apply_setup,   [OBJ_ADDR] = &apply_addr,
};
_Static_assert(ARRAY_LEN(ops) == OBJ_KIND_MAX, "every kind can be applied");

/* The journal: what became of each step. */
struct outcome {
	bool begun; /* all its calls are made, all its messages on their way */
	bool answered; /* there were messages: then their answers count */
	bool part; /* the kernel did at least one of them, or may have */
	bool theirs; /* somebody else made a device of that name since we looked */
	int err;
	char text[NL_REPLY_TEXT]; /* the kernel's own sentence, or ours */
};

struct journal {
	struct apply *a;
	const struct steps *steps;
	struct outcome *outcomes;
};

static bool is_device(const struct step *s)
{
	return step_obj(s)->kind == OBJ_BRIDGE || step_obj(s)->kind == OBJ_TUNNEL;
}

static void hear(void *ctx, size_t tag, int err, const char *text)
{
	struct journal *j = ctx;
	struct outcome *o = &j->outcomes[tag];
	bool removing = j->steps->v[tag].op == STEP_REMOVE || j->steps->v[tag].op == STEP_REPLACE;

	/* Gone already is what a removal wants. */
	if (removing && (err == -ENODEV || err == -EADDRNOTAVAIL || err == -ENOENT))
		err = 0;
	/* Without IPv6 there is nothing to set: that device makes no address. */
	if (err == -EAFNOSUPPORT && step_obj(&j->steps->v[tag])->kind == OBJ_TUNNEL)
		err = 0;
	/* The first answer is that to the creation. */
	o->theirs |= !o->answered && err == -EEXIST && j->steps->v[tag].op == STEP_ADD &&
		     is_device(&j->steps->v[tag]);
	o->answered = true;
	o->part |= !err || !text; /* a lost answer may hide that it was done */
	if (err && !o->err) {
		o->err = err;
		text_copy(o->text, sizeof(o->text), text ? text : "");
	}
}

/* Did the kernel do at least a part of it? */
static bool is_touched(const struct outcome *o)
{
	return o->answered ? o->part && !o->theirs : o->begun;
}

static int do_step(struct apply *a, const struct step *s, size_t tag, struct why *why)
{
	const struct apply_ops *op = ops[step_obj(s)->kind];

	if (s->implied)
		return 0;
	switch (s->op) {
	case STEP_ADD:
		return op->add(a, s->want, tag, why);
	case STEP_CHANGE:
		return op->change ? op->change(a, s->now, s->want, s->changed, tag, why)
				  : -EOPNOTSUPP;
	case STEP_REPLACE:
	case STEP_REMOVE:
		return op->remove(a, s->now, tag, why);
	}
	return -EINVAL;
}

/* A run of steps of the same kind and op is one batch. */
static size_t run_end(const struct steps *steps, size_t from)
{
	size_t i = from + 1;

	while (i < steps->n && steps->v[i].op == steps->v[from].op &&
	       steps->v[i].implied == steps->v[from].implied &&
	       step_obj(&steps->v[i])->kind == step_obj(&steps->v[from])->kind)
		i++;
	return i;
}

static bool may_fail(const struct step *s)
{
	return s->want && s->want->optional;
}

/* Pins that nothing refers to any more, cleared at the end. They cannot be made again, so a failure
 * must not undo the rest: the next run removes the leftovers. */
static bool is_final(const struct step *s)
{
	enum obj_kind kind = step_obj(s)->kind;

	return s->op == STEP_REMOVE && (kind == OBJ_PROG || kind == OBJ_MAP || kind == OBJ_TREE);
}

static void mark_added(struct journal *j, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++) {
		struct outcome *o = &j->outcomes[i];
		const struct obj *want = j->steps->v[i].want;
		struct why why = { 0 };

		if (!o->answered || o->err)
			continue;
		o->err = ops[want->kind]->mark(j->a, want, i, &why);
		if (o->err)
			text_copy(o->text, sizeof(o->text), why.text);
	}
	nl_flush(j->a->nl);
}

/* A filter's answer may be lost as any of netlink's; to undo what was not done does no harm. */
static bool may_be_done(const struct step *s)
{
	const struct obj *o = step_obj(s);

	return o->kind == OBJ_BLOCK || ((o->kind == OBJ_HOOK || o->kind == OBJ_WIRE) &&
					strcmp(obj_get_text(o, F_MODE), "clsact") == 0);
}

static void do_run(struct journal *j, size_t from, size_t end)
{
	const struct step *s = &j->steps->v[from];
	struct why why = { 0 };
	bool lost;
	int err;

	if ((s->op == STEP_REMOVE || s->op == STEP_REPLACE) && s->now->kind == OBJ_TUNNEL &&
	    !s->implied && apply_remove_group(j->a, s, end - from, &err, &lost, &why)) {
		for (size_t i = from; i < end; i++)
			hear(j, i, err, lost ? NULL : why.text);
		return;
	}
	nl_on_result(j->a->nl, hear, j);
	for (size_t i = from; i < end; i++) {
		struct outcome *o = &j->outcomes[i];
		struct why reason = { 0 };

		err = do_step(j->a, &j->steps->v[i], i, &reason);
		o->begun = !err || may_be_done(&j->steps->v[i]);
		if (err) {
			o->err = err;
			text_copy(o->text, sizeof(o->text), reason.text);
			if (!may_fail(&j->steps->v[i]) && !is_final(&j->steps->v[i]))
				break;
		}
	}
	nl_flush(j->a->nl);
	if (s->op == STEP_ADD && !s->implied && ops[s->want->kind]->mark)
		mark_added(j, from, end);
}

static const char *step_verb(enum step_op op)
{
	static const char *const verbs[] = { "make", "change", "replace", "remove" };

	return verbs[op];
}

static void say(const struct step *s, const struct outcome *o, char *text, size_t size)
{
	const struct obj *obj = step_obj(s);

	snprintf(text, size, "%s: cannot %s the %s: ", obj->key, step_verb(s->op),
		 obj_kind_name(obj->kind));
	if (o->err == -EEXIST && obj->kind == OBJ_TUNNEL && !o->part && o->text[0])
		text_add(text, size,
			 "%s, but not in this network namespace, so probably in another one",
			 o->text);
	else if (o->err == -EEXIST && !o->text[0] && s->op == STEP_ADD && is_device(s))
		text_add(text, size,
			 "another device already has this name, perhaps as an alternative name; "
			 "`ip link show %s` shows it",
			 obj->key);
	else if (o->err == -EADDRINUSE && obj->kind == OBJ_MEMBER)
		text_add(text, size,
			 "its UDP port is in use by another program or device on this host; list "
			 "them with `ss -lunp`, or set another port: in the config");
	else if (o->err == -EOPNOTSUPP && s->op == STEP_ADD && is_device(s))
		text_add(text, size,
			 "this kernel lacks the %s module; install it, or load it with modprobe "
			 "%s%s%s",
			 obj->kind == OBJ_TUNNEL ? "vxlan" : "bridge",
			 obj->kind == OBJ_TUNNEL ? "vxlan" : "bridge", o->text[0] ? ": " : "",
			 o->text);
	else
		text_add(text, size, "%s", o->text[0] ? o->text : strerror(-o->err));
}

/* The first step that must not fail and did; optional ones become notes. */
static bool find_failure(struct journal *j, size_t from, size_t end, size_t *out)
{
	for (size_t i = from; i < end; i++) {
		const struct step *s = &j->steps->v[i];
		char text[512];

		if (!j->outcomes[i].err)
			continue;
		if (!may_fail(s)) {
			*out = i;
			return true;
		}
		if (j->outcomes[i].err == -ENODEV)
			continue; /* the port went meanwhile: nobody is without anything */
		say(s, &j->outcomes[i], text, sizeof(text));
		notes_add(j->a->notes, "%s; continuing without it", text);
	}
	return false;
}

static struct step inverse(const struct step *s)
{
	switch (s->op) {
	case STEP_ADD:
		return (struct step){ .op = STEP_REMOVE, .now = s->want };
	case STEP_CHANGE:
		return (struct step){
			.op = STEP_CHANGE, .now = s->want, .want = s->now, .changed = s->changed
		};
	default:
		return (struct step){ .op = STEP_ADD, .want = s->now };
	}
}

/* Did the device that was to take this along really go? Its own step comes later in the list. */
static bool came_about(const struct journal *done, size_t i, size_t end)
{
	const struct obj *o = done->steps->v[i].now;
	const char *device = o->kind == OBJ_SETUP ? o->key : o->parent;

	for (size_t k = i + 1; k < end; k++) {
		const struct step *s = &done->steps->v[k];

		if (is_touched(&done->outcomes[k]) && !s->implied && s->now && is_device(s) &&
		    (!device || strcmp(s->now->key, device) == 0))
			return true;
	}
	return false;
}

/* Cleared away after the device took it along: it comes back with the device. */
static bool is_twice(const struct journal *done, size_t i, size_t end)
{
	for (size_t k = 0; k < i; k++)
		if (done->steps->v[k].implied && done->steps->v[k].now == done->steps->v[i].now)
			return came_about(done, k, end);
	return false;
}

static void collect_back(const struct journal *done, size_t end, struct steps *back)
{
	for (size_t i = end; i-- > 0;) {
		const struct step *s = &done->steps->v[i];

		if (!is_touched(&done->outcomes[i]) || (s->implied && !came_about(done, i, end)))
			continue;
		if (s->op == STEP_REMOVE && !s->implied && is_twice(done, i, end))
			continue;
		/* Leftovers of the old one, by its old ifindex, go before the new one comes. */
		if (s->implied && (s->now->kind == OBJ_HOOK || s->now->kind == OBJ_INDEX))
			back->v[back->n++] = (struct step){ .op = STEP_REMOVE, .now = s->now };
		back->v[back->n++] = inverse(s);
	}
}

/* Backwards through what was done, as far as it can be undone. */
static void unwind(struct journal *done, size_t end)
{
	autosteps struct steps back = { .v = calloc(2 * end + 1, sizeof(struct step)) };
	autofree struct outcome *outcomes = calloc(2 * end + 1, sizeof(*outcomes));
	struct journal j = { .a = done->a, .steps = &back, .outcomes = outcomes };

	if (!back.v || !outcomes)
		return;
	collect_back(done, end, &back);
	for (size_t i = 0; i < back.n; i++) {
		char text[512];

		do_run(&j, i, i + 1);
		/* There still: the answer that it went was lost, because it did not. */
		if (!outcomes[i].err || (back.v[i].op == STEP_ADD && outcomes[i].err == -EEXIST))
			continue;
		say(&back.v[i], &outcomes[i], text, sizeof(text));
		notes_add(done->a->notes, "cannot undo: %s", text);
	}
}

static int apply_steps(struct apply *a, const struct steps *steps, struct why *why)
{
	autofree struct outcome *outcomes = calloc(steps->n + 1, sizeof(*outcomes));
	struct journal j = { .a = a, .steps = steps, .outcomes = outcomes };
	size_t failed, end;
	int err = 0;

	if (!outcomes)
		return why_set(why, -ENOMEM, "apply: out of memory");
	for (size_t from = 0; from < steps->n; from = end) {
		end = run_end(steps, from);
		do_run(&j, from, end);
		if (!find_failure(&j, from, end, &failed))
			continue;
		if (!err)
			say(&steps->v[failed], &outcomes[failed], why->text, sizeof(why->text));
		err = err ? err : outcomes[failed].err;
		if (is_final(&steps->v[failed]))
			continue;
		unwind(&j, end);
		break;
	}
	return err;
}

int apply(struct apply *a, const struct steps *steps, struct why *why)
{
	sigset_t block, before;
	int err;

	/* ^C half way would leave half of it; kill -9 can, and the next `up` mends that. */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &before);
	err = apply_steps(a, steps, why);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}
