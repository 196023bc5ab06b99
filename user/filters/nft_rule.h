/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does a rule of nf_tables look only at what makes a flow: ports, MACs, protocols, addresses, VLAN, and
 * what the kernel derives from them? Then its verdict is the flow's, and the fast path may repeat it.
 * An unknown expression is not of that kind. Pure.
 */
#ifndef VXBPF_NFT_RULE_H
#define VXBPF_NFT_RULE_H

#include <libmnl/libmnl.h>

#include "base/util.h"

#define NFT_NAME 64 /* longer names are cut */
#define NFT_WHAT 36

struct nft_rule {
	char what[NFT_WHAT]; /* "looks at a limit"; "" = at the flow alone */
	char to[NFT_NAME]; /* the chain it jumps to, or "" */
	bool to_any; /* it jumps by a map: to any chain of its table */
	char set[NFT_NAME]; /* the set it looks things up in, or "" */
	bool many_sets; /* more than that one */
};

/* A list of expressions: NFTA_RULE_EXPRESSIONS, NFTA_SET_EXPRESSIONS. */
void nft_rule_judge(const struct nlattr *expressions, struct nft_rule *out);
/* One of them: NFTA_SET_EXPR. */
void nft_expr_judge(const struct nlattr *expression, struct nft_rule *out);

/* The last attribute of that type in a message of nf_tables or a nest, or NULL. */
const struct nlattr *nft_attr(const struct nlmsghdr *msg, uint16_t type);
const struct nlattr *nft_nested(const struct nlattr *parent, uint16_t type);
/* Integers of nf_tables are big endian; an attribute that is not there reads as `none`. */
uint32_t nft_number(const struct nlattr *attr, uint32_t none);
void nft_text(const struct nlattr *attr, char *to, size_t size);

#endif
