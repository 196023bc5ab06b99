/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pin tree (design 1.5), all state there is beside the devices themselves:
 *
 *   /sys/fs/bpf/vxbpf/<overlay>/<map>                   <overlay>@<cookie>, see pins_netns.h
 *   /sys/fs/bpf/vxbpf/<overlay>/layout_<n>              empty folder: the version of it all
 *   /sys/fs/bpf/vxbpf/<overlay>/netns_<cookie>          empty folder: the network namespace it is for
 *   /sys/fs/bpf/vxbpf/<overlay>/links/<room>-<ifindex>  tcx and XDP links
 *   /sys/fs/bpf/vxbpf/<overlay>/programs/<build>/<room>
 *   /sys/fs/bpf/vxbpf/<overlay>/qdiscs/<ifindex>        empty folder: the clsact there is ours
 */
#ifndef VXBPF_PINS_H
#define VXBPF_PINS_H

#include "kernel/pins_netns.h"
#include "kernel/pins_tree.h"

/* "<root>/<overlay>[/<fmt...>]" into a buffer of PINS_PATH. */
void pins_path(char path[PINS_PATH], const char *overlay, const char *fmt, ...) PRINTF(3, 4);

/* Makes the overlay's folders with this layout; what exists is fine. */
int pins_make(const char *overlay, unsigned layout, struct why *why);
/* Takes every map, program, entry folder away but leaves links: they still run. */
int pins_clear(const char *overlay, struct why *why);
/* Takes the overlay's whole tree away. */
int pins_remove(const char *overlay, struct why *why);
/* -EPERM: users other than root can change the root folder, so nothing in it may be believed. None is fine. */
int pins_check_root(struct why *why);
/* The root folder goes with the last overlay; stays while another is in it. */
void pins_forget_root(void);
/* One vxbpf at a time changes things: waits for the lock on the root folder, with a word on stderr
 * after a second. Makes the root folder, and takes away trees of network namespaces that are gone. The lock lasts until the returned fd is closed. */
int pins_lock(int *out_fd, struct why *why);
/* Likewise without waiting: -EBUSY if another one has it. */
int pins_try_lock(int *out_fd, struct why *why);

#endif
