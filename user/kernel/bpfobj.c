// SPDX-License-Identifier: GPL-2.0
/* An overlay's BPF programs and maps; see bpfobj.h. */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/bpfobj.h"
#include "kernel/pins.h"
#include "vxbpf.skel.h"

struct bpfobj {
	char overlay[VX_IF_LEN];
	char build[BPFOBJ_BUILD];
	struct vxbpf_bpf *skel;
	uint64_t hash; /* of the object's bytes and the config, less its keys */
	uint32_t slots;
	bool loaded;
};

static bool verbose;
static char first_words[256]; /* libbpf's first complaint about an open or load: the cause */

static int hear_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	va_list again;

	if (level == LIBBPF_WARN && !first_words[0]) {
		va_copy(again, args);
		vsnprintf(first_words, sizeof(first_words), fmt, again);
		va_end(again);
		first_words[strcspn(first_words, "\n")] = '\0';
	}
	return verbose && level != LIBBPF_DEBUG ? vfprintf(stderr, fmt, args) : 0;
}

void bpfobj_verbose(bool on)
{
	verbose = on;
	libbpf_set_print(hear_libbpf);
}

int bpfobj_open(const char *overlay, const struct vx_config *cfg, struct bpfobj **out,
		struct why *why)
{
	autobpfobj struct bpfobj *bo = calloc(1, sizeof(*bo));
	struct vx_config named = *cfg;
	const void *elf;
	size_t size;

	if (!bo)
		return why_set(why, -ENOMEM, "programs: out of memory");
	libbpf_set_print(hear_libbpf);
	text_copy(bo->overlay, sizeof(bo->overlay), overlay);
	first_words[0] = '\0';
	bo->skel = vxbpf_bpf__open();
	if (!bo->skel)
		return why_set(why, -errno, "programs: cannot open the embedded object: %s",
			       first_words);
	memcpy((void *)&bo->skel->rodata->cfg, cfg, sizeof(*cfg));
	elf = vxbpf_bpf__elf_bytes(&size);
	bo->hash = fnv64(FNV64_INIT, elf, size);
	memset(named.keys, 0,
	       sizeof(named.keys)); /* made up anew each time until it is written down: see follow_maps() */
	bo->hash = fnv64(bo->hash, &named, sizeof(named));
	*out = take_ptr(bo);
	return 0;
}

int bpfobj_set_slots(struct bpfobj *bo, uint32_t slots, struct why *why)
{
	uint64_t hash = fnv64(bo->hash, &slots, sizeof(slots));
	int err = bpf_map__set_max_entries(bo->skel->maps.counters, slots);

	if (err)
		return why_set(why, err, "map counters: cannot set its size: %s", strerror(-err));
	bo->slots = slots;
	snprintf(bo->build, sizeof(bo->build), "%016llx", (unsigned long long)hash);
	return 0;
}

void bpfobj_close(struct bpfobj *bo)
{
	if (!bo)
		return;
	vxbpf_bpf__destroy(bo->skel);
	free(bo);
}

const char *bpfobj_build(const struct bpfobj *bo)
{
	return bo->build;
}

/* Maps of our own, not the sections (.rodata) libbpf makes maps of. */
static bool is_pinnable(const struct bpf_map *map)
{
	return !bpf_map__is_internal(map);
}

const char *bpfobj_map_name(const struct bpfobj *bo, size_t i)
{
	const struct bpf_map *map;

	bpf_object__for_each_map (map, bo->skel->obj)
		if (is_pinnable(map) && i-- == 0)
			return bpf_map__name(map);
	return NULL;
}

const char *bpfobj_prog_name(const struct bpfobj *bo, size_t i)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, bo->skel->obj)
		if (bpf_program__type(prog) != BPF_PROG_TYPE_SYSCALL && i-- == 0)
			return bpf_program__name(prog);
	return NULL;
}

/* Is it as maps.def has it? `counters` is made for the mesh as it was, with any number of entries. */
static bool fits(const char *name, const struct bpf_map_info *info)
{
	static const struct {
		const char *name;
		__u32 type, entries, flags, key, value;
	} shapes[] = {
#define VX_MAP(name, kind, entries, flags, key_type, value_type)                                   \
	{ #name, BPF_MAP_TYPE_##kind, entries, flags, sizeof(key_type), sizeof(value_type) },
#include <vxbpf/maps.def>
#undef VX_MAP
	};
	bool counters = strcmp(name, "counters") == 0 || strcmp(name, BPFOBJ_NEXT) == 0;

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		if (strcmp(shapes[i].name, counters ? "counters" : name) == 0)
			return info->type == shapes[i].type && info->key_size == shapes[i].key &&
			       info->value_size == shapes[i].value &&
			       info->map_flags == shapes[i].flags &&
			       (counters || info->max_entries == shapes[i].entries);
	return false;
}

/* The pinned map of as many slots as this object has, or its begun successor. */
static int get_own_counters(const struct bpfobj *bo)
{
	if (bpfobj_map_size(bo->overlay, "counters") == bo->slots)
		return bpfobj_get_map(bo->overlay, "counters");
	if (bpfobj_map_size(bo->overlay, BPFOBJ_NEXT) == bo->slots)
		return bpfobj_get_map(bo->overlay, BPFOBJ_NEXT);
	return -ENOENT;
}

/* Existing pins are kept, so that new programs continue to count in the old maps. */
static int reuse_maps(struct bpfobj *bo, struct why *why)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, bo->skel->obj) {
		autofd int fd = -1;

		if (!is_pinnable(map))
			continue;
		fd = map == bo->skel->maps.counters
			     ? get_own_counters(bo)
			     : bpfobj_get_map(bo->overlay, bpf_map__name(map));
		if (fd == -ENOENT)
			continue;
		if (fd < 0 || bpf_map__reuse_fd(map, fd))
			return why_set(why, fd < 0 ? fd : -EIO,
				       "map %s: cannot use the pinned one: %s", bpf_map__name(map),
				       strerror(fd < 0 ? -fd : errno));
	}
	return 0;
}

