// SPDX-License-Identifier: GPL-2.0
/* Who this host is, VNIs against vectors made by another program, tunnel names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "plan/mesh.h"

static struct vx_addr addr(const char *text)
{
	struct vx_addr a;

	assert_true(ip_parse(text, &a));
	return a;
}

static void parse(const char *path, const char *text, struct conf *conf)
{
	struct why why = { 0 };

	if (conf_parse(path, text, strlen(text), conf, &why))
		fail_msg("%s", why.text);
}

/* The mesh as the host with address `self` sees it. */
static void build(const struct conf *conf, const char *self, struct mesh *mesh)
{
	struct vx_addr local = addr(self);
	struct why why = { 0 };

	if (mesh_build(conf, &local, 1, mesh, &why))
		fail_msg("%s", why.text);
}

static void refuses(const char *path, const char *text, const struct vx_addr *locals, size_t n,
		    const char *want)
{
	struct why why = { 0 };
	struct conf c;
	struct mesh m;

	parse(path, text, &c);
	assert_int_equal(mesh_build(&c, locals, n, &m, &why), -EINVAL);
	assert_string_equal(why.text, want);
	assert_true(why.bad_input);
	conf_free(&c);
}

/* The file of vni_vectors.py's mesh_1000. */
static void make_1000(char *text, size_t size, size_t n)
{
	text[0] = '\0';
	text_add(text, size, "vni_salt: 7\npeers:\n");
	for (size_t i = 0, at = strlen(text); i < n; i++, at += strlen(text + at))
		snprintf(text + at, size - at, "- {name: h%zu, address: 10.%zu.%zu.%zu}\n", i,
			 i / 250, i % 250, 255 - i % 200);
}

static void pair_vnis_are_those_of_the_vectors(void **state)
{
	struct vx_addr x, y;

	(void)state;
#define PAIR(overlay, salt, a, b, attempt, vni)                                                    \
	x = addr(a), y = addr(b);                                                                  \
	assert_int_equal(mesh_pair_vni(overlay, salt, &x, &y, attempt), vni);                      \
	assert_int_equal(mesh_pair_vni(overlay, salt, &y, &x, attempt), vni);
#define MESH(self, hash)
#define GAVE_WAY(n)
#include "vni.vectors"
#undef PAIR
#undef MESH
#undef GAVE_WAY
}

static uint32_t vnis_hash(const struct conf *conf, size_t self)
{
	uint32_t hash = FNV32_INIT;
	char text[IP_TEXT];
	struct mesh m;

	ip_format(&conf->hosts[self].address, text);
	build(conf, text, &m);
	assert_ptr_equal(m.self, &conf->hosts[self]);
	assert_int_equal(m.n_peers, conf->n_hosts - 1);
	for (size_t i = 0; i < m.n_peers; i++) {
		int len = snprintf(text, sizeof(text), "%u\n", m.peers[i].vni);

		hash = fnv32(hash, text, (size_t)len);
	}
	mesh_free(&m);
	return hash;
}

static void thousand_hosts_are_those_of_the_vectors_and_fast(void **state)
{
	static char text[80000];
	struct timespec from, to;
	struct conf c;
	double ms;

	(void)state;
	make_1000(text, sizeof(text), VX_MAX_HOSTS);
	parse("vxbr0.yaml", text, &c);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
#define PAIR(overlay, salt, a, b, attempt, vni)
#define MESH(self, hash) assert_int_equal(vnis_hash(&c, self), hash);
#define GAVE_WAY(n) assert_true((n) > 0);
#include "vni.vectors"
#undef PAIR
#undef MESH
#undef GAVE_WAY
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	print_message("a mesh of 1,000 hosts: %.0f ms under sanitizers\n", ms / 3);
	assert_true(ms / 3 < 3000);
	conf_free(&c);
}

static void appending_a_host_moves_no_pair(void **state)
{
	static char text[80000];
	struct conf small, large;
	struct mesh before, after;

	(void)state;
	make_1000(text, sizeof(text), 700);
	parse("vxbr0.yaml", text, &small);
	make_1000(text, sizeof(text), 701);
	parse("vxbr0.yaml", text, &large);
	build(&small, "10.1.50.155", &before); /* h300 */
	build(&large, "10.1.50.155", &after);
	assert_int_equal(after.n_peers, before.n_peers + 1);
	for (size_t i = 0; i < before.n_peers; i++)
		assert_int_equal(after.peers[i].vni, before.peers[i].vni);
	mesh_free(&before);
	mesh_free(&after);
	conf_free(&small);
	conf_free(&large);
}

