// SPDX-License-Identifier: GPL-2.0
/* Which events matter to an overlay. */
/* lines: one case for each kind of news */
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/attach_clsact.h"
#include "kernel/block.h"
#include "watch/event_filter.h"

enum { ETH0 = 2, BRIDGE, TUNNEL, PORT, SHY_PORT, OTHER, NEW };

static const char config[] = "peers:\n"
			     "  - { name: alpha, address: 192.0.2.1 }\n"
			     "  - { name: beta, address: 192.0.2.2 }\n";

struct scene {
	struct conf conf;
	struct view view;
};

static struct link *device(struct view *view, int ifindex, const char *name, int master)
{
	struct link link = { .ifindex = ifindex, .master = master, .mtu = 1450, .flags = IFF_UP };

	text_copy(link.name, sizeof(link.name), name);
	view_set_link(view, ifindex, &link);
	return &view->world.links.v[view->world.links.n - 1];
}

static int setup(void **state)
{
	static const uint8_t here[] = { 192, 0, 2, 1 };
	struct scene *s = calloc(1, sizeof(*s));
	struct vx_addr self = ip_from_raw(AF_INET, here);
	struct why why = { 0 };
	struct link *tunnel;

	assert_int_equal(conf_parse("vxbr0.yaml", config, strlen(config), &s->conf, &why), 0);
	s->view.conf = &s->conf;
	assert_int_equal(mesh_build(&s->conf, &self, 1, &s->view.mesh, &why), 0);
	s->view.underlay.ifindex[s->view.underlay.n++] = ETH0;
	text_copy(s->view.build, sizeof(s->view.build), "0123456789abcdef");
	device(&s->view, ETH0, "eth0", 0);
	device(&s->view, BRIDGE, "vxbr0", 0);
	tunnel = device(&s->view, TUNNEL, "vx-beta", BRIDGE);
	text_copy(tunnel->kind, sizeof(tunnel->kind), "vxlan");
	text_copy(tunnel->alias, sizeof(tunnel->alias), "vxbpf:vxbr0:beta");
	tunnel->isolated = true;
	device(&s->view, PORT, "c1", BRIDGE);
	device(&s->view, SHY_PORT, "c2", BRIDGE)->isolated = true;
	device(&s->view, OTHER, "docker0", 0);
	s->view.world.addrs.v = calloc(1, sizeof(struct addr));
	s->view.world.addrs.n = 1;
	s->view.world.addrs.v[0] = (struct addr){ .ifindex = ETH0, .prefix = { self, 24 } };
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	view_free(&s->view);
	conf_free(&s->conf);
	free(s);
	return 0;
}

/* The device as it is known, in an event of this kind. */
static struct event about(const struct scene *s, enum event_kind kind, int ifindex)
{
	const struct link *link = links_by_index(&s->view.world.links, ifindex);
	struct event e = { .kind = kind, .ifindex = ifindex };

	if (link)
		e.link = *link;
	e.link.ifindex = ifindex;
	return e;
}

static enum matter judge(const struct scene *s, struct event e, bool settled)
{
	return event_matters(&e, &s->view, settled);
}

#define JUDGE(s, e, settled, wanted) assert_int_equal(judge(s, e, settled), MATTER_##wanted)

static void what_is_known_says_nothing(void **state)
{
	struct scene *s = *state;

	for (int ifindex = ETH0; ifindex <= OTHER; ifindex++) {
		struct event e = about(s, EVENT_LINK, ifindex);

		JUDGE(s, e, true, NOT);
		e.link.rx_dropped = 77;
		e.link.flags |= IFF_RUNNING;
		JUDGE(s, e, true, NOT);
	}
}

static void unsettled_any_word_on_a_part_matters(void **state)
{
	struct scene *s = *state;

	for (int ifindex = ETH0; ifindex <= TUNNEL; ifindex++) {
		struct event e = about(s, EVENT_LINK, ifindex);

		JUDGE(s, e, false, ALL);
	}
	JUDGE(s, about(s, EVENT_LINK, PORT), false, NOT);
	JUDGE(s, about(s, EVENT_LINK, OTHER), false, NOT);
}

