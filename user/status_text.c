// SPDX-License-Identifier: GPL-2.0
/*
 * The page an operator wants at 3 a.m.: who am I, the MTU and why, each peer, what was dropped, and
 * one sentence for whatever is wrong. At most 100 columns; see snapshot.h. Pure: writes to memory.
 */
#include <string.h>

#include "conf.h"
#include "human.h"
#include "shown.h"
#include "snapshot.h"

#define COLUMNS 100
#define LABEL 13 /* width of "  fast path  " */
#define PORTS_LISTED 24

struct page {
	FILE *to;
	bool colour;
	size_t column;
};

enum paint { PLAIN, GOOD, WARN, BAD, DIM };

static void put(struct page *p, enum paint paint, const char *text)
{
	static const char *const codes[] = {
		[GOOD] = "32", [WARN] = "33", [BAD] = "1;31", [DIM] = "2"
	};
	autofree char *shown = shown_text(text);

	if (!shown)
		return;
	if (p->colour && paint != PLAIN)
		fprintf(p->to, "\033[%sm%s\033[0m", codes[paint], shown);
	else
		fputs(shown, p->to);
	p->column += strlen(shown);
}

static void end_line(struct page *p)
{
	fputc('\n', p->to);
	p->column = 0;
}

static void indent_to(struct page *p, size_t column)
{
	while (p->column < column)
		put(p, PLAIN, " ");
}

/* A word, on a new line at `indent` if this one is full. */
static void put_word(struct page *p, size_t indent, const char *word)
{
	if (p->column > indent && p->column + 1 + strlen(word) > COLUMNS)
		end_line(p);
	if (p->column > indent)
		put(p, PLAIN, " ");
	indent_to(p, indent);
	put(p, PLAIN, word);
}

static void put_words(struct page *p, size_t indent, const char *text)
{
	while (*(text += strspn(text, " "))) {
		size_t len = strcspn(text, " ");
		char word[256];

		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		put_word(p, indent, word);
		text += len;
	}
}

/* "  mtu       1450 (...)", wrapped. */
static void put_line(struct page *p, const char *label, const char *text)
{
	put(p, PLAIN, "  ");
	put(p, DIM, label);
	indent_to(p, LABEL);
	put_words(p, LABEL, text);
	end_line(p);
}

/* --- head */

static void put_title(struct page *p, const struct snapshot *s)
{
	static const enum paint paints[] = { GOOD, WARN, BAD };
	char text[256] = "";

	put(p, PLAIN, s->told.name);
	put(p, PLAIN, ": ");
	put(p, paints[s->state], snapshot_state_name(s->state));
	if (s->told.local[0]) {
		snprintf(text, sizeof(text), " - this is %s, %s", s->told.local, s->told.address);
		if (s->told.address6[0])
			text_add(text, sizeof(text), " and %s", s->told.address6);
	}
	put(p, PLAIN, text);
	end_line(p);
}

static void put_guard(struct page *p, const struct snapshot *s)
{
	static const char *const does[] = {
		[VX_GUARD_ENFORCE] = "VXLAN on UDP port %u from peers only",
		[VX_GUARD_OBSERVE] =
			"VXLAN on UDP port %u from strangers is counted and let through",
		[VX_GUARD_OFF] = "VXLAN on UDP port %u from anybody is let through",
	};
	char text[128], what[96];

	snprintf(what, sizeof(what), does[s->told.guard % ARRAY_LEN(does)], s->told.port);
	snprintf(text, sizeof(text), "%s: %s", conf_guard_name(s->told.guard), what);
	put_line(p, "guard", text);
}

static void put_underlay(struct page *p, const struct snapshot *s)
{
	char text[1024] = "";

	for (size_t i = 0; i < s->n_devices; i++) {
		const struct snapshot_device *d = &s->devices[i];

		text_add(text, sizeof(text), "%s%s (%s, xdp %s)", i ? ", " : "", d->ifname,
			 strcmp(d->tc, "none") == 0 ? "no program" : d->tc, d->xdp);
	}
	put_line(p, "underlay", s->n_devices ? text : "none: no peer has a route now");
}

