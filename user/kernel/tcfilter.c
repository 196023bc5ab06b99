// SPDX-License-Identifier: GPL-2.0
/* clsact filters, over rtnetlink; see tcfilter.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/bpfobj.h"
#include "kernel/tcfilter.h"

#define PRIORITY_MAX 0xffffU

/* --- reading them */

static void take_bpf(const struct nlattr *options, struct tcfilter *f)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, options) {
		if (mnl_attr_get_type(attr) == TCA_BPF_ID)
			f->prog_id = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == TCA_BPF_NAME)
			snprintf(f->name, sizeof(f->name), "%.*s",
				 (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
	}
}

static int take_filter(const struct nlmsghdr *msg, void *ctx)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	struct tcfilter f = { .priority = TC_H_MAJ(tcm->tcm_info) >> 16,
			      .handle = tcm->tcm_handle,
			      .protocol = ntohs((uint16_t)TC_H_MIN(tcm->tcm_info)) };
	struct tcfilters *out = ctx;
	const struct nlattr *attr;

	if (msg->nlmsg_type != RTM_NEWTFILTER)
		return 0;
	mnl_attr_for_each (attr, msg, sizeof(*tcm)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == TCA_CHAIN && mnl_attr_get_u32(attr))
			return 0; /* run only where a filter jumps there */
		if (type == TCA_KIND)
			snprintf(f.kind, sizeof(f.kind), "%.*s",
				 (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
		else if (type == TCA_OPTIONS && strcmp(f.kind, "bpf") == 0)
			take_bpf(attr, &f);
	}
	*(struct tcfilter *)array_add(&out->v, &out->n, sizeof(f)) = f;
	return 0;
}

int tcfilters_read(struct nl *nl, const struct tcfilter_place *place, struct tcfilters *out)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETTFILTER, NLM_F_DUMP, sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	int err;

	tcm->tcm_ifindex = place->ifindex;
	tcm->tcm_parent = place->parent;
	err = nl_dump(nl, msg, take_filter, out);
	return err == -EOPNOTSUPP || err == -ENODEV || err == -EINVAL ? 0 : err;
}

void tcfilters_free(struct tcfilters *f)
{
	free(f->v);
	*f = (struct tcfilters){ 0 };
}

static bool fits_ours(const struct tcfilter *f)
{
	return strcmp(f->kind, "bpf") == 0 && f->protocol == ETH_P_ALL;
}

uint32_t tcfilters_front(const struct tcfilters *f)
{
	uint32_t priority = 1;

	/* They come in the order of their priorities. */
	for (size_t i = 0; i < f->n && f->v[i].priority <= priority; i++)
		if (f->v[i].priority == priority && !fits_ours(&f->v[i]))
			priority++;
	return priority <= PRIORITY_MAX ? priority : 0;
}

bool tcfilters_have(const struct tcfilters *f, uint32_t priority, uint32_t handle)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].priority == priority && f->v[i].handle == handle)
			return true;
	return false;
}

/* --- ours among them */

static bool is_ours(const struct tcfilter_ours *ours, const struct tcfilter *f)
{
	if (!fits_ours(f) || !f->handle)
		return false;
	return f->handle == ours->handle ||
	       (ours->old_handle && f->handle == ours->old_handle && f->priority == TCFILTER_LAST);
}

int tcfilter_query(const struct tcfilter_ours *ours, struct tcfilter_state *out)
{
	autotcfilters struct tcfilters there = { 0 };
	int err = tcfilters_read(ours->nl, &ours->place, &there);

	*out = (struct tcfilter_state){ .front = tcfilters_front(&there) };
	for (size_t i = 0; i < there.n; i++)
		if (is_ours(ours, &there.v[i]) && !out->copies++) {
			out->prog_id = there.v[i].prog_id;
			out->priority = there.v[i].priority;
		}
	return err;
}

bool tcfilter_is_placed(enum tc_order order, const struct tcfilter_state *state)
{
	uint32_t right = order == TC_BEHIND ? TCFILTER_LAST : state->front;

	return state->copies == 1 && state->priority == right;
}

