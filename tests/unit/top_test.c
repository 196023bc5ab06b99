// SPDX-License-Identifier: GPL-2.0
/* `top`: rates from counters, and their order. */
#include "looks.h"

static const struct top_row *row(const struct top *top, const char *overlay_name, const char *name)
{
	for (size_t i = 0; i < top->n_rows; i++)
		if (strcmp(top->rows[i].overlay, overlay_name) == 0 &&
		    strcmp(top->rows[i].peer, name) == 0)
			return &top->rows[i];
	fail_msg("no row %s %s", overlay_name, name);
	return NULL;
}

static bool is_about(double a, double b)
{
	return a - b < 0.001 && b - a < 0.001;
}

/* --- rates */

static void first_look_has_no_rates(void **state)
{
	autotop struct top top = { 0 };

	(void)state;
	look(&top, overlay("vxbr0", SECOND));
	assert_int_equal(top.n_rows, 3);
	assert_true(row(&top, "vxbr0", "beta")->rate.rx_bits < 0);
	assert_true(row(&top, "vxbr0", "beta")->rate.drops < 0);
	assert_true(row(&top, "vxbr0", "")->reasons[VX_REASON_LOOP] < 0);
}

static void rates_are_per_second(void **state)
{
	autotop struct top top = two_looks();
	const struct top_row *beta = row(&top, "vxbr0", "beta");
	const struct top_row *gamma = row(&top, "vxbr0", "gamma");

	(void)state;
	assert_true(is_about(beta->rate.rx_bits, 1000));
	assert_true(is_about(beta->rate.tx_bits, 1000));
	assert_true(is_about(beta->rate.rx_packets, 5));
	assert_true(is_about(beta->rate.tx_packets, 5));
	assert_true(is_about(beta->rate.fast, 0.25));
	assert_true(is_about(beta->rate.drops, 2));
	assert_true(is_about(beta->reasons[VX_REASON_LOOP], 2));
	assert_true(is_about(beta->reasons[VX_REASON_NESTED], 0));
	assert_true(is_about(top.overlays[0].reasons[VX_REASON_LOOP], 2));
	assert_int_equal(top.overlays[0].drops[VX_REASON_LOOP], 4);
	assert_true(is_about(gamma->rate.rx_bits, 0));
	assert_true(gamma->rate.fast < 0);
	assert_int_equal(beta->traffic.n, 2);
}

static void smaller_counter_is_no_rate(void **state)
{
	static const size_t fields[] = {
		offsetof(struct vx_counters, rx_bytes),
		offsetof(struct vx_counters, rx_packets),
		offsetof(struct vx_counters, tx_bytes),
		offsetof(struct vx_counters, tx_packets),
		offsetof(struct vx_counters, rx_fast_packets),
		offsetof(struct vx_counters, tx_fast_packets),
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		autotop struct top top = { 0 };

		set_up(state);
		look(&top, overlay("vxbr0", SECOND));
		peer("beta")->sum.rx_bytes += 1000000;
		*(uint64_t *)((char *)&peer("beta")->sum + fields[i]) = 7;
		look(&top, overlay("vxbr0", 2 * SECOND));
		assert_true(row(&top, "vxbr0", "beta")->rate.rx_bits < 0);
		assert_true(row(&top, "vxbr0", "beta")->rate.drops < 0);
		/* The next look starts from there. */
		peer("beta")->sum.tx_bytes += 125;
		look(&top, overlay("vxbr0", 3 * SECOND));
		assert_true(is_about(row(&top, "vxbr0", "beta")->rate.tx_bits, 1000));
	}
}

static void smaller_drops_are_no_rate(void **state)
{
	autotop struct top top = { 0 };

	(void)state;
	peer("beta")->drops[VX_REASON_NESTED] = 5;
	look(&top, overlay("vxbr0", SECOND));
	peer("beta")->drops[VX_REASON_NESTED] = 4;
	look(&top, overlay("vxbr0", 2 * SECOND));
	assert_true(row(&top, "vxbr0", "beta")->rate.drops < 0);
}

static void same_moment_is_no_rate(void **state)
{
	autotop struct top top = { 0 };

	(void)state;
	look(&top, overlay("vxbr0", SECOND));
	look(&top, overlay("vxbr0", SECOND));
	assert_true(row(&top, "vxbr0", "beta")->rate.rx_bits < 0);
}

