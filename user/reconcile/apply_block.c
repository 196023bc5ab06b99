// SPDX-License-Identifier: GPL-2.0
/* Tunnels' clsact qdiscs and the two filters they share; see apply.h and block.h. */
#include <net/if.h>
#include <string.h>

#include "kernel/block.h"
#include "reconcile/apply.h"

static int add_qdisc(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	(void)why;
	block_put_qdisc(a->nl, a->overlay, if_nametoindex(want->key), tag);
	return 0;
}

/* It goes with its tunnel, which is removed before. */
static int keep_qdisc(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)a, (void)now, (void)tag, (void)why;
	return 0;
}

const struct apply_ops apply_qdisc = { add_qdisc, NULL, keep_qdisc, NULL };

static int add_block(struct apply *a, const struct obj *want, size_t tag, struct why *why)
{
	autofd int prog = bpfobj_get_prog(a->overlay, obj_get_text(want, F_BUILD), want->key);
	const struct tcfilter_ours ours = block_filter(a->nl, a->overlay, want->key);
	int err;

	(void)tag;
	if (prog < 0)
		return why_set(why, prog, "open the pinned program: %s", strerror(-prog));
	err = tcfilter_put(&ours, prog);
	return err ? why_set(why, err, "set the filter: %s", strerror(-err)) : 0;
}

static int change_block(struct apply *a, const struct obj *now, const struct obj *want,
			uint32_t changed, size_t tag, struct why *why)
{
	(void)now, (void)changed;
	return add_block(a, want, tag, why);
}

/* With the last tunnel the block is gone, and its filter with it. */
static int remove_block(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	const struct tcfilter_ours ours = block_filter(a->nl, a->overlay, now->key);
	int err = tcfilter_remove(&ours);

	(void)tag;
	return err ? why_set(why, err, "remove the filter: %s", strerror(-err)) : 0;
}

const struct apply_ops apply_block = { add_block, change_block, remove_block, NULL };
