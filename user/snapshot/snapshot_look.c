// SPDX-License-Identifier: GPL-2.0
/* Further observations of `check`: routes to peers, ways past the guard, and MACs that keep moving; see snapshot.h. Impure. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include <linux/rtnetlink.h>

#include "conf/conf.h"
#include "kernel/mapdump.h"
#include "kernel/route.h"
#include "reconcile/world.h"
#include "snapshot/snapshot.h"

/* --- routes */

static const struct link *device_with(const struct world *world, const struct vx_addr *address)
{
	for (size_t i = 0; i < world->addrs.n; i++)
		if (ip_equal(&world->addrs.v[i].prefix.addr, address))
			return links_by_index(&world->links, world->addrs.v[i].ifindex);
	return NULL;
}

/* An address that belongs to the host rather than to a way out of it may leave by any; so may one on a
 * device that stands on another, as VRRP has it. */
static bool is_bound(const struct link *home)
{
	return !(home->flags & IFF_LOOPBACK) && strcmp(home->kind, "dummy") != 0 &&
	       strcmp(home->kind, "macvlan") != 0 && strcmp(home->kind, "ipvlan") != 0;
}

/* Somebody wrote the source into the route; the kernel's own and DHCP's just name the first address. */
static bool is_deliberate(const struct route *route)
{
	return ip_is_set(&route->source) && route->protocol != RTPROT_KERNEL &&
	       route->protocol != RTPROT_DHCP && route->protocol != RTPROT_RA;
}

static void look_at_route(struct nl *nl, const struct world *world, struct snapshot *s,
			  struct snapshot_peer *p)
{
	struct vx_addr local, remote;
	struct snapshot_route *to = &p->route;
	const struct link *home, *first, *bound;
	struct route route;

	if (!ip_parse(p->local, &local) || !ip_parse(p->address, &remote))
		return;
	home = device_with(world, &local);
	bound = links_by_name(&world->links, s->told.underlay);
	route_read(nl, &world->links, home ? &local : NULL, &remote, (uint16_t)s->told.port,
		   bound ? bound->ifindex : 0, &route);
	to->missing = route.err || !route.n;
	if (to->missing)
		return;
	first = links_by_index(&world->links, route.ifindex[0]);
	text_copy(to->device, sizeof(to->device), first ? first->name : "");
	to->via = route.via;
	/* The tunnel sends from its own address; one of the host itself suits every way out. */
	if (is_deliberate(&route) && !(home && !is_bound(home)))
		ip_format(&route.source, to->source);
	if (!home)
		return;
	text_copy(to->home, sizeof(to->home), home->name);
	to->astray = is_bound(home);
	for (size_t i = 0; i < route.n; i++)
		to->astray &= route.ifindex[i] != home->ifindex;
}

/* --- ways past the guard */

/* The overlay's own, and what is reached by its bridge, is not a way to this host from outside. */
static bool is_inside(const struct world *world, const struct snapshot *s, const struct link *link)
{
	const struct link *bridge = links_by_name(&world->links, s->told.bridge);

	return bridge && (link == bridge || link->master == bridge->ifindex);
}

static bool is_of_mesh(const struct snapshot *s, const char *address)
{
	for (size_t i = 0; i < s->n_peers; i++)
		if (strcmp(s->peers[i].local, address) == 0)
			return true;
	return false;
}

static void add_way(struct snapshot *s, const char *kind, const char *name)
{
	char word[VX_TEXT_LEN + 16];

	snprintf(word, sizeof(word), "%s %s", kind, name);
	if (!strstr(s->elsewhere, word) &&
	    strlen(s->elsewhere) + strlen(word) + sizeof(" or ") < sizeof(s->elsewhere))
		text_add(s->elsewhere, sizeof(s->elsewhere), "%s%s", s->elsewhere[0] ? " or " : "",
			 word);
}

/* Devices with an address and without our program, and further addresses of this host: if packets get past
 * the guard, it is by one of those. */
