// SPDX-License-Identifier: GPL-2.0
/* What is said of a port that is left to the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "filters/foreign.h"

static void what_is_of_others_is_named(void **state)
{
	static const struct {
		struct foreign_seen seen;
		const char *wanted;
	} rows[] = {
		{ { .qdisc = "noqueue" }, "" },
		{ { .qdisc = "pfifo_fast" }, "" }, /* a tap's own */
		{ { .qdisc = "noqueue", .qdisc_handle = 0x80010000 }, "" },
		{ { .qdisc = "fq_codel", .qdisc_handle = 0x80010000 },
		  "its root qdisc is fq_codel" },
		{ { .qdisc = "htb",
		    .qdisc_handle = 0x10000,
		    .ways[0].filter = "u32",
		    .chain = "c",
		    .table = "t" },
		  "its root qdisc is htb" },
		{ { .unread = true, .ways[0].filter = "u32" },
		  "its filters and qdiscs cannot be read" },
		{ { .ways[0].filter = "u32" }, "a u32 filter is on its ingress" },
		{ { .ways[1].filter = "bpf" }, "a bpf filter is on its egress" },
		{ { .ways[0].programs = 1 }, "another BPF program is on its ingress" },
		{ { .ways[1].programs = 2 }, "another BPF program is on its egress" },
		{ { .chain = "c", .table = "t" }, "nftables chain c of table t is on it" },
	};
	char why[FOREIGN_WHY];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		foreign_say(&rows[i].seen, why);
		assert_string_equal(why, rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_of_others_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
