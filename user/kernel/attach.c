// SPDX-License-Identifier: GPL-2.0
/* Hooks on devices; see attach.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/attach.h"
#include "kernel/attach_clsact.h"
#include "kernel/attach_link.h"

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

int attach_query(const struct attach *at, bool look_for_filters, struct attach_state *out)
{
	uint32_t prog_id = 0;
	autofd int fd = open_link(at, &prog_id);

	*out = (struct attach_state){ 0 };
	if (fd < 0 && fd != -ENOENT && fd != -ENODEV)
		return fd;
	if (fd < 0)
		return look_for_filters && at->room->where != ATTACH_XDP ? query_filter(at, out)
									 : 0;
	text_copy(out->mode, sizeof(out->mode), at->room->where == ATTACH_XDP ? "xdp" : "tcx");
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
