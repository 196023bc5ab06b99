// SPDX-License-Identifier: GPL-2.0
/* See pins_overlay.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/bpfobj.h"
#include "kernel/pins_overlay.h"

/* A text ends within its field. */
static void end_texts(struct vx_overlay *o)
{
	text_end(o->name);
	text_end(o->bridge);
	text_end(o->local);
	text_end(o->address);
	text_end(o->address6);
	text_end(o->underlay);
	text_end(o->config);
	text_end(o->mtu_why);
	text_end(o->fastpath);
	text_end(o->xdp);
	text_end(o->fastpath_why);
}

int pinned_overlay(const char *overlay, struct vx_overlay *out)
{
	autofd int fd = bpfobj_get_map(overlay, "overlay");
	__u32 key = 0;

	if (fd < 0)
		return fd == -EPROTO ? -ENOENT : fd;
	if (bpf_map_lookup_elem(fd, &key, out))
		return -errno;
	end_texts(out);
	return strcmp(out->name, overlay) == 0 ? 0 : -ENOENT;
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
