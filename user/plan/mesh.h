/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the file all hosts share to what this host needs: who it is, its peers, each pair's two
 * addresses, VNI and tunnel name (design 1.2, 1.3, 1.5). Pure.
 */
#ifndef VXBPF_MESH_H
#define VXBPF_MESH_H

#include "conf/conf.h"

#define MESH_ALTNAME 64 /* vx-<overlay>-<peer> */
#define MESH_OVERHEAD_V4 50U /* inner Ethernet 14 + VXLAN 8 + UDP 8 + IPv4 20 */
#define MESH_OVERHEAD_V6 70U /* ... + IPv6 40 */

struct mesh_peer {
	const struct conf_host *host; /* points into the conf, which must outlive the mesh */
	struct vx_addr remote;
	struct vx_addr local; /* same family as remote; with `bind:` that one */
	uint32_t vni;
	char ifname[VX_IF_LEN];
	char altname[MESH_ALTNAME]; /* "" where ifname already says it */
};

struct mesh {
	const struct conf_host *self;
	struct mesh_peer *peers; /* every host but this one, in file order */
	size_t n_peers;
	unsigned max_overhead; /* bytes, the largest of any pair in the file; 50 if there is none */
};

/* Which host of the file is this one? `locals` are the addresses configured on this machine. Two
 * match: the one that is named like the machine. Refuses none and two (naming both), a `local:` that does not name a peer, pairs without a common address
 * family (naming both), tunnel names that clash. The caller ends *out with mesh_free. */
int mesh_build(const struct conf *conf, const struct vx_addr *locals, size_t n_locals,
	       struct mesh *out, struct why *why);
void mesh_free(struct mesh *mesh);

/* The VNI hash of design 1.3 for one pair; attempt 0 is the plain hash, attempt n > 0 appends
 * "0 n". `a` and `b` in any order. */
uint32_t mesh_pair_vni(const char *overlay, uint32_t salt, const struct vx_addr *a,
		       const struct vx_addr *b, unsigned attempt);

#endif
