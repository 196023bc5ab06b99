// SPDX-License-Identifier: GPL-2.0
/* Shared tc blocks, over rtnetlink (libbpf knows per-device filters only); see block.h. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "block.h"

#define FILTER_PRIORITY 0x7658U
#define FILTER_HANDLE 1U

uint32_t block_index(const char *overlay, const char *room)
{
	uint32_t h = fnv32(FNV32_INIT, overlay, strlen(overlay) + 1);

	/* 0 and ~0 mean other things. */
	return (fnv32(h, room, strlen(room)) & 0x7fffffffU) | 1U;
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

static void fill_filter(struct nlmsghdr *msg, const char *overlay, const char *room)
{
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);

	tcm->tcm_ifindex = (int)TCM_IFINDEX_MAGIC_BLOCK;
	tcm->tcm_block_index = block_index(overlay, room);
	tcm->tcm_handle = FILTER_HANDLE;
	tcm->tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(msg, TCA_KIND, "bpf");
}

void block_put_filter(struct nl *nl, const char *overlay, const char *room, int prog_fd, size_t tag)
{
	struct nlmsghdr *msg =
		nl_put(nl, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct tcmsg), tag);
	struct nlattr *options;

	fill_filter(msg, overlay, room);
	options = mnl_attr_nest_start(msg, TCA_OPTIONS);
	mnl_attr_put_u32(msg, TCA_BPF_FD, (uint32_t)prog_fd);
	mnl_attr_put_strz(msg, TCA_BPF_NAME, room);
	mnl_attr_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(msg, options);
}

void block_put_remove(struct nl *nl, const char *overlay, const char *room, size_t tag)
{
	fill_filter(nl_put(nl, RTM_DELTFILTER, 0, sizeof(struct tcmsg), tag), overlay, room);
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

static int take_filter(const struct nlmsghdr *msg, void *ctx)
{
	const struct nlattr *attr, *option;

	mnl_attr_for_each (attr, msg, sizeof(struct tcmsg)) {
		if (mnl_attr_get_type(attr) != TCA_OPTIONS)
			continue;
		mnl_attr_for_each_nested (option, attr)
			if (mnl_attr_get_type(option) == TCA_BPF_ID)
				*(uint32_t *)ctx = mnl_attr_get_u32(option);
	}
	return 0;
}

uint32_t block_query(struct nl *nl, const char *overlay, const char *room)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETTFILTER, 0, sizeof(struct tcmsg));
	uint32_t id = 0;

	fill_filter(msg, overlay, room);
	return nl_dump(nl, msg, take_filter, &id) ? 0 : id;
}
