/* SPDX-License-Identifier: GPL-2.0 */
/* The registers that a rule of nf_tables loads, and what is known of their contents. Pure. */
#ifndef VXBPF_NFT_LOAD_H
#define VXBPF_NFT_LOAD_H

#include <libmnl/libmnl.h>

#include "filters/nft_fields.h"
#include "filters/rules.h"

#define NFT_REGS 24

struct nft_walk {
	const struct rules *rules; /* NULL: the expressions of a set */
	const struct rules_chain *chain;
	const struct rule_packet *packet;
	struct nft_layers layers;
	struct {
		bool known;
		struct rules_key key;
	} regs[NFT_REGS];
	uint32_t loaded; /* the register that was loaded last, */
	enum { NFT_AS_OTHER, NFT_AS_ETHERTYPE, NFT_AS_PROTOCOL, NFT_AS_PORTS } as;
	struct rule_answer *out;
};

void nft_forget(struct nft_walk *w);
/* bytes NULL: not known. */
void nft_load(struct nft_walk *w, uint32_t reg, const void *bytes, size_t len);
/* NULL: not known. */
const struct rules_key *nft_known(const struct nft_walk *w, uint32_t reg);

/* The expressions of these names; data: NFTA_EXPR_DATA. */
void nft_load_meta(struct nft_walk *w, const struct nlattr *data);
void nft_load_payload(struct nft_walk *w, const struct nlattr *data);
void nft_load_ct(struct nft_walk *w, const struct nlattr *data);

#endif