static int load(struct bpfobj *bo, struct why *why)
{
	int err;

	if (bo->loaded)
		return 0;
	err = reuse_maps(bo, why);
	if (err)
		return err;
	first_words[0] = '\0';
	err = vxbpf_bpf__load(bo->skel);
	if (err)
		return why_set(why, err, "programs: cannot load into the kernel: %s (%s)",
			       strerror(-err), first_words);
	if (bpf_object__btf_fd(bo->skel->obj) < 0)
		return why_set(why, -ENOTSUP,
			       "programs: cannot load into the kernel: it rejected their type "
			       "information (BTF)");
	bo->loaded = true;
	return 0;
}

static int pin(int fd, const char *path, struct why *why)
{
	if (bpf_obj_pin(fd, path) == 0)
		return 0;
	return why_set(why, -errno, "%s: cannot pin: %s", path, strerror(errno));
}

int bpfobj_pin_map(struct bpfobj *bo, const char *name, struct why *why)
{
	char path[PINS_PATH];
	int err = load(bo, why);

	if (err)
		return err;
	pins_path(path, bo->overlay, "%s", name);
	return pin(bpf_object__find_map_fd_by_name(bo->skel->obj, name), path, why);
}

int bpfobj_pin_prog(struct bpfobj *bo, const char *name, struct why *why)
{
	char path[PINS_PATH];
	int err = load(bo, why);

	if (err)
		return err;
	pins_path(path, bo->overlay, "programs/%s", bo->build);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return why_set(why, -errno, "%s: cannot create the folder: %s", path,
			       strerror(errno));
	pins_path(path, bo->overlay, "programs/%s/%s", bo->build, name);
	err = pin(bpf_program__fd(bpf_object__find_program_by_name(bo->skel->obj, name)), path,
		  why);
	if (err) {
		pins_path(path, bo->overlay, "programs/%s", bo->build);
		rmdir(path); /* unless others are in it */
	}
	return err;
}

int bpfobj_next_counters(struct bpfobj *bo, struct why *why)
{
	int err = load(bo, why);

	return err ? err : bpf_map__fd(bo->skel->maps.counters);
}

int bpfobj_pin_next(struct bpfobj *bo, struct why *why)
{
	char path[PINS_PATH];

	pins_path(path, bo->overlay, BPFOBJ_NEXT);
	return pin(bpf_map__fd(bo->skel->maps.counters), path, why);
}

static int run(struct bpfobj *bo, const struct bpf_program *prog, void *ctx, __u32 size,
	       struct why *why)
{
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = size);
	int err = load(bo, why);

	if (err)
		return err;
	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		err = -errno;
	else if (opts.retval)
		err = -ERANGE;
	return err ? why_set(why, err, "map counters: cannot run the program %s: %s",
			     bpf_program__name(prog), strerror(-err))
		   : 0;
}

int bpfobj_carry(struct bpfobj *bo, struct vx_carry *old, struct why *why)
{
	return run(bo, bo->skel->progs.carry, old, sizeof(*old), why);
}

int bpfobj_own(struct bpfobj *bo, struct vx_own *own, struct why *why)
{
	return run(bo, bo->skel->progs.own, own, sizeof(*own), why);
}

/* The kernel does so whenever a map within a map has been changed. */
int bpfobj_wait(struct why *why)
{
	DECLARE_LIBBPF_OPTS(bpf_map_create_opts, opts);
	autofd int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);
	autofd int outer = -1;
	__u32 key = 0;

	opts.inner_map_fd = (__u32)inner;
	if (inner >= 0)
		outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, NULL, 4, 4, 1, &opts);
	if (outer < 0 || bpf_map_update_elem(outer, &key, &inner, BPF_ANY))
		return why_set(why, -errno, "cannot wait for running programs: %s",
			       strerror(errno));
	return 0;
}

int bpfobj_get_counters(const char *overlay)
{
	int fd = bpfobj_get_map(overlay, BPFOBJ_NEXT);

	return fd == -ENOENT ? bpfobj_get_map(overlay, "counters") : fd;
}

uint32_t bpfobj_map_size(const char *overlay, const char *map)
{
	autofd int fd = bpfobj_get_map(overlay, map);
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.max_entries;
}

int bpfobj_get_map(const char *overlay, const char *map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	char path[PINS_PATH];
	autofd int fd = -1;

	pins_path(path, overlay, "%s", map);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	return fits(map, &info) ? take_fd(&fd) : -EPROTO;
}

int bpfobj_quiet(void)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_UNSPEC },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd =
		bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "quiet", "GPL", code, ARRAY_LEN(code), NULL);

	return fd < 0 ? -errno : fd;
}

int bpfobj_get_prog(const char *overlay, const char *build, const char *prog)
{
	char path[PINS_PATH];
	int fd;

	pins_path(path, overlay, "programs/%s/%s", build, prog);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}
