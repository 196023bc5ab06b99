// SPDX-License-Identifier: GPL-2.0
/*
 * What holds for every plan, on random lists of objects: it leads from what is there to what is
 * wanted, can be undone, and never leaves a tunnel in the bridge without tun_out (I2).
 *
 * lines: random lists, a kernel of names and what must hold of both are one argument.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "plan/diff.h"

#define ROUNDS 3000
#define TUNNELS 4

/* xorshift64: the same numbers on every machine. */
static uint64_t seed;

static unsigned dice(unsigned sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % sides);
}

static void give_value(struct obj *o)
{
	char blob = (char)('a' + dice(2));

	obj_blob(o, &blob, sizeof(blob));
}

/* A tunnel with its hooks or its clsact, and its place in the bridge. `wanted`: complete. Returns
 * whether it has a clsact. */
static bool add_tunnel(struct objs *objs, unsigned i, const char *build, bool wanted, bool block)
{
	static const char *const rooms[] = { "tun_in", "tun_out" };
	char name[16];
	struct obj *o;
	bool qdisc = block && (wanted || dice(5));

	snprintf(name, sizeof(name), "vx-%u", i);
	o = objs_add(objs, OBJ_TUNNEL, "%s", name);
	obj_num(o, F_VNI, 100 + i * 4 + (dice(4) ? 0 : dice(3)));
	obj_num(o, F_MTU, dice(4) ? 65000 : 1500);
	for (unsigned r = 0; !block && r < 2; r++) {
		if (!wanted && !dice(5))
			continue;
		o = objs_add(objs, OBJ_HOOK, "%s/%s", name, rooms[r]);
		obj_parent(o, name);
		obj_text(o, F_BUILD, build);
	}
	if (qdisc)
		obj_parent(objs_add(objs, OBJ_QDISC, "%s", name), name);
	if (wanted || dice(5)) {
		o = objs_add(objs, OBJ_INDEX, "tunnels/%s", name);
		obj_parent(o, name);
		give_value(o);
	}
	if (wanted || dice(5)) {
		o = objs_add(objs, OBJ_MEMBER, "%s", name);
		obj_parent(o, name);
		obj_text(o, F_MASTER, "br");
		obj_num(o, F_ISOLATED, dice(2));
		obj_num(o, F_UP, 1);
	}
	return qdisc;
}

static void add_pins(struct objs *objs, const char *build, bool wanted)
{
	static const char *const maps[] = { "fdb", "peers", "ports" };
	struct obj *o = objs_add(objs, OBJ_TREE, "t");
	bool fits = wanted || dice(8);

	obj_num(o, F_LAYOUT, fits ? 1 : 2);
	for (unsigned i = 0; i < ARRAY_LEN(maps); i++)
		if (wanted || dice(8))
			objs_add(objs, OBJ_MAP, "%s", maps[i]);
	if (wanted || dice(8))
		obj_num(objs_add(objs, OBJ_MAP, "counters"), F_SLOTS, dice(4) ? 16 : 32);
	for (unsigned i = 0; i < 3; i++)
		if (wanted || dice(8))
			objs_add(objs, OBJ_PROG, "%s/p%u", build, i);
	for (unsigned i = 0; fits && i < 5; i++)
		if (dice(3))
			give_value(objs_add(objs, OBJ_ENTRY, "peers/%u", i));
	for (unsigned i = 0; i < 2; i++) {
		if (!dice(3))
			continue;
		o = objs_add(objs, OBJ_WIRE, "eth%u/wire_in", i);
		obj_parent(o, i ? "eth1" : "eth0");
		obj_text(o, F_BUILD, build);
	}
}

static void add_bridge(struct objs *objs)
{
	struct obj *o = objs_add(objs, OBJ_BRIDGE, "br");

	obj_text(o, F_MAC, dice(4) ? "fe:00:00:00:00:01" : "fe:00:00:00:00:02");
	o = objs_add(objs, OBJ_SETUP, "br");
	obj_num(o, F_MTU, dice(2) ? 1450 : 1500);
	for (unsigned i = 0; i < 3; i++)
		if (dice(2))
			obj_parent(objs_add(objs, OBJ_ADDR, "203.0.113.%u/24", i), "br");
}

