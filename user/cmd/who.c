// SPDX-License-Identifier: GPL-2.0
/* Saying where a MAC or an IP address has been seen; see who.h. Pure. */
#include "cmd/who.h"

#include <json-c/json.h>
#include <string.h>

#include "base/human.h"
#include "base/ip.h"
#include "base/sanitize.h"
#include "kernel/link.h"

#define FORMAT (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

enum { TEXT = 1024, FLAPS = 4 };

static uint64_t age_ms(uint64_t then, uint64_t now)
{
	return then >= now ? 0 : (now - then) / 1000000;
}

static bool is_stale(const struct who *w, uint64_t now)
{
	return w->known && age_ms(w->at.seen_ns, now) > WHO_AGE_NS / 1000000;
}

static bool is_flapping(const struct who *w, uint64_t now)
{
	return w->known && w->at.lately >= FLAPS &&
	       age_ms(w->at.moved_ns, now) < VX_REST_NS / 1000000;
}

static void add_age(char *text, uint64_t ms)
{
	char age[HUMAN_LEN];

	human_age(ms, age);
	text_add(text, TEXT, "%s ago", age);
}

static bool is_host(const struct who *w, const char *ifname)
{
	return strcmp(ifname, w->live->told.bridge) == 0;
}

/* A device's name for a terminal: it may hold any byte. */
static char *shown_name(const char *ifname)
{
	char *shown = sanitize_text(ifname);

	if (!shown)
		out_of_memory();
	return shown;
}

/* "port c1", "beta (192.0.2.2), behind vx-beta", "this host" */
static void add_place(char *text, const struct who *w, enum vx_place place, uint32_t where,
		      const char *ifname, bool at_length)
{
	const struct running_peer *p =
		place == VX_AT_PEER ? running_find_vni(w->live, where) : NULL;

	if (p)
		text_add(text, TEXT, at_length ? "%s (%s), behind %s" : "%s", p->said.name,
			 p->said.address, p->said.ifname);
	else if (place == VX_AT_PEER)
		text_add(text, TEXT, "a former peer (VNI %u)", where);
	else if (!where || is_host(w, ifname))
		text_add(text, TEXT, at_length ? "this host, %s, on %s itself" : "this host",
			 w->live->told.local, w->live->told.bridge);
	else if (ifname[0])
		text_add(text, TEXT, at_length ? "port %s of this host" : "port %s", ifname);
	else
		text_add(text, TEXT, "a removed port (device %u)", where);
}

static void add_moves(char *text, const struct who *w, uint64_t now)
{
	const struct vx_fdb *at = &w->at;
	autofree char *was = shown_name(w->was_port);

	if (!at->moves)
		return;
	text_add(text, TEXT, ", moved %u time%s", at->moves, at->moves == 1 ? "" : "s");
	if (!at->moved_ns)
		return;
	text_add(text, TEXT, "%s", at->moves == 1 ? ", " : ", last ");
	add_age(text, age_ms(at->moved_ns, now));
	text_add(text, TEXT, " from ");
	add_place(text, w, at->was, at->was_at, was, false);
	if (is_flapping(w, now))
		text_add(text, TEXT, "; still moving: %u moves less than a minute apart",
			 at->lately);
}

/* Where the bridge would send a frame for it. */
static void add_bridge_place(char *text, const struct who *w)
{
	const struct running *l = w->live;
	autofree char *port = shown_name(w->bridge_port);

	for (size_t i = 0; i < l->n_peers; i++) {
		const struct vx_peer *p = &l->peers[i].said;

		if (strcmp(p->ifname, w->bridge_port) == 0) {
			text_add(text, TEXT, "%s (%s), behind %s", p->name, p->address, p->ifname);
			return;
		}
	}
	if (is_host(w, w->bridge_port))
		text_add(text, TEXT, "this host, %s", l->told.local);
	else
		text_add(text, TEXT, "port %s of this host", port);
}

static bool agree(const struct who *w)
{
	const struct running_peer *p;

	if (!w->known || !w->bridged)
		return true;
	if (w->at.place == VX_AT_PORT)
		return strcmp(w->bridge_port, w->port[0] ? w->port : w->live->told.bridge) == 0 ||
		       (w->bridge.own && is_host(w, w->port));
	p = running_find_vni(w->live, w->at.vni);
	return p && strcmp(w->bridge_port, p->said.ifname) == 0;
}

