/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as people read them: at most four digits and a unit. Pure. */
#ifndef VXBPF_HUMAN_H
#define VXBPF_HUMAN_H

#include <stdint.h>

#define HUMAN_LEN 24

void human_count(uint64_t n, char text[HUMAN_LEN]); /* 9999, 48.5k, 1.2M */
void human_bytes(uint64_t n, char text[HUMAN_LEN]); /* 942 B, 70.2 MB */
void human_rate(double per_second, char text[HUMAN_LEN]); /* 0, 0.4, 948, 1.2M; "-" if negative */
void human_age(uint64_t age_ms, char text[HUMAN_LEN]); /* 0.3 s, 45 s, 12 min, 3 h, 5 d */

#endif
