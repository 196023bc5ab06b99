// SPDX-License-Identifier: GPL-2.0
/* Sentences, hashes, bounded text, ownership. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"

static void why_says_it_and_returns_the_error(void **state)
{
	struct why why = { 0 };

	(void)state;
	assert_int_equal(why_set(&why, -EPERM, "%s: %d", "bridge", 7), -EPERM);
	assert_string_equal(why.text, "bridge: 7");
	assert_false(why.bad_input);
	assert_int_equal(why_bad(&why, "%0600d", 0), -EINVAL);
	assert_true(why.bad_input);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

/* Vectors of the FNV authors, draft-eastlake-fnv. */
static void fnv_is_the_published_one(void **state)
{
	(void)state;
	assert_int_equal(fnv32(FNV32_INIT, "", 0), 0x811c9dc5U);
	assert_int_equal(fnv32(FNV32_INIT, "a", 1), 0xe40c292cU);
	assert_int_equal(fnv32(FNV32_INIT, "foobar", 6), 0xbf9cf968U);
	assert_true(fnv64(FNV64_INIT, "", 0) == 0xcbf29ce484222325ULL);
	assert_true(fnv64(FNV64_INIT, "a", 1) == 0xaf63dc4c8601ec8cULL);
	assert_true(fnv64(FNV64_INIT, "foobar", 6) == 0x85944171f73967e8ULL);
	assert_int_equal(fnv32(fnv32(FNV32_INIT, "foo", 3), "bar", 3), 0xbf9cf968U);
}

static void text_copy_ends_and_fills(void **state)
{
	char to[6] = "xxxxx";

	(void)state;
	text_copy(to, sizeof(to), "ab");
	assert_memory_equal(to, "ab\0\0\0", 6);
	text_copy(to, sizeof(to), "abcde");
	assert_memory_equal(to, "abcde", 6);
	text_copy(to, sizeof(to), "abcdefgh");
	assert_memory_equal(to, "abcde", 6);
	text_copy(to, 1, "abc");
	assert_string_equal(to, "");
}

static void text_add_stops_at_the_end(void **state)
{
	char text[8] = "";

	(void)state;
	text_add(text, sizeof(text), "%s", "abc");
	text_add(text, sizeof(text), "%d", 12345);
	assert_string_equal(text, "abc1234");
	text_add(text, sizeof(text), "%s", "z");
	assert_string_equal(text, "abc1234");
	memset(text, 'x', sizeof(text)); /* no NUL at all: left alone */
	text_add(text, sizeof(text), "%s", "z");
	assert_int_equal(text[7], 'x');
}

static void notes_keep_their_order(void **state)
{
	autonotes struct notes notes = { 0 };

	(void)state;
	notes_add(&notes, "%d", 1);
	notes_add(&notes, "%s", "two");
	assert_int_equal(notes.n, 2);
	assert_string_equal(notes.v[0], "1");
	assert_string_equal(notes.v[1], "two");
	notes_free(&notes);
	assert_int_equal(notes.n, 0);
}

static void take_leaves_nothing_behind(void **state)
{
	autofree char *text = strdup("x");
	char *mine = take_ptr(text);
	int fd = 7;

	(void)state;
	assert_null(text);
	assert_string_equal(mine, "x");
	free(mine);
	assert_int_equal(take_fd(&fd), 7);
	assert_int_equal(fd, -1);
}

static void cleanup_closes(void **state)
{
	int seen;

	(void)state;
	{
		autofd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		autofd int none = -1;
		autofile FILE *f = NULL;

		assert_true(fd >= 0);
		assert_int_equal(none, -1);
		assert_null(f);
		seen = fd;
	}
	assert_int_equal(fcntl(seen, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_says_it_and_returns_the_error),
		cmocka_unit_test(fnv_is_the_published_one),
		cmocka_unit_test(text_copy_ends_and_fills),
		cmocka_unit_test(text_add_stops_at_the_end),
		cmocka_unit_test(notes_keep_their_order),
		cmocka_unit_test(take_leaves_nothing_behind),
		cmocka_unit_test(cleanup_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
