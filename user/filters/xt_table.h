/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of iptables before nf_tables ("legacy"), which netlink does not tell of: the kernel's
 * own form of them becomes chains and rules of rules.h.
 */
#ifndef VXBPF_XT_TABLE_H
#define VXBPF_XT_TABLE_H

#include "filters/rules.h"

struct xt_table {
	const char *name;
	uint32_t entry[NF_INET_NUMHOOKS]; /* offsets in `bytes` */
	uint32_t policy[NF_INET_NUMHOOKS];
	uint32_t hooks; /* bits: which of these there are */
	uint32_t size;
	const void *bytes;
};

/* IPv4's or IPv6's. Pure. A table that cannot be right leaves no chain. */
void xt_table_take(struct rules *rules, uint8_t family, const struct xt_table *table);
/* entry: one of `rules`' texts. Pure. */
void xt_rule_ask(const struct rules *rules, const struct rules_chain *chain, const void *entry,
		 const struct rule_packet *packet, struct rule_answer *out);

/* Impure edge: those that filter, of both families, and, if wanted, those that translate addresses. A table
 * nobody uses is not asked for: that would make it. */
void xt_tables_read(bool nat, struct rules *rules);

#endif
