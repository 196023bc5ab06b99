/* SPDX-License-Identifier: GPL-2.0 */
/* Judges a snapshot. Pure. */
#ifndef VXBPF_JUDGE_H
#define VXBPF_JUDGE_H

#include "snapshot/snapshot.h"

/* Fills everything marked "judged". */
void snapshot_judge(struct snapshot *s);
void snapshot_judge_peers(struct snapshot *s); /* their part of it */
enum peer_state snapshot_peer_state(uint64_t last_rx_ns, uint64_t last_unicast_tx_ns,
				    uint64_t now_ns);

#endif
