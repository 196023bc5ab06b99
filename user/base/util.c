// SPDX-License-Identifier: GPL-2.0
/* Small things with no better home: sentences, hashes, bounded text. Pure. */
#include <errno.h>
#include <string.h>

#include "base/util.h"

static void why_fill(struct why *why, const char *fmt, va_list args)
{
	vsnprintf(why->text, sizeof(why->text), fmt, args);
}

int why_set(struct why *why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	why_fill(why, fmt, args);
	va_end(args);
	return err;
}

int why_bad(struct why *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	why_fill(why, fmt, args);
	va_end(args);
	why->bad_input = true;
	return -EINVAL;
}

uint32_t fnv32(uint32_t hash, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * 16777619U;
	return hash;
}

uint64_t fnv64(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * 1099511628211ULL;
	return hash;
}

void text_copy(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	memset(to + len, 0, size - len);
}

void text_add(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strnlen(text, size);
	va_list args;

	if (len >= size)
		return;
	va_start(args, fmt);
	vsnprintf(text + len, size - len, fmt, args);
	va_end(args);
}

void *array_add(void *array, size_t *n, size_t size)
{
	void **at = array;
	char *v = *at;

	if (!(*n & (*n - 1))) { /* full: it holds a power of two */
		v = reallocarray(v, *n ? *n * 2 : 1, size);
		if (!v)
			out_of_memory();
		*at = v;
	}
	return memset(v + (*n)++ * size, 0, size);
}

void notes_add(struct notes *notes, const char *fmt, ...)
{
	char **grown = reallocarray(notes->v, notes->n + 1, sizeof(*notes->v));
	va_list args;

	if (!grown)
		out_of_memory();
	notes->v = grown;
	va_start(args, fmt);
	if (vasprintf(&notes->v[notes->n++], fmt, args) < 0)
		out_of_memory();
	va_end(args);
}

void notes_free(struct notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		free(notes->v[i]);
	free(notes->v);
	*notes = (struct notes){ 0 };
}

void mac_format(const uint8_t mac[6], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
}

bool mac_parse(const char *text, uint8_t mac[6])
{
	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5]) == 6;
}

void out_of_memory(void)
{
	fputs("vxbpf: out of memory\n", stderr);
	exit(1);
}
