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

#include "base/util.h"

#define PINS_PATH 256

/* "/sys/fs/bpf/vxbpf". In a mount namespace without a bpffs (`ip netns exec` makes one, which ends with the
 * command) that of process 1, by way of /proc. */
const char *pins_root(void);
/* "<root>/<overlay>[/<fmt...>]" into a buffer of PINS_PATH. */
void pins_path(char path[PINS_PATH], const char *overlay, const char *fmt, ...) PRINTF(3, 4);

/* Mounts a bpffs (needs root) where there is none, but not where it would end with this command. */
int pins_mount(struct why *why);

/* Makes the overlay's folders with this layout; what exists is fine. */
int pins_make(const char *overlay, unsigned layout, struct why *why);
/* Takes every map, program, entry folder away but leaves links: they still run. */
int pins_clear(const char *overlay, struct why *why);
/* Takes the overlay's whole tree away; the second, one by its folder's name. */
int pins_remove(const char *overlay, struct why *why);
void pins_remove_folder(const char *folder);
/* The root folder goes with the last overlay; stays while another is in it. */
void pins_forget_root(void);
/* The layout the tree was made with; 0 = no tree, UINT32_MAX = a tree without the mark. -errno only if
 * it cannot be read. */
int pins_layout(const char *overlay, unsigned *out);

/* Names in a folder, sorted, without "." and ".."; each and the list are the caller's. */
struct names {
	char **v;
	size_t n;
};
int pins_list(const char *path, struct names *out); /* -ENOENT: no such folder */
/* The overlays with a tree for this network namespace; as pins_list. */
int pins_overlays(struct names *out);
void names_free(struct names *names);
#define autonames __attribute__((cleanup(names_free)))

/* One vxbpf at a time changes things: waits for the lock on the root folder, with a word on stderr
 * after a second. Makes the root folder, and takes away trees of network namespaces that are gone. The lock lasts until the returned fd is closed. */
int pins_lock(int *out_fd, struct why *why);
/* Likewise without waiting: -EBUSY if another one has it. */
int pins_try_lock(int *out_fd, struct why *why);

#endif
