// SPDX-License-Identifier: GPL-2.0
/* Where a filter of ours can be among those of others, and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <linux/if_ether.h>

#include "reconcile/in_front.h"

static void front_is_the_lowest_priority_of_our_kind(void **state)
{
	static const struct {
		struct tcfilter there[4];
		size_t n;
		uint32_t wanted;
	} rows[] = {
		{ .n = 0, .wanted = 1 },
		{ { { .priority = 1, .kind = "bpf", .protocol = ETH_P_ALL } }, 1, 1 },
		{ { { .priority = 1, .kind = "bpf", .protocol = ETH_P_IP } }, 1, 2 },
		{ { { .priority = 1, .kind = "flower", .protocol = ETH_P_ALL } }, 1, 2 },
		{ { { .priority = 2, .kind = "flower", .protocol = ETH_P_ALL } }, 1, 1 },
		{ { { .priority = 1, .kind = "u32", .protocol = ETH_P_IP },
		    { .priority = 1, .kind = "u32", .protocol = ETH_P_IP, .handle = 0x800 },
		    { .priority = 2, .kind = "u32", .protocol = ETH_P_IP },
		    { .priority = 4, .kind = "u32", .protocol = ETH_P_IP } },
		  4,
		  3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct tcfilters f = { (struct tcfilter *)rows[i].there, rows[i].n };

		assert_int_equal(tcfilters_front(&f), rows[i].wanted);
	}
}

static void one_of_ours_is_in_place(void **state)
{
	const struct tcfilter_state last = { .priority = TCFILTER_LAST, .front = 1, .copies = 1 };
	const struct tcfilter_state second = { .priority = 2, .front = 2, .copies = 1 };
	const struct tcfilter_state two = { .priority = 1, .front = 1, .copies = 2 };
	const struct tcfilter_state none = { .front = 1 };

	(void)state;
	assert_true(tcfilter_is_placed(TC_BEHIND, &last));
	assert_false(tcfilter_is_placed(TC_FRONT_GIVES, &last));
	assert_true(tcfilter_is_placed(TC_FRONT_TAKES, &second));
	assert_false(tcfilter_is_placed(TC_BEHIND, &second));
	assert_false(tcfilter_is_placed(TC_FRONT_TAKES, &two));
	assert_false(tcfilter_is_placed(TC_FRONT_TAKES, &none));
}

static void filters_are_named(void **state)
{
	const struct tcfilter flower = { .priority = 1, .kind = "flower", .handle = 1 };
	const struct tcfilter bpf = {
		.priority = 3, .kind = "bpf", .handle = 1, .prog_id = 77, .name = "x.o:[tc]"
	};
	char what[IN_FRONT_WHAT];

	(void)state;
	in_front_filter(&flower, what);
	assert_string_equal(what, "the flower filter (priority 1)");
	in_front_filter(&bpf, what);
	assert_string_equal(what, "the bpf filter x.o:[tc] (priority 3, program 77)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(front_is_the_lowest_priority_of_our_kind),
		cmocka_unit_test(one_of_ours_is_in_place),
		cmocka_unit_test(filters_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
