/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where each peer's counters are: its slot in the array `counters`. Pure: decided from the mesh and
 * from what is observed, so that a peer keeps its slot as long as it is in the mesh.
 */
#ifndef VXBPF_SLOTS_H
#define VXBPF_SLOTS_H

#include "plan/mesh.h"
#include "plan/model.h"
#include "vxbpf/abi.h"

struct slots {
	uint32_t *of; /* the slot of each mesh peer, in its order */
	uint32_t size; /* how many the map has to have */
};

/* A new peer gets the lowest slot nobody has, and nobody had when this run began: programs may still
 * count for a peer that goes. The caller ends *out with slots_free. */
void slots_assign(const struct mesh *mesh, struct objs *now, struct slots *out);
void slots_free(struct slots *slots);
#define autoslots __attribute__((cleanup(slots_free)))

/* The sum of all CPUs in a slot; the latest of the times. */
void slots_sum(const struct vx_counters *cpus, unsigned n, struct vx_counters *out);

/* Distinguishes a slot's owner from earlier ones, and from itself at another place; never 0. */
uint64_t slots_owner(const struct mesh_peer *peer);

#endif
