// SPDX-License-Identifier: GPL-2.0
/* Which peer gets which slot, and how large the map is: from what is observed and the mesh alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "plan/slots.h"

#define HOSTS 1000

static struct conf_host hosts[HOSTS];
static struct mesh_peer peers[HOSTS];

/* A mesh of the peers named, or of `n` called p0, p1, ... */
static struct mesh mesh_of(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		snprintf(hosts[i].name, sizeof(hosts[i].name), "p%zu", i);
		if (names)
			text_copy(hosts[i].name, sizeof(hosts[i].name), names[i]);
		peers[i] = (struct mesh_peer){ .host = &hosts[i] };
	}
	return (struct mesh){ .peers = peers, .n_peers = n };
}

static void see_map(struct objs *now, unsigned layout, unsigned slots)
{
	obj_num(objs_add(now, OBJ_TREE, "vxbr0"), F_LAYOUT, layout);
	obj_num(objs_add(now, OBJ_MAP, "counters"), F_SLOTS, slots);
}

static void see(struct objs *now, unsigned slot, const char *peer)
{
	struct vx_counters sum = { 0 };

	text_copy(sum.peer, sizeof(sum.peer), peer);
	obj_blob(objs_add(now, OBJ_ENTRY, "counters/%u", slot), &sum,
		 offsetof(struct vx_counters, rx_packets));
}

static void the_first_get_the_lowest(void **state)
{
	static const char *const names[] = { "beta", "gamma", "delta" };
	const struct mesh mesh = mesh_of(names, 3);
	autoobjs struct objs now = { 0 };
	autoslots struct slots slots = { 0 };

	(void)state;
	slots_assign(&mesh, &now, &slots);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(slots.of[i], i);
	assert_int_equal(slots.size, 16);
}

/* zeta goes in this run: its slot is not free yet. A name that is there twice keeps the lower one. */
static void who_has_one_keeps_it(void **state)
{
	static const char *const names[] = { "new", "beta", "gamma", "newer" };
	const struct mesh mesh = mesh_of(names, 4);
	autoobjs struct objs now = { 0 };
	autoslots struct slots slots = { 0 };

	(void)state;
	see_map(&now, VX_LAYOUT, 16);
	see(&now, 5, "gamma");
	see(&now, 2, "beta");
	see(&now, 10, "beta");
	see(&now, 0, "zeta");
	slots_assign(&mesh, &now, &slots);
	assert_int_equal(slots.of[0], 1);
	assert_int_equal(slots.of[1], 2);
	assert_int_equal(slots.of[2], 5);
	assert_int_equal(slots.of[3], 3);
	assert_int_equal(slots.size, 16);
}

static uint32_t size_for(size_t n, unsigned layout, unsigned now_slots, unsigned growing)
{
	const struct mesh mesh = mesh_of(NULL, n);
	autoobjs struct objs now = { 0 };
	autoslots struct slots slots = { 0 };

	if (now_slots)
		see_map(&now, layout, now_slots);
	if (growing)
		obj_num(now.v[1], F_GROWING, growing);
	slots_assign(&mesh, &now, &slots);
	return slots.size;
}

static void the_map_is_large_enough_and_never_shrinks(void **state)
{
	(void)state;
	assert_int_equal(size_for(1, 0, 0, 0), 16);
	assert_int_equal(size_for(12, 0, 0, 0), 16);
	assert_int_equal(size_for(13, 0, 0, 0), 32);
	assert_int_equal(size_for(999, 0, 0, 0), 1008);
	assert_int_equal(size_for(16, VX_LAYOUT, 16, 0), 16);
	assert_int_equal(size_for(17, VX_LAYOUT, 16, 0), 32);
	assert_int_equal(size_for(1, VX_LAYOUT, 48, 0), 48);
	/* What a killed run has begun is seen through, and a tree of another layout is made anew. */
	assert_int_equal(size_for(1, VX_LAYOUT, 16, 32), 32);
	assert_int_equal(size_for(40, VX_LAYOUT, 16, 32), 48);
	assert_int_equal(size_for(1, VX_LAYOUT + 1, 2048, 0), 16);
}

/* Whatever the order and the holes: nobody shares, nobody is beyond the map. */
static void a_thousand_share_nothing(void **state)
{
	const struct mesh mesh = mesh_of(NULL, HOSTS);
	autoobjs struct objs now = { 0 };
	autoslots struct slots slots = { 0 };
	static bool used[4096];
	char name[16];

	(void)state;
	see_map(&now, VX_LAYOUT, 1600);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "p%u", i * 2);
		see(&now, (i * 7) % 500 * 3, name);
	}
	slots_assign(&mesh, &now, &slots);
	assert_int_equal(slots.size, 1600);
	for (size_t i = 0; i < HOSTS; i++) {
		if (i % 2 == 0)
			assert_int_equal(slots.of[i], (i / 2 * 7) % 500 * 3);
		assert_true(slots.of[i] < slots.size);
		assert_false(used[slots.of[i]]);
		used[slots.of[i]] = true;
	}
}

static void owners_differ(void **state)
{
	static const char *const names[] = { "beta", "beta", "betb", "beta", "beta", "beta" };
	const struct mesh mesh = mesh_of(names, 6);

	(void)state;
	peers[3].vni = 5;
	peers[4].local.bytes[15] = 5;
	peers[5].remote.bytes[15] = 5;
	assert_int_equal(slots_owner(&peers[0]), slots_owner(&peers[1]));
	for (size_t i = 2; i < mesh.n_peers; i++)
		for (size_t k = 0; k < i; k++)
			if (k != 1)
				assert_int_not_equal(slots_owner(&peers[i]),
						     slots_owner(&peers[k]));
}

static void sums_are_of_all_cpus(void **state)
{
	static const struct vx_counters cpus[] = {
		{ .peer = "beta", .owner = 7, .rx_packets = 1, .tx_bytes = 10, .last_rx_ns = 5 },
		{ .peer = "beta", .owner = 7, .rx_packets = 2, .flood_copies = 3, .carried = 1 },
		{ .peer = "beta", .owner = 7, .tx_bytes = 90, .last_rx_ns = 9 },
	};
	struct vx_counters sum;

	(void)state;
	slots_sum(cpus, 3, &sum);
	assert_string_equal(sum.peer, "beta");
	assert_int_equal(sum.owner, 7);
	assert_int_equal(sum.rx_packets, 3);
	assert_int_equal(sum.tx_bytes, 100);
	assert_int_equal(sum.flood_copies, 3);
	assert_int_equal(sum.last_rx_ns, 9);
	assert_int_equal(sum.carried, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_get_the_lowest),
		cmocka_unit_test(who_has_one_keeps_it),
		cmocka_unit_test(the_map_is_large_enough_and_never_shrinks),
		cmocka_unit_test(a_thousand_share_nothing),
		cmocka_unit_test(owners_differ),
		cmocka_unit_test(sums_are_of_all_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
