// SPDX-License-Identifier: GPL-2.0
/* The rules of firewalls, kept and found again; see rules.h. Pure. */
#include <string.h>

#include "filters/rules.h"

void rules_free(struct rules *r)
{
	for (size_t i = 0; i < r->n_texts; i++)
		free(r->texts[i]);
	for (size_t i = 0; i < r->n_sets; i++)
		free(r->sets[i].v);
	free(r->texts);
	free(r->sets);
	free(r->chains);
	free(r->tables);
	free(r->chains_found.heads);
	free(r->sets_found.heads);
	free(r->tables_found.heads);
	*r = (struct rules){ 0 };
}

void rules_add(struct rules *r, struct rules_chain *chain, const void *text, size_t len)
{
	void **copy;

	if (!chain->n)
		chain->first = r->n_texts;
	chain->scattered |= chain->first + chain->n != r->n_texts;
	if (chain->scattered)
		return;
	copy = array_add(&r->texts, &r->n_texts, sizeof(*copy));
	chain->n++;
	if (!text)
		return;
	*copy = malloc(len);
	if (!*copy)
		out_of_memory();
	memcpy(*copy, text, len);
}

bool rules_are_dormant(const struct rules *r, const struct rules_chain *chain)
{
	return r->tables[chain->of].dormant;
}

void rules_hook(struct rules *r, struct rules_chain *chain, uint32_t hook, bool nat)
{
	struct rules_table *t = &r->tables[chain->of];
	unsigned bit = hook < 32 ? 1U << hook : 0;

	chain->hook = hook;
	chain->nat = nat;
	chain->base = !nat;
	if (nat)
		t->nat_hooks |= bit;
	else
		t->hooks |= bit;
}

static uint32_t bucket(uint8_t family, const char *table, const char *name)
{
	uint32_t hash = fnv32(FNV32_INIT ^ family, table, strlen(table) + 1);

	return fnv32(hash, name, strlen(name)) % RULES_BUCKETS;
}

static uint32_t offset_bucket(size_t table, uint32_t offset)
{
	const uint32_t key[] = { (uint32_t)table, offset };

	return fnv32(FNV32_INIT, key, sizeof(key)) % RULES_BUCKETS;
}

static void put_first(struct rules_index *index, uint32_t at, size_t n, uint32_t *out_next)
{
	if (!index->heads)
		index->heads = calloc(RULES_BUCKETS, sizeof(*index->heads));
	if (!index->heads)
		out_of_memory();
	*out_next = index->heads[at];
	index->heads[at] = (uint32_t)n;
}

size_t rules_table(struct rules *r, uint8_t family, bool legacy, const char *name)
{
	uint32_t at = bucket(family, legacy ? "legacy" : "", name);
	struct rules_table *t;

	for (uint32_t i = r->tables_found.heads ? r->tables_found.heads[at] : 0; i; i = t->next) {
		t = &r->tables[i - 1];
		if (t->family == family && t->legacy == legacy && strcmp(t->name, name) == 0)
			return i - 1;
	}
	t = array_add(&r->tables, &r->n_tables, sizeof(*t));
	t->family = family;
	t->legacy = legacy;
	text_copy(t->name, sizeof(t->name), name);
	put_first(&r->tables_found, at, r->n_tables, &t->next);
	return r->n_tables - 1;
}

struct rules_chain *rules_add_chain(struct rules *r, uint8_t family, bool legacy, const char *table,
				    const char *name, uint32_t offset)
{
	struct rules_chain *c = array_add(&r->chains, &r->n_chains, sizeof(*c));

	c->family = family;
	c->legacy = legacy;
	c->of = rules_table(r, family, legacy, table);
	c->hook = UINT32_MAX;
	c->offset = offset;
	text_copy(c->table, sizeof(c->table), table);
	text_copy(c->name, sizeof(c->name), name);
	put_first(&r->chains_found,
		  legacy ? offset_bucket(c->of, offset) : bucket(family, table, name), r->n_chains,
		  &c->next);
	return c;
}

void rules_index_set(struct rules *r)
{
	struct rules_set *s = &r->sets[r->n_sets - 1];

	put_first(&r->sets_found, bucket(s->family, s->table, s->name), r->n_sets, &s->next);
}

const struct rules_chain *rules_chain_named(const struct rules *r, uint8_t family,
					    const char *table, const char *name)
{
	const uint32_t *heads = r->chains_found.heads;
	const struct rules_chain *c;

	for (uint32_t i = heads ? heads[bucket(family, table, name)] : 0; i; i = c->next) {
		c = &r->chains[i - 1];
		if (!c->legacy && c->family == family && strcmp(c->name, name) == 0 &&
		    strcmp(c->table, table) == 0)
			return c;
	}
	return NULL;
}

const struct rules_chain *rules_chain_at(const struct rules *r, const struct rules_chain *chain,
					 uint32_t offset)
{
	const uint32_t *heads = r->chains_found.heads;
	const struct rules_chain *c;

	for (uint32_t i = heads ? heads[offset_bucket(chain->of, offset)] : 0; i; i = c->next) {
		c = &r->chains[i - 1];
		if (c->legacy && c->of == chain->of && c->offset == offset && !c->base && !c->nat)
			return c;
	}
	return NULL;
}

const struct rules_set *rules_set_named(const struct rules *r, uint8_t family, const char *table,
					const char *name)
{
	const uint32_t *heads = r->sets_found.heads;
	const struct rules_set *s;

	for (uint32_t i = heads ? heads[bucket(family, table, name)] : 0; i; i = s->next) {
		s = &r->sets[i - 1];
		if (s->family == family && strcmp(s->name, name) == 0 &&
		    strcmp(s->table, table) == 0)
			return s;
	}
	return NULL;
}