static void nothing_known_means_all(void **state)
{
	struct event e = { .kind = EVENT_ADDR };
	struct view none = { 0 };

	(void)state;
	assert_int_equal(event_matters(&e, &none, true), MATTER_ALL);
}

static void parts_that_change_matter(void **state)
{
	struct scene *s = *state;
	struct event e = about(s, EVENT_LINK, TUNNEL);

	e.link.mtu = 1400;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_LINK, TUNNEL);
	e.link.master = 0;
	JUDGE(s, e, true, ALL);
	for (unsigned i = 0; i < PORT_FLAG_MAX; i++) {
		e = about(s, EVENT_PORT, TUNNEL);
		JUDGE(s, e, true, NOT);
		e.link.port_flags ^= 1U << i;
		JUDGE(s, e, true, ALL);
		e = about(s, EVENT_PORT, PORT);
		e.link.port_flags ^= 1U << i;
		if (i == PORT_LEARNS)
			JUDGE(s, e, true, PORT);
		else
			JUDGE(s, e, true, NOT);
	}
	e = about(s, EVENT_LINK, BRIDGE);
	e.link.hub = true;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_PORT, TUNNEL);
	e.link.mcast_pruned = true;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_LINK, BRIDGE);
	e.link.mcast_pruned = true;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_LINK, BRIDGE);
	e.link.flags ^= IFF_PROMISC;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_LINK, TUNNEL);
	e.link.vxlan.vni = 7;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_LINK, ETH0);
	e.link.flags = 0;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_LINK, ETH0);
	text_copy(e.link.name, sizeof(e.link.name), "wan");
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_LINK_GONE, BRIDGE);
	JUDGE(s, e, true, ALL);
	/* Said again after it was seen, or of one that we took away ourselves. */
	view_set_link(&s->view, TUNNEL, NULL);
	e.ifindex = e.link.ifindex = TUNNEL;
	text_copy(e.link.name, sizeof(e.link.name), "vx-beta");
	JUDGE(s, e, true, NOT);
	e.kind = EVENT_LINK; /* a foreign one in its place */
	JUDGE(s, e, true, ALL);
}

static void ports_are_looked_at_alone(void **state)
{
	struct scene *s = *state;
	struct event e = about(s, EVENT_LINK, NEW);

	text_copy(e.link.name, sizeof(e.link.name), "c9");

	JUDGE(s, e, true, NOT);
	e.link.master = BRIDGE;
	JUDGE(s, e, true, PORT);
	JUDGE(s, e, false, PORT);
	assert_int_equal(event_ifindex(&e), NEW);
	JUDGE(s, about(s, EVENT_LINK_GONE, PORT), true, PORT);
	e = about(s, EVENT_LINK, PORT);
	e.features = true;
	JUDGE(s, e, true, PORT);
	e = about(s, EVENT_LINK, PORT);
	e.link.peer_netns = 7;
	JUDGE(s, e, true, PORT);
	e = about(s, EVENT_LINK, PORT);
	e.link.mtu = 900;
	JUDGE(s, e, true, PORT);
	e.link.master = OTHER;
	JUDGE(s, e, true, PORT);
	e = about(s, EVENT_LINK, PORT);
	text_copy(e.link.name, sizeof(e.link.name), "renamed");
	JUDGE(s, e, true, PORT);
	/* Isolation decides over all tunnels. */
	e = about(s, EVENT_LINK, PORT);
	e.link.isolated = true;
	JUDGE(s, e, true, ALL);
	JUDGE(s, about(s, EVENT_LINK_GONE, SHY_PORT), true, ALL);
}

static void bridges_speak_of_their_ports(void **state)
{
	struct scene *s = *state;
	struct event e = about(s, EVENT_PORT, PORT);

	JUDGE(s, e, true, NOT);
	e.link.isolated = true;
	JUDGE(s, e, true, ALL);
	JUDGE(s, about(s, EVENT_PORT_GONE, PORT), true, PORT);
	JUDGE(s, about(s, EVENT_PORT_GONE, TUNNEL), true, ALL);
	JUDGE(s, about(s, EVENT_PORT_GONE, OTHER), true, NOT);
	e = about(s, EVENT_PORT, TUNNEL);
	JUDGE(s, e, true, NOT);
	e.link.isolated = false;
	JUDGE(s, e, true, ALL);
	e = about(s, EVENT_PORT, NEW);
	e.link.master = BRIDGE;
	JUDGE(s, e, true, PORT);
}

