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
	free(r->dormant);
	free(r->chains_by_name.heads);
	free(r->sets_by_name.heads);
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
	for (size_t i = 0; i < r->n_dormant; i++)
		if (r->dormant[i].family == chain->family && !chain->legacy &&
		    strcmp(r->dormant[i].name, chain->table) == 0)
			return true;
	return false;
}

bool rules_at_hooks(const struct rules *r, uint8_t family, const char *table, unsigned hooks)
{
	for (size_t i = 0; i < r->n_chains; i++) {
		const struct rules_chain *c = &r->chains[i];

		if (c->base && c->family == family && c->hook < 32 && hooks & 1U << c->hook &&
		    strcmp(c->table, table) == 0)
			return !rules_are_dormant(r, c);
	}
	return false;
}

static uint32_t bucket(uint8_t family, const char *table, const char *name)
{
	uint32_t hash = fnv32(FNV32_INIT ^ family, table, strlen(table) + 1);

	return fnv32(hash, name, strlen(name)) % RULES_BUCKETS;
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

void rules_index_chain(struct rules *r)
{
	struct rules_chain *c = &r->chains[r->n_chains - 1];

	put_first(&r->chains_by_name, bucket(c->family, c->table, c->name), r->n_chains, &c->next);
}

void rules_index_set(struct rules *r)
{
	struct rules_set *s = &r->sets[r->n_sets - 1];

	put_first(&r->sets_by_name, bucket(s->family, s->table, s->name), r->n_sets, &s->next);
}

const struct rules_chain *rules_chain_named(const struct rules *r, uint8_t family,
					    const char *table, const char *name)
{
	const uint32_t *heads = r->chains_by_name.heads;
	const struct rules_chain *c;

	for (uint32_t i = heads ? heads[bucket(family, table, name)] : 0; i; i = c->next) {
		c = &r->chains[i - 1];
		if (c->family == family && strcmp(c->name, name) == 0 &&
		    strcmp(c->table, table) == 0)
			return c;
	}
	return NULL;
}

const struct rules_chain *rules_chain_at(const struct rules *r, uint8_t family, uint32_t offset)
{
	for (size_t i = 0; i < r->n_chains; i++)
		if (r->chains[i].family == family && r->chains[i].legacy &&
		    r->chains[i].offset == offset)
			return &r->chains[i];
	return NULL;
}

const struct rules_set *rules_set_named(const struct rules *r, uint8_t family, const char *table,
					const char *name)
{
	const uint32_t *heads = r->sets_by_name.heads;
	const struct rules_set *s;

	for (uint32_t i = heads ? heads[bucket(family, table, name)] : 0; i; i = s->next) {
		s = &r->sets[i - 1];
		if (s->family == family && strcmp(s->name, name) == 0 &&
		    strcmp(s->table, table) == 0)
			return s;
	}
	return NULL;
}
