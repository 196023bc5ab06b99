// SPDX-License-Identifier: GPL-2.0
/* Addresses and prefixes, text to bytes and back. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ip.h"
#include "base/util.h"

static void right_addresses_become_canonical(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "::1", "::1" },
		{ "fe80:0000::00Ff", "fe80::ff" },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
	};
	char text[IP_TEXT];
	struct vx_addr a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(ip_parse(rows[i][0], &a));
		ip_format(&a, text);
		assert_string_equal(text, rows[i][1]);
	}
}

static void wrong_addresses_leave_out_untouched(void **state)
{
	static const char *const rows[] = {
		"",
		" 192.0.2.1",
		"192.0.2.1 ",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.01",
		"0xc0.0.2.1",
		"3221225985",
		"192.0.2.1/24",
		"::g",
		"fe80::1%eth0",
		"1::2::3",
		"::ffff:1.2.3.4",
		"::ffff:0102:0304",
		"[::1]",
		"12345::",
	};
	struct vx_addr a, before;

	(void)state;
	memset(&a, 0x5a, sizeof(a));
	before = a;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (ip_parse(rows[i], &a))
			fail_msg("taken: %s", rows[i]);
		assert_memory_equal(&a, &before, sizeof(a));
	}
}

static void prefixes_know_their_family(void **state)
{
	static const char *const right[] = { "203.0.113.3/24", "0.0.0.0/0", "192.0.2.1/32",
					     "2001:db8::1/128", "fd00::1/64" };
	static const char *const wrong[] = {
		"203.0.113.3",
		"203.0.113.3/",
		"203.0.113.3/33",
		"203.0.113.3/-1",
		"fd00::1/129",
		"fd00::1/64x",
		"/24",
		"1.2.3.4/ 8",
		"1.2.3.4/8/8",
		"1.2.3.4/+8",
		"1.2.3.4/99999999999999999999999",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/1"
	};
	char text[IP_TEXT + 4];
	struct ip_prefix p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		assert_true(ip_parse_prefix(right[i], &p));
		ip_format_prefix(&p, text);
		assert_string_equal(text, right[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		if (ip_parse_prefix(wrong[i], &p))
			fail_msg("taken: %s", wrong[i]);
	}
}

static void raw_bytes_are_the_kernels(void **state)
{
	static const uint8_t four[4] = { 192, 0, 2, 1 };
	static const uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct vx_addr a = ip_from_raw(AF_INET, four), b = ip_from_raw(AF_INET6, six);

	(void)state;
	assert_true(ip_is_v4(&a));
	assert_int_equal(ip_family(&a), AF_INET);
	assert_int_equal(ip_raw_len(&a), 4);
	assert_memory_equal(ip_raw(&a), four, 4);
	assert_int_equal(a.bytes[10], 0xff);
	assert_false(ip_is_v4(&b));
	assert_int_equal(ip_family(&b), AF_INET6);
	assert_int_equal(ip_raw_len(&b), 16);
	assert_memory_equal(ip_raw(&b), six, 16);
	assert_true(ip_equal(&b, &b));
	assert_false(ip_equal(&a, &b));
	assert_true(ip_compare(&a, &b) < 0); /* mapped IPv4 sorts by its leading zeros */
	assert_int_equal(ip_compare(&a, &a), 0);
}

static void unset_is_all_zero(void **state)
{
	struct vx_addr none = { 0 };
	char text[IP_TEXT] = "x";

	(void)state;
	assert_false(ip_is_set(&none));
	ip_format(&none, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_addresses_become_canonical),
		cmocka_unit_test(wrong_addresses_leave_out_untouched),
		cmocka_unit_test(prefixes_know_their_family),
		cmocka_unit_test(raw_bytes_are_the_kernels),
		cmocka_unit_test(unset_is_all_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
