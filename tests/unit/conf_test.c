// SPDX-License-Identifier: GPL-2.0
/* What a right config file becomes. What is refused is in conf_refusal_test.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "conf/conf.h"

static const char full[] = "# the same file on every host\n"
			   "port: 4790\n"
			   "mtu: 1400\n"
			   "vni: index\n"
			   "vni_salt: 4294967295\n"
			   "guard: observe\n"
			   "fastpath: off\n"
			   "xdp: on\n"
			   "clamp_mss: false\n"
			   "mark: 0x00000001\n"
			   "bridge: br-lan.7\n"
			   "underlay: eth0\n"
			   "local: beta\n"
			   "peers:\n"
			   "  - { name: alpha, address: 192.0.2.1 }\n"
			   "  - name: beta\n"
			   "    address: \"192.0.2.2\"\n"
			   "    address6: 2001:DB8:0::2\n"
			   "    bridge_address: [203.0.113.3/24, \"2001:db8:1::3/64\"]\n";

static void parse(const char *path, const char *text, struct conf *conf)
{
	struct why why = { 0 };
	int err = conf_parse(path, text, strlen(text), conf, &why);

	if (err)
		print_error("%s\n", why.text);
	assert_int_equal(err, 0);
}

static void every_key_is_read(void **state)
{
	struct conf c;
	char text[IP_TEXT + 4];

	(void)state;
	parse("/etc/vxbpf/lan-7.yaml", full, &c);
	assert_string_equal(c.path, "/etc/vxbpf/lan-7.yaml");
	assert_string_equal(c.overlay, "lan-7");
	assert_string_equal(c.bridge, "br-lan.7");
	assert_int_equal(c.port, 4790);
	assert_int_equal(c.mtu, 1400);
	assert_int_equal(c.mtu_line, 3);
	assert_int_equal(c.vni_mode, VX_VNI_INDEX);
	assert_int_equal(c.vni_salt, UINT32_MAX);
	assert_int_equal(c.guard, VX_GUARD_OBSERVE);
	assert_int_equal(c.fastpath, CONF_OFF);
	assert_int_equal(c.xdp, CONF_ON);
	assert_false(c.clamp_mss);
	assert_int_equal(c.mark, 1);
	assert_string_equal(c.underlay, "eth0");
	assert_string_equal(c.local, "beta");
	assert_int_equal(c.local_line, 13);
	assert_int_equal(c.n_hosts, 2);
	assert_string_equal(c.hosts[0].name, "alpha");
	assert_int_equal(c.hosts[0].line, 15);
	assert_false(ip_is_set(&c.hosts[0].address6));
	assert_int_equal(c.hosts[1].line, 16);
	ip_format(&c.hosts[1].address6, text);
	assert_string_equal(text, "2001:db8::2");
	assert_int_equal(c.hosts[1].n_bridge_address, 2);
	ip_format_prefix(&c.hosts[1].bridge_address[1], text);
	assert_string_equal(text, "2001:db8:1::3/64");
	conf_free(&c);
}

static void all_but_peers_has_a_default(void **state)
{
	struct conf c;

	(void)state;
	parse("vxbr0.yaml", "peers: [{name: a, address: 192.0.2.1}]", &c);
	assert_string_equal(c.overlay, "vxbr0");
	assert_string_equal(c.bridge, "vxbr0");
	assert_int_equal(c.port, 4789);
	assert_int_equal(c.mtu, 0);
	assert_int_equal(c.mtu_line, 0);
	assert_int_equal(c.vni_mode, VX_VNI_PAIR);
	assert_int_equal(c.vni_salt, 0);
	assert_int_equal(c.guard, VX_GUARD_ENFORCE);
	assert_int_equal(c.fastpath, CONF_AUTO);
	assert_int_equal(c.xdp, CONF_AUTO);
	assert_true(c.clamp_mss);
	assert_int_equal(c.mark, 0x40000000);
	assert_string_equal(c.underlay, "");
	assert_string_equal(c.local, "");
	conf_free(&c);
}

static void edges_of_every_range_are_allowed(void **state)
{
	static const char *const lines[] = {
		"port: 1",
		"port: 65535",
		"port: 0x12b5",
		"mtu: auto",
		"mtu: 576",
		"mtu: 65000",
		"vni_salt: 0",
		"vni_salt: 4294967295",
		"mark: 0x80000000",
		"mark: 1",
		"mark: 1073741824",
		"bridge: a",
		"bridge: abcdefghijklmno",
		"clamp_mss: true",
		"guard: \"off\"",
		"mtu: 'auto'",
		"---",
	};
	char text[200];
	struct conf c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		snprintf(text, sizeof(text), "%s\npeers: [{name: a, address: 192.0.2.1}]\n",
			 lines[i]);
		parse("vxbr0.yaml", text, &c);
		conf_free(&c);
	}
}

static void odd_but_right_peers_are_allowed(void **state)
{
	struct conf c;

	(void)state;
	parse("vxbr0.yaml",
	      "peers:\n"
	      "- {name: '123', address: 169.254.1.1, address6: fd00::1, bridge_address: []}\n"
	      "- {name: a.B_c-d, address: 240.0.0.1, address6: fd00::2}\n"
	      "- {name: abcdefghijklmnopqrstuvwxyz012345, address: fd00::3, bridge_address: "
	      "[fe80::1/64]}\n"
	      "- {name: ..., address: fd00::4}\n",
	      &c);
	assert_int_equal(c.n_hosts, 4);
	conf_free(&c);
}

static void failure_leaves_out_untouched(void **state)
{
	struct conf c, before;
	struct why why = { 0 };

	(void)state;
	memset(&c, 0x5a, sizeof(c));
	before = c;
	assert_int_equal(conf_parse("vxbr0.yaml", "peers: []", 9, &c, &why), -EINVAL);
	assert_true(why.bad_input);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void thousand_hosts_parse_fast(void **state)
{
	static char text[200000];
	struct timespec from, to;
	struct conf c;
	double ms;

	(void)state;
	text[0] = '\0';
	text_add(text, sizeof(text), "peers:\n");
	for (unsigned i = 0; i < VX_MAX_HOSTS; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at,
			 "  - { name: host-%u, address: 10.0.%u.%u, address6: \"fd00::%x\", "
			 "bridge_address: [10.1.%u.%u/16] }\n",
			 i, i / 250, i % 250 + 1, i + 1, i / 250, i % 250 + 1);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	parse("vxbr0.yaml", text, &c);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	print_message("1,000 hosts: %.1f ms under sanitizers\n", ms);
	assert_true(ms < 500); /* a tenth of that without them; quadratic would be far more */
	assert_int_equal(c.n_hosts, VX_MAX_HOSTS);
	conf_free(&c);
}