/* Something an up may want or a kernel may show: `wanted` lists are complete, tunnels are hooked. */
static void make_list(struct objs *objs, const char *build, bool wanted, unsigned blocks)
{
	bool any_block = false;
	struct obj *o;

	if (!dice(10)) /* nothing at all: a first up, a down */
		return;
	add_pins(objs, build, wanted);
	if (wanted || dice(8))
		add_bridge(objs);
	for (unsigned i = 0; i < TUNNELS; i++) {
		if (!dice(4))
			continue;
		any_block |= add_tunnel(objs, i, build, wanted, blocks & 1U << i);
	}
	for (unsigned i = 0; any_block && i < 2; i++) {
		if (!wanted && !dice(5))
			continue;
		o = objs_add(objs, OBJ_BLOCK, i ? "tun_out" : "tun_in");
		obj_text(o, F_BUILD, build);
	}
	/* Left of devices that are gone. */
	for (unsigned i = 50; !wanted && i < 53; i++) {
		if (dice(3))
			continue;
		o = objs_add(objs, OBJ_HOOK, "#%u/tun_out", i);
		obj_text(o, F_BUILD, build);
		if (objs->v[0]->v[F_LAYOUT].num == 1)
			give_value(objs_add(objs, OBJ_INDEX, "tunnels/#%u", i));
	}
}

/* --- a kernel of names: what is there, and the pins left of devices that went */

struct there {
	const struct obj *v[256];
	size_t n;
};

struct kernel {
	struct there alive;
	struct there dead;
};

static size_t find(const struct there *t, enum obj_kind kind, const char *key)
{
	size_t i = 0;

	while (i < t->n && (t->v[i]->kind != kind || strcmp(t->v[i]->key, key) != 0))
		i++;
	return i;
}

static bool has(const struct kernel *k, enum obj_kind kind, const char *key)
{
	return find(&k->alive, kind, key) < k->alive.n;
}

static const struct obj *take(struct there *t, size_t i)
{
	const struct obj *o = t->v[i];

	t->v[i] = t->v[--t->n];
	return o;
}

static void put(struct there *t, const struct obj *o)
{
	assert_true(t->n < ARRAY_LEN(t->v));
	t->v[t->n++] = o;
}

static bool is_pin_of(const struct obj *o, const char *ifname)
{
	return (o->kind == OBJ_HOOK || o->kind == OBJ_INDEX) && o->parent &&
	       strcmp(o->parent, ifname) == 0;
}

/* Membership and qdisc go with the device, filters with the last qdisc; pins and entries stay. */
static void end_device(struct kernel *k, const char *ifname)
{
	struct there *t = &k->alive;
	bool any = false;

	for (size_t i = t->n; i-- > 0;) {
		bool along = t->v[i]->kind == OBJ_MEMBER || t->v[i]->kind == OBJ_QDISC;

		if (is_pin_of(t->v[i], ifname))
			put(&k->dead, take(t, i));
		else if (along && strcmp(t->v[i]->key, ifname) == 0)
			take(t, i);
	}
	for (size_t i = 0; i < t->n; i++)
		any |= t->v[i]->kind == OBJ_QDISC;
	for (size_t i = t->n; !any && i-- > 0;)
		if (t->v[i]->kind == OBJ_BLOCK)
			take(t, i);
}

/* A tree of another layout takes its maps, programs and entries along. */
static void end_tree(struct there *t)
{
	for (size_t i = t->n; i-- > 0;)
		if (t->v[i]->kind == OBJ_MAP || t->v[i]->kind == OBJ_PROG ||
		    t->v[i]->kind == OBJ_ENTRY || t->v[i]->kind == OBJ_INDEX)
			take(t, i);
}

static bool let_go(struct there *t, const struct obj *o)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i] == o)
			return take(t, i);
	return false;
}

static void remove_obj(struct kernel *k, const struct obj *o)
{
	size_t setup;

	/* Neither there nor a pin: it went along with something. */
	if (!let_go(&k->alive, o)) {
		let_go(&k->dead, o);
		return;
	}
	if (o->kind == OBJ_TUNNEL)
		end_device(k, o->key);
	if (o->kind == OBJ_BRIDGE && (setup = find(&k->alive, OBJ_SETUP, o->key)) < k->alive.n)
		take(&k->alive, setup);
}

static void add_obj(struct kernel *k, const struct obj *o)
{
	size_t i = find(&k->alive, o->kind, o->key);

	if (o->kind == OBJ_BLOCK && i < k->alive.n) /* set means set anew */
		take(&k->alive, i);
	else if (o->kind != OBJ_MAP) /* a map's successor is made beside it */
		assert_int_equal(i, k->alive.n);
	put(&k->alive, o);
}

