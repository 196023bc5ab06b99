// SPDX-License-Identifier: GPL-2.0
/* Probes to the peers' programs; see snapshot.h. Impure edge, of `check` alone. */
#include "kernel/probe.h"
#include "snapshot/snapshot.h"

#define PATIENCE_MS 1000

static void take(const struct probe_target *t, struct snapshot_peer *p)
{
	/* Nobody was asked: for want of a tunnel, which is said elsewhere, or of room for questions. */
	if (t->err && !t->answered)
		return;
	p->probe = (struct snapshot_probe){
		.result = t->answered ? PROBE_ANSWERED : PROBE_UNANSWERED,
		.sent = PROBE_TRIES,
		.mtu = t->answered ? t->mtu : 0,
	};
}

/* Programs of another version may know no probes, and then there is nothing to say. */
void snapshot_probe(struct snapshot *s)
{
	autofree struct probe_target *list = calloc(s->n_peers + 1, sizeof(*list));
	struct why why = { 0 };

	if (!list || !s->up || s->told.vni_mode == VX_VNI_INDEX)
		return;
	for (size_t i = 0; i < s->n_peers; i++) {
		list[i].overlay = s->told.name;
		list[i].vni = s->peers[i].vni;
		text_copy(list[i].ifname, sizeof(list[i].ifname), s->peers[i].ifname);
	}
	if (probe_peers(list, s->n_peers, PATIENCE_MS, &why))
		return;
	for (size_t i = 0; i < s->n_peers; i++)
		take(&list[i], &s->peers[i]);
}
