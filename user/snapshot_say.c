// SPDX-License-Identifier: GPL-2.0
/* What is wrong, as plain sentences with what to do about it; see snapshot.h. Pure. */
#include <string.h>

#include "human.h"
#include "ip.h"
#include "link.h"
#include "snapshot.h"

/* A flow on the fast path shows in its tunnel every two seconds. */
#define MARK_TOGETHER_NS 1000000000ULL
#define MARK_SILENCE_NS 5000000000ULL
#define LIST_MAX 5 /* of the same kind; the rest is a number */

/* "vxbpf up vxbr0", or by path where the file is not where names are looked up. */
static void up_command(const struct snapshot *s, char *text, size_t size)
{
	char usual[64];

	snprintf(usual, sizeof(usual), "/etc/vxbpf/%s.yaml", s->told.name);
	snprintf(text, size, "vxbpf up %s", strcmp(s->path, usual) == 0 ? s->told.name : s->path);
}

static void say_down(const struct snapshot *s, const char *up, struct notes *out)
{
	if (s->fault[0])
		notes_add(out, "not up, and the config cannot be %s: %s",
			  s->unmet ? "met now" : "used", s->fault);
	else if (s->layout == VX_LAYOUT)
		notes_add(out, "not up, only half set up: run `%s`", up);
	else
		notes_add(out, "not up: run `%s`", up);
}

static void say_config(const struct snapshot *s, const char *up, struct notes *out)
{
	if (s->layout && s->layout != VX_LAYOUT)
		notes_add(out,
			  "its pins in /sys/fs/bpf/vxbpf/%s are of another version of vxbpf, so "
			  "there are "
			  "no counters to read: run `%s` to make them anew",
			  s->told.name, up);
	else if (!s->up)
		say_down(s, up, out);
	if (!s->up)
		return;
	if (s->fault[0])
		notes_add(out, "runs on as it was set up, but the config cannot be %s: %s",
			  s->unmet ? "met now" : "used", s->fault);
	if (s->drift)
		notes_add(out, "%zu %s from the config: run `%s` (`%s --dry-run` lists %s)",
			  s->drift, s->drift == 1 ? "thing differs" : "things differ", up, up,
			  s->drift == 1 ? "it" : "them");
}

static void say_unhooked(const struct snapshot *s, const char *up, struct notes *out)
{
	char names[LIST_MAX * (VX_IF_LEN + 2) + 32] = "";
	size_t n = 0;

	for (size_t i = 0; i < s->n_ports; i++) {
		if (s->ports[i].hooked)
			continue;
		if (n++ < LIST_MAX)
			text_add(names, sizeof(names), "%s%s", n > 1 ? ", " : "",
				 s->ports[i].ifname);
	}
	if (n > LIST_MAX)
		text_add(names, sizeof(names), " and %zu more", n - LIST_MAX);
	if (n)
		notes_add(
			out,
			"%s: no program of ours on %s, so the kernel alone does the work: run `%s`",
			names, n == 1 ? "it" : "them", up);
}

static void say_silent(const struct snapshot *s, struct notes *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_peers; i++) {
		const struct snapshot_peer *p = &s->peers[i];
		char since[HUMAN_LEN + 32] = "nothing ever came back", age[HUMAN_LEN];

		if (p->state != PEER_SILENT || n++ >= LIST_MAX)
			continue;
		if (p->last_seen_ms >= 0) {
			human_age((uint64_t)p->last_seen_ms, age);
			snprintf(since, sizeof(since), "nothing came back for %s", age);
		}
		notes_add(out,
			  "%s: we send and %s: is %s up, and does every firewall "
			  "on the way "
			  "let UDP port %u through?",
			  p->name, since, p->address, s->told.port);
	}
	if (n > LIST_MAX)
		notes_add(out, "%zu more peers are silent like that", n - LIST_MAX);
}

/* Of a program of somebody else's the plan has said so. */
static void say_xdp(const struct snapshot *s, struct notes *out)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		const struct snapshot_device *d = &s->devices[i];

		if (d->xdp_wanted && strcmp(s->told.xdp, "on") == 0)
			notes_add(out,
				  "%s: no XDP program of ours is on it; the guard works by TC "
				  "there: run `vxbpf "
				  "up`, which says why, or set `xdp: auto`",
				  d->ifname);
	}
}

/* --- drops of late */

struct saying {
	const struct snapshot *s;
	const struct snapshot_witness *w;
	struct notes *out;
	char source[IP_TEXT];
	char mac[18];
	char count[128]; /* "3 dropped, the last 2.0 s ago" */
};

static const char *or_else(const char *name, const char *other)
{
	return name[0] ? name : other;
}

static void say_loop(const struct saying *a)
{
	char dst[18];

	mac_format(a->w->last.dst_mac, dst);
	if (a->w->to_tunnel)
		notes_add(a->out,
			  "loop: %s sends us frames for MAC %s, which another peer has (%s): "
			  "normal for "
			  "a moment after a container moved or fell silent; if it goes on, look at "
			  "the "
			  "bridge of that host",
			  or_else(a->w->last.peer, "a peer"), dst, a->count);
	else
		notes_add(a->out,
			  "loop: a frame with the MAC %s of local port %s came back from %s (%s): "
			  "look "
			  "for a second layer-2 path to that host, or for a copy of the container "
			  "there",
			  a->mac, or_else(a->w->to, "(gone)"), or_else(a->w->last.peer, "a peer"),
			  a->count);
}

