/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Would the filter rules of nf_tables (iptables-nft's are among them) drop a certain packet, whatever
 * else is in it? Dumped messages in, yes or "not for certain" out: where a rule looks at what is not
 * known of the packet, or is not understood, the answer is no. Pure; nft_read.c reads.
 */
#ifndef VXBPF_NFT_FILTER_H
#define VXBPF_NFT_FILTER_H

#include <linux/netfilter.h>

#include "filters/nft_rule.h"

struct nft_key {
	uint8_t bytes[16];
	uint8_t len;
};

struct nft_set_element {
	struct nft_key key;
	bool ends; /* an interval: the key is the first behind it */
	bool any; /* of a map: what is not in it */
	bool has_verdict;
	int32_t verdict;
	char to[NFT_NAME];
};

struct nft_filter {
	struct nft_filter_chain {
		uint8_t family; /* NFPROTO_* */
		char table[NFT_NAME];
		char name[NFT_NAME];
		bool base;
		uint32_t hook; /* NF_INET_*, of a base chain */
		bool drops; /* its policy */
		size_t first, n; /* its rules: they come together, */
		bool scattered; /* or not */
	} * chains;
	size_t n_chains;
	struct nlattr **rules; /* copies of their expressions */
	size_t n_rules;
	struct nft_filter_set {
		uint8_t family;
		char table[NFT_NAME];
		char name[NFT_NAME];
		bool small; /* worth reading */
		bool intervals;
		uint32_t key_len;
		bool read; /* its elements are here, */
		bool odd; /* but some are not of the kind below */
		struct nft_set_element *v;
		size_t n;
	} * sets;
	size_t n_sets;
	struct {
		uint8_t family;
		char name[NFT_NAME];
	} * dormant; /* tables that are switched off */
	size_t n_dormant;
};
void nft_filter_free(struct nft_filter *f);
#define autofilter __attribute__((cleanup(nft_filter_free)))

/* NFT_MSG_NEWTABLE, NEWCHAIN, NEWSET, and then NEWRULE and NEWSETELEM. */
void nft_filter_take(struct nft_filter *f, const struct nlmsghdr *msg);
/* Does a packet at one of these hooks (bits by NF_INET_*) meet this table? */
bool nft_filter_hooks(const struct nft_filter *f, uint8_t family, const char *table,
		      unsigned hooks);
const struct nft_filter_chain *nft_filter_chain(const struct nft_filter *f, uint8_t family,
						const char *table, const char *name);
const struct nft_filter_set *nft_filter_set(const struct nft_filter *f, uint8_t family,
					    const char *table, const char *name);
bool nft_filter_is_dormant(const struct nft_filter *f, uint8_t family, const char *table);

/* The first packet of a flow; what is "" or 0 may be anything. */
struct nft_packet {
	uint8_t family; /* NFPROTO_IPV4 or IPV6 */
	uint8_t protocol;
	uint16_t dport;
	const char *iif, *oif; /* names */
	int iif_index, oif_index;
};

struct nft_culprit {
	uint8_t family;
	char table[NFT_NAME];
	char chain[NFT_NAME];
	bool policy; /* no rule of that chain, but what it does with the rest */
	bool legacy; /* not of nf_tables, see xt_table.h */
};

/* Is such a packet dropped at that hook (NF_INET_*), by whom? */
bool nft_filter_drops(const struct nft_filter *f, uint32_t hook, const struct nft_packet *packet,
		      struct nft_culprit *out);

#endif
