// SPDX-License-Identifier: GPL-2.0
/* Recent drops, the responsible sender, and MACs in two places; see snapshot_say.h. Pure. */
#include <string.h>

#include "base/human.h"
#include "base/ip.h"
#include "diagnose/snapshot_say.h"
#include "kernel/link.h"

/* A flow on the fast path shows in its tunnel every two seconds. */
#define MARK_TOGETHER_NS 1000000000ULL
#define MARK_SILENCE_NS 5000000000ULL

struct saying {
	const struct snapshot *s;
	const struct snapshot_witness *w;
	struct verdicts *out;
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
		verdicts_add(a->out, VERDICT_LOOP, a->w->last.peer,
			     "%s sends us frames for MAC %s, which is behind another peer (%s); "
			     "normal for a moment after a container moved or fell silent; if it "
			     "persists, check the bridge of that host",
			     or_else(a->w->last.peer, "a peer"), dst, a->count);
	else
		verdicts_add(
			a->out, VERDICT_LOOP, a->w->last.peer,
			"a frame with MAC %s of local port %s returned from %s (%s); look for a "
			"second layer-2 path to that host, or for a copy of the container there",
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

/* Counting has cleared it, if it was counted: it leaves packets to ours. */
static bool may_keep(const struct snapshot *s, const struct in_front *f)
{
	return f->kept || !s->looked || !f->theirs || !f->ours;
}

static const char *because(const struct in_front *f)
{
	return f->kept ? "because" : "perhaps because";
}

/* The one in front of ours at the ingress of an underlay device; or NULL. */
static const struct in_front *keeps_from_guard(const struct snapshot *s)
{
	for (size_t i = 0; i < s->fronts.n; i++)
		if (s->fronts.v[i].ingress && snapshot_is_underlay(s, s->fronts.v[i].device) &&
		    may_keep(s, &s->fronts.v[i]))
			return &s->fronts.v[i];
	return NULL;
}

/* The one in front of ours at the egress of this peer's tunnel, or of all; or NULL. */
static const struct in_front *keeps_from_tunnel(const struct snapshot *s, const char *peer)
{
	for (size_t i = 0; i < s->n_peers; i++)
		for (size_t k = 0; k < s->fronts.n && strcmp(s->peers[i].name, peer) == 0; k++) {
			const struct in_front *f = &s->fronts.v[k];

			if (!f->ingress && may_keep(s, f) &&
			    (!f->device[0] || strcmp(f->device, s->peers[i].ifname) == 0))
				return f;
		}
	return NULL;
}

static const struct snapshot_device *without_program(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (strcmp(s->devices[i].tc, "none") == 0)
			return &s->devices[i];
	return NULL;
}

/* Nobody can tell any more by which device the frames came: the likeliest cause that is there, with the
 * one thing to do. */
static void say_unguarded(const struct saying *a)
{
	const struct snapshot *s = a->s;
	const struct in_front *front = keeps_from_guard(s);
	const struct snapshot_device *bare = without_program(s);
	const char *tunnel = or_else(a->w->from, "a tunnel");

	if (front)
		verdicts_add(
			a->out, VERDICT_UNGUARDED, a->w->from,
			"VXLAN for %s passed %s unseen by the guard (%s), %s %s runs "
			"before vxbpf at the ingress there; move it behind vxbpf, or remove it",
			tunnel, front->device, a->count, because(front), front->what);
	else if (bare)
		verdicts_add(a->out, VERDICT_UNGUARDED, a->w->from,
			     "VXLAN for %s passed %s unseen by the guard (%s), because vxbpf has "
			     "no program there; run `vxbpf up`",
			     tunnel, bare->ifname, a->count);
	else if (s->elsewhere[0])
		verdicts_add(a->out, VERDICT_UNGUARDED, a->w->from,
			     "VXLAN for %s arrived on a device or address the guard does not cover "
			     "(%s), here only %s; let the peers send to this host's address in the "
			     "mesh, by a guarded device; otherwise the packets are forged",
			     tunnel, a->count, s->elsewhere);
	else
		verdicts_add(a->out, VERDICT_UNGUARDED, a->w->from,
			     "VXLAN for %s arrived on a device or address the guard does not cover "
			     "(%s); if routes have changed, run `vxbpf up`; otherwise the packets "
			     "are forged",
			     tunnel, a->count);
}

static void say_guard(const struct saying *a, enum vx_reason reason)
{
	const struct in_front *front;
	const struct vx_witness *last = &a->w->last;
	unsigned port = a->s->told.port;

	if (reason == VX_REASON_UNKNOWN_SOURCE)
		verdicts_add(a->out, VERDICT_UNKNOWN_SOURCE, a->source,
			     "%s sends VXLAN with our VNI %u but is not a peer (%s); add it to "
			     "`peers:`, or find out what it is",
			     a->source, last->vni, a->count);
	else if (reason == VX_REASON_WRONG_VNI)
		verdicts_add(
			a->out, VERDICT_WRONG_VNI, last->peer,
			"%s (%s) sends VNI %u, which belongs to another pair (%s), so its config "
			"differs from ours; copy the same config to both hosts and run `vxbpf up`",
			or_else(last->peer, "a peer"), a->source, last->vni, a->count);
	else if (reason == VX_REASON_UNGUARDED && loses_mark(a))
		verdicts_add(a->out, VERDICT_MARK, a->w->from,
			     "frames of peers pass the guard but reach %s without its mark (%s), "
			     "because a firewall rule changes the mark; see mark: in vxbpf.yaml(5)",
			     a->w->from, a->count);
	else if (reason == VX_REASON_UNGUARDED)
		say_unguarded(a);
	else if (reason == VX_REASON_NESTED && !last->from_ifindex &&
		 (front = keeps_from_tunnel(a->s, last->peer)))
		verdicts_add(a->out, VERDICT_NESTED, "",
			     "frames to %s leave its tunnel unseen by vxbpf (%s), %s %s runs "
			     "before vxbpf at the egress there; move it behind vxbpf, or remove it",
			     last->peer, a->count, because(front), front->what);
	else if (reason == VX_REASON_NESTED && !last->from_ifindex)
		verdicts_add(
			a->out, VERDICT_NESTED, "",
			"a program on this host, or a macvlan or ipvlan device on top of %s, sends "
			"VXLAN to %s as if it were this overlay (%s); find it with `ss -uanp`",
			or_else(a->w->to, "the underlay"), or_else(last->peer, "a peer"), a->count);
	else if (reason == VX_REASON_NESTED)
		verdicts_add(a->out, VERDICT_NESTED, a->w->from,
			     "a workload behind %s sends VXLAN to %s as if it were this host (%s); "
			     "find and stop it",
			     or_else(a->w->from, "a removed device"), or_else(last->peer, "a peer"),
			     a->count);
	else if (reason == VX_REASON_MALFORMED)
		verdicts_add(a->out, VERDICT_MALFORMED, ip_is_set(&last->source) ? a->source : "",
			     "%s sends packets to UDP port %u that are not valid VXLAN (%s); find "
			     "out what sends them",
			     ip_is_set(&last->source) ? a->source : "an unknown host", port,
			     a->count);
}

/* The count may be from before the guard was told to allow such packets. */
static bool is_passed(const struct snapshot *s, enum vx_reason reason)
{
	return s->told.guard != VX_GUARD_ENFORCE && reason != VX_REASON_LOOP &&
	       reason != VX_REASON_OVERSIZE;
}

static bool is_past(uint64_t then, uint64_t now, uint64_t span)
{
	return !then || (now > then && now - then > span);
}

/* The same MAC at another master: each shows it by right. */
static bool is_virtual_router(const struct snapshot *s, const struct vx_witness *last)
{
	char mac[18];

	mac_format(last->src_mac, mac);
	for (size_t i = 0; i < s->n_flaps; i++)
		if (s->flaps[i].router && strcmp(s->flaps[i].mac, mac) == 0)
			return true;
	return false;
}

/* One such frame, or some, is how a container's move looks: to `check` it takes more to be wrong. A loop may
 * wait for the next broadcast; a MAC that was in two places and has settled is over. */
static bool is_passing(const struct snapshot *s, const struct snapshot_witness *w, uint64_t age)
{
	if (!s->looked)
		return false;
	if (w->to_tunnel)
		return age > SNAPSHOT_FRESH_NS;
	if (!is_past(s->round_ns, s->now_ns, SNAPSHOT_RECENT_NS))
		return false;
	return is_past(s->contested_ns, s->now_ns, SNAPSHOT_FRESH_NS) ||
	       is_virtual_router(s, &w->last);
}

/* Such a frame is dropped only while it goes round, see bpf/contest.h. */
static bool is_delivered(enum vx_reason reason, const struct snapshot_witness *w)
{
	return reason == VX_REASON_LOOP && !w->to_tunnel;
}

static void say_drop(const struct snapshot *s, enum vx_reason reason, struct verdicts *out)
{
	const struct snapshot_witness *w = &s->witness[reason];
	uint64_t then = w->last.time_ns;
	uint64_t age = s->now_ns > then ? s->now_ns - then : 0;
	struct saying a = { .s = s, .w = w, .out = out };
	char count[HUMAN_LEN], ago[HUMAN_LEN];

	if (!then || age > SNAPSHOT_RECENT_NS ||
	    (reason == VX_REASON_LOOP && is_passing(s, w, age))) {
		/* Containers' MTUs tell before there are drops. */
		if (reason == VX_REASON_OVERSIZE)
			snapshot_say_mtu(s, NULL, out);
		return;
	}
	human_count(snapshot_drops(s, reason), count);
	human_age(age / 1000000, ago);
	snprintf(a.count, sizeof(a.count),
		 is_passed(s, reason) ? "%s counted, the last %s ago; the guard allows such packets"
		 : is_delivered(reason, w) ? "%s counted, the last %s ago"
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

static void say_flaps(const struct snapshot *s, struct verdicts *out)
{
	for (size_t i = 0; i < s->n_flaps && i < SAY_MAX; i++) {
		const struct snapshot_flap *f = &s->flaps[i];
		char often[96] = "", who[40] = "", ago[HUMAN_LEN];

		if (f->settled_ns) {
			human_age(f->settled_ns / 1000000, ago);
			snprintf(often, sizeof(often), ", until %s ago", ago);
		} else if (f->moves) {
			snprintf(often, sizeof(often), ", and moved %u times within %.1f s",
				 f->moves, (double)f->within_ns / 1e9);
		}
		if (f->router)
			snprintf(who, sizeof(who), " (VRRP router %u)", f->router);
		verdicts_add(out, VERDICT_MAC_MOVES, f->mac, "%s%s %s in two places, %s%s; %s",
			     f->mac, who, f->settled_ns ? "was" : "is", f->where, often,
			     f->router ? "both were master at once, so check that VRRP adverts (IP "
					 "protocol 112) from one reach the other"
				       : "look for a copy of the container (give it another MAC), "
					 "or for a second layer-2 path between the two");
	}
	if (s->n_flaps > SAY_MAX)
		verdicts_add(out, VERDICT_MAC_MOVES, "", "%zu more MACs are in two places",
			     s->n_flaps - SAY_MAX);
}

void snapshot_say_drops(const struct snapshot *s, struct verdicts *out)
{
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		say_drop(s, r, out);
	say_flaps(s, out);
}
