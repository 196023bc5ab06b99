// SPDX-License-Identifier: GPL-2.0
/* Tunnels' clsact qdiscs and the two filters they share; see apply.h and block.h. */
#include <net/if.h>
#include <string.h>

#include "apply.h"
#include "block.h"

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

	if (prog < 0)
		return why_set(why, prog, "open the pinned program: %s", strerror(-prog));
	block_put_filter(a->nl, a->overlay, want->key, prog, tag);
	/* The kernel looks the fd up while it handles the message: before we close it. */
	return nl_flush(a->nl);
}

static int change_block(struct apply *a, const struct obj *now, const struct obj *want,
			uint32_t changed, size_t tag, struct why *why)
{
	(void)now, (void)changed;
	return add_block(a, want, tag, why);
}

static int remove_block(struct apply *a, const struct obj *now, size_t tag, struct why *why)
{
	(void)why;
	/* With the last tunnel the block is gone, and its filter with it. */
	if (block_query(a->nl, a->overlay, now->key))
		block_put_remove(a->nl, a->overlay, now->key, tag);
	return 0;
}

const struct apply_ops apply_block = { add_block, change_block, remove_block, NULL };
