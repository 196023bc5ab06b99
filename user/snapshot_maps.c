// SPDX-License-Identifier: GPL-2.0
/* What the programs have counted, from the pinned maps; see snapshot_read.h. Impure edge. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "pins.h"
#include "plan.h"
#include "slots.h"
#include "snapshot_read.h"

const char *reading_device_name(const struct reading *r, uint32_t ifindex)
{
	const struct link *link = links_by_index(&r->world.links, (int)ifindex);

	return link ? link->name : "";
}

uint64_t reading_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static int by_name(const void *a, const void *b)
{
	const struct snapshot_peer *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static struct snapshot_peer *find_peer(struct snapshot *s, const struct snapshot_peer *key)
{
	return s->n_peers ? bsearch(key, s->peers, s->n_peers, sizeof(*key), by_name) : NULL;
}

static int read_peers(struct reading *r)
{
	automapdump struct mapdump dump = { 0 };
	struct snapshot *s = r->s;
	int err = mapdump_read(r->overlay, "peers", sizeof(struct vx_vni), sizeof(struct vx_peer),
			       &dump);

	s->peers = err ? NULL : calloc(dump.n + 1, sizeof(*s->peers));
	if (!s->peers)
		return err ? err : -ENOMEM;
	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_vni *vni = mapdump_key(&dump, i);
		const struct vx_peer *peer = mapdump_value(&dump, i, 0);
		struct snapshot_peer *p = &s->peers[s->n_peers++];

		text_copy(p->name, sizeof(p->name), peer->name);
		text_copy(p->address, sizeof(p->address), peer->address);
		text_copy(p->ifname, sizeof(p->ifname), peer->ifname);
		p->vni = vni->vni;
		p->slot = peer->slot;
	}
	if (s->n_peers)
		qsort(s->peers, s->n_peers, sizeof(*s->peers), by_name);
	return 0;
}

/* An array comes in the order of its slots. */
static int read_counters(struct reading *r)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(r->overlay, "counters", sizeof(uint32_t), sizeof(struct vx_counters),
			       &dump);

	for (size_t i = 0; i < r->s->n_peers; i++) {
		struct snapshot_peer *p = &r->s->peers[i];

		if (p->slot < dump.n)
			slots_sum(mapdump_value(&dump, p->slot, 0), dump.cpus, &p->sum);
	}
	return err;
}

/* Drops of a peer that has left the mesh belong to nobody who could be named. */
static int read_drops(struct reading *r)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(r->overlay, "drops", sizeof(struct vx_drop_key),
			       sizeof(struct vx_drop), &dump);

	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_drop_key *k = mapdump_key(&dump, i);
		struct snapshot_peer key = { 0 }, *p;
		uint64_t *drops = r->s->drops;

		if (k->reason >= VX_REASON_MAX)
			continue;
		if (k->peer[0]) {
			text_copy(key.name, sizeof(key.name), k->peer);
			p = find_peer(r->s, &key);
			drops = p ? p->drops : NULL;
		}
		for (unsigned cpu = 0; drops && cpu < dump.cpus; cpu++) {
			const struct vx_drop *d = mapdump_value(&dump, i, cpu);

			drops[k->reason] += d->packets;
		}
	}
	return err;
}

static bool is_tunnel(const struct reading *r, uint32_t ifindex)
{
	const struct link *link = links_by_index(&r->world.links, (int)ifindex);

	return link && plan_owns_tunnel(link, r->overlay, r->s->told.local);
}

static int read_witness(struct reading *r)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(r->overlay, "witness", sizeof(struct vx_reason_key),
			       sizeof(struct vx_witness), &dump);

	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_reason_key *k = mapdump_key(&dump, i);
		struct snapshot_witness *w = &r->s->witness[k->reason % VX_REASON_MAX];

		w->last = *(const struct vx_witness *)mapdump_value(&dump, i, 0);
		w->last.peer[sizeof(w->last.peer) - 1] = '\0';
		text_copy(w->from, sizeof(w->from), reading_device_name(r, w->last.from_ifindex));
		text_copy(w->to, sizeof(w->to), reading_device_name(r, w->last.to_ifindex));
		w->to_tunnel = is_tunnel(r, w->last.to_ifindex);
	}
	return err;
}

/* When did a frame of this peer's last get through? What came out of a tunnel has shown its MAC. */
static int read_passed(struct reading *r, struct snapshot_peer *p)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(r->overlay, "fdb", sizeof(struct vx_fdb_key), sizeof(struct vx_fdb),
			       &dump);

	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_fdb *at = mapdump_value(&dump, i, 0);

		if (at->place == VX_AT_PEER && at->vni == p->vni && at->seen_ns > p->passed_ns)
			p->passed_ns = at->seen_ns;
	}
	return err;
}

static int read_passed_of_unguarded(struct reading *r)
{
	const struct snapshot_witness *w = &r->s->witness[VX_REASON_UNGUARDED];

	for (size_t i = 0; w->last.time_ns && i < r->s->n_peers; i++)
		if (strcmp(r->s->peers[i].ifname, w->from) == 0)
			return read_passed(r, &r->s->peers[i]);
	return 0;
}

int snapshot_read_maps(struct reading *r)
{
	int err = read_peers(r);

	if (!err)
		err = read_counters(r);
	if (!err)
		err = read_drops(r);
	if (!err)
		err = read_witness(r);
	return err ? err : read_passed_of_unguarded(r);
}

/* A peer that comes or goes just now may not have its slot yet, or not any more; one that moves may be
 * there twice, with one slot. */
static void keep_whole(struct snapshot *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_peers; i++) {
		const struct snapshot_peer *p = &s->peers[i];

		if (strcmp(p->sum.peer, p->name) == 0 &&
		    (!kept || strcmp(s->peers[kept - 1].name, p->name) != 0))
			s->peers[kept++] = *p;
	}
	s->n_peers = kept;
}

static int read_numbers(struct reading *r)
{
	int err = read_peers(r);

	if (!err)
		err = read_counters(r);
	return err ? err : read_drops(r);
}

int snapshot_read_peers(const char *overlay, struct snapshot *out)
{
	struct reading r = { .overlay = overlay, .s = out };
	int err;

	*out = (struct snapshot){ .now_ns = reading_clock_ns() };
	err = pins_layout(overlay, &out->layout);
	if (err)
		return err;
	out->up = out->layout == VX_LAYOUT && observe_overlay(overlay, &out->told) == 0;
	err = out->up ? read_numbers(&r) : 0;
	if (err == -ENOENT) { /* its pins went while we were reading */
		snapshot_free(out);
		*out = (struct snapshot){ .now_ns = reading_clock_ns() };
		err = 0;
	}
	if (out->peers)
		keep_whole(out);
	if (!out->up)
		text_copy(out->told.name, sizeof(out->told.name), overlay);
	snapshot_judge_peers(out);
	return err;
}