static void look_for_ways(const struct world *world, struct snapshot *s)
{
	for (size_t i = 0; i < world->addrs.n; i++) {
		const struct vx_addr *addr = &world->addrs.v[i].prefix.addr;
		const struct link *link = links_by_index(&world->links, world->addrs.v[i].ifindex);
		char text[IP_TEXT];

		if (!link || !(link->flags & IFF_UP) || is_inside(world, s, link) ||
		    conf_address_fault(addr))
			continue;
		ip_format(addr, text);
		if (!snapshot_is_underlay(s, link->name) && !(link->flags & IFF_LOOPBACK))
			add_way(s, "device", link->name);
		else if (!is_of_mesh(s, text))
			add_way(s, "address", text);
	}
}

/* --- MACs that move */

#define FLAP_MOVES 3 /* a container that moves does so once, or there and back */
#define SETTLED_NS 5000000000ULL /* in one place for so long: it is no longer in two */
#define LOOKS 12
#define LOOK_NS 250000000ULL

struct watched_mac {
	struct vx_fdb_key key;
	uint64_t contested_ns; /* beyond doubt already, and when it last was; 0 = not */
	uint32_t moves; /* when we began to look */
	uint32_t moved; /* since */
	char where[3][VX_IF_LEN + VX_NAME_LEN];
	size_t n_where;
};

struct watching {
	const struct world *world;
	struct snapshot *s;
	struct watched_mac macs[16];
	size_t n;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static bool is_within(uint64_t then, uint64_t now, uint64_t span)
{
	return then && (then >= now || now - then <= span);
}

static void add_place(struct watched_mac *m, const char *what, const char *name)
{
	char text[sizeof(m->where[0])];

	snprintf(text, sizeof(text), "%s %s", what, name);
	for (size_t i = 0; i < m->n_where; i++)
		if (strcmp(m->where[i], text) == 0)
			return;
	if (name[0] && m->n_where < ARRAY_LEN(m->where))
		memcpy(m->where[m->n_where++], text, sizeof(text));
}

static void add_port(const struct watching *w, struct watched_mac *m, uint32_t ifindex)
{
	const struct link *link = links_by_index(&w->world->links, (int)ifindex);

	add_place(m, "port", link ? link->name : "");
}

static void add_peer(const struct watching *w, struct watched_mac *m, uint32_t vni)
{
	for (size_t i = 0; i < w->s->n_peers; i++)
		if (w->s->peers[i].vni == vni)
			add_place(m, "peer", w->s->peers[i].name);
}

static void see_places(const struct watching *w, struct watched_mac *m, const struct vx_fdb *at)
{
	if (at->place == VX_AT_PORT || m->contested_ns)
		add_port(w, m, at->ifindex);
	if (at->place == VX_AT_PEER || m->contested_ns)
		add_peer(w, m, at->vni);
	/* Two that send in turn may be caught at the same place again and again. */
	if (m->moved && at->was == VX_AT_PORT)
		add_port(w, m, at->was_at);
	if (m->moved && at->was == VX_AT_PEER)
		add_peer(w, m, at->was_at);
}

static struct watched_mac *find_mac(struct watching *w, const struct vx_fdb_key *key)
{
	for (size_t i = 0; i < w->n; i++)
		if (memcmp(&w->macs[i].key, key, sizeof(*key)) == 0)
			return &w->macs[i];
	return NULL;
}

/* Beyond doubt, or moved often enough by now to be worth a second look. */
static void suspect(struct watching *w, const struct vx_fdb_key *key, const struct vx_fdb *at,
		    uint64_t now)
{
	bool contested = is_within(at->contested_ns, now, SNAPSHOT_FRESH_NS);
	struct watched_mac *m;

	if (at->contested_ns > w->s->contested_ns)
		w->s->contested_ns = at->contested_ns;
	if (w->n == ARRAY_LEN(w->macs) ||
	    (!contested && (at->moves < FLAP_MOVES || !is_within(at->seen_ns, now, 10 * LOOK_NS))))
		return;
	m = &w->macs[w->n++];
	*m = (struct watched_mac){ .key = *key, .moves = at->moves };
	if (contested)
		m->contested_ns = at->contested_ns;
	see_places(w, m, at);
}

static int look_at_macs(struct watching *w, bool first)
{
	automapdump struct mapdump dump = { 0 };
	uint64_t now = now_ns();
	int err = mapdump_read(w->s->told.name, "fdb", sizeof(struct vx_fdb_key),
			       sizeof(struct vx_fdb), &dump);

	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_fdb_key *key = mapdump_key(&dump, i);
		const struct vx_fdb *at = mapdump_value(&dump, i, 0);
		struct watched_mac *m = first ? NULL : find_mac(w, key);

		if (first)
			suspect(w, key, at, now);
		if (!m)
			continue;
		m->moved = at->moves - m->moves;
		see_places(w, m, at);
	}
	return err;
}

