/* SPDX-License-Identifier: GPL-2.0 */
/* nf_tables as it is now, by netlink. Impure edge of rules.c and device_chains.c. */
#ifndef VXBPF_NFT_READ_H
#define VXBPF_NFT_READ_H

#include "filters/device_chains.h"
#include "filters/rules.h"

/* The rules that frames on bridges meet (ebtables of today are among them); -errno if the kernel would not
 * say. A kernel without nf_tables has none. */
int nft_read_bridge(struct rules *out);
/* The rules that filter IP packets at one of these hooks (bits by NF_INET_*); nat: those that translate addresses
 * there, too. */
int nft_read_ip(unsigned hooks, bool nat, struct rules *out);
/* Chains on devices. */
int nft_read_devices(struct device_chains *out);

#endif