static void addresses_of_hosts_matter(void **state)
{
	struct scene *s = *state;
	struct event e = { .kind = EVENT_ADDR, .ifindex = ETH0 };

	e.prefix = s->view.world.addrs.v[0].prefix;
	JUDGE(s, e, true, NOT);
	JUDGE(s, e, false, ALL);
	e.kind = EVENT_ADDR_GONE;
	JUDGE(s, e, true, ALL);
	e.ifindex = OTHER; /* one of that address there was never known */
	JUDGE(s, e, true, NOT);
	e.kind = EVENT_ADDR;
	JUDGE(s, e, true, ALL);
	e.prefix.addr.bytes[15] = 99;
	JUDGE(s, e, true, NOT);
	e.ifindex = BRIDGE;
	JUDGE(s, e, true, ALL);
}

static void announced_mtu_of_the_underlay_matters(void **state)
{
	struct scene *s = *state;
	struct event e = { .kind = EVENT_INET6, .ifindex = ETH0, .link = { .mtu6 = 1400 } };
	struct link eth0 = *links_by_index(&s->view.world.links, ETH0);

	JUDGE(s, e, true, ALL);
	eth0.mtu6 = 1400;
	view_set_link(&s->view, ETH0, &eth0);
	JUDGE(s, e, true, NOT);
	JUDGE(s, e, false, ALL);
	e.ifindex = OTHER;
	JUDGE(s, e, false, NOT);
}

static void routes_that_cover_a_peer_matter(void **state)
{
	static const struct {
		const char *prefix;
		enum matter wanted;
	} rows[] = {
		{ "0.0.0.0/0", MATTER_ALL },	{ "192.0.2.2/32", MATTER_ALL },
		{ "192.0.2.0/24", MATTER_ALL }, { "192.0.2.1/32", MATTER_NOT },
		{ "192.0.2.4/30", MATTER_NOT }, { "198.51.100.0/24", MATTER_NOT },
		{ "::/0", MATTER_NOT },		{ "fe80::/64", MATTER_NOT },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct event e = { .kind = EVENT_ROUTE };

		assert_true(ip_parse_prefix(rows[i].prefix, &e.prefix));
		assert_int_equal(event_matters(&e, &s->view, true), rows[i].wanted);
	}
}

static void filters_of_ours_that_go_matter(void **state)
{
	struct scene *s = *state;
	struct event e = { .kind = EVENT_TC_GONE, .ifindex = TUNNEL };

	JUDGE(s, e, true, ALL);
	e.kind = EVENT_TC; /* as our own come */
	JUDGE(s, e, true, NOT);
	e.ifindex = PORT;
	JUDGE(s, e, true, PORT);
	e.ifindex = OTHER;
	JUDGE(s, e, true, NOT);
	e = (struct event){ .kind = EVENT_TC_GONE, .block = block_index("vxbr0", "tun_out") };
	JUDGE(s, e, true, ALL);
	e.kind = EVENT_TC;
	JUDGE(s, e, true, NOT);
	e.block = block_index("blue", "tun_out"); /* somebody's, and it may be a port's */
	JUDGE(s, e, true, ALL);
}

static void pins_that_go_matter(void **state)
{
	static const struct {
		const char *overlay, *folder, *pin;
		enum matter wanted;
	} rows[] = {
		{ "vxbr0", "links", "tun_out-4", MATTER_ALL },
		{ "vxbr0", "links", "port_in-5", MATTER_PORT },
		{ "vxbr0", "links", "port_in-99", MATTER_NOT },
		{ "blue", "links", "tun_out-4", MATTER_NOT },
		{ "vxbr0", "programs", "0123456789abcdef", MATTER_ALL },
		{ "vxbr0", "programs", "fedcba9876543210", MATTER_NOT },
		{ "vxbr0", "", "peers", MATTER_ALL },
		{ "vxbr0", "links", "strange", MATTER_ALL },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct event e = { .kind = EVENT_PIN_GONE };

		text_copy(e.overlay, sizeof(e.overlay), rows[i].overlay);
		text_copy(e.folder, sizeof(e.folder), rows[i].folder);
		text_copy(e.pin, sizeof(e.pin), rows[i].pin);
		assert_int_equal(event_matters(&e, &s->view, true), rows[i].wanted);
		if (rows[i].wanted == MATTER_PORT)
			assert_int_equal(event_ifindex(&e), PORT);
	}
}