static void add_bridge(char *text, const struct who *w)
{
	if (w->bridge.own)
		text_add(text, TEXT, " as its own address or a static entry");
	else {
		text_add(text, TEXT, ", seen ");
		add_age(text, w->bridge.age_ms);
	}
}

char *who_text(const struct who *w, uint64_t now_ns, bool say_overlay)
{
	char text[TEXT] = "", mac[18];
	autofree char *port = shown_name(w->port);

	if (say_overlay)
		text_add(text, TEXT, "%s: ", w->live->told.name);
	mac_format(w->mac, mac);
	text_add(text, TEXT, "%s", mac);
	if (w->vlan)
		text_add(text, TEXT, " in VLAN %u", w->vlan);
	if (!w->known) {
		text_add(text, TEXT, ": no vxbpf program has seen it; the bridge has it at ");
		add_bridge_place(text, w);
		add_bridge(text, w);
		return strdup(text);
	}
	text_add(text, TEXT, is_stale(w, now_ns) ? " was at " : " is at ");
	add_place(text, w, w->at.place, w->at.place == VX_AT_PEER ? w->at.vni : w->at.ifindex, port,
		  true);
	text_add(text, TEXT, ", seen ");
	add_age(text, age_ms(w->at.seen_ns, now_ns));
	if (is_stale(w, now_ns))
		text_add(text, TEXT, ", longer ago than the bridge's ageing time");
	add_moves(text, w, now_ns);
	if (!agree(w)) {
		text_add(text, TEXT, "\n  the bridge itself has it at ");
		add_bridge_place(text, w);
		add_bridge(text, w);
	}
	return strdup(text);
}

static void put_owner(FILE *to, const struct who_owner *o, const char *ip, uint64_t now_ns)
{
	char mac[18], age[HUMAN_LEN];

	mac_format(o->mac, mac);
	fprintf(to, "%s has MAC %s, by ", ip, mac);
	if (o->own)
		fprintf(to, "this host's own configuration");
	else if (o->neighbour)
		fprintf(to, "this host's neighbour table");
	if (o->seen_ns) {
		human_age(age_ms(o->seen_ns, now_ns), age);
		fprintf(to, "%sa flow %s ago", o->own || o->neighbour ? " and " : "", age);
	}
	if (o->others)
		fprintf(to, " (it also sends from other addresses, so it is a router or has "
			    "several addresses)");
	fputc('\n', to);
}

char *who_owners_text(const struct who_owners *owners, const char *ip, uint64_t now_ns)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		out_of_memory();
	for (size_t i = 0; i < owners->n; i++)
		put_owner(to, &owners->v[i], ip, now_ns);
	if (owners->more)
		fprintf(to, "and %zu more MACs, in older flows\n", owners->more);
	if (owners->n > 1)
		fprintf(to,
			"%zu MACs use %s: the address is a duplicate, has moved, or is reached "
			"through several routers\n",
			owners->n + owners->more, ip);
	if (fclose(to))
		out_of_memory();
	return text;
}

/* --- for programs */

static void put_text(struct json_object *o, const char *key, const char *text)
{
	autofree char *utf8 = sanitize_utf8(text);

	json_object_object_add(o, key, json_object_new_string(utf8 ? utf8 : ""));
}

