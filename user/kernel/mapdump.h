/* SPDX-License-Identifier: GPL-2.0 */
/* Dump of a pinned map, in batches: a thousand per-CPU entries take a few system calls. */
#ifndef VXBPF_MAPDUMP_H
#define VXBPF_MAPDUMP_H

#include "base/util.h"

struct mapdump {
	size_t n;
	size_t key_size;
	size_t stride; /* from one CPU's value to the next */
	unsigned cpus; /* values per key: 1, or all possible CPUs in a per-CPU map */
	char *keys;
	char *values;
};

/* 0 or -errno; -EPROTO if the map's sizes are not these (pins of another layout). The caller ends *out
 * with mapdump_free. */
int mapdump_read(const char *overlay, const char *map, size_t key_size, size_t value_size,
		 struct mapdump *out);
void mapdump_free(struct mapdump *dump);
#define automapdump __attribute__((cleanup(mapdump_free)))

/* The same for maps with many entries, of which only something is to be known: each is seen once, and
 * none kept. In a per-CPU map `value` is the first CPU's. */
int mapdump_each(const char *overlay, const char *map, size_t key_size, size_t value_size,
		 void (*see)(const void *key, const void *value, void *ctx), void *ctx);

const void *mapdump_key(const struct mapdump *dump, size_t i);
const void *mapdump_value(const struct mapdump *dump, size_t i, unsigned cpu);

#endif
