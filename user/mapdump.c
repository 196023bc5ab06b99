// SPDX-License-Identifier: GPL-2.0
/* A pinned map's contents at one go; see mapdump.h. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpfobj.h"
#include "mapdump.h"

#define CHUNK 256U /* entries per system call */

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

/* The cursor is the kernel's: a bucket's number, or a key in maps that have no buckets. */
static int read_all(int fd, struct mapdump *dump)
{
	DECLARE_LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 chunk = CHUNK, count;
	char cursor[64];
	int err = 0;

	for (bool first = true; !err; first = false) {
		if (make_room(dump, dump->n + chunk))
			return -ENOMEM;
		count = chunk;
		err = bpf_map_lookup_batch(
			fd, first ? NULL : cursor, cursor, dump->keys + dump->n * dump->key_size,
			dump->values + dump->n * dump->stride * dump->cpus, &count, &opts);
		if (err == -ENOSPC) { /* a bucket with more entries than asked for */
			chunk *= 2;
			err = 0;
			continue;
		}
		if (err && err != -ENOENT)
			return err;
		dump->n += count;
	}
	return 0; /* -ENOENT: that was the last bucket */
}

int mapdump_read(const char *overlay, const char *map, size_t key_size, size_t value_size,
		 struct mapdump *out)
{
	automapdump struct mapdump dump = { .key_size = key_size, .stride = value_size, .cpus = 1 };
	autofd int fd = bpfobj_get_map(overlay, map);
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int err;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.key_size != key_size || info.value_size != value_size || key_size > 64)
		return -EPROTO;
	if (is_per_cpu(info.type)) {
		dump.stride = (value_size + 7) & ~(size_t)7;
		dump.cpus = (unsigned)libbpf_num_possible_cpus();
	}
	err = read_all(fd, &dump);
	if (err)
		return err;
	*out = dump;
	dump = (struct mapdump){ 0 };
	return 0;
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
