/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One overlay under watch: what has to be looked at, when, and what was said about it. Ports that came
 * or went are looked at one by one and at once; everything else that matters makes a pass over all.
 */
#ifndef VXBPF_WATCHED_H
#define VXBPF_WATCHED_H

#include <sys/stat.h>

#include "reconcile/converge.h"
#include "watch/events.h"
#include "watch/rules_reader.h"

#define WATCHED_NEVER UINT64_MAX

struct watched_port {
	int ifindex;
	bool queued; /* it is to be looked at, not before `due_ms` */
	uint64_t due_ms;
	unsigned
		looks; /* at it within a second: a container may change it hundreds of times a second */
	uint64_t forget_ms; /* when they no longer count */
};

struct watched {
	struct conf conf;
	struct stat file; /* of the config when it was read */
	struct view view; /* of the last pass that went well */
	bool settled; /* that pass was the last one */
	bool all; /* everything has to be looked at, not before `due_ms` */
	uint64_t due_ms;
	struct fastpath_rules rules; /* this host's, for every pass: passes do not wait for them */
	bool has_rules; /* they were read for this config */
	struct rules_reader reader;
	bool asks_rules; /* they have to be read again, not before `rules_due_ms` */
	uint64_t rules_due_ms;
	uint64_t judged_ms; /* when they were read last */
	struct watched_port *ports; /* in the order they came; and those looked at a moment ago */
	size_t n_ports;
	uint64_t ports_due_ms;
	uint64_t last_ms; /* when the last pass over everything ended */
	unsigned failures; /* of such passes, in a row */
	char fault[512]; /* what failed, as it was said; "" if nothing does */
	struct notes said; /* of the last pass */
	bool busy; /* another vxbpf had the lock */
	int lease; /* the map, -1: none is needed, or to be had */
	bool asks_nf; /* the fast path is on only while the sysctls of br_netfilter are off */
	uint32_t
		programs; /* tcx programs on tunnels and underlay after the last pass over everything, a hash */
	uint64_t lease_due_ms; /* when to renew the one and ask for the others */
	uint64_t
		look_due_ms; /* when to look at the other ends of veths, though nothing was heard of them */
	bool has_mute; /* ports where XDP at the other end may come unannounced and matter */
	bool verbose;
};

/* Reads the config. -EINVAL and bad_input like conf_load. */
int watched_new(const char *path, bool verbose, struct watched **out, struct why *why);
void watched_free(struct watched *w);

void watched_hear(struct watched *w, const struct event *e);
/* When there is something to do next; WATCHED_NEVER: when an event says so. */
uint64_t watched_due(const struct watched *w);
/* Does one thing that is due: a port, or everything. */
void watched_work(struct watched *w, struct nl *nl, uint64_t now_ms);
/* This port is to be looked at: at once, or a moment after the last look at it. */
void watched_queue_port(struct watched *w, int ifindex);
/* When the next one is, WATCHED_NEVER: none is; which one; and it has been. */
uint64_t watched_ports_due(const struct watched *w);
int watched_next_port(const struct watched *w);
void watched_took_port(struct watched *w, int ifindex);
/* Everything is to be looked at. */
void watched_queue_all(struct watched *w);
/* The same, a moment later: a process that removes one pin or program mostly removes more, a folder, say, or what
 * another vxbpf has replaced. */
void watched_queue_all_after(struct watched *w);
/* The host's rules are to be read again, beside everything else. */
void watched_queue_rules(struct watched *w);
void watched_work_on_rules(struct watched *w);
/* They may have been read: `reader.done` is readable. */
void watched_hear_rules(struct watched *w);
/* Before a pass: reads them now if nobody has. */
void watched_need_rules(struct watched *w);
/* May the fast path be on as it is, by these rules and what is quickly read besides? */
void watched_judge(struct watched *w);
/* The fast path's lease on doors that only a watch may keep open, as it needs one after a pass, and its end. */
void watched_take_lease(struct watched *w);
void watched_end_lease(struct watched *w);
/* After a pass over everything: tcx programs that come from now on matter. */
void watched_note_programs(struct watched *w);
/* When it has to be renewed, WATCHED_NEVER while there is news to work on; and renewing it, right after all
 * news was heard. */
uint64_t watched_lease_due(const struct watched *w);
void watched_renew(struct watched *w, struct nl *nl);
/* Reads the config again: one that cannot be used is reported and changes nothing. */
void watched_reread(struct watched *w, struct nl *nl);

uint64_t watched_clock_ms(void);

#endif
