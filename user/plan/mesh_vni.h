/* SPDX-License-Identifier: GPL-2.0 */
/* VNIs of all pairs of a file (design 1.3). Private to mesh*.c. Pure. */
#ifndef VXBPF_MESH_VNI_H
#define VXBPF_MESH_VNI_H

#include "plan/mesh.h"

/* The two addresses a pair uses: IPv4 if both have it, else IPv6. False if they share no family,
 * which conf_parse has refused. */
bool mesh_pair_addresses(const struct conf_host *a, const struct conf_host *b,
			 struct vx_addr *out_a, struct vx_addr *out_b);

/* Fills in the VNIs of mesh->peers. Looks at every pair of the file, so that who gives way in a
 * collision is the same on all hosts. */
int mesh_vni_assign(const struct conf *conf, struct mesh *mesh, struct why *why);

#endif