static void do_step(struct kernel *k, const struct step *s)
{
	if (s->implied)
		return;
	if (s->op == STEP_CHANGE)
		assert_true(let_go(&k->alive, s->now));
	else if (s->op != STEP_ADD)
		remove_obj(k, s->now);
	if (s->op == STEP_REPLACE && s->now->kind == OBJ_TREE) {
		end_tree(&k->alive);
		end_tree(&k->dead);
	}
	if (s->op == STEP_ADD || s->op == STEP_CHANGE)
		add_obj(k, s->want);
}

/* As apply.c unwinds. */
static void undo_step(struct kernel *k, const struct step *s)
{
	if (s->op == STEP_CHANGE)
		let_go(&k->alive, s->want);
	else if (s->op == STEP_ADD)
		remove_obj(k, s->want);
	if (s->implied)
		let_go(&k->dead, s->now);
	if (s->op != STEP_ADD &&
	    (s->now->kind == OBJ_MAP || find(&k->alive, s->now->kind, s->now->key) == k->alive.n))
		put(&k->alive, s->now);
}

static void show(struct kernel *k, const struct objs *objs)
{
	*k = (struct kernel){ 0 };
	for (size_t i = 0; i < objs->n; i++)
		put(&k->alive, objs->v[i]);
}

/* --- what must hold */

/* Tunnels that are in the bridge and do not run tun_out, as bits. */
static unsigned naked(const struct kernel *k)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < TUNNELS; i++) {
		char name[16], hook[32];

		snprintf(name, sizeof(name), "vx-%u", i);
		snprintf(hook, sizeof(hook), "vx-%u/tun_out", i);
		if (has(k, OBJ_MEMBER, name) && !has(k, OBJ_HOOK, hook) &&
		    !(has(k, OBJ_QDISC, name) && has(k, OBJ_BLOCK, "tun_out")))
			bits |= 1U << i;
	}
	return bits;
}

/* All of the list as it says, and nothing else. */
static void assert_like(const struct kernel *k, const struct objs *objs)
{
	assert_int_equal(k->dead.n, 0);
	assert_int_equal(k->alive.n, objs->n);
	for (size_t i = 0; i < objs->n; i++) {
		const struct obj *o = objs->v[i];
		size_t at = find(&k->alive, o->kind, o->key);

		assert_true(at < k->alive.n);
		assert_int_equal(obj_compare(o, k->alive.v[at]), 0);
		if (o->blob)
			assert_memory_equal(o->blob, k->alive.v[at]->blob, o->blob_len);
	}
}

struct round {
	struct objs want;
	struct objs now;
	struct steps steps;
};

static void round_free(struct round *r)
{
	steps_free(&r->steps);
	objs_free(&r->want);
	objs_free(&r->now);
}

static void round_make(struct round *r, unsigned number)
{
	struct why why = { 0 };
	unsigned blocks;

	seed = 88172645463325252ULL + number * 7919U;
	*r = (struct round){ 0 };
	blocks = dice(3) ? dice(1U << TUNNELS) : 0;
	make_list(&r->want, "new", true, blocks);
	make_list(&r->now, dice(2) ? "new" : "old", false, blocks);
	if (diff_make(&r->want, &r->now, &r->steps, &why))
		fail_msg("round %u: %s", number, why.text);
}

static void steps_lead_to_what_is_wanted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct round r;
		struct kernel k;

		round_make(&r, i);
		show(&k, &r.now);
		for (size_t s = 0; s < r.steps.n; s++)
			do_step(&k, &r.steps.v[s]);
		assert_like(&k, &r.want);
		round_free(&r);
	}
}

/* Killed after any step, and undone from any step. */
static void no_step_leaves_a_member_without_tun_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct round r;
		struct kernel k;
		unsigned before;

		round_make(&r, i);
		show(&k, &r.now);
		before = naked(&k);
		for (size_t s = 0; s < r.steps.n; s++) {
			do_step(&k, &r.steps.v[s]);
			assert_int_equal(naked(&k) & ~before, 0);
		}
		for (size_t s = r.steps.n; s-- > 0;) {
			undo_step(&k, &r.steps.v[s]);
			assert_int_equal(naked(&k) & ~before, 0);
		}
		round_free(&r);
	}
}

