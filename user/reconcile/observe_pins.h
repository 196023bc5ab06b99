/* SPDX-License-Identifier: GPL-2.0 */
/* The BPF half of an observation: pins and map entries in observe_pins.c, hooks in observe_hooks.c. */
#ifndef VXBPF_OBSERVE_PINS_H
#define VXBPF_OBSERVE_PINS_H

#include "kernel/pins.h"
#include "plan/model.h"
#include "reconcile/world.h"

struct seeing {
	const struct observe_target *t;
	const struct world *world;
	struct objs *out;
	/* Pinned programs, to tell from a hook's program id which build it runs. */
	struct pinned_prog {
		uint32_t id;
		char build[BPFOBJ_BUILD];
		char room[24];
	} * progs;
	size_t n_progs;
	struct why *why;
};

int observe_pins(const struct observe_target *t, const struct world *world, struct objs *out,
		 struct why *why);
/* Links, filters and blocks; with s->progs filled as far as they could be. */
int observe_hooks(struct seeing *s);

/* An unreadable object must not pass for a missing one: s->why and `err`. */
int cannot_read(const struct seeing *s, const char *pin, int err);
/* A folder that is not there holds nothing; one that cannot be read is an error. */
int list_pins(const struct seeing *s, const char *below, struct names *out);
/* NULL: a program of no build that is pinned here. */
const struct pinned_prog *find_prog(const struct seeing *s, uint32_t id);

#endif
