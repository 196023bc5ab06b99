// SPDX-License-Identifier: GPL-2.0
/* The fast path's lease on the doors of veths, which somebody has to watch; see watched.h. */
#include <string.h>

#include <bpf/bpf.h>

#include "filters/fastpath.h"
#include "kernel/attach_link.h"
#include "watch/watched.h"

#define LEASE_MS 500 /* from one renewal to the next, */
#define LEASE_NS 2000000000ULL /* each for so long */
#define LOOK_MS                                                                                    \
	5000 /* between looks at the other ends: no event tells of a bridge or macvlan there */

static bool set_lease(const struct watched *w, uint64_t until_ns)
{
	const struct vx_lease l = { .until_ns = until_ns };
	const uint32_t key = 0;

	return bpf_map_update_elem(w->lease, &key, &l, BPF_ANY) == 0;
}

void watched_end_lease(struct watched *w)
{
	if (w->lease < 0)
		return;
	set_lease(w, 0);
	close_fd(&w->lease);
	w->lease = -1;
}

static bool is_veth(const struct watched *w, const struct link *port, const struct link *bridge)
{
	return w->view.fastpath && bridge && port->master == bridge->ifindex &&
	       strcmp(port->kind, "veth") == 0;
}

/* Devices that only a pass over everything hooks. */
static bool is_hooked_by_all(const struct watched *w, const struct link *link,
			     const struct link *bridge)
{
	for (size_t i = 0; i < w->view.underlay.n; i++)
		if (w->view.underlay.ifindex[i] == link->ifindex)
			return true;
	return bridge && link->master == bridge->ifindex && strcmp(link->kind, "vxlan") == 0;
}

/* Which tcx programs are there, ours and others', as a hash: the kernel tells nobody when they come. */
static uint32_t programs_now(const struct watched *w)
{
	static const enum attach_where places[] = { ATTACH_INGRESS, ATTACH_EGRESS };
	const struct link *bridge = view_bridge(&w->view);
	uint32_t ids[ATTACH_PROGS], hash = FNV32_INIT;

	for (size_t i = 0; i < w->view.world.links.n; i++) {
		const struct link *link = &w->view.world.links.v[i];

		for (size_t k = 0; is_hooked_by_all(w, link, bridge) && k < ARRAY_LEN(places);
		     k++) {
			unsigned n = attach_list((unsigned)link->ifindex, places[k], ids);

			hash = fnv32(hash, &link->ifindex, sizeof(link->ifindex));
			hash = fnv32(hash, ids, n * sizeof(*ids));
		}
	}
	return hash;
}

void watched_note_programs(struct watched *w)
{
	w->programs = programs_now(w);
}

/* Only of use if there are such doors. The map may be another one than before. */
void watched_take_lease(struct watched *w)
{
	const struct link *bridge = view_bridge(&w->view);
	bool veths = false;

	w->has_mute = false;
	w->asks_nf = w->view.fastpath && w->conf.fastpath == CONF_AUTO;
	for (size_t i = 0; i < w->view.world.links.n; i++) {
		const struct link *port = &w->view.world.links.v[i];
		enum vx_door door;

		if (!is_veth(w, port, bridge))
			continue;
		veths = true;
		w->has_mute |= plan_door(port, &door) && door != VX_DOOR_PEER;
	}
	if (!veths) {
		watched_end_lease(w);
		return;
	}
	if (w->lease < 0)
		w->lease_due_ms = 0;
	close_fd(&w->lease);
	w->lease = bpfobj_get_map(w->conf.overlay, "lease");
}

/* Where a way in depends on something the kernel tells nobody the other ends are asked again. */
static void ask_again(struct watched *w, struct nl *nl)
{
	struct links *links = &w->view.world.links;
	const struct link *bridge = view_bridge(&w->view);
	autofree enum vx_door *before = calloc(links->n + 1, sizeof(*before));
	enum vx_door now;

	if (!before || !bridge)
		return;
	for (size_t i = 0; i < links->n; i++)
		plan_door(&links->v[i], &before[i]);
	links_ask_far(nl, links, bridge->ifindex);
	for (size_t i = 0; i < links->n; i++)
		if (is_veth(w, &links->v[i], bridge) && plan_door(&links->v[i], &now) &&
		    now != before[i])
			watched_queue_port(w, links->v[i].ifindex);
}

uint64_t watched_lease_due(const struct watched *w)
{
	bool due = w->lease >= 0 || w->asks_nf;

	/* A port that changes all the time waits for its turn, and does not take the lease from the others. */
	bool news = w->all || watched_ports_due(w) <= watched_clock_ms();

	return !due || news ? WATCHED_NEVER : w->lease_due_ms;
}

void watched_renew(struct watched *w, struct nl *nl)
{
	uint64_t now_ms = watched_clock_ms();

	if (watched_lease_due(w) > now_ms)
		return;
	if (w->has_mute || (w->lease >= 0 && w->look_due_ms <= now_ms)) {
		ask_again(w, nl);
		w->look_due_ms = now_ms + LOOK_MS;
	}
	if (watched_ports_due(w) <= now_ms)
		return;
	/* A sysctl changes without a word to anyone. */
	if (w->asks_nf && fastpath_bridge_nf_any())
		watched_judge(w);
	if (w->asks_nf && programs_now(w) != w->programs)
		watched_queue_all_after(w);
	if (w->lease >= 0)
		set_lease(w, now_ms * 1000000 + LEASE_NS);
	w->lease_due_ms = now_ms + LEASE_MS;
}
