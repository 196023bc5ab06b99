/* SPDX-License-Identifier: GPL-2.0 */
/* The BPF file system: where our folder is in it, what is in a folder, and how one goes. pins.h has the rest. */
#ifndef VXBPF_PINS_TREE_H
#define VXBPF_PINS_TREE_H

#include "base/util.h"

#define PINS_PATH 256

/* "/sys/fs/bpf/vxbpf". In a mount namespace without a bpffs (`ip netns exec` makes one, which ends with the
 * command) that of process 1, by way of /proc. */
const char *pins_root(void);
/* Mounts a bpffs (needs root) where there is none, but not where it would end with this command. */
int pins_mount(struct why *why);

/* Files, then folders, below `path` and `path` itself; `keep`, if not NULL, is a name at the top to leave, with
 * whose it is. */
int pins_remove_below(const char *path, const char *keep, struct why *why);
/* The whole tree of the folder of that name, as far as it goes. */
void pins_remove_folder(const char *folder);

/* Names in a folder, sorted, without "." and ".."; each and the list are the caller's. */
struct names {
	char **v;
	size_t n;
};
int pins_list(const char *path, struct names *out); /* -ENOENT: no such folder */
void names_free(struct names *names);
#define autonames __attribute__((cleanup(names_free)))

#endif
