// SPDX-License-Identifier: GPL-2.0
/* Probes to the peers' programs; see snapshot.h. Impure edge, of `check` alone. */
#include <bpf/bpf.h>

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

/* --- whether programs of others keep packets from ours: while probes go, the kernel counts how often each ran */

struct runs {
	uint64_t theirs, ours;
};

static uint64_t runs_of(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	autofd int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 ? info.run_cnt : 0;
}

static struct runs *count_runs(const struct snapshot *s)
{
	struct runs *runs = calloc(s->fronts.n + 1, sizeof(*runs));

	if (!runs)
		out_of_memory();
	for (size_t i = 0; i < s->fronts.n; i++)
		runs[i] = (struct runs){ runs_of(s->fronts.v[i].theirs),
					 runs_of(s->fronts.v[i].ours) };
	return runs;
}

/* Ours run on every packet of their device, so one that came this far is enough to clear the others. */
static void compare_runs(struct snapshot *s, const struct runs *before, const struct runs *after)
{
	for (size_t i = 0; i < s->fronts.n; i++) {
		struct in_front *f = &s->fronts.v[i];

		if (f->theirs && f->ours && after[i].ours == before[i].ours)
			f->kept = after[i].theirs - before[i].theirs;
	}
}

/* Programs of another version may know no probes, and then there is nothing to say. */
static void probe(struct snapshot *s)
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

void snapshot_probe(struct snapshot *s)
{
	autofree struct runs *before = NULL, *after = NULL;
	autofd int counting = s->fronts.n ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1;

	if (counting >= 0)
		before = count_runs(s);
	probe(s);
	if (counting < 0)
		return;
	after = count_runs(s);
	compare_runs(s, before, after);
}
