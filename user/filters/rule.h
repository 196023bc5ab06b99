/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One rule of a firewall and a packet of which some is known: the words that nf_tables, iptables and
 * ebtables are put into, and that rules_walk.h reads.
 */
#ifndef VXBPF_RULE_H
#define VXBPF_RULE_H

#include "base/util.h"

#define RULE_NAME 256 /* NFT_NAME_MAXLEN: two names must not become one */
#define RULE_WHAT 36

/* In this order the least of several conditions is the rule's. */
enum rule_fit {
	RULE_FITS_NOT,
	RULE_MAY_BY_MORE, /* it checks more than the flow: two packets of one flow may differ */
	RULE_MAY_BY_FLOW, /* it checks a part of the flow that is not known */
	RULE_FITS,
};

enum rule_verdict {
	RULE_CONTINUE,
	RULE_ACCEPT,
	RULE_DROP,
	RULE_RETURN,
	RULE_JUMP,
	RULE_GOTO,
	RULE_MAP, /* one of those in `map`; NULL: any, and any chain of its table */
	RULE_PUZZLES, /* not understood */
};

/*
 * A packet, or all packets of a kind: what is NULL or 0 may be anything. Flows are told apart by devices,
 * MACs, VLAN, protocol, addresses, ports, and what the kernel derives from them.
 */
struct rule_packet {
	uint8_t family; /* NFPROTO_IPV4, IPV6; NFPROTO_BRIDGE: any frame */
	uint8_t protocol;
	uint16_t dport;
	const char *iif, *oif;
	int iif_index, oif_index;
	const uint8_t *source, *dest; /* 4 or 16 bytes, as they stand in the packet */
	enum rule_ask {
		RULE_ASK_END, /* how does it end? */
		RULE_ASK_SOURCE, /* or, of chains that translate addresses, as if dropped: */
		RULE_ASK_NOTRACK, /* who lets it go untracked? */
	} ask;
	bool masquerades; /* RULE_ASK_SOURCE: a masquerade is another address than `source` */
	enum rule_tracked {
		RULE_CT_ANY,
		RULE_CT_NEW, /* the first of its flow, which nobody translates */
		RULE_CT_UNTRACKED,
	} tracked;
};

struct rule_answer {
	enum rule_fit fit;
	enum rule_verdict verdict;
	const struct rules_chain *to; /* of RULE_JUMP and RULE_GOTO; NULL = not known */
	const struct rules_set *map; /* of RULE_MAP */
	bool effect; /* it changes packets or sets, or passes packets on, whatever its verdict */
	char what
		[RULE_WHAT]; /* "uses a limit": why RULE_MAY_BY_MORE or `effect`, the first reason */
	char set[RULE_NAME]; /* the set it stands in, or "" */
};

static inline void rule_condition(struct rule_answer *a, enum rule_fit fit)
{
	if (fit < a->fit)
		a->fit = fit;
}

/* kind and name make the reason: "uses a limit", "uses the match " NAME. */
void rule_more(struct rule_answer *a, const char *kind, const char *name);
void rule_effect(struct rule_answer *a, const char *kind, const char *name);
/* With a verdict that is not understood. */
void rule_puzzle(struct rule_answer *a, const char *kind, const char *name);
/* It gives the packet another source address: `to` of len bytes, or NULL: what the kernel chooses, or not known. */
void rule_new_source(struct rule_answer *a, const struct rule_packet *p, const uint8_t *to,
		     size_t len);
/* It leaves the packet untracked. */
void rule_untracked(struct rule_answer *a, const struct rule_packet *p, const char *kind,
		    const char *name);

#endif
