// SPDX-License-Identifier: GPL-2.0
/* Fields that make a flow, and what checks more; see nft_fields.h. Pure. */
#include <linux/if_ether.h>
#include <linux/netfilter/nf_tables.h>
#include <stddef.h>

#include "filters/nft_fields.h"

struct range {
	uint32_t from, to;
	const char *what;
};

static bool within(uint32_t offset, uint32_t len, uint32_t from, uint32_t to)
{
	return offset >= from && offset < to && len <= to - offset;
}

static const char *name_of(const struct range *ranges, uint32_t offset, const char *else_what)
{
	for (; ranges->what; ranges++)
		if (offset >= ranges->from && offset < ranges->to)
			return ranges->what;
	return else_what;
}

static const char *see_network(const struct nft_layers *layers, uint32_t offset, uint32_t len)
{
	static const struct range ip4[] = { { 1, 2, "checks the DSCP" },
					    { 2, 4, "checks the packet length" },
					    { 4, 8, "checks fragments" },
					    { 8, 9, "checks the TTL" },
					    { 0 } };
	static const struct range ip6[] = { { 0, 4, "checks the DSCP or flow label" },
					    { 4, 6, "checks the packet length" },
					    { 7, 8, "checks the hop limit" },
					    { 0 } };
	const char *more = "checks more than addresses";

	switch (layers->l3) {
	case NFT_L3_OTHER:
		return NULL; /* never goes fast */
	case NFT_L3_IP4:
		if (within(offset, len, 9, 10) || within(offset, len, 12, 20))
			return NULL;
		return name_of(ip4, offset, more);
	case NFT_L3_IP6:
		if (within(offset, len, 6, 7) || within(offset, len, 8, 40))
			return NULL;
		return name_of(ip6, offset, more);
	default: /* the addresses of either */
		return within(offset, len, 12, 20) ? NULL : more;
	}
}

const char *nft_payload_is_more(const struct nft_layers *layers, uint32_t base, uint32_t offset,
				uint32_t len)
{
	switch (base) {
	case NFT_PAYLOAD_LL_HEADER:
		return within(offset, len, 0, layers->l3 == NFT_L3_VLAN ? 18 : 14)
			       ? NULL
			       : "checks beyond the Ethernet header";
	case NFT_PAYLOAD_NETWORK_HEADER:
		return see_network(layers, offset, len);
	case NFT_PAYLOAD_TRANSPORT_HEADER:
		if (layers->l3 == NFT_L3_OTHER || within(offset, len, 0, 4))
			return NULL;
		return layers->tcp && offset == 13 ? "checks TCP flags" : "checks beyond the ports";
	default:
		return "checks the packet payload";
	}
}

const char *nft_meta_is_more(uint32_t key)
{
	switch (key) {
	case NFT_META_PROTOCOL:
	case NFT_META_NFPROTO:
	case NFT_META_L4PROTO:
	case NFT_META_MARK: /* who sets it by more than the flow is found there */
	case NFT_META_PKTTYPE:
	case NFT_META_IIF:
	case NFT_META_OIF:
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
	case NFT_META_IIFTYPE:
	case NFT_META_OIFTYPE:
	case NFT_META_IIFGROUP:
	case NFT_META_OIFGROUP:
	case NFT_META_IIFKIND:
	case NFT_META_OIFKIND:
	case NFT_META_BRI_IIFNAME:
	case NFT_META_BRI_OIFNAME:
	case NFT_META_BRI_IIFPVID:
	case NFT_META_BRI_IIFVPROTO:
	case NFT_META_NFTRACE:
		return NULL;
	case NFT_META_LEN:
		return "checks the packet length";
	case NFT_META_PRIORITY:
		return "checks the priority";
	case NFT_META_TIME_NS:
	case NFT_META_TIME_DAY:
	case NFT_META_TIME_HOUR:
		return "checks the time";
	case NFT_META_PRANDOM:
		return "uses a random number";
	case NFT_META_CPU:
		return "checks the CPU";
	case NFT_META_SKUID:
	case NFT_META_SKGID:
	case NFT_META_CGROUP:
		return "checks the sending program";
	default:
		return "checks more than the flow";
	}
}

enum nft_l3 nft_l3_of(uint16_t ethertype)
{
	switch (ethertype) {
	case ETH_P_IP:
		return NFT_L3_IP4;
	case ETH_P_IPV6:
		return NFT_L3_IP6;
	case ETH_P_8021Q:
	case ETH_P_8021AD: /* a tag of the bridge's own: outside the frame has none */
		return NFT_L3_VLAN;
	default:
		return NFT_L3_OTHER;
	}
}