static int ignore(const struct nlmsghdr *msg, void *ctx)
{
	(void)msg, (void)ctx;
	return 0;
}

static struct nlmsghdr *request(const struct tcfilter_ours *ours, uint16_t type, uint16_t flags,
				uint32_t priority, uint32_t handle)
{
	struct nlmsghdr *msg =
		nl_request(ours->nl, type, (uint16_t)(NLM_F_ACK | flags), sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);

	tcm->tcm_ifindex = ours->place.ifindex;
	tcm->tcm_parent = ours->place.parent;
	tcm->tcm_handle = handle;
	tcm->tcm_info = TC_H_MAKE(priority << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(msg, TCA_KIND, "bpf");
	return msg;
}

static int set(const struct tcfilter_ours *ours, uint32_t priority, uint32_t handle, int prog_fd)
{
	struct nlmsghdr *msg =
		request(ours, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, priority, handle);
	struct nlattr *options = mnl_attr_nest_start(msg, TCA_OPTIONS);

	mnl_attr_put_u32(msg, TCA_BPF_FD, (uint32_t)prog_fd);
	mnl_attr_put_strz(msg, TCA_BPF_NAME, ours->name);
	mnl_attr_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(msg, options);
	return nl_dump(ours->nl, msg, ignore, NULL);
}

static int drop(const struct tcfilter_ours *ours, const struct tcfilter *f)
{
	struct nlmsghdr *msg = request(ours, RTM_DELTFILTER, 0, f->priority, f->handle);
	int err = nl_dump(ours->nl, msg, ignore, NULL);

	return err == -ENOENT || err == -EINVAL || err == -ENODEV ? 0 : err;
}

static bool is_astray(const struct tcfilter_ours *ours, const struct tcfilter *f, uint32_t priority)
{
	return is_ours(ours, f) && (f->priority != priority || f->handle != ours->handle);
}

static bool any_astray(const struct tcfilter_ours *ours, const struct tcfilters *there,
		       uint32_t priority)
{
	for (size_t i = 0; i < there->n; i++)
		if (is_astray(ours, &there->v[i], priority))
			return true;
	return false;
}

/* Those of ours that are not where they belong, made to do nothing (`quiet` is such a program) or away. */
static int clear(const struct tcfilter_ours *ours, const struct tcfilters *there, uint32_t priority,
		 int quiet)
{
	int err = 0;

	for (size_t i = 0; !err && i < there->n; i++) {
		const struct tcfilter *f = &there->v[i];

		if (!is_astray(ours, f, priority))
			continue;
		err = quiet >= 0 ? set(ours, f->priority, f->handle, quiet) : drop(ours, f);
	}
	return err;
}

/* The last filter of a hook is not taken off before the next one is on: after that the kernel waits
 * until nobody uses the empty list, and lets everything through meanwhile. */
int tcfilter_put(const struct tcfilter_ours *ours, int prog_fd)
{
	autotcfilters struct tcfilters there = { 0 };
	int err = tcfilters_read(ours->nl, &ours->place, &there);
	uint32_t priority = ours->order == TC_BEHIND ? TCFILTER_LAST : tcfilters_front(&there);
	autofd int quiet = -1;

	if (err || !priority)
		return err ? err : -ENOSPC;
	if (ours->order == TC_FRONT_TAKES && any_astray(ours, &there, priority)) {
		quiet = bpfobj_quiet();
		err = quiet < 0 ? quiet : clear(ours, &there, priority, quiet);
	}
	if (!err)
		err = set(ours, priority, ours->handle, prog_fd);
	return err ? err : clear(ours, &there, priority, -1);
}

int tcfilter_remove(const struct tcfilter_ours *ours)
{
	autotcfilters struct tcfilters there = { 0 };
	int err = tcfilters_read(ours->nl, &ours->place, &there);

	return err ? err : clear(ours, &there, 0, -1);
}
