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

const struct rules_chain *rules_chain_named(const struct rules *r, uint8_t family,
					    const char *table, const char *name)
{
	for (size_t i = 0; i < r->n_chains; i++)
		if (r->chains[i].family == family && !r->chains[i].legacy &&
		    strcmp(r->chains[i].name, name) == 0 && strcmp(r->chains[i].table, table) == 0)
			return &r->chains[i];
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
	for (size_t i = 0; i < r->n_sets; i++)
		if (r->sets[i].family == family && strcmp(r->sets[i].name, name) == 0 &&
		    strcmp(r->sets[i].table, table) == 0)
			return &r->sets[i];
	return NULL;
}
