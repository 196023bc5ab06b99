// SPDX-License-Identifier: GPL-2.0
/* Counters of the programs, from the pinned maps; see snapshot_read.h. Impure edge. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "kernel/pins.h"
#include "kernel/pins_overlay.h"
#include "plan/plan.h"
#include "plan/slots.h"
#include "snapshot/snapshot_read.h"

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

struct snapshot_peer *reading_find_peer(const struct reading *r, const char *name)
{
	struct snapshot_peer key = { 0 };

	text_copy(key.name, sizeof(key.name), name);
	return r->s->n_peers ? bsearch(&key, r->s->peers, r->s->n_peers, sizeof(key), by_name)
			     : NULL;
}

/* While a peer's VNI changes it is in the map under both, with one and the same slot. */
static void keep_one_each(struct snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_peers; i++)
		if (!n || by_name(&s->peers[n - 1], &s->peers[i]) != 0)
			s->peers[n++] = s->peers[i];
	s->n_peers = n;
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
		text_copy(p->local, sizeof(p->local), peer->local_address);
		p->vni = vni->vni;
		p->slot = peer->slot;
	}
	if (s->n_peers)
		qsort(s->peers, s->n_peers, sizeof(*s->peers), by_name);
	keep_one_each(s);
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
		struct snapshot_peer *p;
		uint64_t *drops = r->s->drops;

		if (k->reason >= VX_REASON_MAX)
			continue;
		if (k->peer[0]) {
			p = reading_find_peer(r, k->peer);
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

/* Does some VXLAN device here take this VNI? One with external control takes any. */
static bool is_taken(const struct reading *r, uint32_t vni)
{
	for (size_t i = 0; i < r->world.links.n; i++) {
		const struct link *link = &r->world.links.v[i];

		if (strcmp(link->kind, "vxlan") == 0 && link->vxlan.port == r->s->told.port &&
		    (link->vxlan.external || link->vxlan.vni == vni))
			return true;
	}
	return false;
}

/* Programs of a build before this one have no such map. */
static int read_others(struct reading *r)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(r->overlay, "other_vnis", sizeof(struct vx_other_key),
			       sizeof(struct vx_other), &dump);

	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_other_key *k = mapdump_key(&dump, i);
		const struct vx_other *o = mapdump_value(&dump, i, 0);
		struct snapshot_peer *p = reading_find_peer(r, o->peer);

		if (!p || p->vni != k->peer_vni || o->time_ns <= p->other_vni_ns ||
		    is_taken(r, k->vni))
			continue;
		p->other_vni = k->vni;
		p->other_vni_ns = o->time_ns;
	}
	return err == -ENOENT ? 0 : err;
}

/* When did a frame of this peer's last get through? A frame from a tunnel has shown its MAC. */
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

/* --- how full tables are */

static void see_flow(const void *key, const void *value, void *ctx)
{
	struct reading *r = ctx;
	const struct vx_flow *flow = value;

	(void)key;
	r->s->tables.flows++;
	r->s->tables.fresh_flows += flow->learned_ns + VX_FLOW_NS > r->s->now_ns;
}

static void see_mac(const void *key, const void *value, void *ctx)
{
	struct reading *r = ctx;

	(void)key;
	(void)value;
	r->s->tables.fdb++;
}

static int read_tables(struct reading *r)
{
	int err = mapdump_each(r->overlay, "flows", sizeof(struct vx_flow_key),
			       sizeof(struct vx_flow), see_flow, r);

	return err ? err
		   : mapdump_each(r->overlay, "fdb", sizeof(struct vx_fdb_key),
				  sizeof(struct vx_fdb), see_mac, r);
}

int snapshot_read_maps(struct reading *r)
{
	int err = read_peers(r);

	if (!err)
		err = read_counters(r);
	if (!err)
		err = read_drops(r);
	if (!err && r->counted)
		return read_tables(r);
	if (!err)
		err = read_witness(r);
	if (!err)
		err = read_others(r);
	return err ? err : read_passed_of_unguarded(r);
}

/* A peer that comes or goes just now may not have its slot yet, or not any more. */
static void keep_whole(struct snapshot *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_peers; i++)
		if (strcmp(s->peers[i].sum.peer, s->peers[i].name) == 0)
			s->peers[kept++] = s->peers[i];
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
	out->up = out->layout == VX_LAYOUT && pinned_overlay(overlay, &out->told) == 0;
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
	return err;
}