/* Found by trying: both pairs of a hash to 14874523, so the later pair takes its next number. */
static void a_collision_makes_the_later_pair_give_way(void **state)
{
	static const char text[] = "peers:\n"
				   "- {name: a, address: 10.0.0.1}\n"
				   "- {name: b, address: 10.0.14.83}\n"
				   "- {name: c, address: 10.0.37.214}\n";
	struct vx_addr a = addr("10.0.0.1"), c = addr("10.0.37.214");
	struct conf conf;
	struct mesh m;

	(void)state;
	assert_int_equal(mesh_pair_vni("vxbr0", 0, &a, &c, 0), 14874523);
	parse("vxbr0.yaml", text, &conf);
	build(&conf, "10.0.0.1", &m);
	assert_int_equal(m.peers[0].vni, 14874523);
	assert_int_equal(m.peers[1].vni, 10264247);
	mesh_free(&m);
	build(&conf, "10.0.37.214", &m); /* the other end agrees without having b's pair itself */
	assert_int_equal(m.peers[0].vni, 10264247);
	assert_int_equal(m.peers[1].vni, 3436034);
	mesh_free(&m);
	conf_free(&conf);
}

static void index_mode_counts_the_others(void **state)
{
	static const char text[] = "vni: index\npeers:\n"
				   "- {name: a, address: 192.0.2.1}\n"
				   "- {name: b, address: 192.0.2.2}\n"
				   "- {name: c, address: 192.0.2.3}\n";
	struct conf conf;
	struct mesh m;

	(void)state;
	parse("vxbr0.yaml", text, &conf);
	build(&conf, "192.0.2.2", &m);
	assert_string_equal(m.peers[0].host->name, "a");
	assert_int_equal(m.peers[0].vni, 0);
	assert_string_equal(m.peers[1].host->name, "c");
	assert_int_equal(m.peers[1].vni, 1);
	mesh_free(&m);
	conf_free(&conf);
}

static void expect_pair(const struct mesh *m, size_t i, const char *local, const char *remote)
{
	struct vx_addr l = addr(local), r = addr(remote);

	assert_true(ip_equal(&m->peers[i].local, &l));
	assert_true(ip_equal(&m->peers[i].remote, &r));
	assert_int_equal(m->peers[i].vni, mesh_pair_vni("vxbr0", 0, &l, &r, 0));
}

static void a_pair_uses_ipv4_if_both_have_it(void **state)
{
	static const char text[] = "peers:\n"
				   "- {name: a, address: 192.0.2.1, address6: fd00::1}\n"
				   "- {name: b, address: 192.0.2.2, address6: fd00::2}\n"
				   "- {name: c, address: fd00::3}\n";
	struct conf conf;
	struct mesh m;

	(void)state;
	parse("vxbr0.yaml", text, &conf);
	build(&conf, "fd00::1", &m); /* found by its second address */
	assert_string_equal(m.self->name, "a");
	assert_int_equal(m.max_overhead, MESH_OVERHEAD_V6);
	expect_pair(&m, 0, "192.0.2.1", "192.0.2.2");
	expect_pair(&m, 1, "fd00::1", "fd00::3");
	mesh_free(&m);
	build(&conf, "fd00::3", &m);
	expect_pair(&m, 0, "fd00::3", "fd00::1");
	expect_pair(&m, 1, "fd00::3", "fd00::2");
	mesh_free(&m);
	conf_free(&conf);
	parse("vxbr0.yaml",
	      "peers: [{name: a, address: 192.0.2.1, address6: fd00::1},"
	      "{name: b, address: 192.0.2.2}]",
	      &conf);
	build(&conf, "192.0.2.2", &m);
	assert_int_equal(m.max_overhead, MESH_OVERHEAD_V4);
	mesh_free(&m);
	conf_free(&conf);
}

static void a_mesh_of_one_has_no_peers(void **state)
{
	struct conf conf;
	struct mesh m;

	(void)state;
	parse("vxbr0.yaml", "peers: [{name: a, address: 'fd00::1'}]", &conf);
	build(&conf, "fd00::1", &m);
	assert_int_equal(m.n_peers, 0);
	assert_int_equal(m.max_overhead, 50);
	mesh_free(&m);
	conf_free(&conf);
}

#define AB                                                                                         \
	"peers:\n- {name: a, address: 192.0.2.1}\n- {name: b, address: 192.0.2.2, address6: "      \
	"fd00::2}\n"

