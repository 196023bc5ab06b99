/* SPDX-License-Identifier: GPL-2.0 */
/* The BPF half of an observation: pins, map entries, hooks. */
#ifndef VXBPF_OBSERVE_PINS_H
#define VXBPF_OBSERVE_PINS_H

#include "observe.h"

int observe_pins(const struct observe_target *t, const struct world *world, struct objs *out,
		 struct why *why);

#endif
