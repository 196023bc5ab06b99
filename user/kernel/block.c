// SPDX-License-Identifier: GPL-2.0
/* Shared tc blocks, over rtnetlink (libbpf knows per-device filters only); see block.h. */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/attach.h"
#include "kernel/attach_clsact.h"
#include "kernel/block.h"

uint32_t block_index(const char *overlay, const char *room)
{
	uint32_t h = fnv32(FNV32_INIT, overlay, strlen(overlay) + 1);

	/* 0 and ~0 mean other things. */
	return (fnv32(h, room, strlen(room)) & 0x7fffffffU) | 1U;
}

bool block_is_filter(const char *overlay, uint32_t handle)
{
	const struct attach on_device = { .overlay = overlay, .room = attach_room("wire_in") };

	return handle == attach_filter(&on_device).handle ||
	       handle == block_index(overlay, "tun_in") ||
	       handle == block_index(overlay, "tun_out");
}

void block_put_qdisc(struct nl *nl, const char *overlay, unsigned ifindex, size_t tag)
{
	struct nlmsghdr *msg =
		nl_put(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct tcmsg), tag);
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);

	tcm->tcm_ifindex = (int)ifindex;
	tcm->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	tcm->tcm_parent = TC_H_CLSACT;
	mnl_attr_put_strz(msg, TCA_KIND, "clsact");
	mnl_attr_put_u32(msg, TCA_INGRESS_BLOCK, block_index(overlay, "tun_in"));
	mnl_attr_put_u32(msg, TCA_EGRESS_BLOCK, block_index(overlay, "tun_out"));
}

struct tcfilter_ours block_filter(struct nl *nl, const char *overlay, const char *room)
{
	uint32_t index = block_index(overlay, room);

	return (struct tcfilter_ours){
		.nl = nl,
		.place = { (int)TCM_IFINDEX_MAGIC_BLOCK, index },
		.handle = index,
		.old_handle = 1,
		.order = attach_room(room)->order,
		.name = room,
	};
}

struct qdisc_walk {
	uint32_t ingress;
	void (*fn)(void *ctx, unsigned ifindex);
	void *ctx;
};

static int take_qdisc(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	const struct qdisc_walk *walk = ctx;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, msg, sizeof(*tcm))
		if (mnl_attr_get_type(attr) == TCA_INGRESS_BLOCK &&
		    mnl_attr_get_u32(attr) == walk->ingress)
			walk->fn(walk->ctx, (unsigned)tcm->tcm_ifindex);
	return 0;
}

int block_each_qdisc(struct nl *nl, const char *overlay, void (*fn)(void *ctx, unsigned ifindex),
		     void *ctx)
{
	struct qdisc_walk walk = { block_index(overlay, "tun_in"), fn, ctx };

	return nl_dump(nl, nl_request(nl, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg)),
		       take_qdisc, &walk);
}
