// SPDX-License-Identifier: GPL-2.0
/* `status --json`: keys and types of design 1.7, stable once released; see snapshot.h. Pure. */
#include <json-c/json.h>
#include <string.h>

#include "base/sanitize.h"
#include "conf/conf.h"
#include "show/status.h"
#include "snapshot/snapshot.h"

#define FORMAT (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

static void add_text(struct json_object *o, const char *key, const char *text)
{
	autofree char *utf8 = sanitize_utf8(text);

	json_object_object_add(o, key, json_object_new_string(utf8 ? utf8 : ""));
}

static void add_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

static void add_bool(struct json_object *o, const char *key, bool on)
{
	json_object_object_add(o, key, json_object_new_boolean(on));
}

static void add_drops(struct json_object *o, const uint64_t drops[VX_REASON_MAX])
{
	struct json_object *by_reason = json_object_new_object();

	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		add_number(by_reason, reason_label(r), drops[r]);
	json_object_object_add(o, "drops", by_reason);
}

static struct json_object *device_json(const struct snapshot_device *d)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "ifname", d->ifname);
	add_text(o, "tc", d->tc);
	add_text(o, "xdp", d->xdp);
	return o;
}

static struct json_object *peer_json(const struct snapshot_peer *p)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "name", p->name);
	add_text(o, "address", p->address);
	add_number(o, "vni", p->vni);
	add_text(o, "ifname", p->ifname);
	add_text(o, "state", peer_state_name(p->state));
	json_object_object_add(o, "last_seen_ms", json_object_new_int64(p->last_seen_ms));
#define VX_COUNTER(member, metric, in_json)                                                        \
	if (in_json)                                                                               \
		add_number(o, #member, p->sum.member);
#define VX_LATEST(member)
#include "vxbpf/counters.def"
#undef VX_COUNTER
#undef VX_LATEST
	add_drops(o, p->drops);
	return o;
}

static struct json_object *port_json(const struct snapshot_port *p)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "ifname", p->ifname);
	add_bool(o, "hooked", p->hooked);
	add_bool(o, "accelerated", p->accelerated);
	add_text(o, "why", p->why);
	add_number(o, "oversize", p->oversize);
	return o;
}

static struct json_object *overlay_json(const struct snapshot *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *underlay = json_object_new_array();
	struct json_object *peers = json_object_new_array();
	struct json_object *ports = json_object_new_array();

	for (size_t i = 0; i < s->n_devices; i++)
		json_object_array_add(underlay, device_json(&s->devices[i]));
	for (size_t i = 0; i < s->n_peers; i++)
		json_object_array_add(peers, peer_json(&s->peers[i]));
	for (size_t i = 0; i < s->n_ports; i++)
		json_object_array_add(ports, port_json(&s->ports[i]));
	add_text(o, "overlay", snapshot_name(s));
	add_text(o, "bridge", s->told.bridge);
	add_text(o, "local", s->told.local);
	add_text(o, "address", s->told.address);
	add_text(o, "address6", s->told.address6);
	add_number(o, "port", s->told.port);
	add_number(o, "mtu", s->told.mtu);
	add_text(o, "state", snapshot_state_name(s->state));
	add_text(o, "guard", conf_guard_name(s->told.guard));
	add_text(o, "fastpath", s->told.fastpath_why[0] || !s->up ? "off" : "on");
	add_text(o, "config", s->path);
	json_object_object_add(o, "underlay", underlay);
	json_object_object_add(o, "peers", peers);
	json_object_object_add(o, "ports", ports);
	add_drops(o, s->drops);
	json_object_object_add(o, "problems", verdicts_json(&s->problems));
	return o;
}

char *status_json(const struct snapshot *list, size_t n)
{
	struct json_object *all = json_object_new_array();
	char *text;

	for (size_t i = 0; i < n; i++)
		json_object_array_add(all, overlay_json(&list[i]));
	text = strdup(json_object_to_json_string_ext(all, FORMAT));
	json_object_put(all);
	return text;
}
