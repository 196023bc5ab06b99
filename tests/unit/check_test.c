// SPDX-License-Identifier: GPL-2.0
/* How verdicts are printed, for people and programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "show/check.h"

static struct checked made_up(void)
{
	struct checked c = { .overlay = "vxbr0" };

	verdicts_add(&c.verdicts, VERDICT_PEER_SILENT, "beta",
		     "beta: we send and nothing comes back");
	verdicts_add(&c.verdicts, VERDICT_DRIFT, "", "1 thing differs \033[2J");
	return c;
}

static void assert_text(const struct checked *c, size_t columns, bool colour, const char *wanted)
{
	char *text = check_text(c, columns, colour);

	assert_string_equal(text, wanted);
	free(text);
}

static void one_line_each(void **state)
{
	struct checked c = made_up();

	(void)state;
	assert_text(&c, 0, false,
		    "vxbr0: peer_silent: beta: we send and nothing comes back\n"
		    "vxbr0: drift: 1 thing differs \\x1b[2J\n");
	assert_text(&c, 40, false,
		    "vxbr0: peer_silent: beta: we send and\n"
		    "    nothing comes back\n"
		    "vxbr0: drift: 1 thing differs \\x1b[2J\n");
	assert_text(&c, 0, true,
		    "vxbr0: \033[1;31mpeer_silent\033[0m: beta: we send and nothing comes back\n"
		    "vxbr0: \033[1;31mdrift\033[0m: 1 thing differs \\x1b[2J\n");
	verdicts_free(&c.verdicts);
	assert_text(&c, 80, false, "vxbr0: nothing is wrong\n");
	assert_text(&c, 80, true, "vxbr0: \033[32mnothing is wrong\033[0m\n");
	verdicts_add(&c.information, VERDICT_PEER_PLAIN, "beta", "beta: plain");
	assert_text(&c, 80, false, "vxbr0: nothing is wrong\nvxbr0: peer_plain: beta: plain\n");
	verdicts_free(&c.information);
}

static void json_is_an_array(void **state)
{
	struct checked list[2] = { made_up(), { .overlay = "vxbr1" } };
	struct json_object *all;
	char *text;

	(void)state;
	verdicts_add(&list[1].information, VERDICT_PEER_PLAIN, "beta", "beta: plain");
	text = check_json(list, 2);
	all = json_tokener_parse(text);
	assert_string_equal(
		json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN),
		"[{\"overlay\":\"vxbr0\",\"verdicts\":[{\"id\":\"peer_silent\",\"about\":"
		"\"beta\",\"text\":\"beta: we send and nothing comes back\"},{\"id\":"
		"\"drift\",\"about\":\"\",\"text\":\"1 thing differs "
		"\\u001b[2J\"}],\"information\":[]},{"
		"\"overlay\":\"vxbr1\",\"verdicts\":[],\"information\":[{\"id\":\"peer_plain\","
		"\"about\":\"beta\",\"text\":\"beta: plain\"}]}]");
	json_object_put(all);
	free(text);
	verdicts_free(&list[0].verdicts);
	verdicts_free(&list[1].information);
}

static void the_same_is_known_again(void **state)
{
	struct checked c = made_up();
	struct verdicts other = { 0 };

	(void)state;
	verdicts_copy(&other, &c.verdicts.v[1]);
	assert_true(verdicts_have(&c.verdicts, &other.v[0]));
	assert_false(verdicts_have(&other, &c.verdicts.v[0]));
	verdicts_free(&other);
	verdicts_free(&c.verdicts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_each),
		cmocka_unit_test(json_is_an_array),
		cmocka_unit_test(the_same_is_known_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
