/* SPDX-License-Identifier: GPL-2.0 */
/* One peer asked again and again; the parts of cmd_ping.c. */
#ifndef VXBPF_PING_H
#define VXBPF_PING_H

#include "kernel/probe.h"

struct ping_wait {
	uint32_t sequence;
	unsigned size;
};

struct ping {
	struct probing probing;
	const struct vx_overlay *overlay;
	const struct vx_peer *peer;
	uint32_t vni;
	unsigned ifindex;
	unsigned overhead; /* bytes that VXLAN puts around a packet */
	unsigned count;
	unsigned size; /* as an IP packet in the overlay */
	bool sized; /* somebody asked for that size */

	uint32_t next; /* sequence */
	struct ping_wait waits[64]; /* questions without an answer, those of the last 12 seconds */
	size_t n_waits;
	uint64_t last_sent; /* when the last one left */
	unsigned sent;
	unsigned answered;
	uint64_t min, max, sum; /* of the times to the answers, ns */
	uint32_t mtu; /* the overlay's, as that peer has it; 0 = not known */
	int err; /* of the last attempt to send, -errno */
};

/* All of it, results on stdout; an -errno only for what is wrong on this host. */
int ping_run(struct ping *p, struct why *why);
bool ping_interrupted(void);

/* One question; 0 or -errno. */
int ping_send(struct ping *p, unsigned size);
/* Takes one that has been answered off the list. */
bool ping_take(struct ping *p, struct ping_wait *out, struct vx_probe_answer *answer);
/* Nobody waits for them any more. */
void ping_forget(struct ping *p);

/* Does this size arrive? */
bool ping_reaches(struct ping *p, unsigned size);
/* The largest size that arrives whole, where one does and the other does not. */
unsigned ping_search(struct ping *p, unsigned fits, unsigned fails);
/* Why nothing came back, as far as this host can tell: one clause. */
void ping_diagnose(const struct ping *p, uint64_t refused, char *text, size_t size);
/* How many packets the kernel did not get rid of, so far: a firewall, a policy, no route. */
uint64_t ping_refused(unsigned ifindex);

#endif
