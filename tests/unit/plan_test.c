// SPDX-License-Identifier: GPL-2.0
/* Names that ownership rests on, and what holds for the plan of a mesh of any size. Whole plans are
 * in tests/golden. */
#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "plan/diff.h"
#include "plan/plan.h"

static const char *const maps[] = { "peers", NULL };
static const char *const progs[] = { "tun_in", "tun_out", NULL };

static void names_are_those_of_the_contract(void **state)
{
	char text[LINK_ALIAS], mac[18], other[18];

	(void)state;
	plan_bridge_alias("vxbr0", text);
	assert_string_equal(text, "vxbpf:vxbr0");
	plan_tunnel_alias("vxbr0", "beta", text);
	assert_string_equal(text, "vxbpf:vxbr0:beta");
	plan_tunnel_alias("fifteen-letters", "a-peer-name-of-thirty-two-letter", text);
	assert_string_equal(text, "vxbpf:fifteen-letters:a-peer-name-of-thirty-two-letter");
	assert_true(plan_group("vxbr0") & 0x80000000U);
	assert_int_not_equal(plan_group("vxbr0"), plan_group("vxbr1"));
	plan_mac("vxbr0", "alpha", "vx-beta", mac);
	assert_string_equal(mac, "fe:c0:81:bb:d7:66");
	plan_mac("vxbr0", "gamma", "vx-beta", other);
	assert_string_not_equal(mac, other);
	plan_mac("vxbr0", "alpha", "vx-delta", other);
	assert_string_not_equal(mac, other);
}

