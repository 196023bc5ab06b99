/* SPDX-License-Identifier: GPL-2.0 */
/* The snapshots a command asks for: of the overlay named, or of all there are. */
#ifndef VXBPF_SNAPSHOTS_H
#define VXBPF_SNAPSHOTS_H

#include "cmd/command.h"
#include "kernel/nl.h"
#include "snapshot/snapshot.h"

struct snapshots {
	struct snapshot *v;
	size_t n;
};

/* Reads them, judged. It fails if rights are missing, a named overlay is neither up nor has a config,
 * or the kernel does not answer. End *out with snapshots_free, also after a failure. */
int snapshots_read(const struct command_args *args, struct snapshots *out, struct why *why);
/* The same by snapshot_read_counted. */
int snapshots_read_counted(const struct command_args *args, struct snapshots *out, struct why *why);
/* The same with the numbers alone, see snapshot_read_peers; an overlay that is not there is one that is
 * down. */
int snapshots_read_peers(const struct command_args *args, struct snapshots *out, struct why *why);
/* Refuses an overlay named that is neither up nor written down. */
int snapshots_check_known(const struct command_args *args, const struct snapshots *list,
			  struct why *why);
void snapshots_free(struct snapshots *list);
#define autosnapshots __attribute__((cleanup(snapshots_free)))

/* Snapshots of these overlays; `read` is one of snapshot.h. */
typedef int snapshot_fn(struct nl *nl, const char *overlay, const char *path, struct snapshot *out,
			struct why *why);
int snapshots_of(struct nl *nl, const struct command_targets *targets, snapshot_fn *read,
		 struct snapshots *out, struct why *why);

#endif
