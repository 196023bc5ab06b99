// SPDX-License-Identifier: GPL-2.0
/* See pins_link.h. */
#include <errno.h>

#include <bpf/bpf.h>

#include "kernel/pins_link.h"

int pins_link_ask(int fd, struct bpf_link_info *out)
{
	__u32 len = sizeof(*out);

	*out = (struct bpf_link_info){ 0 };
	return bpf_obj_get_info_by_fd(fd, out, &len) ? -errno : 0;
}

bool pins_link_lives(const char *path)
{
	autofd int fd = bpf_obj_get(path);
	struct bpf_link_info info;

	if (fd < 0)
		return errno != ENOENT;
	return pins_link_ask(fd, &info) || info.xdp.ifindex;
}