static void peers_and_overlays_come_and_go(void **state)
{
	autotop struct top top = { 0 };
	struct snapshot list[2];

	(void)state;
	look(&top, overlay("vxbr0", SECOND));
	list[0] = overlay("vxbr1", 2 * SECOND);
	list[1] = overlay("vxbr0", 2 * SECOND);
	list[1].n_peers = 3;
	top_update(&top, list, 2);
	assert_int_equal(top.n_overlays, 2);
	assert_string_equal(top.overlays[0].name, "vxbr0");
	assert_int_equal(top.n_rows, 4 + 3);
	assert_true(row(&top, "vxbr0", "beta")->rate.rx_bits >= 0);
	assert_true(row(&top, "vxbr0", "delta-10")->rate.rx_bits < 0);
	assert_true(row(&top, "vxbr1", "beta")->rate.rx_bits < 0);
	/* One is down, the other has lost a peer. */
	list[0].up = false;
	list[0].n_peers = 0;
	list[1] = overlay("vxbr0", 3 * SECOND);
	list[1].n_peers = 1;
	top_update(&top, list, 2);
	assert_int_equal(top.n_rows, 2);
	assert_false(top.overlays[1].up);
	/* Up again: from zero, as if seen for the first time. */
	list[0] = overlay("vxbr1", 4 * SECOND);
	list[1] = overlay("vxbr0", 4 * SECOND);
	top_update(&top, list, 2);
	assert_true(row(&top, "vxbr1", "beta")->rate.rx_bits < 0);
	assert_int_equal(row(&top, "vxbr1", "beta")->traffic.n, 1);
	top_update(&top, NULL, 0);
	assert_int_equal(top.n_rows, 0);
}

static void history_keeps_the_latest(void **state)
{
	autotop struct top top = { 0 };
	const struct top_history *h;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		peer("beta")->sum.rx_bytes += i;
		look(&top, overlay("vxbr0", (i + 1) * SECOND));
	}
	h = &row(&top, "vxbr0", "beta")->traffic;
	assert_int_equal(h->n, TOP_HISTORY);
	assert_true(is_about(h->v[TOP_HISTORY - 1], 8 * 99));
	assert_true(is_about(h->v[0], 8 * 40));
}

/* --- order */

static void assert_order(const struct top *top, enum top_sort sort, bool reverse,
			 const char *wanted)
{
	char got[128] = "";
	size_t n;
	const struct top_row **v = top_sorted(top, sort, reverse, &n);

	for (size_t i = 0; i < n; i++)
		text_add(got, sizeof(got), "%s%s", i ? " " : "", v[i]->peer);
	assert_string_equal(got, wanted);
	free(v);
}

static void orders(void **state)
{
	autotop struct top top = { 0 };
	struct snapshot s = overlay("vxbr0", SECOND);

	(void)state;
	s.n_peers = 4;
	look(&top, s);
	peer("beta")->sum.rx_bytes += 100;
	peer("beta")->sum.rx_packets += 5;
	peer("gamma")->sum.tx_bytes += 200;
	peer("gamma")->sum.tx_packets += 2;
	peer("gamma")->sum.tx_fast_packets += 1;
	peer("delta-9")->drops[VX_REASON_NESTED] += 1;
	peer("delta-10")->state = PEER_SILENT;
	s.now_ns += SECOND;
	look(&top, s);
	assert_order(&top, TOP_SORT_TRAFFIC, false, "gamma beta delta-9 delta-10");
	assert_order(&top, TOP_SORT_RECEIVE, false, "beta delta-9 delta-10 gamma");
	assert_order(&top, TOP_SORT_TRANSMIT, false, "gamma beta delta-9 delta-10");
	assert_order(&top, TOP_SORT_PACKETS, false, "beta gamma delta-9 delta-10");
	assert_order(&top, TOP_SORT_FAST, false, "gamma beta delta-9 delta-10");
	assert_order(&top, TOP_SORT_DROPS, false, "delta-9 beta delta-10 gamma");
	assert_order(&top, TOP_SORT_STATE, false, "delta-10 beta delta-9 gamma");
	assert_order(&top, TOP_SORT_PEER, false, "beta delta-9 delta-10 gamma");
	assert_order(&top, TOP_SORT_PEER, true, "gamma delta-10 delta-9 beta");
	assert_order(&top, TOP_SORT_TRAFFIC, true, "delta-9 delta-10 beta gamma");
}

static void orders_by_name(void **state)
{
	enum top_sort sort = TOP_SORT_MAX;

	(void)state;
	for (enum top_sort i = 0; i < TOP_SORT_MAX; i++) {
		assert_true(top_sort_find(top_sort_name(i), &sort));
		assert_int_equal(sort, i);
		for (enum top_sort k = 0; k < i; k++)
			assert_int_not_equal(top_sort_letter(i), top_sort_letter(k));
	}
	assert_false(top_sort_find("colour", &sort));
	assert_false(top_sort_find("", &sort));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_look_has_no_rates, set_up),
		cmocka_unit_test_setup(rates_are_per_second, set_up),
		cmocka_unit_test_setup(smaller_counter_is_no_rate, set_up),
		cmocka_unit_test_setup(smaller_drops_are_no_rate, set_up),
		cmocka_unit_test_setup(same_moment_is_no_rate, set_up),
		cmocka_unit_test_setup(peers_and_overlays_come_and_go, set_up),
		cmocka_unit_test_setup(history_keeps_the_latest, set_up),
		cmocka_unit_test_setup(orders, set_up),
		cmocka_unit_test_setup(orders_by_name, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
