// SPDX-License-Identifier: GPL-2.0
/* Hooks on devices; see attach.h. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach.h"
#include "pins.h"

/* Kernel 6.6's attach types; libbpf 1.1 passes them on without knowing them. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)

/* One priority of ours on each clsact hook; overlays differ by handle. */
#define FILTER_PRIORITY 0x7658

const struct attach_room attach_rooms[] = {
	{ "wire_xdp", "wire_xdp", ATTACH_XDP },
	{ "wire_in", "wire_in", ATTACH_INGRESS },
	{ "wire_in_l3", "wire_in_l3", ATTACH_INGRESS },
	{ "wire_out", "wire_out", ATTACH_EGRESS },
	{ "wire_out_l3", "wire_out_l3", ATTACH_EGRESS },
	{ "tun_in", "tun_in", ATTACH_INGRESS },
	{ "tun_out", "tun_out", ATTACH_EGRESS },
	{ "port_in", "port_in", ATTACH_INGRESS },
	{ "port_out", "port_out", ATTACH_EGRESS },
	/* On the bridge device the host is the port, so directions are swapped. */
	{ "host_in", "host_in", ATTACH_EGRESS },
	{ "host_out", "host_out", ATTACH_INGRESS },
};
const size_t attach_n_rooms = ARRAY_LEN(attach_rooms);

const struct attach_room *attach_room(const char *name)
{
	for (size_t i = 0; i < attach_n_rooms; i++)
		if (strcmp(attach_rooms[i].name, name) == 0)
			return &attach_rooms[i];
	return NULL;
}

/* Kernels without tcx do not know the attach type at all. */
static bool kernel_has_tcx(void)
{
	__u32 flags, ids[1], n = 0;

	return bpf_prog_query(1, TCX_INGRESS, 0, &flags, ids, &n) == 0 || errno != EINVAL;
}

const char *attach_tc_mode(void)
{
	static const char *mode;
	const char *no_tcx = getenv("VXBPF_NO_TCX");

	if (!mode)
		mode = (!no_tcx || !no_tcx[0]) && kernel_has_tcx() ? "tcx" : "clsact";
	return mode;
}

static void link_path(const struct attach *at, char path[PINS_PATH])
{
	pins_path(path, at->overlay, "links/%s-%u", at->room->name, at->ifindex);
}

/* --- links: tcx and XDP */

static enum bpf_attach_type link_type(const struct attach *at)
{
	if (at->room->where == ATTACH_XDP)
		return BPF_XDP;
	return at->room->where == ATTACH_INGRESS ? TCX_INGRESS : TCX_EGRESS;
}

/* struct bpf_link_info grew; the kernel fills as much as fits. Here tcx is {ifindex, type}, XDP is {ifindex},
 * at the same place: 0 if the device is gone. */
static int ask_link(int fd, struct bpf_link_info *out)
{
	__u32 len = sizeof(*out);

	*out = (struct bpf_link_info){ 0 };
	return bpf_obj_get_info_by_fd(fd, out, &len) ? -errno : 0;
}

/* The fd of our pinned link, if it is alive. */
static int open_link(const struct attach *at, uint32_t *prog_id)
{
	char path[PINS_PATH];
	struct bpf_link_info info;
	autofd int fd = -1;
	int err;

	link_path(at, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	err = ask_link(fd, &info);
	if (err)
		return err;
	if (info.xdp.ifindex != at->ifindex)
		return -ENODEV;
	*prog_id = info.prog_id;
	return take_fd(&fd);
}

bool attach_link_lives(const char *path)
{
	autofd int fd = bpf_obj_get(path);
	struct bpf_link_info info;

	if (fd < 0)
		return errno != ENOENT;
	return ask_link(fd, &info) || info.xdp.ifindex;
}

unsigned attach_count_others(unsigned ifindex, enum attach_where where, const uint32_t ours[2])
{
	__u32 flags, ids[64], n = ARRAY_LEN(ids);
	unsigned others = 0;

	if (bpf_prog_query((int)ifindex, where == ATTACH_INGRESS ? TCX_INGRESS : TCX_EGRESS, 0,
			   &flags, ids, &n))
		return errno == ENOSPC;
	for (__u32 i = 0; i < n; i++)
		others += ids[i] != ours[0] && ids[i] != ours[1];
	return others;
}

static int add_link(const struct attach *at, int prog_fd, struct why *why)
{
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts);
	char path[PINS_PATH];
	autofd int fd = -1;

	link_path(at, path);
	unlink(path);
	if (at->room->where == ATTACH_XDP)
		opts.flags = XDP_FLAGS_DRV_MODE;
	/* A link that was never pinned goes a moment after its process, and until then its program cannot
	 * be attached there again: so it is after a run that was killed. */
	for (int tries = 0; tries < 200; tries++) {
		fd = bpf_link_create(prog_fd, (int)at->ifindex, link_type(at), &opts);
		if (fd >= 0 || errno != EEXIST)
			break;
		usleep(10 * 1000);
	}
	if (fd < 0)
		return why_set(why, -errno, "attach: %s", strerror(errno));
	if (bpf_obj_pin(fd, path))
		return why_set(why, -errno, "pin the link: %s", strerror(errno));
	return 0;
}

