/* SPDX-License-Identifier: GPL-2.0 */
/*
 * May known flows go past the bridge (design I1)? A rule that stops a whole flow needs no care: the
 * programs then have nothing to learn from. A rule that checks more than the flow has to be found here.
 */
#ifndef VXBPF_FASTPATH_H
#define VXBPF_FASTPATH_H

#include "conf/conf.h"
#include "kernel/link.h"

#define FASTPATH_WHY 96 /* a clause, with its NUL */

/* The host's settings that check single frames; read by netlink and from /proc. */
struct fastpath_facts {
	char bridge_rules[FASTPATH_WHY]; /* of the bridge family's rules, as a clause; "" = none */
	bool bridge_nf_call; /* iptables see bridged frames */
	bool nf_call; /* for this bridge alone */
	bool hub; /* this bridge floods every frame */
	bool promiscuous; /* it shows every frame to a sniffer on it; not set by tcpdump */
};
/* Do frames on bridges pass the rules of "iptables", "ip6tables" or "arptables"? */
bool fastpath_bridge_nf(const char *name);
/* The same for any of the three. */
bool fastpath_bridge_nf_any(void);
void fastpath_read(const struct link *bridge, struct fastpath_facts *out);

/* NULL if it is on, else why it is off, as a clause. facts NULL: only the config counts. Pure. */
const char *fastpath_why_off(const struct conf *conf, const struct fastpath_facts *facts);

#endif