static bool is_open(const struct watching *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (!w->macs[i].contested_ns && w->macs[i].moved < FLAP_MOVES)
			return true;
	return false;
}

/* 00:00:5e:00:01:ID, and 02:ID for IPv6 (RFC 9568): the router that is master shows it. 0: another MAC. */
static unsigned virtual_router(const uint8_t *mac)
{
	static const uint8_t iana[] = { 0x00, 0x00, 0x5e, 0x00 };

	return memcmp(mac, iana, sizeof(iana)) == 0 && (mac[4] == 1 || mac[4] == 2) ? mac[5] : 0;
}

static void add_flap(struct snapshot *s, const struct watched_mac *m, uint64_t began, uint64_t now)
{
	struct snapshot_flap *f = array_add(&s->flaps, &s->n_flaps, sizeof(*f));

	f->moves = m->moved;
	f->within_ns = now - began;
	f->router = virtual_router(m->key.mac);
	if (m->contested_ns && !is_within(m->contested_ns, now, SETTLED_NS))
		f->settled_ns = now - m->contested_ns;
	mac_format(m->key.mac, f->mac);
	for (size_t i = 0; i < m->n_where; i++)
		text_add(f->where, sizeof(f->where), "%s%s",
			 !i		      ? ""
			 : i + 1 < m->n_where ? ", "
					      : " and ",
			 m->where[i]);
	if (!m->n_where)
		text_copy(f->where, sizeof(f->where), "removed devices");
}

static int look_for_flaps(const struct world *world, struct snapshot *s)
{
	struct watching w = { .world = world, .s = s };
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	uint64_t began = now_ns();
	int err = look_at_macs(&w, true);

	for (size_t i = 0; !err && is_open(&w) && i < LOOKS; i++) {
		nanosleep(&pause, NULL);
		err = look_at_macs(&w, false);
	}
	for (size_t i = 0; !err && i < w.n; i++)
		if (w.macs[i].contested_ns || w.macs[i].moved >= FLAP_MOVES)
			add_flap(s, &w.macs[i], began, now_ns());
	return err;
}

/* --- frames that went round */

static int look_for_rounds(struct snapshot *s)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(s->told.name, "echoes", sizeof(uint32_t), sizeof(struct vx_echo),
			       &dump);

	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_echo *echo = mapdump_value(&dump, i, 0);

		if (echo->times > VX_ECHO_TIMES && echo->since_ns > s->round_ns)
			s->round_ns = echo->since_ns;
	}
	return err;
}

int snapshot_look(struct nl *nl, struct snapshot *s, struct why *why)
{
	autoworld struct world world = { 0 };
	int err;

	s->looked = true;
	if (!s->up)
		return 0;
	err = world_read(nl, &world, why);
	if (err)
		return err;
	for (size_t i = 0; i < s->n_peers; i++)
		look_at_route(nl, &world, s, &s->peers[i]);
	look_for_ways(&world, s);
	err = look_for_flaps(&world, s);
	if (!err)
		err = look_for_rounds(s);
	return err ? why_set(why, err, "%s: cannot read the locations of MACs: %s", s->told.name,
			     strerror(-err))
		   : 0;
}