static void local_says_who_we_are(void **state)
{
	struct vx_addr both[2] = { addr("192.0.2.1"), addr("fd00::2") };
	struct why why = { 0 };
	struct conf conf;
	struct mesh m;

	(void)state;
	parse("vxbr0.yaml", "local: b\n" AB, &conf);
	assert_int_equal(mesh_build(&conf, both, 2, &m, &why), 0);
	assert_string_equal(m.self->name, "b");
	mesh_free(&m);
	assert_int_equal(mesh_build(&conf, NULL, 0, &m, &why), 0);
	assert_string_equal(m.self->name, "b");
	mesh_free(&m);
	text_copy(conf.local, sizeof(conf.local), "c");
	assert_int_equal(mesh_build(&conf, NULL, 0, &m, &why), -EINVAL);
	assert_string_equal(why.text, "vxbr0.yaml:1: local: peer c not found");
	conf_free(&conf);
}

static void none_or_two_of_us_are_refused(void **state)
{
	struct vx_addr both[3] = { addr("fd00::2"), addr("203.0.113.9"), addr("192.0.2.1") };

	(void)state;
	refuses("vxbr0.yaml", AB, both + 1, 1,
		"vxbr0.yaml: peers: no peer has an address of this host; add this host, or select "
		"a peer with local: NAME");
	refuses("vxbr0.yaml", AB, NULL, 0,
		"vxbr0.yaml: peers: no peer has an address of this host; add this host, or select "
		"a peer with local: NAME");
	refuses("vxbr0.yaml", AB, both, 3,
		"vxbr0.yaml: peers: a (line 2) and b (line 3) both have an address of this host; "
		"select one with local: NAME");
}

static void expect_name(const char *path, const char *peer, const char *ifname, const char *altname)
{
	char text[200];
	struct conf conf;
	struct mesh m;

	snprintf(text, sizeof(text),
		 "peers: [{name: me, address: 192.0.2.1}, {name: %s, address: 192.0.2.2}]", peer);
	parse(path, text, &conf);
	build(&conf, "192.0.2.1", &m);
	assert_string_equal(m.peers[0].ifname, ifname);
	assert_string_equal(m.peers[0].altname, altname);
	mesh_free(&m);
	conf_free(&conf);
}

/* The hashes are vni_vectors.py's fnv() of b"vxbr0\0abcdefghijklm" and so on. */
static void tunnels_have_readable_names_where_they_fit(void **state)
{
	(void)state;
	expect_name("/etc/vxbpf/vxbr0.yaml", "beta", "vx-beta", "");
	expect_name("vxbr0.yaml", "abcdefghijkl", "vx-abcdefghijkl", "");
	expect_name("vxbr0.yaml", "abcdefghijklm", "vx-d2748d5a", "vx-vxbr0-abcdefghijklm");
	expect_name("blue.yaml", "beta", "vx-8566b6ad", "vx-blue-beta");
	expect_name("abcdefghijklmno.yaml", "abcdefghijklmnopqrstuvwxyz012345", "vx-75ea2905",
		    "vx-abcdefghijklmno-abcdefghijklmnopqrstuvwxyz012345");
}

static void tunnel_names_that_clash_are_refused(void **state)
{
	struct vx_addr self = addr("192.0.2.1");

	(void)state;
	refuses("vxbr0.yaml",
		"peers:\n"
		"- {name: a, address: 192.0.2.1}\n"
		"- {name: d2748d5a, address: 192.0.2.2}\n"
		"- {name: b, address: 192.0.2.3}\n"
		"- {name: abcdefghijklm, address: 192.0.2.4}\n",
		&self, 1,
		"vxbr0.yaml:5: abcdefghijklm: its tunnel name would be vx-d2748d5a, as for "
		"d2748d5a on line 3; rename one of them");
	refuses("vxbr0.yaml", "bridge: vx-b\n" AB, &self, 1,
		"vxbr0.yaml:4: b: its tunnel name would be vx-b, which is the name of the bridge");
	refuses("vxbr0.yaml", "underlay: vx-a\n" AB, &self, 1,
		"vxbr0.yaml:3: a: its tunnel name would be vx-a, which is the name of the "
		"underlay");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pair_vnis_are_those_of_the_vectors),
		cmocka_unit_test(thousand_hosts_are_those_of_the_vectors_and_fast),
		cmocka_unit_test(appending_a_host_moves_no_pair),
		cmocka_unit_test(a_collision_makes_the_later_pair_give_way),
		cmocka_unit_test(index_mode_counts_the_others),
		cmocka_unit_test(a_pair_uses_ipv4_if_both_have_it),
		cmocka_unit_test(a_mesh_of_one_has_no_peers),
		cmocka_unit_test(local_says_who_we_are),
		cmocka_unit_test(none_or_two_of_us_are_refused),
		cmocka_unit_test(tunnels_have_readable_names_where_they_fit),
		cmocka_unit_test(tunnel_names_that_clash_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
