/* SPDX-License-Identifier: GPL-2.0 */
/* nf_tables as it is now, by netlink. Impure edge of nft_ruleset.c. */
#ifndef VXBPF_NFT_READ_H
#define VXBPF_NFT_READ_H

#include "filters/nft_filter.h"
#include "filters/nft_ruleset.h"

/* The bridge family's rules (ebtables of today are among them); -errno if the kernel would not say. A
 * kernel without nf_tables has none. */
int nft_read_bridge(struct nft_ruleset *out);
/* Chains on devices. */
int nft_read_devices(struct nft_device_chains *out);
/* The rules that filter IP packets at one of these hooks (bits by NF_INET_*); empty after a failure. */
int nft_read_filter(unsigned hooks, struct nft_filter *out);

#endif
