/* SPDX-License-Identifier: GPL-2.0 */
/*
 * May known flows go past the bridge (design I1)? A rule that stops a whole flow needs no care: the
 * programs then have nothing to learn from. A rule that checks more than the flow has to be found here.
 */
#ifndef VXBPF_FASTPATH_H
#define VXBPF_FASTPATH_H

#include "conf/conf.h"
#include "filters/device_chains.h"
#include "kernel/link.h"

#define FASTPATH_WHY 96 /* a clause, with its NUL */

enum fastpath_way { FASTPATH_IN, FASTPATH_OUT, FASTPATH_WAYS };

/* This host's rules, as far as they matter; to read them takes long where there are many. */
struct fastpath_rules {
	/* Clauses; "" = none. One that checks more than the flow of bridged frames, */
	char bridge[FASTPATH_WHY];
	/* or of packets between tunnels: of IPv4, then IPv6. */
	char outer[2][FASTPATH_WAYS][FASTPATH_WHY];
	struct device_chains chains; /* on devices themselves */
	int chains_err;
};
/* port: the mesh's. */
void fastpath_read_rules(uint16_t port, struct fastpath_rules *out);
void fastpath_rules_free(struct fastpath_rules *rules);
bool fastpath_rules_equal(const struct fastpath_rules *a, const struct fastpath_rules *b);
#define autofastpathrules __attribute__((cleanup(fastpath_rules_free)))

/* The host's settings that check single frames; read by netlink and from /proc. */
struct fastpath_facts {
	char bridge_rules[FASTPATH_WHY]; /* as above */
	char outer[2][FASTPATH_WAYS][FASTPATH_WHY];
	bool bridge_nf_call; /* iptables see bridged frames */
	bool nf_call; /* for this bridge alone */
	bool hub; /* this bridge floods every frame */
	bool promiscuous; /* it shows every frame to a sniffer on it; not set by tcpdump */
};
/* Do frames on bridges pass the rules of "iptables", "ip6tables" or "arptables"? */
bool fastpath_bridge_nf(const char *name);
/* The same for any of the three. */
bool fastpath_bridge_nf_any(void);
/* bridge NULL: there is none yet. */
void fastpath_read(const struct link *bridge, const struct fastpath_rules *rules,
		   struct fastpath_facts *out);

/* NULL if it is on, else why it is off, as a clause. facts NULL: only the config counts. Pure. */
const char *fastpath_why_off(const struct conf *conf, const struct fastpath_facts *facts);

#endif