static int update_link(const struct attach *at, int prog_fd, struct why *why)
{
	uint32_t prog_id;
	autofd int fd = open_link(at, &prog_id);

	if (fd < 0)
		return why_set(why, fd, "open the pinned link: %s", strerror(-fd));
	if (bpf_link_update(fd, prog_fd, NULL))
		return why_set(why, -errno, "replace the program: %s", strerror(errno));
	return 0;
}

static int remove_link(const struct attach *at, struct why *why)
{
	char path[PINS_PATH];
	uint32_t prog_id;
	autofd int fd = open_link(at, &prog_id);

	/* Now: a link whose pin is gone only goes a moment later, with whoever holds it last. */
	if (fd >= 0)
		bpf_link_detach(fd);
	link_path(at, path);
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return why_set(why, -errno, "%s: unpin: %s", path, strerror(errno));
}

/* --- filters: clsact, direct action */

static uint32_t filter_handle(const char *overlay)
{
	return fnv32(FNV32_INIT, overlay, strlen(overlay)) | 1;
}

bool attach_is_filter(const char *overlay, uint32_t priority, uint32_t handle)
{
	/* Before each filter the kernel names its place alone: handle 0. */
	return priority == FILTER_PRIORITY && (!handle || handle == filter_handle(overlay));
}

static void filter_opts(const struct attach *at, struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	*hook = (struct bpf_tc_hook){
		.sz = sizeof(*hook),
		.ifindex = (int)at->ifindex,
		.attach_point = at->room->where == ATTACH_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS,
	};
	*opts = (struct bpf_tc_opts){
		.sz = sizeof(*opts),
		.handle = filter_handle(at->overlay),
		.priority = FILTER_PRIORITY,
	};
}

static void qdisc_mark(const struct attach *at, char path[PINS_PATH])
{
	pins_path(path, at->overlay, "qdiscs/%u", at->ifindex);
}

static uint32_t query_filter(const struct attach *at)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;

	filter_opts(at, &hook, &opts);
	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

static int count_filter(const struct nlmsghdr *msg, void *ctx)
{
	if (msg->nlmsg_type == RTM_NEWTFILTER)
		++*(unsigned *)ctx;
	return 0;
}

/* Whether there are any, or -errno: what cannot be seen may be others'. */
static int filters_left(const struct attach *at, uint32_t minor)
{
	struct nlmsghdr *msg = nl_request(at->nl, RTM_GETTFILTER, NLM_F_DUMP, sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	unsigned n = 0;
	int err;

	tcm->tcm_ifindex = (int)at->ifindex;
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor);
	err = nl_dump(at->nl, msg, count_filter, &n);
	return err ? err : n > 0;
}

static bool is_gone(int err)
{
	return err == -ENOENT || err == -EINVAL || err == -ENODEV;
}

/* The qdisc goes with the last filter in it, ours or not, if it was we who made it. */
static int remove_qdisc(const struct attach *at, struct bpf_tc_hook *hook, struct why *why)
{
	char mark[PINS_PATH];
	int left;

	qdisc_mark(at, mark);
	if (access(mark, F_OK) != 0)
		return 0;
	left = filters_left(at, TC_H_MIN_INGRESS);
	if (!left)
		left = filters_left(at, TC_H_MIN_EGRESS);
	if (!left) {
		hook->attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		left = bpf_tc_hook_destroy(hook);
	}
	if (left > 0)
		return 0;
	if (left < 0 && !is_gone(left))
		return why_set(why, left, "remove the clsact qdisc: %s", strerror(-left));
	rmdir(mark);
	return 0;
}

