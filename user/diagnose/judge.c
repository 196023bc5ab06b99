// SPDX-License-Identifier: GPL-2.0
/* Judges peers and overlay; see judge.h. Pure. */
#include <string.h>

#include "diagnose/judge.h"
#include "diagnose/snapshot_say.h"

/* A CPU's clock tick may be a moment ahead of ours. */
static bool is_fresh(uint64_t then, uint64_t now)
{
	return then && (then >= now || now - then <= SNAPSHOT_FRESH_NS);
}

enum peer_state snapshot_peer_state(uint64_t last_rx_ns, uint64_t last_unicast_tx_ns,
				    uint64_t now_ns)
{
	if (is_fresh(last_rx_ns, now_ns))
		return PEER_UP;
	if (is_fresh(last_unicast_tx_ns, now_ns))
		return PEER_SILENT;
	return last_rx_ns ? PEER_IDLE : PEER_NEVER;
}

static int64_t ago_ms(uint64_t then, uint64_t now)
{
	if (!then)
		return -1;
	return then >= now ? 0 : (int64_t)((now - then) / 1000000);
}

static void judge_peer(struct snapshot_peer *p, uint64_t now)
{
	/* A peer owes no answer to a frame that was flooded to all, because its MAC had shown itself nowhere. */
	p->state = snapshot_peer_state(p->sum.last_rx_ns, p->sum.last_unicast_tx_ns, now);
	p->last_seen_ms = ago_ms(p->sum.last_rx_ns, now);
}

static bool is_about(enum vx_reason reason, const struct snapshot_witness *w,
		     const struct snapshot_peer *p)
{
	return strcmp(reason == VX_REASON_UNGUARDED ? w->from : w->last.peer,
		      reason == VX_REASON_UNGUARDED ? p->ifname : p->name) == 0;
}

/* Its frames arrive, and none is accepted: the guard drops them, or their VNI is not known here. */
static bool is_shut_out(const struct snapshot *s, const struct snapshot_peer *p)
{
	static const enum vx_reason reasons[] = { VX_REASON_UNGUARDED, VX_REASON_WRONG_VNI,
						  VX_REASON_MALFORMED };

	if (s->told.guard != VX_GUARD_ENFORCE || p->state == PEER_UP)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		const struct snapshot_witness *w = &s->witness[reasons[i]];

		if (is_fresh(w->last.time_ns, s->now_ns) && is_about(reasons[i], w, p))
			return true;
	}
	/* Numbers as the script gives them; others may be those of another VXLAN between the same hosts, and only a
	 * probe tells. */
	return s->told.vni_mode == VX_VNI_PAIR && p->other_vni < s->n_peers &&
	       is_fresh(p->other_vni_ns, s->now_ns);
}

/* An overlay with pins of another layout runs, but not as this version would set it up. */
static enum snapshot_state judge_state(const struct snapshot *s)
{
	if (!s->up)
		return s->layout && s->layout != VX_LAYOUT ? SNAPSHOT_DEGRADED : SNAPSHOT_DOWN;
	if (s->drift || s->unmet)
		return SNAPSHOT_DEGRADED;
	for (size_t i = 0; i < s->n_ports; i++)
		if (!s->ports[i].hooked)
			return SNAPSHOT_DEGRADED;
	for (size_t i = 0; i < s->n_peers; i++)
		if (s->peers[i].state == PEER_SILENT || is_shut_out(s, &s->peers[i]))
			return SNAPSHOT_DEGRADED;
	return SNAPSHOT_UP;
}

void snapshot_judge_peers(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_peers; i++)
		judge_peer(&s->peers[i], s->now_ns);
}

void snapshot_judge(struct snapshot *s)
{
	snapshot_judge_peers(s);
	s->state = judge_state(s);
	verdicts_free(&s->problems);
	verdicts_free(&s->information);
	snapshot_say(s, &s->problems);
	if (s->up) {
		snapshot_say_plain(s, &s->information);
		snapshot_say_isolated(s, &s->information);
	}
}
