// SPDX-License-Identifier: GPL-2.0
/* Bytes of others, shown: nothing that a terminal obeys, nothing that is no UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sanitize.h"
#include "base/util.h"

struct row {
	const char *in;
	const char *text;
	const char *utf8;
};

#define FFFD "\xef\xbf\xbd"

static const struct row rows[] = {
	{ "", "", "" },
	{ "vxbr0: all is well", "vxbr0: all is well", "vxbr0: all is well" },
	{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9d", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9d",
	  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9d" },
	{ "p\x1b[2J", "p\\x1b[2J", "p\x1b[2J" },
	{ "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f", "a\nb\tc\x7f" },
	/* The same for the eye of a terminal that takes 8-bit controls, alone or as UTF-8. */
	{ "p\x9b"
	  "2J",
	  "p\\x9b2J", "p" FFFD "2J" },
	{ "p\xc2\x9b"
	  "2J",
	  "p\\xc2\\x9b2J",
	  "p\xc2\x9b"
	  "2J" },
	{ "\xff\xfe", "\\xff\\xfe", FFFD FFFD },
	{ "cut \xe2\x82", "cut \\xe2\\x82", "cut " FFFD FFFD },
	{ "\xc3(", "\\xc3(", FFFD "(" },
	/* Longer than need be, a surrogate, beyond the last. */
	{ "\xc0\xaf", "\\xc0\\xaf", FFFD FFFD },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", FFFD FFFD FFFD },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", FFFD FFFD FFFD },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", FFFD FFFD FFFD FFFD },
	{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80", FFFD FFFD FFFD FFFD FFFD },
};

static void text_is_harmless(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *got = sanitize_text(rows[i].in);

		assert_string_equal(got, rows[i].text);
	}
}

static void json_is_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *got = sanitize_utf8(rows[i].in);

		assert_string_equal(got, rows[i].utf8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_harmless),
		cmocka_unit_test(json_is_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
