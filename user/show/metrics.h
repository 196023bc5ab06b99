/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Snapshots as Prometheus text (design 1.8): HELP and TYPE once, all series of a metric together, no
 * series twice. Pure. The list of metrics is metrics.def.
 */
#ifndef VXBPF_METRICS_H
#define VXBPF_METRICS_H

#include "snapshot/snapshot.h"

/* One moment by both clocks. */
struct metrics_now {
	uint64_t real_ns; /* CLOCK_REALTIME */
	uint64_t mono_ns; /* CLOCK_MONOTONIC, as times in snapshots are */
};

/* Metrics of all overlays of this host, judged. The caller frees the text; NULL: out of memory. */
char *metrics_text(const struct snapshot *list, size_t n, const struct metrics_now *now);

#endif
