/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IPsec policies of this host. wire_in sees only the ESP of such packets, so they come to tun_in
 * without the mark; the kernel has then checked them against its policy already.
 */
#ifndef VXBPF_XFRM_H
#define VXBPF_XFRM_H

#include "plan/mesh.h"

/* For each peer of the mesh: does an inbound policy insist on ESP for its VXLAN to us? The caller frees
 * the list. On a kernel without IPsec no policy does. 0 or -errno. */
int xfrm_covers(const struct mesh *mesh, uint16_t port, bool **out, struct why *why);

#endif
