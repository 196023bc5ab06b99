// SPDX-License-Identifier: GPL-2.0
/* Matches and targets of ebtables; see nft_xt.h. Pure. */
#include <linux/types.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter_bridge/ebt_ip.h>
#include <linux/netfilter_bridge/ebt_ip6.h>

#include "base/util.h"
#include "filters/nft_xt.h"

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

const char *nft_xt_match(const char *name, const void *info, size_t len)
{
	static const char *const plain[] = { "802_3",  "among",	  "arp", "mark",
					     "mark_m", "pkttype", "stp", "vlan" };
	static const char dscp[] = "checks the DSCP";

	if (is_one_of(name, plain, ARRAY_LEN(plain)))
		return NULL;
	if (strcmp(name, "ip") == 0 && len >= sizeof(struct ebt_ip_info))
		return ((const struct ebt_ip_info *)info)->bitmask & EBT_IP_TOS ? dscp : NULL;
	if (strcmp(name, "ip6") == 0 && len >= sizeof(struct ebt_ip6_info))
		return ((const struct ebt_ip6_info *)info)->bitmask & EBT_IP6_TCLASS ? dscp : NULL;
	return strcmp(name, "limit") == 0 ? "uses a limit" : "";
}

bool nft_xt_target_is_plain(const char *name)
{
	static const char *const plain[] = { "standard", "log", "nflog", "LOG", "NFLOG" };

	return is_one_of(name, plain, ARRAY_LEN(plain));
}
