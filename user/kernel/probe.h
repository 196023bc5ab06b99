/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asking peers through their tunnels. Their programs answer (bpf/probe.h), and ours write the answers
 * down in the map `probes`: nothing listens on a device meanwhile, so no packet of others costs more,
 * and an answer that the guard would not let in is none. Impure edge.
 */
#ifndef VXBPF_PROBE_H
#define VXBPF_PROBE_H

#include "base/util.h"
#include "vxbpf/abi.h"

enum { PROBE_MIN = sizeof(struct vx_probe), PROBE_SIZE = 64, PROBE_MAX = 65000, PROBE_TRIES = 3 };

/* One overlay's, as long as somebody asks. A `sequence` is used once for each tunnel. */
struct probing {
	int map;
	int socket;
	uint64_t nonce;
};

/* Fails where the overlay's programs know no probes, or for want of rights. End it with probing_close. */
int probing_open(const char *overlay, struct probing *out, struct why *why);
void probing_close(struct probing *p);
static inline struct probing probing_none(void)
{
	return (struct probing){ .map = -1, .socket = -1 };
}
#define autoprobing __attribute__((cleanup(probing_close)))

/* One question of `size` bytes behind the Ethernet header, as an IP packet would have them. 0 or -errno:
 * what this host's kernel says to it. -EMSGSIZE: more than the tunnel takes. */
int probing_send(const struct probing *p, unsigned ifindex, uint32_t vni, uint32_t sequence,
		 unsigned size);
/* Has it been answered? */
bool probing_look(const struct probing *p, uint32_t vni, uint32_t sequence,
		  struct vx_probe_answer *out);
/* It need not be any more. */
void probing_forget(const struct probing *p, uint32_t vni, uint32_t sequence);

/* Rests until something may have come, but no longer than to `until` (CLOCK_MONOTONIC); `since` is when
 * the last question left. False: a signal came. */
bool probing_rest(uint64_t since, uint64_t until);
uint64_t probing_now(void);

struct probe_target {
	const char *overlay;
	char ifname[VX_IF_LEN]; /* the peer's tunnel */
	uint32_t vni;
	/* what became of it */
	bool answered;
	int err; /* of the last attempt to send, -errno */
	uint64_t rtt_ns;
	uint32_t mtu; /* the overlay's, as that host has it */
};

/* Asks them all at once, each up to PROBE_TRIES times within the time. -errno only if nobody could be asked. */
int probe_peers(struct probe_target *list, size_t n, unsigned timeout_ms, struct why *why);

#endif
