/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prometheus text of this host, and the file it goes to, for `watch`: when that is due, and what was
 * said about it. `export` does it once. Impure edge.
 */
#ifndef VXBPF_EXPORT_H
#define VXBPF_EXPORT_H

#include "cmd/snapshots.h"

/* As it is now; the caller frees *out. */
int export_text(const struct snapshots *list, char **out, struct why *why);

/* The state of an overlay that `watch` looks after. */
struct export_known {
	const char *overlay;
	const char *path; /* of its config */
	bool unmet; /* it cannot be made as its config says */
};

struct exporter {
	const char *path; /* NULL: nothing is exported */
	uint64_t interval_ms;
	uint64_t due_ms;
	char fault[512]; /* what failed the last time, as it was said; "" = nothing */
};

/* Reads all overlays, those known and any other of this host, and writes the file. A failure is
 * reported on stderr, once as long as it lasts. */
void exporter_work(struct exporter *e, struct nl *nl, const struct export_known *known, size_t n,
		   uint64_t now_ms);

#endif
