/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where VXLAN devices send what: their own forwarding entries. A tunnel of ours has one, for everything
 * (the MAC of zeros), to its peer.
 */
#ifndef VXBPF_FDB_H
#define VXBPF_FDB_H

#include "kernel/link.h"

struct fdb_entry {
	int ifindex;
	uint8_t mac[6];
	struct vx_addr to;
	uint16_t port; /* host byte order; 0 = the device's own */
	uint32_t vni; /* likewise */
	int lower; /* ifindex of the device it is bound to, 0 = none */
	bool lasting; /* put there by somebody, not learned */
};

struct fdb {
	struct fdb_entry *v; /* by ifindex */
	size_t n;
};

static inline void fdb_cleanup(struct fdb *fdb)
{
	free(fdb->v);
}
#define autofdb __attribute__((cleanup(fdb_cleanup)))

/* All of this namespace, or of one device, in one dump. The caller ends it by `autofdb`. */
int fdb_read(struct nl *nl, int ifindex, struct fdb *out, struct why *why);
/* From a message of rtnetlink; false: not about a VXLAN device's own entries. Pure. */
bool fdb_parse(const struct nlmsghdr *msg, struct fdb_entry *out);
/* For everything, by the device's own port, VNI and lower device? */
bool fdb_is_plain(const struct fdb_entry *e, const struct link_vxlan *device);
/* Where the device sends, as a field of a plan: "192.0.2.2", or "" or more where something is amiss;
 * what was learned is left out. */
void fdb_text(const struct fdb *fdb, const struct link *device, char *text, size_t size);

#endif
