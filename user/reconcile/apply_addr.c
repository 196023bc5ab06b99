// SPDX-License-Identifier: GPL-2.0
/* Addresses of the bridge; see apply.h. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "plan/plan.h"
#include "reconcile/apply.h"

#ifndef IFA_PROTO
#define IFA_PROTO 11
#endif

static int put_addr(struct apply *a, uint16_t type, uint16_t flags, const struct obj *o, size_t tag,
		    struct why *why)
{
	struct ip_prefix prefix;
	struct nlmsghdr *msg;
	struct ifaddrmsg *ifa;

	if (!ip_parse_prefix(o->key, &prefix))
		return why_set(why, -EINVAL, "not an address");
	msg = nl_put(a->nl, type, flags, sizeof(*ifa), tag);
	ifa = mnl_nlmsg_get_payload(msg);
	ifa->ifa_family = (uint8_t)ip_family(&prefix.addr);
	ifa->ifa_prefixlen = (uint8_t)prefix.bits;
	ifa->ifa_index = if_nametoindex(o->parent);
	mnl_attr_put(msg, IFA_LOCAL, ip_raw_len(&prefix.addr), ip_raw(&prefix.addr));
	mnl_attr_put(msg, IFA_ADDRESS, ip_raw_len(&prefix.addr), ip_raw(&prefix.addr));
	if (type == RTM_NEWADDR)
		mnl_attr_put_u8(msg, IFA_PROTO, PLAN_ADDR_PROTO);
	return 0;
}

static int add_addr(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	return put_addr(a, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, want, tag, why);
}

static int remove_addr(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	return put_addr(a, RTM_DELADDR, 0, now, tag, why);
}

const struct apply_ops apply_addr = { add_addr, NULL, remove_addr, NULL };
