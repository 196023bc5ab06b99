// SPDX-License-Identifier: GPL-2.0
/* Where a tunnel sends, put right; see apply.h. */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "kernel/fdb.h"
#include "reconcile/apply.h"

static void put_entry(struct apply *a, uint16_t type, uint16_t flags, const struct fdb_entry *e,
		      size_t tag)
{
	struct nlmsghdr *msg = nl_put(a->nl, type, flags, sizeof(struct ndmsg), tag);
	struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = e->ifindex;
	ndm->ndm_state = NUD_NOARP | NUD_PERMANENT;
	ndm->ndm_flags = NTF_SELF;
	mnl_attr_put(msg, NDA_LLADDR, sizeof(e->mac), e->mac);
	mnl_attr_put(msg, NDA_DST, ip_raw_len(&e->to), ip_raw(&e->to));
	if (e->port)
		mnl_attr_put_u16(msg, NDA_PORT, htons(e->port));
	if (e->vni)
		mnl_attr_put_u32(msg, NDA_VNI, e->vni);
	if (e->lower)
		mnl_attr_put_u32(msg, NDA_IFINDEX, (uint32_t)e->lower);
}

/* The right entry comes before the wrong ones go: nothing is lost in between. */
int apply_fdb(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	const char *lower = obj_get_text(want, F_LOWER);
	struct fdb_entry right = { .ifindex = (int)if_nametoindex(want->key) };
	const struct link_vxlan device = { .lower = lower[0] ? (int)if_nametoindex(lower) : 0 };
	autofdb struct fdb fdb = { 0 };
	int err;

	/* Wrong entries are not restored when a run is undone. */
	if (!right.ifindex || !ip_parse(obj_get_text(want, F_TO), &right.to))
		return 0;
	right.lower = device.lower;
	err = nl_flush(a->nl);
	if (!err)
		err = fdb_read(a->nl, right.ifindex, &fdb, why);
	if (err)
		return err;
	put_entry(a, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND, &right, tag);
	for (size_t i = 0; i < fdb.n; i++) {
		const struct fdb_entry *e = &fdb.v[i];

		if (e->lasting && !(fdb_is_plain(e, &device) && ip_equal(&e->to, &right.to)))
			put_entry(a, RTM_DELNEIGH, 0, e, tag);
	}
	return 0;
}
