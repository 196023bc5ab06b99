// SPDX-License-Identifier: GPL-2.0
/* Matches and targets of iptables; see xt_match.h. Pure. */
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "filters/xt_match.h"

static enum xt_fit fit(bool yes)
{
	return yes ? XT_FITS : XT_FITS_NOT;
}

static enum xt_fit udp_fits(const struct xt_udp *udp, const struct xt_packet *p)
{
	bool any_source =
		udp->spts[0] == 0 && udp->spts[1] == 0xffff && !(udp->invflags & XT_UDP_INV_SRCPT);
	bool within = p->dport >= udp->dpts[0] && p->dport <= udp->dpts[1];

	if (p->protocol && p->protocol != IPPROTO_UDP)
		return XT_FITS_NOT;
	if (!p->protocol || !p->dport)
		return XT_MAY_FIT;
	if (within == !!(udp->invflags & XT_UDP_INV_DSTPT))
		return XT_FITS_NOT;
	return any_source ? XT_FITS : XT_MAY_FIT;
}

static enum xt_fit ports_fit(const struct xt_multiport_v1 *ports, const struct xt_packet *p)
{
	bool found = false;

	if (!p->dport || ports->flags != XT_MULTIPORT_DESTINATION || ports->count > XT_MULTI_PORTS)
		return XT_MAY_FIT;
	for (unsigned i = 0; i < ports->count; i++) {
		uint16_t from = ports->ports[i], to = from;

		if (ports->pflags[i] && i + 1 < ports->count)
			to = ports->ports[++i];
		found |= p->dport >= from && p->dport <= to;
	}
	return fit(found != ports->invert);
}

static enum xt_fit conntrack_fits(const struct xt_conntrack_mtinfo3 *ct, const struct xt_packet *p)
{
	uint16_t bit =
		p->untracked ? XT_CONNTRACK_STATE_UNTRACKED : XT_CONNTRACK_STATE_BIT(IP_CT_NEW);
	uint16_t flags = ct->match_flags & (uint16_t)~XT_CONNTRACK_STATE_ALIAS;

	if (flags != XT_CONNTRACK_STATE)
		return XT_MAY_FIT;
	return fit(!!(ct->state_mask & bit) != !!(ct->invert_flags & XT_CONNTRACK_STATE));
}

static enum xt_fit state_fits(const struct xt_state_info *state, const struct xt_packet *p)
{
	return fit(state->statemask &
		   (p->untracked ? XT_STATE_UNTRACKED : XT_STATE_BIT(IP_CT_NEW)));
}

enum xt_fit xt_match_fits(const char *name, unsigned revision, const void *info, size_t len,
			  const struct xt_packet *p)
{
	if (strcmp(name, "comment") == 0)
		return XT_FITS;
	if (strcmp(name, "tcp") == 0 && p->protocol && p->protocol != IPPROTO_TCP)
		return XT_FITS_NOT;
	if (strcmp(name, "udp") == 0 && len >= sizeof(struct xt_udp))
		return udp_fits(info, p);
	if (strcmp(name, "multiport") == 0 && revision == 1 &&
	    len >= sizeof(struct xt_multiport_v1))
		return ports_fit(info, p);
	if (strcmp(name, "conntrack") == 0 && (revision == 2 || revision == 3) &&
	    len >= sizeof(struct xt_conntrack_mtinfo2))
		return conntrack_fits(info, p);
	if (strcmp(name, "state") == 0 && len >= sizeof(struct xt_state_info))
		return state_fits(info, p);
	return XT_MAY_FIT;
}

bool xt_target_goes_on(const char *name)
{
	static const char *const names[] = { "LOG",    "NFLOG", "MARK",	   "CONNMARK",
					     "TCPMSS", "CT",	"SET",	   "CLASSIFY",
					     "DSCP",   "TRACE", "AUDIT",   "TOS",
					     "TTL",    "HL",	"NOTRACK", "CHECKSUM" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}
