/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VXBPF_STEPS_PRINT_H
#define VXBPF_STEPS_PRINT_H

#include "plan/diff.h"

/* One per line, on stdout. */
void steps_print(const struct steps *steps);

#endif
