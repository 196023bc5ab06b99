// SPDX-License-Identifier: GPL-2.0
/* VNIs of all pairs of a file; see mesh_vni.h and design 1.3. Pure. */
#include <errno.h>
#include <string.h>

#include "plan/mesh_vni.h"

bool mesh_pair_addresses(const struct conf_host *a, const struct conf_host *b,
			 struct vx_addr *out_a, struct vx_addr *out_b)
{
	bool v4 = ip_is_v4(&a->address) && ip_is_v4(&b->address);

	*out_a = v4 || !ip_is_v4(&a->address) ? a->address : a->address6;
	*out_b = v4 || !ip_is_v4(&b->address) ? b->address : b->address6;
	return ip_is_set(out_a) && ip_is_set(out_b);
}

#define FIRST_VNI 4096U /* smaller ones are left to people */

/* A host's two addresses as text, made once: it takes part in up to 999 pairs. */
struct texts {
	char four[IP_TEXT];
	char six[IP_TEXT];
};

/* Open addressing; an entry is host << 24 | VNI, and never 0 because no VNI is. */
struct taken {
	uint64_t *slots;
	size_t mask;
};

static size_t slot_of(const struct taken *t, uint64_t entry)
{
	size_t i = (size_t)((entry * 0x9e3779b97f4a7c15ULL) >> 32) & t->mask;

	while (t->slots[i] && t->slots[i] != entry)
		i = (i + 1) & t->mask;
	return i;
}

static uint64_t entry_of(size_t host, uint32_t vni)
{
	return (uint64_t)host << 24 | vni;
}

static bool is_taken(const struct taken *t, uint64_t entry)
{
	return t->slots[slot_of(t, entry)] != 0;
}

static void take(const struct taken *t, uint64_t entry)
{
	t->slots[slot_of(t, entry)] = entry;
}

static uint32_t seed_of(const char *overlay, uint32_t salt)
{
	char text[16];
	uint32_t hash = fnv32(FNV32_INIT, overlay, strlen(overlay) + 1);
	int len = snprintf(text, sizeof(text), "%u", salt);

	return fnv32(hash, text, (size_t)len + 1);
}

/* The hash of the pair before an attempt's number is appended. */
static uint32_t pair_hash(uint32_t seed, const char *low, const char *high)
{
	return fnv32(fnv32(seed, low, strlen(low) + 1), high, strlen(high));
}

static uint32_t vni_of(uint32_t hash, unsigned attempt)
{
	char text[16];
	uint32_t vni;

	if (attempt) {
		int len = snprintf(text + 1, sizeof(text) - 1, "%u", attempt);

		text[0] = '\0';
		hash = fnv32(hash, text, (size_t)len + 1);
	}
	vni = (hash >> 24) ^ (hash & 0xffffff);
	return vni < FIRST_VNI ? vni + FIRST_VNI : vni;
}

uint32_t mesh_pair_vni(const char *overlay, uint32_t salt, const struct vx_addr *a,
		       const struct vx_addr *b, unsigned attempt)
{
	bool swap = memcmp(ip_raw(a), ip_raw(b), ip_raw_len(a)) > 0;
	char low[IP_TEXT], high[IP_TEXT];

	ip_format(swap ? b : a, low);
	ip_format(swap ? a : b, high);
	return vni_of(pair_hash(seed_of(overlay, salt), low, high), attempt);
}

static const struct vx_addr *six_of(const struct conf_host *host)
{
	return ip_is_v4(&host->address) ? &host->address6 : &host->address;
}

/* The first VNI of the pair's own sequence that neither host has yet; both have it then. */
static uint32_t assign_pair(const struct conf *conf, const struct texts *texts, uint32_t seed,
			    const struct taken *taken, const size_t pair[2])
{
	const struct conf_host *a = &conf->hosts[pair[0]], *b = &conf->hosts[pair[1]];
	const struct texts *ta = &texts[pair[0]], *tb = &texts[pair[1]];
	bool v4 = ta->four[0] && tb->four[0];
	bool swap = ip_compare(v4 ? &a->address : six_of(a), v4 ? &b->address : six_of(b)) > 0;
	const char *text_a = v4 ? ta->four : ta->six, *text_b = v4 ? tb->four : tb->six;
	uint32_t hash = pair_hash(seed, swap ? text_b : text_a, swap ? text_a : text_b);
	uint32_t vni = vni_of(hash, 0);

	for (unsigned attempt = 1;
	     is_taken(taken, entry_of(pair[0], vni)) || is_taken(taken, entry_of(pair[1], vni));
	     attempt++)
		vni = vni_of(hash, attempt);
	take(taken, entry_of(pair[0], vni));
	take(taken, entry_of(pair[1], vni));
	return vni;
}

static struct texts *make_texts(const struct conf *conf)
{
	struct texts *texts = calloc(conf->n_hosts, sizeof(*texts));

	for (size_t i = 0; texts && i < conf->n_hosts; i++) {
		const struct conf_host *host = &conf->hosts[i];

		if (ip_is_v4(&host->address))
			ip_format(&host->address, texts[i].four);
		ip_format(six_of(host), texts[i].six);
	}
	return texts;
}

int mesh_vni_assign(const struct conf *conf, struct mesh *mesh, struct why *why)
{
	autofree struct texts *texts = make_texts(conf);
	autofree uint64_t *slots = NULL;
	size_t n = conf->n_hosts, self = (size_t)(mesh->self - conf->hosts);
	uint32_t seed = seed_of(conf->overlay, conf->vni_salt);
	struct taken taken;
	size_t size = 2;

	while (size < 2 * n * n) /* two entries a pair: at most half full */
		size *= 2;
	slots = calloc(size, sizeof(*slots));
	if (!texts || !slots)
		return why_set(why, -ENOMEM, "%s: out of memory", conf->path);
	taken = (struct taken){ .slots = slots, .mask = size - 1 };
	for (size_t later = 1; later < n; later++) {
		for (size_t earlier = 0; earlier < later; earlier++) {
			const size_t pair[2] = { earlier, later };
			uint32_t vni = assign_pair(conf, texts, seed, &taken, pair);

			if (later == self) /* every host before this one is in its own place */
				mesh->peers[earlier].vni = vni;
			else if (earlier == self)
				mesh->peers[later - 1].vni = vni;
		}
	}
	return 0;
}
