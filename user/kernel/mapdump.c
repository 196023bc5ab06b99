// SPDX-License-Identifier: GPL-2.0
/* Dump of a pinned map; see mapdump.h. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/bpfobj.h"
#include "kernel/mapdump.h"

#define CHUNK 256U /* entries per system call, */
#define LOOK_CHUNK 1024U /* and of maps with many */

static bool is_per_cpu(__u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static int make_room(struct mapdump *dump, size_t n)
{
	char *keys = reallocarray(dump->keys, n, dump->key_size);
	char *values;

	if (!keys)
		return -ENOMEM;
	dump->keys = keys;
	values = reallocarray(dump->values, n, dump->stride * dump->cpus);
	if (!values)
		return -ENOMEM;
	dump->values = values;
	return 0;
}

static int batch(int fd, bool first, char cursor[64], struct mapdump *dump, size_t at, __u32 *count)
{
	DECLARE_LIBBPF_OPTS(bpf_map_batch_opts, opts);

	return bpf_map_lookup_batch(fd, first ? NULL : cursor, cursor,
				    dump->keys + at * dump->key_size,
				    dump->values + at * dump->stride * dump->cpus, count, &opts);
}

/* The callback for each entry, instead of keeping all. */
struct looker {
	void (*see)(const void *key, const void *value, void *ctx);
	void *ctx;
};

/* The cursor is the kernel's: a bucket's number, or a key in maps that have no buckets. */
static int read_all(int fd, struct mapdump *dump, const struct looker *looker)
{
	__u32 chunk = looker ? LOOK_CHUNK : CHUNK, count;
	char cursor[64];
	int err = 0;

	for (bool first = true; !err; first = false) {
		if (make_room(dump, dump->n + chunk))
			return -ENOMEM;
		count = chunk;
		err = batch(fd, first, cursor, dump, dump->n, &count);
		if (err == -ENOSPC) { /* a bucket with more entries than asked for */
			chunk *= 2;
			err = 0;
			continue;
		}
		if (err && err != -ENOENT)
			return err;
		for (size_t i = 0; looker && i < count; i++)
			looker->see(mapdump_key(dump, i), mapdump_value(dump, i, 0), looker->ctx);
		dump->n += looker ? 0 : count;
	}
	return 0; /* -ENOENT: that was the last bucket */
}

static int read_map(const char *overlay, const char *map, struct mapdump *dump,
		    const struct looker *looker)
{
	autofd int fd = bpfobj_get_map(overlay, map);
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int cpus;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.key_size != dump->key_size || info.value_size != dump->stride ||
	    info.key_size > 64)
		return -EPROTO;
	if (is_per_cpu(info.type)) {
		dump->stride = (dump->stride + 7) & ~(size_t)7;
		cpus = libbpf_num_possible_cpus();
		if (cpus < 0)
			return cpus;
		dump->cpus = (unsigned)cpus;
	}
	return read_all(fd, dump, looker);
}

int mapdump_read(const char *overlay, const char *map, size_t key_size, size_t value_size,
		 struct mapdump *out)
{
	automapdump struct mapdump dump = { .key_size = key_size, .stride = value_size, .cpus = 1 };
	int err = read_map(overlay, map, &dump, NULL);

	if (err)
		return err;
	*out = dump;
	dump = (struct mapdump){ 0 };
	return 0;
}

int mapdump_each(const char *overlay, const char *map, size_t key_size, size_t value_size,
		 void (*see)(const void *key, const void *value, void *ctx), void *ctx)
{
	automapdump struct mapdump dump = { .key_size = key_size, .stride = value_size, .cpus = 1 };
	const struct looker looker = { .see = see, .ctx = ctx };

	return read_map(overlay, map, &dump, &looker);
}

void mapdump_free(struct mapdump *dump)
{
	free(dump->keys);
	free(dump->values);
	*dump = (struct mapdump){ 0 };
}

const void *mapdump_key(const struct mapdump *dump, size_t i)
{
	return dump->keys + i * dump->key_size;
}

const void *mapdump_value(const struct mapdump *dump, size_t i, unsigned cpu)
{
	return dump->values + (i * dump->cpus + cpu) * dump->stride;
}
