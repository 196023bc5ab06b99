/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of nf_tables that frames can meet: dumped messages in, one clause out. Pure; who reads
 * them from the kernel is in fastpath.c.
 */
#ifndef VXBPF_NFT_RULESET_H
#define VXBPF_NFT_RULESET_H

#include "filters/nft_rule.h"

#define NFT_WHY 96

struct nft_chain {
	char table[NFT_NAME];
	char name[NFT_NAME];
	bool base; /* it has a hook */
	bool reached;
};

struct nft_ruleset {
	struct nft_chain *chains;
	size_t n_chains;
	struct nft_placed {
		char table[NFT_NAME];
		char chain[NFT_NAME]; /* or set */
		bool is_set; /* of the expressions each look-up in it evaluates */
		struct nft_rule rule;
	} * rules;
	size_t n_rules;
	char (*dormant)[NFT_NAME]; /* tables that are switched off */
	size_t n_dormant;
};
void nft_ruleset_free(struct nft_ruleset *rs);
#define autoruleset __attribute__((cleanup(nft_ruleset_free)))

/* NFT_MSG_NEWTABLE, NEWCHAIN, NEWRULE, NEWSET; in any order. */
void nft_ruleset_take(struct nft_ruleset *rs, const struct nlmsghdr *msg);
/* The first that looks at more than the flow, of those that can be reached: "bridge rule in table
 * filter, chain forward looks at a limit"; "" if there is none. */
void nft_ruleset_why(struct nft_ruleset *rs, char why[NFT_WHY]);

/* A chain that hooks into devices themselves: family netdev, or inet's ingress. */
struct nft_device_chain {
	char table[NFT_NAME];
	char name[NFT_NAME];
	char (*devices)[32]; /* names; "veth*" as such */
	size_t n_devices;
};
struct nft_device_chains {
	struct nft_device_chain *v;
	size_t n;
};
void nft_device_chains_free(struct nft_device_chains *chains);
#define autodevicechains __attribute__((cleanup(nft_device_chains_free)))
/* NFT_MSG_NEWCHAIN; others than those are let go. */
void nft_device_chains_take(struct nft_device_chains *chains, const struct nlmsghdr *msg);
/* NULL: none on that device. */
const struct nft_device_chain *nft_device_chains_on(const struct nft_device_chains *chains,
						    const char *ifname);

#endif