static void put_ports(struct page *p, const struct snapshot *s)
{
	static const char *const port_words[2][2] = {
		{ " (no program)", "" }, { " (this host, no program)", " (this host)" }
	};
	size_t unhooked = 0, shown = s->n_ports < PORTS_LISTED ? s->n_ports : PORTS_LISTED;
	char text[PORTS_LISTED * (VX_IF_LEN + 128) + 64] = "";

	for (size_t i = 0; i < s->n_ports; i++)
		unhooked += !s->ports[i].hooked;
	for (size_t i = 0; i < shown; i++) {
		const struct snapshot_port *port = &s->ports[i];

		text_add(text, sizeof(text), "%s%s%s", i ? ", " : "", port->ifname,
			 port_words[!i][port->hooked]);
		/* The host's own is never fast, and where nothing is, one line says so. */
		if (i && port->hooked && port->why[0] && !s->told.fastpath_why[0])
			text_add(text, sizeof(text), " (not fast: %s)", port->why);
	}
	if (s->n_ports > shown)
		text_add(text, sizeof(text), " and %zu more", s->n_ports - shown);
	if (unhooked && s->n_ports > shown)
		text_add(text, sizeof(text), "; %zu without program", unhooked);
	put_line(p, "ports", s->n_ports ? text : "none: there is no bridge");
}

static void put_head(struct page *p, const struct snapshot *s)
{
	char text[256];

	put_line(p, "bridge", s->told.bridge);
	snprintf(text, sizeof(text), "%u (%s)", s->told.mtu, s->told.mtu_why);
	put_line(p, "mtu", text);
	put_guard(p, s);
	if (s->told.vni_mode == VX_VNI_INDEX)
		put_line(p, "vni",
			 "index, as vxlansetup.sh numbers them: any peer may use any VNI of ours");
	if (s->told.fastpath_why[0])
		snprintf(text, sizeof(text), "off: %s", s->told.fastpath_why);
	else
		snprintf(text, sizeof(text), "on: known flows go past the bridge");
	put_line(p, "fast path", text);
	put_underlay(p, s);
	put_ports(p, s);
	put_line(p, "config", s->path);
}

/* --- peers */

struct widths {
	size_t name, address, ifname;
	bool beside; /* address and device fit on a peer's own line */
};

static size_t longer(size_t a, const char *text)
{
	size_t b = strlen(text);

	return a > b ? a : b;
}

#define NUMBERS 61 /* columns from "state" to the end of the line */
#define NUMBERS_FORMAT "%9s  %8s %7s  %7s %7s  "

static struct widths measure(const struct snapshot *s)
{
	struct widths w = { strlen("peer"), strlen("address"), strlen("device"), true };

	for (size_t i = 0; i < s->n_peers; i++) {
		w.name = longer(w.name, s->peers[i].name);
		w.address = longer(w.address, s->peers[i].address);
		w.ifname = longer(w.ifname, s->peers[i].ifname);
	}
	w.beside = 2 + w.name + 2 + w.address + 2 + w.ifname + 2 + NUMBERS <= COLUMNS;
	return w;
}

/* Unless the guard drops what it counts, not all that was counted was dropped. */
static const char *counted_word(const struct snapshot *s)
{
	return s->told.guard == VX_GUARD_ENFORCE ? "dropped" : "counted";
}

static void put_table_head(struct page *p, const struct snapshot *s, const struct widths *w)
{
	char text[256];

	snprintf(text, sizeof(text), "  %-*s", (int)w->name, "peer");
	if (w->beside)
		text_add(text, sizeof(text), "  %-*s  %-*s", (int)w->address, "address",
			 (int)w->ifname, "device");
	text_add(text, sizeof(text), "  state   " NUMBERS_FORMAT "%7s", "last seen", "received",
		 "packets", "sent", "packets", counted_word(s));
	put(p, DIM, text);
	end_line(p);
}