static void where_a_tunnel_sends_matters(void **state)
{
	struct scene *s = *state;
	struct event e = { .kind = EVENT_FDB, .ifindex = TUNNEL, .fdb = { .lasting = true } };
	struct link *tunnel = (struct link *)links_by_index(&s->view.world.links, TUNNEL);

	assert_true(ip_parse("192.0.2.2", &tunnel->vxlan.remote));
	e.fdb.to = tunnel->vxlan.remote;
	JUDGE(s, e, true, NOT);
	JUDGE(s, e, false, ALL);
	e.fdb.vni = 7;
	JUDGE(s, e, true, ALL);
	e.fdb.vni = 0;
	e.kind = EVENT_FDB_GONE;
	JUDGE(s, e, true, ALL);
	e.kind = EVENT_FDB;
	e.fdb.to.bytes[15]++;
	JUDGE(s, e, true, ALL);
	e.ifindex = OTHER;
	JUDGE(s, e, true, NOT);
}

static void lost_ones_and_rules_concern_all(void **state)
{
	struct scene *s = *state;

	assert_int_equal(judge(s, (struct event){ .kind = EVENT_LOST }, true), MATTER_ALL);
	assert_int_equal(judge(s, (struct event){ .kind = EVENT_WAYS }, true), MATTER_ALL);
}

static void rules_matter_where_they_are_asked(void **state)
{
	const struct event frames = { .kind = EVENT_FRAME_RULES };
	const struct event devices = { .kind = EVENT_DEVICE_RULES };
	const struct event packets = { .kind = EVENT_IP_RULES };
	struct scene *s = *state;

	JUDGE(s, frames, true, RULES);
	/* Read first; a pass over everything follows if they are others. */
	JUDGE(s, devices, true, RULES);
	JUDGE(s, packets, true, RULES);
	s->conf.fastpath = CONF_ON;
	JUDGE(s, frames, true, NOT);
	JUDGE(s, devices, true, NOT);
	JUDGE(s, packets, true, NOT);
}

/* The fast path would go past them. */
static void filters_of_others_matter(void **state)
{
	static const int places[] = { TUNNEL, ETH0 };
	struct scene *s = *state;
	const struct attach at = { .overlay = "vxbr0", .room = attach_room("wire_in") };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct event e = { .kind = EVENT_TC, .ifindex = places[i] };

		JUDGE(s, e, true, NOT); /* a clsact qdisc alone */
		e.root = true;
		JUDGE(s, e, true, ALL);
		e.root = false;
		e.filter = 0x80000800;
		JUDGE(s, e, true, ALL);
		e.filter = attach_filter(&at).handle;
		JUDGE(s, e, true, NOT);
		s->conf.fastpath = CONF_ON;
		e.filter = 0x80000800;
		JUDGE(s, e, true, NOT);
		s->conf.fastpath = CONF_AUTO;
		e = (struct event){ .kind = EVENT_TC, .filter = 7 };
		e.block = block_index("vxbr0", "tun_in");
		JUDGE(s, e, true, ALL);
		e.filter = e.block; /* ours */
		JUDGE(s, e, true, NOT);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_known_says_nothing),
		CASE(unsettled_any_word_on_a_part_matters),
		CASE(nothing_known_means_all),
		CASE(parts_that_change_matter),
		CASE(ports_are_looked_at_alone),
		CASE(bridges_speak_of_their_ports),
		CASE(announced_mtu_of_the_underlay_matters),
		CASE(addresses_of_hosts_matter),
		CASE(routes_that_cover_a_peer_matter),
		CASE(filters_of_ours_that_go_matter),
		CASE(filters_of_others_matter),
		CASE(pins_that_go_matter),
		CASE(lost_ones_and_rules_concern_all),
		CASE(where_a_tunnel_sends_matters),
		CASE(rules_matter_where_they_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
