// SPDX-License-Identifier: GPL-2.0
/* Snapshots as Prometheus text; see metrics.h. Pure. */
#include <inttypes.h>
#include <stdio_ext.h>
#include <string.h>

#include "base/sanitize.h"
#include "conf/conf.h"
#include "show/metrics.h"

enum metric {
#define METRIC(name, text, type, per, labels, help) METRIC_##name,
#include "show/metrics.def"
#undef METRIC
	METRIC_MAX,
};

enum type { COUNTER, GAUGE, TIME };
enum per { HOST, OVERLAY, RUNNING, WATCHED, PEER, DROP, PORT, DEVICE };

static const struct row {
	const char *name;
	enum type type;
	enum per per;
	const char *labels;
	const char *help;
} rows[METRIC_MAX] = {
#define METRIC(name, text, type, per, labels, help)                                                \
	[METRIC_##name] = { text, type, per, labels, help },
#include "show/metrics.def"
#undef METRIC
};

/* The subject of a series; members without meaning for it are NULL. */
struct at {
	const struct metrics_now *now;
	const struct snapshot *s; /* of HOST: an empty one */
	const struct snapshot_peer *peer; /* of DROP: NULL = nobody */
	const struct snapshot_port *port;
	const struct snapshot_device *device;
	enum vx_reason reason;
};

/* --- values */

static uint64_t real_time(const struct at *at, uint64_t mono_ns)
{
	return mono_ns ? at->now->real_ns - at->now->mono_ns + mono_ns : 0;
}

/* Besides what status finds without looking for drift, what is drift and seen all the same. */
static bool is_degraded(const struct snapshot *s)
{
	if (s->state != SNAPSHOT_UP)
		return s->state == SNAPSHOT_DEGRADED;
	for (size_t i = 0; i < s->n_peers; i++)
		if (s->peers[i].lost)
			return true;
	for (size_t i = 0; i < s->n_devices; i++)
		if (strcmp(s->devices[i].tc, "none") == 0)
			return true;
	return false;
}

static uint64_t overlay_value(enum metric m, const struct at *at)
{
	const struct snapshot *s = at->s;

	switch (m) {
	case METRIC_EXPORT_TIME:
		return at->now->real_ns;
	case METRIC_OVERLAY_UP:
		return s->state != SNAPSHOT_DOWN;
	case METRIC_OVERLAY_DEGRADED:
		return is_degraded(s);
	case METRIC_OVERLAY_UNMET:
		return s->unmet;
	case METRIC_OVERLAY_MTU:
		return s->told.mtu;
	case METRIC_FASTPATH:
		return !s->told.fastpath_why[0];
	case METRIC_FLOWS:
		return s->tables.flows;
	case METRIC_FRESH_FLOWS:
		return s->tables.fresh_flows;
	case METRIC_FDB:
		return s->tables.fdb;
	default:
		return 1; /* ..._info */
	}
}

static uint64_t peer_value(enum metric m, const struct at *at)
{
	const struct vx_counters *sum = &at->peer->sum;

	switch (m) {
	case METRIC_PEER_UP:
		return at->peer->state != PEER_SILENT;
	case METRIC_PEER_TUNNEL:
		return !at->peer->lost;
	case METRIC_PEER_HEARD:
		return real_time(at, sum->last_rx_ns);
#define VX_COUNTER(member, metric, in_json)                                                        \
	case METRIC_##metric:                                                                      \
		return sum->member;
#define VX_LATEST(member)
#include "vxbpf/counters.def"
#undef VX_COUNTER
#undef VX_LATEST
	default:
		return 1;
	}
}

static uint64_t port_value(enum metric m, const struct snapshot_port *port)
{
	switch (m) {
	case METRIC_PORT_HOOKED:
		return port->hooked;
	case METRIC_PORT_ACCELERATED:
		return port->accelerated;
	case METRIC_PORT_LARGEST:
		return port->largest;
	default:
		return port->oversize;
	}
}

static uint64_t value_of(enum metric m, const struct at *at)
{
	switch (rows[m].per) {
	case PEER:
		return peer_value(m, at);
	case DROP:
		return (at->peer ? at->peer->drops : at->s->drops)[at->reason];
	case PORT:
		return port_value(m, at->port);
	case DEVICE:
		return strcmp(at->device->tc, "none") != 0;
	default:
		return overlay_value(m, at);
	}
}

/* --- labels */

/* The kernel takes any byte in a device's name, Prometheus only UTF-8, and one name as it stands would
 * break the file for all. No two names may become one: what is strange is written as \x1b, and so is
 * the backslash itself. */
static char *plain_name(const char *name)
{
	char text[4 * VX_NAME_LEN] = "";

	for (; *name; name++)
		text_add(text, sizeof(text), *name == '\\' ? "\\x5c" : "%c", *name);
	return sanitize_text(text);
}

static bool is_clean(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
}

static void put_escaped(FILE *to, const char *text)
{
	autofree char *plain = is_clean(text) ? NULL : plain_name(text);

	if (!plain) {
		fputs(text, to);
		return;
	}
	for (const char *c = plain; *c; c++)
		fprintf(to, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
}

static const char *label_value(const char *label, const struct at *at, char number[16])
{
	const struct snapshot *s = at->s;
	const struct snapshot_peer *p = at->peer;

	if (strcmp(label, "overlay") == 0)
		return s->told.name;
	if (strcmp(label, "peer") == 0)
		return p ? p->name : "";
	if (strcmp(label, "reason") == 0)
		return reason_label(at->reason);
	if (strcmp(label, "port") == 0)
		return at->port->ifname;
	if (strcmp(label, "device") == 0)
		return p ? p->ifname : at->device ? at->device->ifname : "";
	if (p && strcmp(label, "remote") == 0)
		return p->address;
	if (strcmp(label, "bridge") == 0)
		return s->told.bridge;
	if (strcmp(label, "local") == 0)
		return s->told.local;
	if (strcmp(label, "address") == 0)
		return s->told.address;
	if (strcmp(label, "guard") == 0)
		return conf_guard_name(s->told.guard);
	if (strcmp(label, "version") == 0)
		return VXBPF_VERSION;
	snprintf(number, 16, "%u", p ? p->vni : 0);
	return number;
}

/* --- series */

static void put_series(FILE *to, enum metric m, const struct at *at)
{
	const struct row *row = &rows[m];
	uint64_t value = value_of(m, at);
	char label[16], number[16];

	fputs(row->name, to);
	for (const char *l = row->labels; *l; l += strspn(l, ",")) {
		size_t len = strcspn(l, ",");

		fputc(l == row->labels ? '{' : ',', to);
		text_copy(label, len + 1 < sizeof(label) ? len + 1 : sizeof(label), l);
		fputs(label, to);
		fputs("=\"", to);
		put_escaped(to, label_value(label, at, number));
		fputc('"', to);
		l += len;
	}
	fputs(row->labels[0] ? "} " : " ", to);
	if (row->type == TIME)
		fprintf(to, "%" PRIu64 ".%03" PRIu64 "\n", value / 1000000000,
			value / 1000000 % 1000);
	else
		fprintf(to, "%" PRIu64 "\n", value);
}

/* One peer's, or no peer's: every reason, whether there were any or not. */
static void put_drops(FILE *to, enum metric m, struct at at)
{
	for (at.reason = VX_REASON_NONE + 1; at.reason < VX_REASON_MAX; at.reason++)
		put_series(to, m, &at);
}

static void put_running(FILE *to, enum metric m, struct at at)
{
	const struct snapshot *s = at.s;
	enum per per = rows[m].per;

	if (per == RUNNING)
		put_series(to, m, &at);
	if (per == DROP)
		put_drops(to, m, at);
	for (size_t i = 0; (per == PEER || per == DROP) && i < s->n_peers; i++) {
		at.peer = &s->peers[i];
		if (per == PEER)
			put_series(to, m, &at);
		else
			put_drops(to, m, at);
	}
	for (size_t i = 0; per == PORT && i < s->n_ports; i++) {
		at.port = &s->ports[i];
		put_series(to, m, &at);
	}
	for (size_t i = 0; per == DEVICE && i < s->n_devices; i++) {
		at.device = &s->devices[i];
		put_series(to, m, &at);
	}
}

static void put_overlay(FILE *to, enum metric m, const struct at *at)
{
	enum per per = rows[m].per;

	if (per == OVERLAY || (per == WATCHED && at->s->watched))
		put_series(to, m, at);
	else if (at->s->up)
		put_running(to, m, *at);
}

static void put_metric(FILE *to, enum metric m, const struct snapshot *list, size_t n,
		       const struct metrics_now *now)
{
	static const struct snapshot none;
	const struct row *row = &rows[m];
	struct at at = { .now = now, .s = &none };

	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
		row->type == COUNTER ? "counter" : "gauge");
	if (row->per == HOST)
		put_series(to, m, &at);
	for (size_t i = 0; row->per != HOST && i < n; i++) {
		at.s = &list[i];
		put_overlay(to, m, &at);
	}
}

char *metrics_text(const struct snapshot *list, size_t n, const struct metrics_now *now)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	bool whole;

	if (!to)
		return NULL;
	__fsetlocking(to, FSETLOCKING_BYCALLER);
	for (enum metric m = 0; m < METRIC_MAX; m++)
		put_metric(to, m, list, n, now);
	whole = !ferror(to);
	if (fclose(to) || !whole) {
		free(text);
		return NULL;
	}
	return text;
}
