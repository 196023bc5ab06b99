// SPDX-License-Identifier: GPL-2.0
/* Judging a snapshot: who is up, and is all well; see snapshot.h. Pure. */
#include "diagnose/snapshot_say.h"

static const char *const state_names[] = {
	[SNAPSHOT_UP] = "up",
	[SNAPSHOT_DEGRADED] = "degraded",
	[SNAPSHOT_DOWN] = "down",
};
_Static_assert(ARRAY_LEN(state_names) == SNAPSHOT_STATE_MAX, "every state has a name");

static const char *const peer_state_names[] = {
	[PEER_UP] = "up",
	[PEER_SILENT] = "silent",
	[PEER_IDLE] = "idle",
	[PEER_NEVER] = "never",
};
_Static_assert(ARRAY_LEN(peer_state_names) == PEER_STATE_MAX, "every state has a name");

static const char *const labels[VX_REASON_MAX] = {
#define VX_REASON(name, label, sentence) [VX_REASON_##name] = label,
#include "vxbpf/reasons.def"
#undef VX_REASON
};

static const char *const sentences[VX_REASON_MAX] = {
#define VX_REASON(name, label, sentence) [VX_REASON_##name] = sentence,
#include "vxbpf/reasons.def"
#undef VX_REASON
};

const char *snapshot_name(const struct snapshot *s)
{
	return s->misnamed[0] ? s->misnamed : s->told.name;
}

const char *snapshot_state_name(enum snapshot_state state)
{
	return state_names[state];
}

const char *peer_state_name(enum peer_state state)
{
	return peer_state_names[state];
}

const char *reason_label(enum vx_reason reason)
{
	return labels[reason];
}

const char *reason_sentence(enum vx_reason reason)
{
	return sentences[reason];
}

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
	uint64_t known = p->sum.last_unicast_tx_ns, unknown = p->sum.last_unknown_tx_ns;

	p->state = snapshot_peer_state(p->sum.last_rx_ns, known > unknown ? known : unknown, now);
	p->meant = snapshot_peer_state(0, known, now) == PEER_SILENT;
	p->last_seen_ms = ago_ms(p->sum.last_rx_ns, now);
}

/* What runs though its pins are of another layout runs, but not as this version would have it. */
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
		if (s->peers[i].state == PEER_SILENT)
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
	snapshot_say(s, &s->problems);
}

uint64_t snapshot_drops(const struct snapshot *s, enum vx_reason reason)
{
	uint64_t sum = s->drops[reason];

	for (size_t i = 0; i < s->n_peers; i++)
		sum += s->peers[i].drops[reason];
	return sum;
}

bool snapshot_peer_dropped(const uint64_t drops[VX_REASON_MAX])
{
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		if (drops[r])
			return true;
	return false;
}

void snapshot_free(struct snapshot *s)
{
	free(s->devices);
	free(s->peers);
	free(s->ports);
	free(s->flaps);
	notes_free(&s->steps);
	verdicts_free(&s->notes);
	verdicts_free(&s->problems);
	*s = (struct snapshot){ 0 };
}
