/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of a host's firewalls, kept as the kernel tells them: nf_tables (nft_take.h; the iptables and
 * ebtables of today are among them) and tables of iptables-legacy (xt_table.h). rules_walk.h answers
 * questions about them. Pure.
 */
#ifndef VXBPF_RULES_H
#define VXBPF_RULES_H

#include <linux/netfilter.h>

#include "filters/rule.h"

struct rules_chain {
	uint8_t family; /* NFPROTO_* */
	bool legacy;
	char table[RULE_NAME];
	size_t of; /* that table's place in the list */
	char name[RULE_NAME];
	bool base; /* packets come to it at a hook, */
	bool nat; /* or the first of each connection does, for other addresses: */
	uint32_t hook; /* NF_INET_*, NF_BR_* */
	bool drops; /* its policy */
	uint32_t offset; /* legacy: of its first rule, what jumps name */
	uint32_t next; /* in its bucket, as in struct rules_index */
	size_t first, n; /* its rules: they come together, */
	bool scattered; /* or not */
};

/* A key of a set or verdict map. */
struct rules_key {
	uint8_t bytes[16];
	uint8_t len;
};

struct rules_element {
	struct rules_key key;
	bool ends; /* an interval: the key is the first behind it */
	bool any; /* of a map: what is not in it */
	bool has_verdict;
	int32_t code;
	char to[RULE_NAME];
};

struct rules_set {
	uint8_t family;
	char table[RULE_NAME];
	char name[RULE_NAME];
	uint32_t next;
	bool small; /* worth reading */
	bool intervals;
	uint32_t key_len;
	char what
		[RULE_WHAT]; /* each look-up evaluates expressions, and so checks more than the flow */
	bool read; /* its elements are here, */
	bool odd; /* but some are not of the kind above */
	struct rules_element *v;
	size_t n;
};

struct rules_table {
	uint8_t family;
	bool legacy;
	char name[RULE_NAME];
	uint32_t next;
	bool dormant; /* switched off */
	unsigned hooks; /* of its base chains, bits by number; */
	unsigned nat_hooks; /* and of those that translate addresses */
};

#define RULES_BUCKETS 16384

/* By name, or by offset: places in the array, plus one; 0 ends a bucket. Hosts have 10,000 chains and rules that
 * jump to them. */
struct rules_index {
	uint32_t *heads; /* NULL while empty */
};

struct rules {
	struct rules_chain *chains;
	size_t n_chains;
	void **texts; /* copies: NFTA_RULE_EXPRESSIONS or NULL; legacy: an entry of the table */
	size_t n_texts;
	struct rules_set *sets;
	size_t n_sets;
	struct rules_table *tables;
	size_t n_tables;
	struct rules_index chains_found, sets_found, tables_found;
};
void rules_free(struct rules *r);
#define autorules __attribute__((cleanup(rules_free)))

/* A rule behind the last of that chain, which must be the last chain with rules. The copy is owned. */
void rules_add(struct rules *r, struct rules_chain *chain, const void *text, size_t len);

/* The place of that table in the list, where it is put if it is not there yet. */
size_t rules_table(struct rules *r, uint8_t family, bool legacy, const char *name);
/* A chain without rules or hook; offset: of a legacy chain. A pointer to another one is void after it. */
struct rules_chain *rules_add_chain(struct rules *r, uint8_t family, bool legacy, const char *table,
				    const char *name, uint32_t offset);
/* Finds the last set, which has its names now, by them from now on. */
void rules_index_set(struct rules *r);
/* Packets come to the chain at that hook, all or the first of each connection. */
void rules_hook(struct rules *r, struct rules_chain *chain, uint32_t hook, bool nat);

bool rules_are_dormant(const struct rules *r, const struct rules_chain *chain);
/* A chain of nf_tables; NULL: there is none. */
const struct rules_chain *rules_chain_named(const struct rules *r, uint8_t family,
					    const char *table, const char *name);
/* The chain whose rules begin at that offset of the legacy table that `chain` is of. */
const struct rules_chain *rules_chain_at(const struct rules *r, const struct rules_chain *chain,
					 uint32_t offset);
const struct rules_set *rules_set_named(const struct rules *r, uint8_t family, const char *table,
					const char *name);

#endif