/* Each way into a veth passes by one kind of XDP at its other end. */
static void doors_pass_by_no_xdp(void **state)
{
	static const struct {
		const char *kind, *qdisc;
		bool elsewhere, told;
		enum link_far far;
		enum vx_door door; /* 0: none */
		bool passes_on;
	} rows[] = {
		{ "veth", "noqueue", true, true, FAR_CLEAR, VX_DOOR_PEER, false },
		{ "veth", "noqueue", true, true, FAR_GENERIC, VX_DOOR_PEER, false },
		{ "veth", "noqueue", true, true, FAR_NATIVE, VX_DOOR_NEAR, false },
		{ "veth", "noqueue", true, false, FAR_NATIVE, VX_DOOR_NEAR, false },
		{ "veth", "noqueue", true, true, FAR_UNKNOWN, VX_DOOR_OUT, false },
		{ "veth", "noqueue", true, false, FAR_CLEAR, VX_DOOR_NEAR, false },
		{ "veth", "noqueue", true, false, FAR_GENERIC, VX_DOOR_OUT, false },
		{ "veth", "htb", true, true, FAR_CLEAR, VX_DOOR_NEAR, false },
		{ "veth", "htb", true, true, FAR_GENERIC, VX_DOOR_OUT, false },
		{ "veth", "noqueue", false, true, FAR_CLEAR, VX_DOOR_NEAR, false },
		{ "veth", "noqueue", false, true, FAR_GENERIC, VX_DOOR_OUT, false },
		{ "veth", "noqueue", true, true, FAR_CLEAR, VX_DOOR_NEAR, true },
		{ "veth", "noqueue", true, true, FAR_GENERIC, VX_DOOR_OUT, true },
		{ "tun", "pfifo_fast", false, false, FAR_UNKNOWN, VX_DOOR_PORT, false },
		{ "macvlan", "noqueue", true, true, FAR_CLEAR, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct link port = { .peer_elsewhere = rows[i].elsewhere,
				     .far = rows[i].far,
				     .far_told = rows[i].told,
				     .far_passes_on = rows[i].passes_on };
		enum vx_door door;

		text_copy(port.kind, sizeof(port.kind), rows[i].kind);
		text_copy(port.qdisc, sizeof(port.qdisc), rows[i].qdisc);
		assert_int_equal(plan_door(&port, &door), rows[i].door != 0);
		if (rows[i].door)
			assert_int_equal(door, rows[i].door);
	}
}

static struct link tunnel(const char *alias)
{
	struct link link = { .kind = "vxlan", .name = "vx-beta", .group = plan_group("vxbr0") };
	char mac[18];

	plan_mac("vxbr0", "alpha", "vx-beta", mac);
	mac_parse(mac, link.mac);
	text_copy(link.alias, sizeof(link.alias), alias);
	return link;
}

static void a_tunnel_is_ours_by_alias_or_by_all_else(void **state)
{
	struct link link = tunnel("vxbpf:vxbr0:beta");

	(void)state;
	assert_true(plan_owns_tunnel(&link, "vxbr0", "alpha"));
	assert_false(plan_owns_tunnel(&link, "vxbr", "alpha"));
	assert_false(plan_owns_tunnel(&link, "vxbr00", "alpha"));
	link.group = 0; /* the alias is enough */
	assert_true(plan_owns_tunnel(&link, "vxbr0", ""));
	text_copy(link.kind, sizeof(link.kind), "dummy");
	assert_false(plan_owns_tunnel(&link, "vxbr0", "alpha"));

	link = tunnel("");
	assert_true(plan_owns_tunnel(&link, "vxbr0", "alpha"));
	assert_false(plan_owns_tunnel(&link, "vxbr0", "gamma"));
	link.group++;
	assert_false(plan_owns_tunnel(&link, "vxbr0", "alpha"));
	link = tunnel("");
	link.mac[5] ^= 1;
	assert_false(plan_owns_tunnel(&link, "vxbr0", "alpha"));
	link = tunnel("somebody's");
	assert_false(plan_owns_tunnel(&link, "vxbr0", "alpha"));
}

static void a_bridge_is_ours_by_alias(void **state)
{
	struct link link = { .kind = "bridge", .name = "vxbr0", .alias = "vxbpf:vxbr0" };

	(void)state;
	assert_true(plan_owns_bridge(&link, "vxbr0"));
	assert_false(plan_owns_bridge(&link, "vxbr"));
	text_copy(link.alias, sizeof(link.alias), "vxbpf:vxbr0:beta");
	assert_false(plan_owns_bridge(&link, "vxbr0"));
	text_copy(link.alias, sizeof(link.alias), "");
	assert_false(plan_owns_bridge(&link, "vxbr0"));
	link = (struct link){ .kind = "vxlan", .alias = "vxbpf:vxbr0" };
	assert_false(plan_owns_bridge(&link, "vxbr0"));
}

/* --- meshes of any size, on a host with one NIC */

struct site {
	struct conf conf;
	struct mesh mesh;
	struct link nic;
	struct links links;
	struct addr addr;
	struct addrs addrs;
	struct route *routes;
	struct verdicts notes;
	struct foreigns foreigns;
};

static void site_make(struct site *s, unsigned peers)
{
	struct vx_addr self;
	struct why why = { 0 };
	size_t size = 64 + 64 * (size_t)peers;
	char *text = calloc(1, size);

	*s = (struct site){
		.nic = { .ifindex = 2, .name = "eth0", .type = ARPHRD_ETHER, .mtu = 1500 }
	};
	s->links = (struct links){ &s->nic, 1 };
	text_add(text, size, "peers:\n- {name: self, address: 10.0.0.1}\n");
	for (unsigned i = 0; i < peers; i++)
		text_add(text, size, "- {name: p%u, address: 10.1.%u.%u}\n", i, i / 200,
			 1 + i % 200);
	assert_true(ip_parse("10.0.0.1", &self));
	s->addr = (struct addr){ .ifindex = 2, .prefix = { self, 8 } };
	s->addrs = (struct addrs){ &s->addr, 1 };
	assert_int_equal(conf_parse("/etc/vxbpf/vxbr0.yaml", text, strlen(text), &s->conf, &why),
			 0);
	assert_int_equal(mesh_build(&s->conf, &self, 1, &s->mesh, &why), 0);
	s->routes = calloc(peers + 1, sizeof(*s->routes));
	for (unsigned i = 0; i < peers; i++)
		s->routes[i] = (struct route){ .ifindex = { 2 }, .n = 1, .mtu = 1500 };
	free(text);
}

static void site_free(struct site *s)
{
	verdicts_free(&s->notes);
	mesh_free(&s->mesh);
	conf_free(&s->conf);
	free(s->routes);
}

static void site_plan(struct site *s, const char *tc_mode, struct objs *now, struct objs *out)
{
	const struct fastpath_facts fastpath = { .bridge_nf_call = true };
	autoslots struct slots slots = { 0 };
	const struct plan_surroundings around = { .links = &s->links,
						  .fastpath = s->foreigns.n ? NULL : &fastpath,
						  .addrs = &s->addrs,
						  .routes = s->routes,
						  .tc_mode = tc_mode };
	const struct plan_built built = { .now = now,
					  .slots = &slots,
					  .build = "b",
					  .maps = maps,
					  .progs = progs,
					  .foreigns = &s->foreigns };
	struct plan_base base;
	struct why why = { 0 };

	slots_assign(&s->mesh, now, &slots);
	if (plan_settle(&s->conf, &s->mesh, &around, &base, &s->notes, &why))
		fail_msg("%s", why.text);
	plan_objects(&s->conf, &s->mesh, &around, &built, &base, out, &s->notes);
}

static size_t count(const struct objs *objs, enum obj_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < objs->n; i++)
		n += objs->v[i]->kind == kind;
	return n;
}

