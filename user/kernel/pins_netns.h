/* SPDX-License-Identifier: GPL-2.0 */
/* Whose a pin tree is: a BPF file system may serve several network namespaces. pins.h has the rest. */
#ifndef VXBPF_PINS_NETNS_H
#define VXBPF_PINS_NETNS_H

#define PINS_FOLDER 64

/* The number the kernel has given this network namespace, never given again (SO_NETNS_COOKIE); 0 = it
 * will not say. */
unsigned long long pins_netns(void);
/* The name of this overlay's folder for this network namespace: its own, or `<overlay>@<cookie>` where
 * another namespace has that. */
void pins_folder(char folder[PINS_FOLDER], const char *overlay);
/* Takes away the trees of namespaces that are gone; under the lock. */
void pins_sweep(void);

#endif
