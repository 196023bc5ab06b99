// SPDX-License-Identifier: GPL-2.0
/* Where clsact filters can sit; see tcplace.h. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/tcplace.h"

bool tcplace_parse(const struct nlmsghdr *msg, struct link_tc *out)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;

	*out = (struct link_tc){ 0 };
	if (msg->nlmsg_type != RTM_NEWQDISC || tcm->tcm_parent != TC_H_CLSACT)
		return false;
	mnl_attr_for_each (attr, msg, sizeof(*tcm)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == TCA_KIND)
			out->ingress_only = mnl_attr_get_payload_len(attr) == sizeof("ingress") &&
					    strcmp(mnl_attr_get_str(attr), "ingress") == 0;
		else if (type == TCA_INGRESS_BLOCK)
			out->block_in = mnl_attr_get_u32(attr);
		else if (type == TCA_EGRESS_BLOCK)
			out->block_out = mnl_attr_get_u32(attr);
	}
	return true;
}

const char *tcplace_blocked(const struct link_tc *tc, bool ingress, char why[TCPLACE_WHY])
{
	uint32_t block = ingress ? tc->block_in : tc->block_out;

	if (tc->ingress_only && !ingress)
		snprintf(why, TCPLACE_WHY,
			 "its ingress qdisc leaves no place for filters at egress");
	else if (block)
		snprintf(why, TCPLACE_WHY, "its %s filters are in tc block %u, which devices share",
			 ingress ? "ingress" : "egress", block);
	else
		return NULL;
	return why;
}

static int take(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	struct links *links = ctx;
	struct link_tc tc;

	if (!tcplace_parse(msg, &tc) || (!tc.ingress_only && !tc.block_in && !tc.block_out))
		return 0;
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].ifindex == tcm->tcm_ifindex)
			links->v[i].tc = tc;
	return 0;
}

int links_ask_tc(struct nl *nl, const char *tc_mode, struct links *links)
{
	struct nlmsghdr *msg;

	if (strcmp(tc_mode, "clsact") != 0)
		return 0;
	/* By a dump of all: many kernels tell everybody what is asked about a single one. */
	msg = nl_request(nl, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg));
	return nl_dump(nl, msg, take, links);
}