/* Each tunnel once, by one way, and in the bridge; whatever way there was is kept. */
static void every_peer_gets_a_hooked_tunnel(void **state)
{
	static const unsigned sizes[] = { 0, 1, 2, 15, 16, 17, 100, 999 };
	static const char *const modes[] = { "tcx", "clsact" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(sizes) * 2; i++) {
		unsigned n = sizes[i / 2];
		bool tcx = i % 2 == 0 && n <= PLAN_TCX_TUNNELS;
		struct objs nothing = { 0 }, first = { 0 }, again = { 0 };
		struct steps steps = { 0 };
		struct site s;
		struct why why = { 0 };

		site_make(&s, n);
		site_plan(&s, modes[i % 2], &nothing, &first);
		assert_int_equal(count(&first, OBJ_TUNNEL), n);
		assert_int_equal(count(&first, OBJ_MEMBER), n);
		assert_int_equal(count(&first, OBJ_HOOK), tcx ? 2 * n + 1 : 1);
		assert_int_equal(count(&first, OBJ_QDISC), tcx ? 0 : n);
		assert_int_equal(count(&first, OBJ_BLOCK), tcx || !n ? 0 : 2);

		/* A kernel that shows just that: nothing to do, even if it could do otherwise. */
		site_plan(&s, modes[!(i % 2)], &first, &again);
		assert_int_equal(diff_make(&again, &first, &steps, &why), 0);
		assert_int_equal(steps.n, 0);
		assert_int_equal(s.notes.n, 0);
		steps_free(&steps);
		objs_free(&first);
		objs_free(&again);
		site_free(&s);
	}
}

static void keys_are_there_once(void **state)
{
	struct objs nothing = { 0 }, want = { 0 };
	struct site s;

	(void)state;
	site_make(&s, 999);
	site_plan(&s, "clsact", &nothing, &want);
	objs_sort(&want);
	for (size_t i = 1; i < want.n; i++)
		assert_false(want.v[i - 1]->kind == want.v[i]->kind &&
			     strcmp(want.v[i - 1]->key, want.v[i]->key) == 0);
	objs_free(&want);
	site_free(&s);
}

/* Only that port, and only with `auto`. */
static void a_port_with_things_of_others_gets_no_door(void **state)
{
	static const enum conf_switch modes[] = { CONF_AUTO, CONF_ON };
	struct link links[] = {
		{ .ifindex = 2, .name = "eth0", .type = ARPHRD_ETHER, .mtu = 1500 },
		{ .ifindex = 3, .name = "vxbr0", .kind = "bridge", .alias = "vxbpf:vxbr0" },
		{ .ifindex = 4, .name = "c1", .kind = "veth", .master = 3, .qdisc = "noqueue" },
		{ .ifindex = 5, .name = "c2", .kind = "veth", .master = 3, .qdisc = "tbf" },
	};
	struct foreign shaped = { 5, FOREIGN_IN | FOREIGN_OUT, "its root qdisc is tbf" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct objs nothing = { 0 }, want = { 0 };
		struct site s;

		site_make(&s, 1);
		s.links = (struct links){ links, ARRAY_LEN(links) };
		s.foreigns = (struct foreigns){ &shaped, 1 };
		s.conf.fastpath = modes[i];
		site_plan(&s, "tcx", &nothing, &want);
		assert_non_null(objs_find(&want, OBJ_INDEX, "doors/c1"));
		assert_non_null(objs_find(&want, OBJ_HOOK, "c2/port_in"));
		assert_int_equal(!objs_find(&want, OBJ_INDEX, "doors/c2"), modes[i] == CONF_AUTO);
		assert_int_equal(!objs_find(&want, OBJ_HOOK, "c2/port_out"), modes[i] == CONF_AUTO);
		objs_free(&want);
		site_free(&s);
	}
}

