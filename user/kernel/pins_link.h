/* SPDX-License-Identifier: GPL-2.0 */
/* Pinned links, which outlive their devices. */
#ifndef VXBPF_PINS_LINK_H
#define VXBPF_PINS_LINK_H

#include <linux/bpf.h>

#include "base/util.h"

/* struct bpf_link_info grew; the kernel fills as much as fits. In it tcx is {ifindex, type} and XDP is {ifindex},
 * at the same place: 0 if the device is gone. 0 or -errno. */
int pins_link_ask(int fd, struct bpf_link_info *out);
/* Is this pinned link still at work? True, too, if it cannot be asked. */
bool pins_link_lives(const char *path);

#endif
