/* SPDX-License-Identifier: GPL-2.0 */
/* Which events matter to an overlay: most do not, most of the others are about one port. Pure. */
#ifndef VXBPF_EVENT_FILTER_H
#define VXBPF_EVENT_FILTER_H

#include "reconcile/view.h"
#include "watch/events.h"

enum matter {
	MATTER_NOT,
	MATTER_RULES, /* this host's rules: fastpath_read_rules() */
	MATTER_PORT, /* one port of the bridge: event_ifindex() */
	MATTER_ALL,
};

/* settled: the view shows the overlay as it ought to be, so that an event that repeats what is in it
 * (as those of our own changes do) says nothing new. */
enum matter event_matters(const struct event *e, const struct view *view, bool settled);
int event_ifindex(const struct event *e);

#endif
