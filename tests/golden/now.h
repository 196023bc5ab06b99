/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A case's .now file: what a kernel looks like, as text. The words of a line:
 *
 *   # a remark                      an empty line says nothing, too
 *   overlay NAME                    the overlay's name, vxbr0 if not said
 *   config FILE.yaml                this config instead of CASE.yaml
 *   tc tcx|clsact                   how this kernel attaches programs; tcx if not said
 *   down                            plan for `down` instead of `up`
 *   link NAME index N [mtu N] [kind K] [type N] [bus B] [alias A] [altname A] [master LINK]
 *        [isolated] [down] [stp] [xdp ID] [loopback] [vni N] [port N] [remote ADDRESS]
 *                                   a device that no `now` line brings along
 *   addr LINK PREFIX [proto N]      of the bridge with proto 118: also observed as ours
 *   route ADDRESS|default dev LINK [dev LINK]... [mtu N]
 *                                   peers without one have no route; several: next hops
 *   ipsec ADDRESS                   a policy insists that this peer comes by ESP
 *   now like wanted                 observed is what this config wants
 *   now wanted by FILE.yaml         observed is what that config wants; else: nothing
 *
 * and then, in their order, changes of what is observed. KIND is the word of printed steps, KEY a
 * pattern for fnmatch (at least one object has to fit) except in `add`:
 *
 *   forget KIND KEY                 it is not there
 *   set KIND KEY FIELD VALUE        `none` is the empty text, `on` and `off` are a switch's
 *   add KIND KEY [FIELD VALUE]...
 *   blob KIND KEY                   the value of that map entry is another one
 *   build HASH                      pinned programs, hooks and filters are of that build
 */
#ifndef VXBPF_GOLDEN_NOW_H
#define VXBPF_GOLDEN_NOW_H

#include "kernel/link.h"
#include "kernel/route.h"
#include "plan/model.h"

#define NOW_BUILD "00000000000000aa" /* what we would load */
#define NOW_WORDS 32

struct now_line {
	unsigned no;
	size_t n;
	char *words[NOW_WORDS]; /* point into struct now's text */
};

struct now_route {
	struct vx_addr to; /* unset: every peer that has no line of its own */
	struct route route;
};

struct now {
	const char *path; /* for messages */
	char *text;
	struct now_line *lines;
	size_t n_lines;
	size_t changes; /* index of the first line after `now` and the surroundings */
	const char *overlay;
	const char *config; /* NULL: the case's own */
	const char *tc_mode;
	bool down;
	bool like_wanted;
	const char *wanted_by; /* NULL: this config */
	struct links links;
	struct addrs addrs;
	struct now_route *routes;
	size_t n_routes;
	struct vx_addr *ipsec;
	size_t n_ipsec;
};

/* All: 0, or -EINVAL and "<file>:<line>: <what is wrong>". now_read takes over `text`. */
int now_read(const char *path, char *text, struct now *out, struct why *why);
int now_change(const struct now *now, struct objs *observed, struct why *why);
void now_free(struct now *now);
/* Takes every observed object that fits off the list. */
void now_forget(struct objs *observed, const char *kind, const char *key);

struct link *now_add_link(struct now *now, const char *name);
/* The route to that peer, as the kernel would answer. */
struct route now_route(const struct now *now, const struct vx_addr *to);
bool now_ipsec(const struct now *now, const struct vx_addr *to);

#endif