static void words_have_names(void **state)
{
	(void)state;
	assert_string_equal(conf_guard_name(VX_GUARD_OBSERVE), "observe");
	assert_string_equal(conf_vni_mode_name(VX_VNI_INDEX), "index");
	assert_string_equal(conf_switch_name(CONF_AUTO), "auto");
	assert_string_equal(conf_switch_name((enum conf_switch)99), "?");
}

static void write_file(const char *path, const char *text, size_t len)
{
	autofile FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
}

static void load_makes_the_path_absolute(void **state)
{
	char folder[] = "/tmp/vxbpf-conf-XXXXXX", link[64], file[64], cwd[PATH_MAX];
	struct why why = { 0 };
	struct conf c;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/mesh.yaml", folder);
	snprintf(link, sizeof(link), "%s/blue.yaml", folder);
	write_file(file, full, strlen(full));
	assert_int_equal(symlink("mesh.yaml", link), 0);
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(conf_load("./blue.yaml", &c, &why), 0);
	assert_string_equal(c.path, link);
	assert_string_equal(c.overlay, "blue");
	conf_free(&c);
	assert_int_equal(conf_load("mesh.yaml", &c, &why), 0);
	assert_string_equal(c.path, file);
	conf_free(&c);
	assert_int_equal(chdir(cwd), 0);
	unlink(link);
	unlink(file);
	rmdir(folder);
}

static void refuses_load(const char *path, const char *want)
{
	struct why why = { 0 };
	struct conf c;
	char text[600];

	assert_int_equal(conf_load(path, &c, &why), -EINVAL);
	assert_true(why.bad_input);
	snprintf(text, sizeof(text), "%s: cannot read: %s", path, want);
	assert_string_equal(why.text, text);
}

static void load_reads_regular_small_files_only(void **state)
{
	char folder[] = "/tmp/vxbpf-conf-XXXXXX", path[64], deep[600];
	autofree char *big = calloc(1, CONF_MAX_SIZE + 1);

	(void)state;
	assert_non_null(big);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.yaml", folder);
	refuses_load(path, "No such file or directory");
	refuses_load(folder, "is a directory");
	assert_int_equal(mkfifo(path, 0600), 0);
	refuses_load(path, "not a regular file");
	unlink(path);
	write_file(path, big, CONF_MAX_SIZE + 1);
	refuses_load(path, "larger than 1048576 bytes");
	if (geteuid()) {
		assert_int_equal(chmod(path, 0), 0);
		refuses_load(path, "Permission denied");
	}
	unlink(path);
	refuses_load("/dev/null", "not a regular file");
	snprintf(deep, sizeof(deep), "/%0250d.yaml", 0);
	refuses_load(deep, "its absolute path is longer than 255 bytes");
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(all_but_peers_has_a_default),
		cmocka_unit_test(edges_of_every_range_are_allowed),
		cmocka_unit_test(odd_but_right_peers_are_allowed),
		cmocka_unit_test(failure_leaves_out_untouched),
		cmocka_unit_test(thousand_hosts_parse_fast),
		cmocka_unit_test(words_have_names),
		cmocka_unit_test(load_makes_the_path_absolute),
		cmocka_unit_test(load_reads_regular_small_files_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
