// SPDX-License-Identifier: GPL-2.0
/* Hooks by clsact filter, direct action; see attach.h. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/libbpf.h>

#include "kernel/attach_clsact.h"
#include "kernel/pins.h"
#include "kernel/tcplace.h"

static uint32_t filter_handle(const char *overlay)
{
	return fnv32(FNV32_INIT, overlay, strlen(overlay)) | 1;
}

struct tcfilter_ours attach_filter(const struct attach *at)
{
	uint32_t minor = at->room->where == ATTACH_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS;

	return (struct tcfilter_ours){
		.nl = at->nl,
		.place = { (int)at->ifindex, TC_H_MAKE(TC_H_CLSACT, minor) },
		.handle = filter_handle(at->overlay),
		.order = at->room->order,
		.name = at->room->prog,
	};
}

static void qdisc_mark(const struct attach *at, char path[PINS_PATH])
{
	pins_path(path, at->overlay, "qdiscs/%u", at->ifindex);
}

/* Whether there are any, ours or not, or -errno: what cannot be seen may be others'. */
static int filters_left(const struct attach *at, uint32_t minor)
{
	const struct tcfilter_place place = { (int)at->ifindex, TC_H_MAKE(TC_H_CLSACT, minor) };
	autotcfilters struct tcfilters there = { 0 };
	int err = tcfilters_read(at->nl, &place, &there);

	return err ? err : there.n > 0;
}

static bool is_gone(int err)
{
	return err == -ENOENT || err == -EINVAL || err == -ENODEV;
}

/* libbpf demands that the padding, too, is zero; a compiler need not clear that in an initializer. */
static void fill_hook(const struct attach *at, struct bpf_tc_hook *hook)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = sizeof(*hook);
	hook->ifindex = (int)at->ifindex;
	hook->attach_point = at->room->where == ATTACH_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

/* The qdisc goes with the last filter in it, ours or not, if it was we who made it. */
static int remove_qdisc(const struct attach *at, struct why *why)
{
	struct bpf_tc_hook hook;
	char mark[PINS_PATH];
	int left;

	fill_hook(at, &hook);
	qdisc_mark(at, mark);
	if (access(mark, F_OK) != 0)
		return 0;
	left = filters_left(at, TC_H_MIN_INGRESS);
	if (!left)
		left = filters_left(at, TC_H_MIN_EGRESS);
	if (!left) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		left = bpf_tc_hook_destroy(&hook);
	}
	if (left > 0)
		return 0;
	if (left < 0 && !is_gone(left))
		return why_set(why, left, "remove the clsact qdisc: %s", strerror(-left));
	rmdir(mark);
	return 0;
}

struct qdisc_search {
	bool found;
	struct link_tc tc;
};

static int find_qdisc(const struct nlmsghdr *msg, void *ctx)
{
	struct qdisc_search *search = ctx;

	search->found |= tcplace_parse(msg, &search->tc);
	return 0;
}

/* Whether the device has one already, ours or not, or -errno. Where there was one once the kernel
 * answers with nothing but the acknowledgement. */
static int has_qdisc(const struct attach *at, struct link_tc *tc)
{
	struct nlmsghdr *msg = nl_request(at->nl, RTM_GETQDISC, NLM_F_ACK, sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	struct qdisc_search search = { 0 };
	int err;

	tcm->tcm_ifindex = (int)at->ifindex;
	tcm->tcm_parent = TC_H_CLSACT;
	err = nl_dump(at->nl, msg, find_qdisc, &search);
	*tc = search.tc;
	return is_gone(err) ? 0 : err ? err : search.found;
}

static int make_qdisc(const struct attach *at, struct why *why)
{
	struct bpf_tc_hook hook;
	struct link_tc tc;
	char mark[PINS_PATH], blocked[TCPLACE_WHY];
	bool made_mark;
	int err = has_qdisc(at, &tc);

	/* It has come since the plan was made. */
	if (err > 0 && tcplace_blocked(&tc, at->room->where == ATTACH_INGRESS, blocked))
		return why_set(why, -EBUSY, "%s", blocked);
	if (err > 0)
		return 0;
	fill_hook(at, &hook);
	/* The mark first, so that no kill in between leaves a qdisc nobody owns. */
	qdisc_mark(at, mark);
	made_mark = !err && mkdir(mark, 0700) == 0;
	if (!err)
		err = bpf_tc_hook_create(&hook);
	if (err == -EEXIST && made_mark)
		rmdir(mark); /* somebody else was faster */
	return err && err != -EEXIST
		       ? why_set(why, err, "make the clsact qdisc: %s", strerror(-err))
		       : 0;
}

int put_filter(const struct attach *at, int prog_fd, struct why *why)
{
	const struct tcfilter_ours ours = attach_filter(at);
	int err = make_qdisc(at, why);

	if (err)
		return err;
	err = tcfilter_put(&ours, prog_fd);
	return err ? why_set(why, err, "attach the clsact filter: %s", strerror(-err)) : 0;
}

int remove_filter(const struct attach *at, struct why *why)
{
	const struct tcfilter_ours ours = attach_filter(at);
	int err = tcfilter_remove(&ours);

	if (err && !is_gone(err))
		return why_set(why, err, "detach the clsact filter: %s", strerror(-err));
	return remove_qdisc(at, why);
}

/* A failed request may have succeeded with its answer lost. */
int add_filter(const struct attach *at, int prog_fd, struct why *why)
{
	struct why ignored = { 0 };
	int err = put_filter(at, prog_fd, why);

	if (err)
		remove_filter(at, &ignored);
	return err;
}

int query_filter(const struct attach *at, struct attach_state *out)
{
	const struct tcfilter_ours ours = attach_filter(at);
	int err = tcfilter_query(&ours, &out->filter);

	out->prog_id = out->filter.prog_id;
	if (out->prog_id)
		text_copy(out->mode, sizeof(out->mode), "clsact");
	return err;
}
