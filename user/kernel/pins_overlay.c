// SPDX-License-Identifier: GPL-2.0
/* See pins_overlay.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/bpfobj.h"
#include "kernel/pins_overlay.h"

int pinned_overlay(const char *overlay, struct vx_overlay *out)
{
	autofd int fd = bpfobj_get_map(overlay, "overlay");
	struct bpf_map_info info = { 0 };
	__u32 key = 0, len = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.value_size != sizeof(*out))
		return -ENOENT;
	if (bpf_map_lookup_elem(fd, &key, out))
		return -errno;
	return out->name[0] ? 0 : -ENOENT;
}

int pinned_overlay_if_any(const char *overlay, struct vx_overlay *out, struct why *why)
{
	int err = pinned_overlay(overlay, out);

	if (err)
		*out = (struct vx_overlay){ 0 };
	if (!err || err == -ENOENT)
		return 0;
	return why_set(why, err, "%s: cannot read the pinned overlay: %s", overlay, strerror(-err));
}