static void put_peer(struct page *p, const struct widths *w, const struct snapshot_peer *peer)
{
	static const enum paint paints[] = { GOOD, BAD, PLAIN, DIM };
	char seen[HUMAN_LEN] = "never", rx[HUMAN_LEN], rxp[HUMAN_LEN], tx[HUMAN_LEN];
	char txp[HUMAN_LEN], dropped[HUMAN_LEN], text[256];
	uint64_t drops = 0;

	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		drops += peer->drops[r];
	if (peer->last_seen_ms >= 0)
		human_age((uint64_t)peer->last_seen_ms, seen);
	human_bytes(peer->sum.rx_bytes, rx);
	human_count(peer->sum.rx_packets, rxp);
	human_bytes(peer->sum.tx_bytes, tx);
	human_count(peer->sum.tx_packets, txp);
	human_count(drops, dropped);
	snprintf(text, sizeof(text), "  %-*s", (int)w->name, peer->name);
	if (w->beside)
		text_add(text, sizeof(text), "  %-*s  %-*s", (int)w->address, peer->address,
			 (int)w->ifname, peer->ifname);
	put(p, PLAIN, text);
	put(p, PLAIN, "  ");
	put(p, paints[peer->state], peer_state_name(peer->state));
	snprintf(text, sizeof(text), "%*s" NUMBERS_FORMAT,
		 (int)(8 - strlen(peer_state_name(peer->state))), "", seen, rx, rxp, tx, txp);
	put(p, PLAIN, text);
	snprintf(text, sizeof(text), "%7s", dropped);
	put(p, drops ? WARN : PLAIN, text);
	end_line(p);
	if (w->beside)
		return;
	snprintf(text, sizeof(text), "    %s  %s", peer->address, peer->ifname);
	put(p, DIM, text);
	end_line(p);
}

/* "  dropped  beta: loop 1, oversize 23": by reason, only where there were any. */
static void put_drops(struct page *p, const char *word, const char *whose,
		      const uint64_t drops[VX_REASON_MAX])
{
	char text[64 + VX_REASON_MAX * 48], count[HUMAN_LEN];
	const char *between = ":";

	if (!snapshot_peer_dropped(drops))
		return;
	snprintf(text, sizeof(text), "%s", whose);
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++) {
		if (!drops[r])
			continue;
		human_count(drops[r], count);
		text_add(text, sizeof(text), "%s %s %s", between, reason_label(r), count);
		between = ",";
	}
	put_line(p, word, text);
}

static void put_peers(struct page *p, const struct snapshot *s)
{
	struct widths w = measure(s);

	end_line(p);
	put_table_head(p, s, &w);
	for (size_t i = 0; i < s->n_peers; i++)
		put_peer(p, &w, &s->peers[i]);
	end_line(p);
	for (size_t i = 0; i < s->n_peers; i++)
		put_drops(p, counted_word(s), s->peers[i].name, s->peers[i].drops);
	put_drops(p, counted_word(s), "from no peer", s->drops);
}

static void put_problems(struct page *p, const struct snapshot *s)
{
	for (size_t i = 0; i < s->problems.n; i++) {
		put(p, PLAIN, "  ");
		put(p, s->state == SNAPSHOT_UP ? WARN : BAD, "!");
		put(p, PLAIN, " ");
		put_words(p, 4, s->problems.v[i].text);
		end_line(p);
	}
	if (!s->problems.n) {
		put(p, GOOD, "  nothing is wrong");
		end_line(p);
	}
}

char *status_text(const struct snapshot *s, bool colour)
{
	char *text = NULL;
	size_t size;
	struct page p = { .to = open_memstream(&text, &size), .colour = colour };

	if (!p.to)
		return NULL;
	put_title(&p, s);
	if (s->up) {
		put_head(&p, s);
		put_peers(&p, s);
	}
	put_problems(&p, s);
	fclose(p.to);
	return text;
}
