// SPDX-License-Identifier: GPL-2.0
/*
 * The page an operator wants at 3 a.m.: who am I, the MTU and why, each peer, what was dropped, and
 * one sentence for whatever is wrong. At most 100 columns; see snapshot.h. Pure: writes to memory.
 */
#include <string.h>

#include "conf/conf.h"
#include "show/status_text.h"

#define PORTS_LISTED 24 /* of one kind; the rest is a number */

void status_put_label(struct page *p, const char *label)
{
	page_put(p, PLAIN, "  ");
	page_put(p, DIM, label);
	page_indent_to(p, STATUS_LABEL);
}

void status_put_line(struct page *p, const char *label, const char *text)
{
	status_put_label(p, label);
	page_words(p, PLAIN, STATUS_LABEL, text);
	page_end_line(p);
}

/* --- head */

static void put_title(struct page *p, const struct snapshot *s)
{
	static const enum paint paints[] = { GOOD, WARN, BAD };
	char text[256] = "";

	page_put(p, PLAIN, snapshot_name(s));
	page_put(p, PLAIN, ": ");
	page_put(p, paints[s->state], snapshot_state_name(s->state));
	if (s->told.local[0]) {
		snprintf(text, sizeof(text), "- this is %s, %s", s->told.local, s->told.address);
		if (s->told.address6[0])
			text_add(text, sizeof(text), " and %s", s->told.address6);
	}
	page_words(p, PLAIN, 2, text);
	page_end_line(p);
}

static void put_guard(struct page *p, const struct snapshot *s)
{
	static const char *const does[] = {
		[VX_GUARD_ENFORCE] = "VXLAN on UDP port %u from peers only",
		[VX_GUARD_OBSERVE] = "VXLAN on UDP port %u from non-peers is counted and allowed",
		[VX_GUARD_OFF] = "VXLAN on UDP port %u from any address is allowed",
	};
	char text[128], what[96];

	snprintf(what, sizeof(what), does[s->told.guard % ARRAY_LEN(does)], s->told.port);
	snprintf(text, sizeof(text), "%s: %s", conf_guard_name(s->told.guard), what);
	status_put_line(p, "guard", text);
}

static void put_underlay(struct page *p, const struct snapshot *s)
{
	char text[1024] = "";

	for (size_t i = 0; i < s->n_devices; i++) {
		const struct snapshot_device *d = &s->devices[i];

		text_add(text, sizeof(text), "%s%s (%s, xdp %s)", i ? ", " : "", d->ifname,
			 strcmp(d->tc, "none") == 0 ? "no program" : d->tc, d->xdp);
	}
	status_put_line(p, "underlay", s->n_devices ? text : "none: no peer has a route now");
}

/* Groups ports into lists: hooked and fast, or why not, or not all the way. "" = all is well. */
static const char *port_kind(const struct snapshot *s, const struct snapshot_port *port)
{
	if (!port->hooked)
		return "no program";
	/* The host's own is never fast, and where nothing is, one line says so. */
	return port == s->ports || s->told.fastpath_why[0] ? "" : port->why;
}

static bool is_kind_seen(const struct snapshot *s, size_t before, const char *kind)
{
	for (size_t i = 0; i < before; i++)
		if (strcmp(port_kind(s, &s->ports[i]), kind) == 0)
			return true;
	return false;
}

static bool is_fast_kind(const struct snapshot *s, const char *kind)
{
	for (size_t i = 0; i < s->n_ports; i++)
		if (strcmp(port_kind(s, &s->ports[i]), kind) == 0)
			return s->ports[i].accelerated;
	return false;
}

/* "no program: a1, a2 and 3 more" */
static void put_kind(struct page *p, const struct snapshot *s, const char *kind, bool first)
{
	char text[PORTS_LISTED * (VX_IF_LEN + 2) + 256] = "";
	size_t n = 0;

	if (strcmp(kind, "no program") == 0)
		text_add(text, sizeof(text), "%s: ", kind);
	else if (kind[0])
		text_add(text, sizeof(text), "%sfast (%s): ", is_fast_kind(s, kind) ? "" : "not ",
			 kind);
	for (size_t i = 0; i < s->n_ports; i++) {
		if (strcmp(port_kind(s, &s->ports[i]), kind) != 0 || n++ >= PORTS_LISTED)
			continue;
		text_add(text, sizeof(text), "%s%s%s", n > 1 ? ", " : "", s->ports[i].ifname,
			 i ? "" : " (this host)");
	}
	if (n > PORTS_LISTED)
		text_add(text, sizeof(text), " and %zu more", n - PORTS_LISTED);
	status_put_line(p, first ? "ports" : "", text);
}

static void put_ports(struct page *p, const struct snapshot *s)
{
	bool first = true;

	if (!s->n_ports)
		status_put_line(p, "ports", "none: there is no bridge");
	if (is_kind_seen(s, s->n_ports, "")) {
		put_kind(p, s, "", true);
		first = false;
	}
	for (size_t i = 0; i < s->n_ports; i++) {
		const char *kind = port_kind(s, &s->ports[i]);

		if (!kind[0] || is_kind_seen(s, i, kind))
			continue;
		put_kind(p, s, kind, first);
		first = false;
	}
}

static void put_head(struct page *p, const struct snapshot *s)
{
	char text[256];

	status_put_line(p, "bridge", s->told.bridge);
	snprintf(text, sizeof(text), "%u (%s)", s->told.mtu, s->told.mtu_why);
	status_put_line(p, "mtu", text);
	put_guard(p, s);
	if (s->told.vni_mode == VX_VNI_INDEX)
		status_put_line(
			p, "vni",
			"index, as vxlansetup.sh assigns them; any peer may use any of our VNIs");
	if (s->told.fastpath_why[0])
		snprintf(text, sizeof(text), "off: %s", s->told.fastpath_why);
	else
		snprintf(text, sizeof(text), "on: known flows bypass the bridge");
	status_put_line(p, "fast path", text);
	put_underlay(p, s);
	put_ports(p, s);
	status_put_line(p, "config", s->path);
	status_put_states(p, s);
}

static void put_problems(struct page *p, const struct snapshot *s)
{
	for (size_t i = 0; i < s->problems.n; i++) {
		page_put(p, PLAIN, "  ");
		page_put(p, s->state == SNAPSHOT_UP ? WARN : BAD, "!");
		page_put(p, PLAIN, " ");
		page_words(p, PLAIN, 4, s->problems.v[i].text);
		page_end_line(p);
	}
	if (!s->problems.n) {
		page_put(p, GOOD, "  nothing is wrong");
		page_end_line(p);
	}
}

char *status_text(const struct snapshot *s, bool colour, size_t columns)
{
	char *text = NULL;
	size_t size;
	struct page p = { .colour = colour, .columns = columns };

	p.to = open_memstream(&text, &size);
	if (!p.to)
		return NULL;
	put_title(&p, s);
	if (s->up) {
		put_head(&p, s);
		status_put_peers(&p, s);
	}
	put_problems(&p, s);
	fclose(p.to);
	return text;
}
