/* SPDX-License-Identifier: GPL-2.0 */
/* One plain sentence per thing that is wrong, each with what to do; for snapshot*.c only. Pure. */
#ifndef VXBPF_SNAPSHOT_SAY_H
#define VXBPF_SNAPSHOT_SAY_H

#include "snapshot/snapshot.h"

#define SAY_MAX 5 /* of the same kind; the rest is a number */

void snapshot_say(const struct snapshot *s, struct verdicts *out);
void snapshot_say_peers(const struct snapshot *s, struct verdicts *out);
/* What was dropped of late, by whose fault; and MACs in two places. */
void snapshot_say_drops(const struct snapshot *s, struct verdicts *out);
/* Adds one per port to blame, or to be warned of, for its MTU. `count`: of too large packets of late,
 * in words; NULL: there were none. */
void snapshot_say_mtu(const struct snapshot *s, const char *count, struct verdicts *out);

#endif
