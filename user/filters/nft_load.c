// SPDX-License-Identifier: GPL-2.0
/* A rule of nf_tables loads parts of a packet; see nft_load.h. Pure. */
#include <linux/if_ether.h>
#include <linux/netfilter/nf_tables.h>

#include "filters/nft_attr.h"
#include "filters/nft_load.h"

#define CT_STATE_NEW (1U << 3) /* of `ct state`, as the kernel has them */
#define CT_STATE_UNTRACKED (1U << 6)

/* --- registers */

void nft_forget(struct nft_walk *w)
{
	for (size_t i = 0; i < NFT_REGS; i++)
		w->regs[i].known = false;
	w->as = NFT_AS_OTHER;
}

/* bytes NULL: not known. */
void nft_load(struct nft_walk *w, uint32_t reg, const void *bytes, size_t len)
{
	nft_forget(w);
	w->loaded = reg;
	if (reg >= NFT_REGS || !bytes || len > sizeof(w->regs[reg].key.bytes))
		return;
	w->regs[reg].known = true;
	w->regs[reg].key.len = (uint8_t)len;
	memcpy(w->regs[reg].key.bytes, bytes, len);
}

const struct rules_key *nft_known(const struct nft_walk *w, uint32_t reg)
{
	return reg < NFT_REGS && w->regs[reg].known ? &w->regs[reg].key : NULL;
}

/* --- what is known of the packet */

static void load_name(struct nft_walk *w, uint32_t reg, const char *name)
{
	char padded[16] = "";

	text_copy(padded, sizeof(padded), name ? name : "");
	nft_load(w, reg, padded[0] ? padded : NULL, sizeof(padded));
}

static void meta_value(struct nft_walk *w, uint32_t key, uint32_t reg)
{
	const struct rule_packet *p = w->packet;
	bool ip = p->family != NFPROTO_BRIDGE;
	uint16_t ethertype = htobe16(p->family == NFPROTO_IPV4 ? ETH_P_IP : ETH_P_IPV6);

	switch (key) {
	case NFT_META_NFPROTO:
		nft_load(w, reg, ip ? &p->family : NULL, 1);
		break;
	case NFT_META_L4PROTO:
		nft_load(w, reg, p->protocol ? &p->protocol : NULL, 1);
		w->as = NFT_AS_PROTOCOL;
		break;
	case NFT_META_PROTOCOL:
		nft_load(w, reg, ip ? &ethertype : NULL, 2);
		w->as = NFT_AS_ETHERTYPE;
		break;
	case NFT_META_IIFNAME:
		load_name(w, reg, p->iif);
		break;
	case NFT_META_OIFNAME:
		load_name(w, reg, p->oif);
		break;
	case NFT_META_IIF:
		nft_load(w, reg, p->iif_index ? &p->iif_index : NULL, 4);
		break;
	case NFT_META_OIF:
		nft_load(w, reg, p->oif_index ? &p->oif_index : NULL, 4);
		break;
	default:
		nft_load(w, reg, NULL, 0);
	}
}

void nft_load_meta(struct nft_walk *w, const struct nlattr *data)
{
	uint32_t key = nft_number(nft_nested(data, NFTA_META_KEY), UINT32_MAX);
	const char *more = nft_meta_is_more(key);

	if (nft_nested(data, NFTA_META_SREG)) {
		if (key != NFT_META_NFTRACE)
			rule_effect(w->out,
				    key == NFT_META_MARK ? "changes the mark" : "changes frames",
				    "");
		return;
	}
	if (more)
		rule_more(w->out, more, "");
	meta_value(w, key, nft_number(nft_nested(data, NFTA_META_DREG), NFT_REGS));
}

/* Those bytes of an IP header, if they are of an address that is known. */
static const uint8_t *address_at(const struct rule_packet *p, uint32_t base, uint32_t offset,
				 uint32_t len)
{
	uint32_t size = p->family == NFPROTO_IPV4 ? 4 : 16,
		 first = p->family == NFPROTO_IPV4 ? 12 : 8;

	if (base != NFT_PAYLOAD_NETWORK_HEADER || offset < first || !len || len > size ||
	    p->family == NFPROTO_BRIDGE)
		return NULL;
	offset -= first;
	if (offset + len <= size)
		return p->source ? p->source + offset : NULL;
	if (offset < size || offset - size + len > size)
		return NULL;
	return p->dest ? p->dest + offset - size : NULL;
}

void nft_load_payload(struct nft_walk *w, const struct nlattr *data)
{
	const struct rule_packet *p = w->packet;
	uint32_t reg = nft_number(nft_nested(data, NFTA_PAYLOAD_DREG), NFT_REGS);
	uint32_t base = nft_number(nft_nested(data, NFTA_PAYLOAD_BASE), UINT32_MAX);
	uint32_t offset = nft_number(nft_nested(data, NFTA_PAYLOAD_OFFSET), UINT32_MAX);
	uint32_t len = nft_number(nft_nested(data, NFTA_PAYLOAD_LEN), UINT32_MAX);
	const char *more = nft_payload_is_more(&w->layers, base, offset, len);
	enum nft_l3 l3 = w->layers.l3;
	const uint8_t *address = address_at(p, base, offset, len);
	uint16_t dport = htobe16(p->dport);
	bool protocol = base == NFT_PAYLOAD_NETWORK_HEADER && len == 1 &&
			((l3 == NFT_L3_IP4 && offset == 9) || (l3 == NFT_L3_IP6 && offset == 6));

	if (nft_nested(data, NFTA_PAYLOAD_SREG)) {
		rule_effect(w->out, "changes frames", "");
		return;
	}
	if (more)
		rule_more(w->out, more, "");
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 2 && len == 2 && dport)
		nft_load(w, reg, &dport, 2);
	else if (address)
		nft_load(w, reg, address, len);
	else
		nft_load(w, reg, protocol && p->protocol ? &p->protocol : NULL, 1);
	if (protocol)
		w->as = NFT_AS_PROTOCOL;
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 0 && len == 4)
		w->as = NFT_AS_PORTS;
	else if (base == NFT_PAYLOAD_LL_HEADER && len == 2 &&
		 offset == (l3 == NFT_L3_VLAN ? 16 : 12))
		w->as = NFT_AS_ETHERTYPE;
}

void nft_load_ct(struct nft_walk *w, const struct nlattr *data)
{
	uint32_t state = w->packet->tracked == RULE_CT_NEW ? CT_STATE_NEW : CT_STATE_UNTRACKED;
	uint32_t reg = nft_number(nft_nested(data, NFTA_CT_DREG), NFT_REGS);
	uint32_t key = nft_number(nft_nested(data, NFTA_CT_KEY), UINT32_MAX);
	static const char tracking[] = "uses connection tracking";
	static const uint32_t no_status;
	bool asked = w->packet->tracked != RULE_CT_ANY;

	if (nft_nested(data, NFTA_CT_SREG)) {
		rule_effect(w->out, tracking, "");
	} else if (asked && key == NFT_CT_STATE) {
		nft_load(w, reg, &state, 4);
	} else if (w->packet->tracked == RULE_CT_UNTRACKED) {
		rule_condition(
			w->out,
			RULE_FITS_NOT); /* the kernel ends the rule: there is nothing to load */
	} else if (asked && key == NFT_CT_STATUS) {
		nft_load(w, reg, &no_status, 4);
	} else {
		rule_more(w->out, tracking, "");
		nft_load(w, reg, NULL, 0);
	}
}