static int find_qdisc(const struct nlmsghdr *msg, void *ctx)
{
	*(bool *)ctx |= msg->nlmsg_type == RTM_NEWQDISC;
	return 0;
}

/* Whether the device has one already, ours or not, or -errno. Where there was one once the kernel
 * answers with nothing but the acknowledgement. */
static int has_qdisc(const struct attach *at)
{
	struct nlmsghdr *msg = nl_request(at->nl, RTM_GETQDISC, NLM_F_ACK, sizeof(struct tcmsg));
	struct tcmsg *tcm = mnl_nlmsg_get_payload(msg);
	bool found = false;
	int err;

	tcm->tcm_ifindex = (int)at->ifindex;
	tcm->tcm_parent = TC_H_CLSACT;
	err = nl_dump(at->nl, msg, find_qdisc, &found);
	return is_gone(err) ? 0 : err ? err : found;
}

static int make_qdisc(const struct attach *at, struct bpf_tc_hook *hook, struct why *why)
{
	char mark[PINS_PATH];
	bool made_mark;
	int err = has_qdisc(at);

	if (err > 0)
		return 0;
	/* The mark first, so that no kill in between leaves a qdisc nobody owns. */
	qdisc_mark(at, mark);
	made_mark = !err && mkdir(mark, 0700) == 0;
	if (!err)
		err = bpf_tc_hook_create(hook);
	if (err == -EEXIST && made_mark)
		rmdir(mark); /* somebody else was faster */
	return err && err != -EEXIST
		       ? why_set(why, err, "make the clsact qdisc: %s", strerror(-err))
		       : 0;
}

static int put_filter(const struct attach *at, int prog_fd, struct why *why)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	int err;

	filter_opts(at, &hook, &opts);
	err = make_qdisc(at, &hook, why);
	if (err)
		return err;
	opts.prog_fd = prog_fd;
	opts.flags = BPF_TC_F_REPLACE;
	err = bpf_tc_attach(&hook, &opts);
	return err ? why_set(why, err, "attach the clsact filter: %s", strerror(-err)) : 0;
}

static int remove_filter(const struct attach *at, struct why *why)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	int err;

	filter_opts(at, &hook, &opts);
	err = bpf_tc_detach(&hook, &opts);
	if (err && !is_gone(err))
		return why_set(why, err, "detach the clsact filter: %s", strerror(-err));
	return remove_qdisc(at, &hook, why);
}

/* What failed may have been done all the same, its answer lost. */
static int add_filter(const struct attach *at, int prog_fd, struct why *why)
{
	struct why ignored = { 0 };
	int err = put_filter(at, prog_fd, why);

	if (err)
		remove_filter(at, &ignored);
	return err;
}

/* --- both */

int attach_query(const struct attach *at, bool look_for_filters, struct attach_state *out)
{
	uint32_t prog_id = 0;
	autofd int fd = open_link(at, &prog_id);

	*out = (struct attach_state){ 0 };
	if (fd < 0 && fd != -ENOENT && fd != -ENODEV)
		return fd;
	if (fd >= 0)
		text_copy(out->mode, sizeof(out->mode),
			  at->room->where == ATTACH_XDP ? "xdp" : "tcx");
	else if (look_for_filters && at->room->where != ATTACH_XDP && (prog_id = query_filter(at)))
		text_copy(out->mode, sizeof(out->mode), "clsact");
	out->prog_id = prog_id;
	return 0;
}

int attach_add(const struct attach *at, const char *mode, int prog_fd, struct why *why)
{
	return strcmp(mode, "clsact") == 0 ? add_filter(at, prog_fd, why)
					   : add_link(at, prog_fd, why);
}

int attach_update(const struct attach *at, const char *mode, int prog_fd, struct why *why)
{
	return strcmp(mode, "clsact") == 0 ? put_filter(at, prog_fd, why)
					   : update_link(at, prog_fd, why);
}

int attach_remove(const struct attach *at, const char *mode, struct why *why)
{
	return strcmp(mode, "clsact") == 0 ? remove_filter(at, why) : remove_link(at, why);
}
