// SPDX-License-Identifier: GPL-2.0
/* The overlay's MTU and how it is explained. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "plan/mtu.h"

#define HOSTS                                                                                      \
	"peers:\n"                                                                                 \
	"  - { name: alpha, address: 192.0.2.1 }\n"                                                \
	"  - { name: beta, address: 192.0.2.2 }\n"                                                 \
	"  - { name: gamma, address: 192.0.2.3 }\n"
/* alpha and beta talk by IPv4; but beta and gamma, say, by IPv6. */
#define MIXED                                                                                      \
	"peers:\n"                                                                                 \
	"  - { name: alpha, address: 192.0.2.1, address6: \"2001:db8::1\" }\n"                     \
	"  - { name: beta, address: 192.0.2.2, address6: \"2001:db8::2\" }\n"                      \
	"  - { name: gamma, address: \"2001:db8::3\" }\n"

static struct link devices[] = {
	{ .ifindex = 2, .name = "eth0", .mtu = 1500 },
	{ .ifindex = 3, .name = "wg0", .mtu = 1420 },
};
static const struct links links = { devices, ARRAY_LEN(devices) };

struct way {
	uint32_t mtu;
	int narrow;
};
#define NO_WAY                                                                                     \
	{                                                                                          \
		0, 0                                                                               \
	}

static int settle(const char *text, const struct way ways[2], struct mtu *out, struct why *why)
{
	static const uint8_t here[] = { 192, 0, 2, 1 };
	struct vx_addr self = ip_from_raw(AF_INET, here);
	struct route routes[2] = { 0 };
	struct mesh mesh = { 0 };
	struct conf conf = { 0 };
	int err;

	*why = (struct why){ 0 };
	assert_int_equal(conf_parse("vxbr0.yaml", text, strlen(text), &conf, why), 0);
	assert_int_equal(mesh_build(&conf, &self, 1, &mesh, why), 0);
	for (size_t i = 0; i < 2; i++) {
		routes[i] = (struct route){ .mtu = ways[i].mtu, .narrow = ways[i].narrow };
		routes[i].err = ways[i].mtu ? 0 : -ENETUNREACH;
	}
	err = mtu_settle(&conf, &mesh, routes, &links, out, why);
	mesh_free(&mesh);
	conf_free(&conf);
	return err;
}

static void value_and_derivation(void **state)
{
	static const struct {
		const char *text;
		struct way ways[2];
		uint32_t mtu;
		const char *why;
	} rows[] = {
		{ HOSTS,
		  { { 1500, 2 }, { 1500, 2 } },
		  1450,
		  "auto: 1500 less 50 for VXLAN over IPv4" },
		{ HOSTS,
		  { { 1500, 2 }, { 1420, 3 } },
		  1370,
		  "auto: 1420 (MTU of wg0 to gamma) less 50 for VXLAN over IPv4" },
		{ HOSTS,
		  { { 1400, 0 }, { 1420, 3 } },
		  1350,
		  "auto: 1400 (mtu of the route to beta) less 50 for VXLAN over IPv4" },
		{ HOSTS,
		  { { 1300, 0 }, NO_WAY },
		  1250,
		  "auto: 1300 (mtu of the route to beta) less 50 for VXLAN over IPv4; too small "
		  "for inner IPv6" },
		{ HOSTS,
		  { { 9000, 2 }, { 8000, 0 } },
		  1450,
		  "auto: 1500 (paths carry 8000; set `mtu:` to use more) less 50 for VXLAN over "
		  "IPv4" },
		{ HOSTS, { NO_WAY, NO_WAY }, 1450, "auto: 1500 less 50 for VXLAN over IPv4" },
		{ MIXED,
		  { { 1500, 2 }, { 1500, 2 } },
		  1430,
		  "auto: 1500 less 70 for VXLAN over IPv6" },
		{ MIXED, { { 1500, 2 }, NO_WAY }, 1430, "auto: 1500 less 70 for VXLAN over IPv6" },
		{ "mtu: 8950\n" HOSTS,
		  { { 9000, 2 }, { 9000, 2 } },
		  8950,
		  "set by `mtu:` in the file" },
		{ "mtu: 8950\n" HOSTS, { NO_WAY, NO_WAY }, 8950, "set by `mtu:` in the file" },
		{ "mtu: 1279\n" HOSTS,
		  { { 1500, 2 }, { 1500, 2 } },
		  1279,
		  "set by `mtu:` in the file; too small for inner IPv6" },
		/* What fits every path of this host's own. */
		{ "mtu: 1450\n" MIXED,
		  { { 1500, 2 }, { 1520, 2 } },
		  1450,
		  "set by `mtu:` in the file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mtu mtu;
		struct why why;

		assert_int_equal(settle(rows[i].text, rows[i].ways, &mtu, &why), 0);
		assert_int_equal(mtu.bytes, rows[i].mtu);
		assert_string_equal(mtu.why, rows[i].why);
	}
}

static void what_cannot_fit_is_refused(void **state)
{
	static const struct {
		const char *text;
		struct way ways[2];
		const char *why;
	} rows[] = {
		{ "port: 4790\nmtu: 1451\n" HOSTS,
		  { { 1501, 2 }, { 1500, 2 } },
		  "vxbr0.yaml:2: mtu: 1451 + 50 for VXLAN = 1501 does not fit the path to gamma, "
		  "which carries 1500 (MTU of eth0); the maximum is 1450" },
		{ "mtu: 1450\n" MIXED,
		  { { 1500, 2 }, { 1500, 2 } },
		  "vxbr0.yaml:1: mtu: 1450 + 70 for VXLAN = 1520 does not fit the path to gamma, "
		  "which carries 1500 (MTU of eth0); the maximum is 1430" },
		{ "mtu: 1400\n" HOSTS,
		  { { 1300, 0 }, { 1500, 2 } },
		  "vxbr0.yaml:1: mtu: 1400 + 50 for VXLAN = 1450 does not fit the path to beta, "
		  "which carries 1300 (mtu of the route); the maximum is 1250" },
		{ HOSTS,
		  { { 625, 0 }, { 1500, 2 } },
		  "vxbr0.yaml: mtu: the path to beta only carries 625 bytes (mtu of the route); "
		  "625 - 50 for VXLAN = 575 is too small, the minimum is 576" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mtu mtu;
		struct why why;

		assert_int_equal(settle(rows[i].text, rows[i].ways, &mtu, &why), -EINVAL);
		assert_true(why.bad_input);
		assert_string_equal(why.text, rows[i].why);
	}
}

/* The longest names do not push the end out of the sentence. */
static void longest_fits(void **state)
{
	static const char text[] =
		"peers:\n"
		"  - { name: alpha, address: 192.0.2.1 }\n"
		"  - { name: abcdefghijklmnopqrstuvwxyz-beta, address: 192.0.2.2 }\n"
		"  - { name: gamma, address: 192.0.2.3 }\n";
	static const struct way ways[] = { { 1300, 2 }, { 1500, 2 } };
	struct mtu mtu;
	struct why why;

	(void)state;
	text_copy(devices[0].name, sizeof(devices[0].name), "enx0123456789ab");
	assert_int_equal(settle(text, ways, &mtu, &why), 0);
	assert_string_equal(
		mtu.why, "auto: 1300 (MTU of enx0123456789ab to abcdefghijklmnopqrstuvwxyz-beta) "
			 "less 50 for VXLAN over IPv4; too small for inner IPv6");
	text_copy(devices[0].name, sizeof(devices[0].name), "eth0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_and_derivation),
		cmocka_unit_test(what_cannot_fit_is_refused),
		cmocka_unit_test(longest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
