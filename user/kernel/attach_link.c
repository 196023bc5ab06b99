// SPDX-License-Identifier: GPL-2.0
/* Hooks by link: tcx and XDP; see attach_link.h. */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/attach_link.h"
#include "kernel/bpfobj.h"
#include "kernel/pins.h"
#include "kernel/pins_link.h"

/* True for kernel 6.6, too: with no program to be before, it is before all. */
#define IN_FRONT (1U << 3)

static void link_path(const struct attach *at, char path[PINS_PATH])
{
	pins_path(path, at->overlay, "links/%s-%u", at->room->name, at->ifindex);
}

static enum bpf_attach_type link_type(const struct attach *at)
{
	if (at->room->where == ATTACH_XDP)
		return BPF_XDP;
	return at->room->where == ATTACH_INGRESS ? TCX_INGRESS : TCX_EGRESS;
}

/* The fd of our pinned link, if it is alive. */
int open_link(const struct attach *at, uint32_t *prog_id)
{
	char path[PINS_PATH];
	struct bpf_link_info info;
	autofd int fd = -1;
	int err;

	link_path(at, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	err = pins_link_ask(fd, &info);
	if (err)
		return err;
	if (info.xdp.ifindex != at->ifindex)
		return -ENODEV;
	*prog_id = info.prog_id;
	return take_fd(&fd);
}

unsigned attach_list(unsigned ifindex, enum attach_where where, uint32_t ids[ATTACH_PROGS])
{
	__u32 flags, n = ATTACH_PROGS;

	if (bpf_prog_query((int)ifindex, where == ATTACH_INGRESS ? TCX_INGRESS : TCX_EGRESS, 0,
			   &flags, ids, &n) &&
	    errno != ENOSPC)
		return 0;
	return n < ATTACH_PROGS ? n : ATTACH_PROGS;
}

bool attach_is_ours(unsigned ifindex, enum attach_where where, uint32_t prog_id)
{
	autonames struct names overlays = { 0 };
	bool found = false;

	pins_overlays(&overlays);
	for (size_t i = 0; i < overlays.n; i++)
		for (size_t k = 0; k < attach_n_rooms && !found; k++) {
			const struct attach at = { .overlay = overlays.v[i],
						   .room = &attach_rooms[k],
						   .ifindex = ifindex };
			uint32_t id = 0;
			autofd int fd = -1;

			if (at.room->where == where)
				fd = open_link(&at, &id);
			found = fd >= 0 && id == prog_id;
		}
	return found;
}

static bool is_behind_others(const struct attach *at, uint32_t prog_id)
{
	uint32_t ids[ATTACH_PROGS];
	unsigned n = attach_list(at->ifindex, at->room->where, ids);

	for (unsigned i = 0; i < n && ids[i] != prog_id; i++)
		if (!attach_is_ours(at->ifindex, at->room->where, ids[i]))
			return true;
	return false;
}

static int create_link(const struct attach *at, int prog_fd)
{
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts);
	int fd = -1;

	if (at->room->where == ATTACH_XDP)
		opts.flags = XDP_FLAGS_DRV_MODE;
	else if (at->room->order != TC_BEHIND)
		opts.flags = IN_FRONT;
	/* A link that was never pinned goes a moment after its process, and until then its program cannot
	 * be attached there again: so it is after a run that was killed. */
	for (int tries = 0; tries < 200; tries++) {
		fd = bpf_link_create(prog_fd, (int)at->ifindex, link_type(at), &opts);
		if (fd >= 0 || errno != EEXIST)
			break;
		usleep(10 * 1000);
	}
	return fd < 0 ? -errno : fd;
}

static int pin_link(const struct attach *at, int fd)
{
	char path[PINS_PATH];

	link_path(at, path);
	unlink(path);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

int add_link(const struct attach *at, int prog_fd, struct why *why)
{
	autofd int fd = -1;
	char path[PINS_PATH];
	int err;

	link_path(at, path);
	unlink(path);
	fd = create_link(at, prog_fd);
	if (fd < 0)
		return why_set(why, fd, "attach: %s", strerror(-fd));
	err = pin_link(at, fd);
	return err ? why_set(why, err, "pin the link: %s", strerror(-err)) : 0;
}

/* Two links change what they run, one right after the other: for a moment a frame is seen twice, or not
 * at all, whichever does no harm (see enum tc_order). */
static int swap_programs(const struct attach *at, int behind, int quiet_fd, int front, int prog_fd)
{
	bool gives = at->room->order == TC_FRONT_GIVES;

	if (bpf_link_update(gives ? front : behind, gives ? prog_fd : quiet_fd, NULL) ||
	    bpf_link_update(gives ? behind : front, gives ? quiet_fd : prog_fd, NULL))
		return -errno;
	return 0;
}

/*
 * A link keeps its place for life; one that an older build set behind others' programs is followed by
 * another in front of them. It begins with a program that does nothing, as the kernel takes its time to
 * attach and detach links, and is quick to change what they run.
 */
static int move_link(const struct attach *at, int behind, int prog_fd)
{
	autofd int quiet = bpfobj_quiet(), quiet_too = bpfobj_quiet(), front = -1;
	int err;

	if (quiet < 0 || quiet_too < 0)
		return -EPERM;
	front = create_link(at, quiet);
	if (front < 0)
		return front;
	err = swap_programs(at, behind, quiet_too, front, prog_fd);
	if (!err)
		err = pin_link(at, front);
	bpf_link_detach(err ? front : behind);
	return err;
}

int update_link(const struct attach *at, int prog_fd, struct why *why)
{
	uint32_t prog_id = 0;
	autofd int fd = open_link(at, &prog_id);

	if (fd < 0)
		return why_set(why, fd, "open the pinned link: %s", strerror(-fd));
	if (at->room->order != TC_BEHIND && is_behind_others(at, prog_id) &&
	    move_link(at, fd, prog_fd) == 0)
		return 0;
	if (bpf_link_update(fd, prog_fd, NULL))
		return why_set(why, -errno, "replace the program: %s", strerror(errno));
	return 0;
}

int remove_link(const struct attach *at, struct why *why)
{
	char path[PINS_PATH];
	uint32_t prog_id;
	autofd int fd = open_link(at, &prog_id);

	/* Now: a link whose pin is gone only goes a moment later, with its last holder. */
	if (fd >= 0)
		bpf_link_detach(fd);
	link_path(at, path);
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return why_set(why, -errno, "%s: cannot unpin: %s", path, strerror(errno));
}
