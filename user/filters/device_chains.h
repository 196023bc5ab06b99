/* SPDX-License-Identifier: GPL-2.0 */
/* Chains of nf_tables that hook into devices themselves: family netdev, or inet's ingress. Pure. */
#ifndef VXBPF_DEVICE_CHAINS_H
#define VXBPF_DEVICE_CHAINS_H

#include "filters/nft_attr.h"
#include "filters/rule.h"

struct device_chain {
	char table[RULE_NAME];
	char name[RULE_NAME];
	bool egress; /* else ingress */
	char (*devices)[32]; /* names; "veth*" as such */
	size_t n_devices;
};
struct device_chains {
	struct device_chain *v;
	size_t n;
};
void device_chains_free(struct device_chains *chains);
#define autodevicechains __attribute__((cleanup(device_chains_free)))
/* NFT_MSG_NEWCHAIN; others than those are let go. */
void device_chains_take(struct device_chains *chains, const struct nlmsghdr *msg);
bool device_chains_equal(const struct device_chains *a, const struct device_chains *b);
/* NULL: none on that device, for what comes in by it or leaves by it. */
const struct device_chain *device_chains_on(const struct device_chains *chains, const char *ifname,
					    bool egress);

#endif
