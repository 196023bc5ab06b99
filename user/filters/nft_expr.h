/* SPDX-License-Identifier: GPL-2.0 */
/* One filter rule of nf_tables and one packet of which some is known; see nft_filter.h. Pure. */
#ifndef VXBPF_NFT_EXPR_H
#define VXBPF_NFT_EXPR_H

#include "filters/nft_filter.h"
#include "filters/xt_match.h"

#define NFT_STATE_UNTRACKED (1U << 6) /* of `ct state`, as the kernel has it */

struct nft_asked {
	const struct nft_filter *f;
	const struct nft_packet *packet;
	uint32_t ct_state; /* one bit */
};

struct nft_answer {
	enum xt_fit fit;
	bool given; /* a verdict: */
	int32_t code;
	char to[NFT_NAME];
	bool puzzling; /* it does something with packets that is not understood */
};

/* expressions: NFTA_RULE_EXPRESSIONS of a rule of that chain, or NULL. */
void nft_rule_ask(const struct nft_asked *asked, const struct nft_filter_chain *chain,
		  const struct nlattr *expressions, struct nft_answer *out);

#endif