/* The wire let frames of this peer in at the time the tunnel refused some, and none has got through
 * for a while: it is they, and somebody between the two takes the mark off them. */
static bool loses_mark(const struct saying *a)
{
	const struct snapshot *s = a->s;
	uint64_t refused = a->w->last.time_ns;

	if (s->told.guard != VX_GUARD_ENFORCE || s->told.vni_mode == VX_VNI_INDEX)
		return false;
	for (size_t i = 0; i < s->n_peers; i++) {
		const struct snapshot_peer *p = &s->peers[i];
		uint64_t in = p->sum.last_rx_ns;

		if (strcmp(p->ifname, a->w->from) == 0)
			return in + MARK_TOGETHER_NS > refused && refused + MARK_TOGETHER_NS > in &&
			       p->passed_ns + MARK_SILENCE_NS < refused;
	}
	return false;
}

static void say_guard(const struct saying *a, enum vx_reason reason)
{
	const struct vx_witness *last = &a->w->last;
	unsigned port = a->s->told.port;

	if (reason == VX_REASON_UNKNOWN_SOURCE)
		notes_add(a->out,
			  "%s sends VXLAN with our VNI %u and is no peer (%s): add it to `peers:`, "
			  "or find out "
			  "who that is",
			  a->source, last->vni, a->count);
	else if (reason == VX_REASON_WRONG_VNI)
		notes_add(a->out,
			  "%s (%s) sends VNI %u, which belongs to another pair (%s): its config "
			  "must differ "
			  "from ours: put the same file on both and run `vxbpf up`",
			  or_else(last->peer, "a peer"), a->source, last->vni, a->count);
	else if (reason == VX_REASON_UNGUARDED && loses_mark(a))
		notes_add(a->out,
			  "peers' frames pass the guard and come to %s without its mark (%s): a "
			  "firewall rule changes the packets' mark: see mark: in vxbpf.yaml(5)",
			  a->w->from, a->count);
	else if (reason == VX_REASON_UNGUARDED)
		notes_add(a->out,
			  "VXLAN for %s came by a device or to an address the guard does not cover "
			  "(%s): if "
			  "routes have changed, run `vxbpf up`; else somebody forges it",
			  or_else(a->w->from, "a tunnel"), a->count);
	else if (reason == VX_REASON_NESTED)
		notes_add(a->out,
			  "a workload behind %s sends VXLAN to %s as if it were this host (%s): "
			  "find out what "
			  "it is up to",
			  or_else(a->w->from, "a device that is gone"),
			  or_else(last->peer, "a peer"), a->count);
	else if (reason == VX_REASON_MALFORMED)
		notes_add(a->out,
			  "%s sends packets to UDP port %u that are no valid VXLAN (%s): find out "
			  "who that is",
			  ip_is_set(&last->source) ? a->source : "somebody", port, a->count);
	else
		notes_add(a->out, "%s: %s (%s)", reason_label(reason), reason_sentence(reason),
			  a->count);
}

/* What was counted may be from before the guard was told to let it through. */
static bool is_passed(const struct snapshot *s, enum vx_reason reason)
{
	return s->told.guard != VX_GUARD_ENFORCE && reason != VX_REASON_LOOP &&
	       reason != VX_REASON_OVERSIZE;
}

static void say_drop(const struct snapshot *s, enum vx_reason reason, struct notes *out)
{
	const struct snapshot_witness *w = &s->witness[reason];
	uint64_t then = w->last.time_ns;
	uint64_t age = s->now_ns > then ? s->now_ns - then : 0;
	struct saying a = { .s = s, .w = w, .out = out };
	char count[HUMAN_LEN], ago[HUMAN_LEN];

	if (!then || age > SNAPSHOT_RECENT_NS) {
		/* Containers' MTUs tell before there are drops. */
		if (reason == VX_REASON_OVERSIZE)
			snapshot_say_mtu(s, NULL, out);
		return;
	}
	human_count(snapshot_drops(s, reason), count);
	human_age(age / 1000000, ago);
	snprintf(a.count, sizeof(a.count),
		 is_passed(s, reason) ? "%s counted, the last %s ago; such packets are let through"
				      : "%s dropped, the last %s ago",
		 count, ago);
	ip_format(&w->last.source, a.source);
	mac_format(w->last.src_mac, a.mac);
	if (reason == VX_REASON_LOOP)
		say_loop(&a);
	else if (reason == VX_REASON_OVERSIZE)
		snapshot_say_mtu(s, a.count, out);
	else
		say_guard(&a, reason);
}

void snapshot_say(const struct snapshot *s, struct notes *problems)
{
	char up[PATH_MAX + 16];

	up_command(s, up, sizeof(up));
	say_config(s, up, problems);
	for (size_t i = 0; i < s->notes.n; i++)
		notes_add(problems, "%s", s->notes.v[i]);
	if (!s->up)
		return;
	say_unhooked(s, up, problems);
	say_silent(s, problems);
	say_xdp(s, problems);
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		say_drop(s, r, problems);
}