static struct vx_peer peer_of(struct objs *want, struct site *s)
{
	char key[32];
	struct vx_peer peer;

	snprintf(key, sizeof(key), "peers/%u", s->mesh.peers[0].vni);
	memcpy(&peer, objs_find(want, OBJ_ENTRY, key)->blob, sizeof(peer));
	return peer;
}

/* Each way by itself: what is on the tunnel, on the underlay. */
static void peers_behind_things_of_others_are_the_kernels(void **state)
{
	static const struct {
		struct foreign foreign;
		bool tx, rx;
		const char *said;
	} rows[] = {
		{ { 4, FOREIGN_OUT, "its root qdisc is tbf" },
		  true,
		  false,
		  "vx-p0: packets to p0" },
		{ { 4, FOREIGN_IN, "a bpf filter is on its ingress" },
		  false,
		  true,
		  "vx-p0: packets from p0" },
		{ { 2, FOREIGN_IN, "a bpf filter is on its ingress" },
		  false,
		  true,
		  "eth0: packets from peers" },
		{ { 2, FOREIGN_OUT, "nftables chain" }, true, false, "eth0: packets to peers" },
		{ { 5, FOREIGN_IN, "a bpf filter is on its ingress" }, false, false, NULL },
	};
	struct link links[] = {
		{ .ifindex = 2, .name = "eth0", .type = ARPHRD_ETHER, .mtu = 1500 },
		{ .ifindex = 3, .name = "vxbr0", .kind = "bridge", .alias = "vxbpf:vxbr0" },
		{ .ifindex = 4, .name = "vx-p0", .kind = "vxlan", .master = 3 },
	};

	(void)state;
	text_copy(links[2].alias, sizeof(links[2].alias), "vxbpf:vxbr0:p0");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objs nothing = { 0 }, want = { 0 };
		struct foreign foreign = rows[i].foreign;
		struct vx_peer peer;
		struct site s;

		site_make(&s, 1);
		s.links = (struct links){ links, ARRAY_LEN(links) };
		s.foreigns = (struct foreigns){ &foreign, 1 };
		site_plan(&s, "tcx", &nothing, &want);
		peer = peer_of(&want, &s);
		assert_int_equal(peer.slow_tx, rows[i].tx);
		assert_int_equal(peer.slow_rx, rows[i].rx);
		assert_int_equal(s.notes.n, !!rows[i].said);
		if (rows[i].said)
			assert_non_null(strstr(s.notes.v[0].text, rows[i].said));
		objs_free(&want);
		site_free(&s);
	}
}

static void down_of_what_is_not_there_wants_nothing(void **state)
{
	struct links links = { 0 };
	struct addrs addrs = { 0 };
	struct objs want = { 0 };
	struct verdicts notes = { 0 };

	(void)state;
	plan_nothing("vxbr0", &links, &addrs, &want, &notes);
	assert_int_equal(want.n, 0);
	assert_int_equal(notes.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_contract),
		cmocka_unit_test(doors_pass_by_no_xdp),
		cmocka_unit_test(a_tunnel_is_ours_by_alias_or_by_all_else),
		cmocka_unit_test(a_bridge_is_ours_by_alias),
		cmocka_unit_test(every_peer_gets_a_hooked_tunnel),
		cmocka_unit_test(keys_are_there_once),
		cmocka_unit_test(a_port_with_things_of_others_gets_no_door),
		cmocka_unit_test(peers_behind_things_of_others_are_the_kernels),
		cmocka_unit_test(down_of_what_is_not_there_wants_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
