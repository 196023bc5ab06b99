/* SPDX-License-Identifier: GPL-2.0 */
/* The owner of a pin tree: a BPF file system may serve several network namespaces. pins.h has the rest. */
#ifndef VXBPF_PINS_NETNS_H
#define VXBPF_PINS_NETNS_H

#include "kernel/pins_tree.h"

#define PINS_FOLDER 64

/* The number the kernel has given this network namespace, never given again (SO_NETNS_COOKIE); 0 = it
 * will not say. */
unsigned long long pins_netns(void);
/* The name of this overlay's folder for this network namespace: its own, or `<overlay>@<cookie>` where
 * another namespace has that. */
void pins_folder(char folder[PINS_FOLDER], const char *overlay);
/* The layout the tree was made with; 0 = no tree, UINT32_MAX = a tree without the mark. -errno only if
 * it cannot be read. */
int pins_layout(const char *overlay, unsigned *out);

/* The overlays with a tree for this network namespace; as pins_list. */
int pins_overlays(struct names *out);
/* Takes away the trees of namespaces that are gone; under the lock. */
void pins_sweep(void);

#endif
