// SPDX-License-Identifier: GPL-2.0
/* Where each peer's counters are; see slots.h. Pure. */
#include <string.h>

#include "plan/slots.h"

#define STEP 16U /* sizes of the map: few empty entries for people to read past, */
#define SPARE 4U /* and some peers more before a larger one is needed */

struct taken {
	const char *peer;
	uint32_t slot;
};

struct assigning {
	struct taken *taken; /* by name, then slot */
	size_t n;
	bool *used; /* by slot */
	size_t room;
};

static int by_name(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	int cmp = strcmp(x->peer, y->peer);

	return cmp ? cmp : x->slot < y->slot ? -1 : x->slot > y->slot;
}

static void find_taken(struct assigning *a, const struct objs *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct obj *o = now->v[i];
		struct taken *t = &a->taken[a->n];

		if (o->kind != OBJ_ENTRY || strncmp(o->key, "counters/", 9) != 0 || !o->blob)
			continue;
		*t = (struct taken){ o->blob, (uint32_t)strtoul(o->key + 9, NULL, 10) };
		a->n++;
		if (t->slot < a->room)
			a->used[t->slot] = true;
	}
	if (a->n)
		qsort(a->taken, a->n, sizeof(*a->taken), by_name);
}

/* The lowest, should a name be there twice. */
static const struct taken *find(const struct assigning *a, const char *peer)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(a->taken[mid].peer, peer) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < a->n && strcmp(a->taken[low].peer, peer) == 0 ? &a->taken[low] : NULL;
}

/* The slots of a map that stays; one of another layout does not. It never shrinks, and a larger one
 * that a killed run has begun to use is seen through. */
static uint32_t size_now(struct objs *now)
{
	const struct obj *map = objs_find(now, OBJ_MAP, "counters");
	uint64_t size, growing;

	if (!map || !now->n || now->v[0]->kind != OBJ_TREE ||
	    obj_get_num(now->v[0], F_LAYOUT) != VX_LAYOUT)
		return 0;
	size = obj_get_num(map, F_SLOTS);
	growing = obj_get_num(map, F_GROWING);
	return (uint32_t)(growing > size ? growing : size);
}

void slots_assign(const struct mesh *mesh, struct objs *now, struct slots *out)
{
	/* As many as can be in use: slots from there on have no owner. */
	size_t room = now->n + mesh->n_peers;
	autofree struct taken *taken = calloc(now->n + 1, sizeof(*taken));
	autofree bool *used = calloc(room + 1, sizeof(*used));
	struct assigning a = { .taken = taken, .used = used, .room = room };
	uint32_t next = 0, needed = 0;

	*out = (struct slots){ .of = calloc(mesh->n_peers + 1, sizeof(*out->of)) };
	if (!taken || !used || !out->of)
		out_of_memory();
	find_taken(&a, now);
	for (size_t i = 0; i < mesh->n_peers; i++) {
		const struct taken *t = find(&a, mesh->peers[i].host->name);

		while (!t && used[next])
			next++;
		out->of[i] = t ? t->slot : next++;
		needed = out->of[i] + 1 > needed ? out->of[i] + 1 : needed;
	}
	out->size = size_now(now);
	if (!out->size || needed > out->size)
		out->size = (needed + SPARE + STEP - 1) / STEP * STEP;
}

void slots_free(struct slots *slots)
{
	free(slots->of);
	*slots = (struct slots){ 0 };
}

uint64_t slots_owner(const struct mesh_peer *peer)
{
	uint64_t hash = fnv64(FNV64_INIT, peer->host->name, strlen(peer->host->name) + 1);

	hash = fnv64(hash, &peer->vni, sizeof(peer->vni));
	hash = fnv64(hash, &peer->local, sizeof(peer->local));
	hash = fnv64(hash, &peer->remote, sizeof(peer->remote));
	return hash | 1;
}

static void add(struct vx_counters *sum, const struct vx_counters *cpu)
{
#define VX_COUNTER(member, ...) sum->member += cpu->member;
#define VX_LATEST(member)                                                                          \
	if (cpu->member > sum->member)                                                             \
		sum->member = cpu->member;
#include "vxbpf/counters.def"
#undef VX_COUNTER
#undef VX_LATEST
	sum->carried |= cpu->carried;
	if (cpu->asked_ns > sum->asked_ns)
		sum->asked_ns = cpu->asked_ns;
}

void slots_sum(const struct vx_counters *cpus, unsigned n, struct vx_counters *out)
{
	*out = cpus[0];
	for (unsigned i = 1; i < n; i++)
		add(out, &cpus[i]);
}