/* What went along with a device or a tree does not come back with it: all else does. */
static bool loses_something(const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *s = &steps->v[i];

		if (s->now && (s->op == STEP_REMOVE || s->op == STEP_REPLACE) &&
		    (s->now->kind == OBJ_BRIDGE || s->now->kind == OBJ_TREE))
			return true;
	}
	return false;
}

static void steps_can_be_undone_from_anywhere(void **state)
{
	unsigned undone = 0;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct round r;
		struct kernel k;
		size_t end;

		round_make(&r, i);
		if (!loses_something(&r.steps)) {
			show(&k, &r.now);
			end = dice((unsigned)r.steps.n + 1);
			for (size_t s = 0; s < end; s++)
				do_step(&k, &r.steps.v[s]);
			for (size_t s = end; s-- > 0;)
				undo_step(&k, &r.steps.v[s]);
			assert_like(&k, &r.now);
			undone++;
		}
		round_free(&r);
	}
	assert_true(undone > ROUNDS / 20);
}

static void pins_go_after_all_that_used_them(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct round r;
		bool gone = false;

		round_make(&r, i);
		for (size_t s = 0; s < r.steps.n; s++) {
			enum obj_kind kind = step_obj(&r.steps.v[s])->kind;

			if (kind == OBJ_WIRE || kind == OBJ_HOOK || kind == OBJ_BLOCK) {
				assert_false(gone);
			} else if ((kind == OBJ_PROG && r.steps.v[s].op == STEP_REMOVE) ||
				   (kind == OBJ_MAP && r.steps.v[s].op == STEP_REPLACE)) {
				gone = true;
				seen++;
			}
		}
		round_free(&r);
	}
	assert_true(seen > 0);
}

static void nothing_to_do_is_no_step(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct round r = { 0 };
		struct why why = { 0 };

		seed = 1000 + i;
		make_list(&r.want, "new", true, i % (1U << TUNNELS));
		seed = 1000 + i;
		make_list(&r.now, "new", true, i % (1U << TUNNELS));
		assert_int_equal(diff_make(&r.want, &r.now, &r.steps, &why), 0);
		assert_int_equal(r.steps.n, 0);
		round_free(&r);
	}
}

static void what_is_not_ours_is_refused_or_left_alone(void **state)
{
	struct round r = { 0 };
	struct why why = { 0 };

	(void)state;
	objs_add(&r.want, OBJ_BRIDGE, "br");
	objs_add(&r.now, OBJ_BRIDGE, "other")->foreign = true;
	assert_int_equal(diff_make(&r.want, &r.now, &r.steps, &why), 0);
	assert_int_equal(r.steps.n, 1);
	assert_int_equal(r.steps.v[0].op, STEP_ADD);
	steps_free(&r.steps);
	objs_add(&r.now, OBJ_BRIDGE, "br")->foreign = true;
	assert_int_equal(diff_make(&r.want, &r.now, &r.steps, &why), -EEXIST);
	assert_string_equal(why.text, "br: exists already and was not made by vxbpf");
	round_free(&r);
}

/* A value of another length, or none where one is wanted, is another value. */
static void values_are_compared_whole(void **state)
{
	static const char value[2] = { 'a', 'b' };

	(void)state;
	for (size_t len = 0; len <= sizeof(value); len++) {
		struct round r = { 0 };
		struct why why = { 0 };

		obj_blob(objs_add(&r.want, OBJ_ENTRY, "peers/1"), value, sizeof(value));
		objs_add(&r.now, OBJ_ENTRY, "peers/1");
		if (len)
			obj_blob(objs_find(&r.now, OBJ_ENTRY, "peers/1"), value, len);
		assert_int_equal(diff_make(&r.want, &r.now, &r.steps, &why), 0);
		assert_int_equal(r.steps.n, len != sizeof(value));
		round_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_lead_to_what_is_wanted),
		cmocka_unit_test(no_step_leaves_a_member_without_tun_out),
		cmocka_unit_test(steps_can_be_undone_from_anywhere),
		cmocka_unit_test(pins_go_after_all_that_used_them),
		cmocka_unit_test(nothing_to_do_is_no_step),
		cmocka_unit_test(what_is_not_ours_is_refused_or_left_alone),
		cmocka_unit_test(values_are_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
