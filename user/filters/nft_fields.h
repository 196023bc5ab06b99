/* SPDX-License-Identifier: GPL-2.0 */
/* The fields of a packet, and the things the kernel knows about it, that make its flow. Pure. */
#ifndef VXBPF_NFT_FIELDS_H
#define VXBPF_NFT_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

/* The headers a rule has asked for so far: the same byte is not the same thing in IPv4 and IPv6. */
struct nft_layers {
	enum nft_l3 { NFT_L3_UNKNOWN, NFT_L3_IP4, NFT_L3_IP6, NFT_L3_VLAN, NFT_L3_OTHER } l3;
	bool tcp;
};
/* An ethertype in host byte order. */
enum nft_l3 nft_l3_of(uint16_t ethertype);

/* NULL: it is of the flow. Else what a rule does that looks at it, "checks the TTL". */
const char *nft_payload_is_more(const struct nft_layers *layers, uint32_t base, uint32_t offset,
				uint32_t len);
/* key: NFT_META_*. */
const char *nft_meta_is_more(uint32_t key);

#endif
