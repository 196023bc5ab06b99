// SPDX-License-Identifier: GPL-2.0
/*
 * The peers on the page for people: how many are how, a table with the silent ones first, and what was
 * dropped; see status_text.h. Pure.
 */
#include <string.h>

#include "base/human.h"
#include "show/status_text.h"

#define BLAMED 5 /* peers named for one reason */

static const enum paint state_paints[] = { GOOD, BAD, PLAIN, DIM };

void status_put_states(struct page *p, const struct snapshot *s)
{
	static const enum peer_state order[] = { PEER_SILENT, PEER_UP, PEER_IDLE, PEER_NEVER };
	size_t n[PEER_STATE_MAX] = { 0 };
	const char *between = ": ";

	for (size_t i = 0; i < s->n_peers; i++)
		n[s->peers[i].state]++;
	status_put_label(p, "peers");
	page_putf(p, PLAIN, "%zu", s->n_peers);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (!n[order[i]])
			continue;
		page_put(p, PLAIN, between);
		page_putf(p, state_paints[order[i]], "%zu %s", n[order[i]],
			  order[i] == PEER_NEVER ? "never heard" : peer_state_name(order[i]));
		between = ", ";
	}
	page_end_line(p);
}

/* --- the table */

struct table {
	size_t name, address, device; /* columns; 0 = not on a peer's own line */
	bool packets; /* as well as bytes */
	bool fast; /* the share that took the fast path */
	bool below; /* address and device are on a line of their own */
};

static size_t longer(size_t a, const char *text)
{
	size_t b = strlen(text);

	return a > b ? a : b;
}

/* Columns from behind a peer's names to the end of the line. */
static size_t numbers_width(const struct table *t)
{
	return 2 + 6 + 2 + 9 + 2 + 8 + (t->packets ? 8 : 0) + 2 + 7 + (t->packets ? 8 : 0) +
	       (t->fast ? 2 + 4 : 0) + 2 + 7;
}

static bool fits(const struct table *t, size_t columns)
{
	return 2 + t->name + (t->address ? 2 + t->address : 0) + (t->device ? 2 + t->device : 0) +
		       numbers_width(t) <=
	       columns;
}

/* A tunnel that is called as its peer is need not be named. */
static bool is_plain_device(const struct snapshot_peer *peer)
{
	return strncmp(peer->ifname, "vx-", 3) == 0 && strcmp(peer->ifname + 3, peer->name) == 0;
}

/* The widest that fits: packets give way before a peer takes two lines. */
static struct table measure(const struct page *p, const struct snapshot *s)
{
	struct table all = {
		strlen("peer"), strlen("address"), strlen("device"), true, true, false
	};
	struct table t;
	bool plain = true;
	size_t room;

	all.fast = !s->told.fastpath_why[0];
	for (size_t i = 0; i < s->n_peers; i++) {
		all.name = longer(all.name, s->peers[i].name);
		all.address = longer(all.address, s->peers[i].address);
		all.device = longer(all.device, s->peers[i].ifname);
		plain = plain && is_plain_device(&s->peers[i]);
	}
	for (unsigned packets = 2; packets-- > 0;)
		for (unsigned device = 2; device-- > 0;) {
			t = all;
			t.packets = packets;
			t.device = device ? all.device : 0;
			if ((device || plain) && fits(&t, p->columns))
				return t;
		}
	t = (struct table){ .name = all.name, .packets = true, .fast = all.fast, .below = true };
	t.packets = fits(&t, p->columns);
	room = p->columns - 2 - numbers_width(&t);
	t.name = t.name < room ? t.name : room;
	return t;
}

/* Unless the guard drops what it counts, not all that was counted was dropped. */
static const char *counted_word(const struct snapshot *s)
{
	return s->told.guard == VX_GUARD_ENFORCE ? "dropped" : "counted";
}

static void put_table_head(struct page *p, const struct table *t, const char *counted)
{
	page_putf(p, DIM, "  %-*s", (int)t->name, "peer");
	if (t->address)
		page_putf(p, DIM, "  %-*s", (int)t->address, "address");
	if (t->device)
		page_putf(p, DIM, "  %-*s", (int)t->device, "device");
	page_putf(p, DIM, "  %-6s  %9s  %8s", "state", "last seen", "received");
	if (t->packets)
		page_putf(p, DIM, " %7s", "packets");
	page_putf(p, DIM, "  %7s", "sent");
	if (t->packets)
		page_putf(p, DIM, " %7s", "packets");
	if (t->fast)
		page_putf(p, DIM, "  %4s", "fast");
	page_putf(p, DIM, "  %7s", counted);
	page_end_line(p);
}

/* A few are not none, and not all is all: cut, but never to 0. */
static void share(uint64_t part, uint64_t whole, char text[HUMAN_LEN])
{
	double percent = whole ? 100.0 * (double)part / (double)whole : 0;

	if (!whole)
		snprintf(text, HUMAN_LEN, "-");
	else if (part && percent < 1)
		snprintf(text, HUMAN_LEN, "<1%%");
	else
		snprintf(text, HUMAN_LEN, "%u%%", percent >= 100 ? 100 : (unsigned)percent);
}