static void put_number(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static void put_place(struct json_object *o, const struct who *w)
{
	bool peer = w->known ? w->at.place == VX_AT_PEER : false;
	const struct running_peer *p = peer ? running_find_vni(w->live, w->at.vni) : NULL;
	const char *ifname = w->known ? w->port : w->bridge_port;

	for (size_t i = 0; !w->known && i < w->live->n_peers; i++)
		if (strcmp(w->live->peers[i].said.ifname, w->bridge_port) == 0)
			p = &w->live->peers[i];
	if (w->known && !peer && !w->at.ifindex)
		ifname = w->live->told.bridge;
	put_text(o, "place", peer || p ? "peer" : is_host(w, ifname) ? "host" : "port");
	put_text(o, "peer", p ? p->said.name : "");
	put_text(o, "address", p ? p->said.address : "");
	put_text(o, "ifname", p ? p->said.ifname : peer ? "" : ifname);
}

static void put_subject(struct json_object *o, const struct running *live, const uint8_t mac[6],
			uint16_t vlan)
{
	char text[18];

	mac_format(mac, text);
	put_text(o, "overlay", live->told.name);
	put_text(o, "mac", text);
	put_number(o, "vlan", vlan);
}

/* A MAC that was seen nowhere: only its address is known. */
static struct json_object *nowhere_json(const struct who_owner *owner)
{
	static const char *const empty[] = { "place", "peer", "address", "ifname", "moved_from" };
	struct json_object *o = json_object_new_object();

	put_subject(o, owner->live, owner->mac, 0);
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		put_text(o, empty[i], "");
	put_number(o, "seen_ms", -1);
	json_object_object_add(o, "stale", json_object_new_boolean(false));
	put_number(o, "moves", 0);
	put_number(o, "moved_ms", -1);
	put_number(o, "moves_in_a_row", 0);
	json_object_object_add(o, "bridge", NULL);
	return o;
}

static struct json_object *place_json(const struct who *w, uint64_t now)
{
	struct json_object *o = json_object_new_object(), *bridge = NULL;
	char was[TEXT] = "";

	put_subject(o, w->live, w->mac, w->vlan);
	put_place(o, w);
	put_number(o, "seen_ms", w->known ? (int64_t)age_ms(w->at.seen_ns, now) : -1);
	json_object_object_add(o, "stale", json_object_new_boolean(is_stale(w, now)));
	put_number(o, "moves", w->known ? w->at.moves : 0);
	put_number(o, "moved_ms",
		   w->known && w->at.moved_ns ? (int64_t)age_ms(w->at.moved_ns, now) : -1);
	if (w->known && w->at.moved_ns)
		add_place(was, w, w->at.was, w->at.was_at, w->was_port, false);
	put_text(o, "moved_from", was);
	put_number(o, "moves_in_a_row", w->known ? w->at.lately : 0);
	if (w->bridged) {
		bridge = json_object_new_object();
		put_text(bridge, "ifname", w->bridge_port);
		put_number(bridge, "vlan", w->bridge.vlan);
		json_object_object_add(bridge, "permanent", json_object_new_boolean(w->bridge.own));
		put_number(bridge, "seen_ms", (int64_t)w->bridge.age_ms);
	}
	json_object_object_add(o, "bridge", bridge);
	return o;
}

static bool is_of(const struct who_owner *owner, const struct who *w)
{
	return owner->live == w->live && memcmp(owner->mac, w->mac, sizeof(w->mac)) == 0;
}

/* Takes the place. */
static void add_json(struct json_object *all, struct json_object *o, const struct who_owner *owner,
		     const char *ip)
{
	put_text(o, "ip", ip);
	put_text(o, "ip_from",
		 !owner		    ? ""
		 : owner->own	    ? "own"
		 : owner->neighbour ? "neighbour"
				    : "flow");
	json_object_array_add(all, o);
}

char *who_json(const struct whos *list, const struct who_owners *owners, const char *ip)
{
	struct json_object *all = json_object_new_array();
	const char *text;
	char *copy;

	for (size_t i = 0; i < list->n; i++) {
		const struct who_owner *own = NULL;

		for (size_t k = 0; k < owners->n; k++)
			if (is_of(&owners->v[k], &list->v[i]))
				own = &owners->v[k];
		add_json(all, place_json(&list->v[i], list->now_ns), own, ip);
	}
	for (size_t k = 0; k < owners->n; k++) {
		bool placed = false;

		for (size_t i = 0; i < list->n; i++)
			placed |= is_of(&owners->v[k], &list->v[i]);
		if (!placed)
			add_json(all, nowhere_json(&owners->v[k]), &owners->v[k], ip);
	}
	text = json_object_to_json_string_ext(all, FORMAT);
	copy = text ? strdup(text) : NULL;
	json_object_put(all);
	return copy;
}
