/* SPDX-License-Identifier: GPL-2.0 */
/* One plain sentence per thing that is wrong, each with what to do; for snapshot*.c only. Pure. */
#ifndef VXBPF_SNAPSHOT_SAY_H
#define VXBPF_SNAPSHOT_SAY_H

#include "snapshot/snapshot.h"

/* The verdict on a port's sizes. */
enum port_fit {
	PORT_FITS,
	PORT_SENT, /* recent packets that no tunnel takes */
	PORT_SENT_BEFORE, /* the same, but cannot any more */
	PORT_TOO_LARGE, /* it may send such packets any time */
	PORT_TORN, /* and the veth itself drops them, in front of any program */
	PORT_NARROW, /* the veth drops what the overlay would carry */
	PORT_LOSES, /* packets, which is how a PORT_TORN looks while the far end is not known */
};

#define SAY_MAX 5 /* of the same kind; the rest is a number */

void snapshot_say(const struct snapshot *s, struct verdicts *out);
void snapshot_say_peers(const struct snapshot *s, struct verdicts *out);
/* Peers that are plain VTEPs by all that can be seen: no problem, so not among `problems`. */
void snapshot_say_plain(const struct snapshot *s, struct verdicts *out);
/* A bridge keeps isolated ports apart, and knows nothing of those of other hosts. */
void snapshot_say_isolated(const struct snapshot *s, struct verdicts *out);
/* Recent drops and the responsible sender; and MACs in two places. */
void snapshot_say_drops(const struct snapshot *s, struct verdicts *out);
/* Adds one per port to blame, or to be warned of, for its MTU. `count`: recent too large packets, in
 * words; NULL: there were none. */
void snapshot_say_mtu(const struct snapshot *s, const char *count, struct verdicts *out);

/* sent: recent too large packets are to be reported, too. */
enum port_fit snapshot_port_fit(const struct snapshot_port *port, uint32_t mtu, bool sent);

#endif
