// SPDX-License-Identifier: GPL-2.0
/*
 * Loads every program of the object into the running kernel, under configs that between them leave no
 * code out: what a config switches off the verifier does not look at. Prints each program with the
 * largest frames the verifier has found, its own and those of the functions it calls, and ends with 0. A
 * refusal is printed with the verifier's last words, and ends with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include <vxbpf/abi.h>
#include "vxbpf.skel.h"

enum { LOG = 1 << 16, PROGRAMS = 32, VERIFIER_STATS = 4 };

static const struct vx_addr local4 = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
static const struct vx_addr local6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };

static const struct vx_config configs[] = {
	{ .guard = VX_GUARD_ENFORCE, .vni_mode = VX_VNI_PAIR, .fastpath = 1, .clamp_mss = 1 },
	{ .guard = VX_GUARD_ENFORCE, .vni_mode = VX_VNI_INDEX, .fastpath = 0, .clamp_mss = 1 },
	{ .guard = VX_GUARD_OBSERVE, .vni_mode = VX_VNI_INDEX, .fastpath = 1, .clamp_mss = 0 },
	{ .guard = VX_GUARD_OFF, .vni_mode = VX_VNI_PAIR, .fastpath = 1, .clamp_mss = 0 },
};

static struct {
	char name[32], stack[64];
	int bytes;
} seen[PROGRAMS];

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

/* The verifier says `stack depth 304+32+8`: the program's own frame comes first. */
static void note(int i, const char *name, const char *log)
{
	const char *found = strstr(log, "stack depth ");
	char stack[64] = "?";
	int bytes = 0;

	if (found)
		sscanf(found, "stack depth %63[0-9+]", stack);
	for (const char *at = stack; at; at = strchr(at + 1, '+'))
		bytes += atoi(at);
	if (seen[i].name[0] && bytes <= seen[i].bytes)
		return;
	seen[i].bytes = bytes;
	snprintf(seen[i].name, sizeof(seen[i].name), "%s", name);
	snprintf(seen[i].stack, sizeof(seen[i].stack), "%s", stack);
}

static int load(const struct vx_config *config)
{
	static char logs[PROGRAMS][LOG];
	struct vxbpf_bpf *o = vxbpf_bpf__open();
	const char *last = "", *name = "";
	struct bpf_program *prog;
	struct vx_config *cfg;
	int i = 0, err;

	if (!o)
		return -1;
	cfg = (struct vx_config *)&o->rodata->cfg;
	*cfg = *config;
	cfg->layout = VX_LAYOUT;
	cfg->mtu = 1450;
	cfg->mark = 0x40000000;
	cfg->port = 4789;
	memset(cfg->keys, 0x5e, sizeof(cfg->keys));
	cfg->local4 = local4;
	cfg->local6 = local6;
	bpf_object__for_each_program (prog, o->obj) {
		logs[i][0] = '\0';
		bpf_program__set_log_level(prog, VERIFIER_STATS);
		bpf_program__set_log_buf(prog, logs[i++], LOG);
	}
	err = vxbpf_bpf__load(o);
	i = 0;
	bpf_object__for_each_program (prog, o->obj) {
		if (logs[i][0]) { /* loading ends with the first that is refused */
			name = bpf_program__name(prog);
			last = logs[i];
		}
		if (!err)
			note(i, bpf_program__name(prog), logs[i]);
		i++;
	}
	if (err)
		printf("%s does not load (guard %d, fastpath %u): %s\n%s", name, config->guard,
		       config->fastpath, strerror(-err), last);
	vxbpf_bpf__destroy(o);
	return err;
}

int main(void)
{
	int bad = 0;

	libbpf_set_print(quiet);
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		bad |= load(&configs[i]);
	for (int i = 0; i < PROGRAMS && seen[i].name[0]; i++)
		printf("%s %s\n", seen[i].name, seen[i].stack);
	return bad ? 1 : 0;
}
