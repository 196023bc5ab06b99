/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The filter tables of iptables before nf_tables ("legacy"), which netlink does not tell of: the
 * kernel's own form of them, and whether they drop a certain packet. As in nft_filter.h, the answer is
 * yes only if it is certain.
 */
#ifndef VXBPF_XT_TABLE_H
#define VXBPF_XT_TABLE_H

#include "filters/nft_filter.h"

struct xt_filter {
	uint32_t entry[NF_INET_NUMHOOKS]; /* offsets in `rules` */
	uint32_t policy[NF_INET_NUMHOOKS];
	uint32_t hooks; /* bits: which of these there are */
	uint32_t size; /* bytes of `rules`; 0 = no such table */
	void *rules;
};

/* IPv4's and IPv6's. Impure edge. A table nobody uses is not asked for: that would make it. */
void xt_filter_read(uint8_t family, struct xt_filter *out);
void xt_filter_free(struct xt_filter *f);

/* Pure. */
bool xt_filter_drops(const struct xt_filter *f, uint32_t hook, const struct nft_packet *packet,
		     struct nft_culprit *out);

#endif
