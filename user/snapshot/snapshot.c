// SPDX-License-Identifier: GPL-2.0
/* Names, sums and the end of snapshots; see snapshot.h. Pure. */
#include <string.h>

#include "snapshot/snapshot.h"

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

bool snapshot_is_underlay(const struct snapshot *s, const char *ifname)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (strcmp(s->devices[i].ifname, ifname) == 0)
			return true;
	return false;
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
	in_fronts_free(&s->fronts);
	verdicts_free(&s->problems);
	verdicts_free(&s->information);
	*s = (struct snapshot){ 0 };
}
