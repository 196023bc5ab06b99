/* SPDX-License-Identifier: GPL-2.0 */
/* The pins of an overlay as a whole. */
#ifndef VXBPF_PINS_OVERLAY_H
#define VXBPF_PINS_OVERLAY_H

#include "base/util.h"
#include "vxbpf/abi.h"

/* The record of `up` about the overlay; -ENOENT if there is none (or of another layout). */
int pinned_overlay(const char *overlay, struct vx_overlay *out);
/* The same, where there being none is fine: *out is empty then. */
int pinned_overlay_if_any(const char *overlay, struct vx_overlay *out, struct why *why);

#endif