static void put_numbers(struct page *p, const struct table *t, const struct snapshot_peer *peer)
{
	const struct vx_counters *sum = &peer->sum;
	char text[HUMAN_LEN] = "never";
	uint64_t drops = 0;

	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		drops += peer->drops[r];
	page_put(p, PLAIN, "  ");
	page_put(p, state_paints[peer->state], peer_state_name(peer->state));
	if (peer->last_seen_ms >= 0)
		human_age((uint64_t)peer->last_seen_ms, text);
	page_putf(p, PLAIN, "%*s%9s", (int)(8 - strlen(peer_state_name(peer->state))), "", text);
	human_bytes(sum->rx_bytes, text);
	page_putf(p, PLAIN, "  %8s", text);
	human_count(sum->rx_packets, text);
	if (t->packets)
		page_putf(p, PLAIN, " %7s", text);
	human_bytes(sum->tx_bytes, text);
	page_putf(p, PLAIN, "  %7s", text);
	human_count(sum->tx_packets, text);
	if (t->packets)
		page_putf(p, PLAIN, " %7s", text);
	share(sum->rx_fast_packets + sum->tx_fast_packets, sum->rx_packets + sum->tx_packets, text);
	if (t->fast)
		page_putf(p, PLAIN, "  %4s", text);
	human_count(drops, text);
	page_putf(p, drops ? WARN : PLAIN, "  %7s", text);
	page_end_line(p);
}

static void put_peer(struct page *p, const struct table *t, const struct snapshot_peer *peer)
{
	page_putf(p, PLAIN, "  %-*s", (int)t->name, peer->name);
	if (p->column > 2 + t->name) { /* a name that only fits a line of its own */
		page_end_line(p);
		page_indent_to(p, 2 + t->name);
	}
	if (t->address)
		page_putf(p, PLAIN, "  %-*s", (int)t->address, peer->address);
	if (t->device)
		page_putf(p, PLAIN, "  %-*s", (int)t->device, peer->ifname);
	put_numbers(p, t, peer);
	if (!t->below)
		return;
	page_putf(p, DIM, "    %s  %s", peer->address, peer->ifname);
	page_end_line(p);
}

/* --- what was dropped */

struct blamed {
	const char *peer;
	uint64_t n;
};

static int by_number(const void *a, const void *b)
{
	const struct blamed *x = a, *y = b;

	return x->n > y->n ? -1 : x->n < y->n ? 1 : strverscmp(x->peer, y->peer);
}

/* " (beta 22, gamma 1)"; of one alone the number is known. */
static void list_blamed(const struct snapshot *s, enum vx_reason reason, char *text, size_t size)
{
	autofree struct blamed *v = calloc(s->n_peers + 1, sizeof(*v));
	char count[HUMAN_LEN];
	size_t n = 0;

	if (!v)
		return;
	if (s->drops[reason])
		v[n++] = (struct blamed){ "no peer", s->drops[reason] };
	for (size_t i = 0; i < s->n_peers; i++)
		if (s->peers[i].drops[reason])
			v[n++] = (struct blamed){ s->peers[i].name, s->peers[i].drops[reason] };
	qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0; i < n && i < BLAMED; i++) {
		human_count(v[i].n, count);
		text_add(text, size, "%s%s%s%s", i ? ", " : " (", v[i].peer, n > 1 ? " " : "",
			 n > 1 ? count : "");
	}
	if (n > BLAMED)
		text_add(text, size, " and %zu more", n - BLAMED);
	text_add(text, size, ")");
}

/* "  dropped    oversize 23 (beta 22, gamma 1), the last 2 min ago": only where there were any. */
static void put_reason(struct page *p, const struct snapshot *s, enum vx_reason reason)
{
	uint64_t n = snapshot_drops(s, reason), then = s->witness[reason].last.time_ns;
	char text[512], word[HUMAN_LEN];

	if (!n)
		return;
	human_count(n, word);
	snprintf(text, sizeof(text), "%s %s", reason_label(reason), word);
	list_blamed(s, reason, text, sizeof(text));
	if (then) {
		human_age(s->now_ns > then ? (s->now_ns - then) / 1000000 : 0, word);
		text_add(text, sizeof(text), ", the last %s ago", word);
	}
	status_put_line(p, counted_word(s), text);
}

void status_put_peers(struct page *p, const struct snapshot *s)
{
	struct table t = measure(p, s);

	page_end_line(p);
	put_table_head(p, &t, counted_word(s));
	for (unsigned silent = 2; silent-- > 0;)
		for (size_t i = 0; i < s->n_peers; i++)
			if ((s->peers[i].state == PEER_SILENT) == silent)
				put_peer(p, &t, &s->peers[i]);
	page_end_line(p);
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		put_reason(p, s, r);
}
