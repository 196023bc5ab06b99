// SPDX-License-Identifier: GPL-2.0
/* Matches and targets of iptables and ebtables; see xt_match.h. Pure. */
#include <linux/types.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_bridge/ebt_ip.h>
#include <linux/netfilter_bridge/ebt_ip6.h>

#include "filters/xt_match.h"

static const char tracking[] = "uses connection tracking";

static enum rule_fit fit(bool yes)
{
	return yes ? RULE_FITS : RULE_FITS_NOT;
}

static enum rule_fit udp_fits(const struct xt_udp *udp, const struct rule_packet *p)
{
	bool any_source =
		udp->spts[0] == 0 && udp->spts[1] == 0xffff && !(udp->invflags & XT_UDP_INV_SRCPT);
	bool within = p->dport >= udp->dpts[0] && p->dport <= udp->dpts[1];

	if (p->protocol && p->protocol != IPPROTO_UDP)
		return RULE_FITS_NOT;
	if (!p->protocol || !p->dport)
		return RULE_MAY_BY_FLOW;
	if (within == !!(udp->invflags & XT_UDP_INV_DSTPT))
		return RULE_FITS_NOT;
	return any_source ? RULE_FITS : RULE_MAY_BY_FLOW;
}

static enum rule_fit ports_fit(const struct xt_multiport_v1 *ports, const struct rule_packet *p)
{
	bool found = false;

	if (!p->dport || ports->flags != XT_MULTIPORT_DESTINATION || ports->count > XT_MULTI_PORTS)
		return RULE_MAY_BY_FLOW;
	for (unsigned i = 0; i < ports->count; i++) {
		uint16_t from = ports->ports[i], to = from;

		if (ports->pflags[i] && i + 1 < ports->count)
			to = ports->ports[++i];
		found |= p->dport >= from && p->dport <= to;
	}
	return fit(found != ports->invert);
}

static void conntrack_ask(const struct xt_conntrack_mtinfo3 *ct, const struct rule_packet *p,
			  struct rule_answer *out)
{
	uint16_t bit = p->tracked == RULE_CT_UNTRACKED ? XT_CONNTRACK_STATE_UNTRACKED
						       : XT_CONNTRACK_STATE_BIT(IP_CT_NEW);
	uint16_t flags = ct->match_flags & (uint16_t)~XT_CONNTRACK_STATE_ALIAS;

	if (flags != XT_CONNTRACK_STATE || p->tracked == RULE_CT_ANY)
		rule_more(out, tracking, "");
	else
		rule_condition(out, fit(!!(ct->state_mask & bit) !=
					!!(ct->invert_flags & XT_CONNTRACK_STATE)));
}

static void state_ask(const struct xt_state_info *state, const struct rule_packet *p,
		      struct rule_answer *out)
{
	if (p->tracked == RULE_CT_ANY)
		rule_more(out, tracking, "");
	else
		rule_condition(out, fit(state->statemask & (p->tracked == RULE_CT_UNTRACKED
								    ? XT_STATE_UNTRACKED
								    : XT_STATE_BIT(IP_CT_NEW))));
}

static void tcp_ask(const struct xt_tcp *tcp, const struct rule_packet *p, struct rule_answer *out)
{
	if (p->protocol && p->protocol != IPPROTO_TCP)
		rule_condition(out, RULE_FITS_NOT);
	else if (tcp->flg_mask)
		rule_more(out, "checks TCP flags", "");
	else if (tcp->option)
		rule_more(out, "checks packet options", "");
	else
		rule_condition(out, RULE_MAY_BY_FLOW);
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

/* A look-up of addresses in an ipset, whose counters nobody asks. */
static bool is_plain_set(const char *name, unsigned revision, const void *info, size_t len)
{
	const struct xt_set_info_match_v4 *set = info;

	return strcmp(name, "set") == 0 && revision == 4 && len >= sizeof(*set) &&
	       set->packets.op == IPSET_COUNTER_NONE && set->bytes.op == IPSET_COUNTER_NONE;
}

void xt_match_ask(const char *name, unsigned revision, const void *info, size_t len,
		  const struct rule_packet *p, struct rule_answer *out)
{
	/* They check the flow, or what the kernel derives from it. */
	static const char *const by_flow[] = { "802_3",	  "addrtype", "among", "arp",  "icmp",
					       "icmp6",	  "iprange",  "mac",   "mark", "mark_m",
					       "physdev", "pkttype",  "stp",   "vlan" };

	/* They follow from the addresses of an IP packet, and the host's own tables. */
	static const char *const derived[] = { "policy", "rpfilter", "socket" };

	if (strcmp(name, "comment") == 0)
		return;
	if (p->family != NFPROTO_BRIDGE && (is_one_of(name, derived, ARRAY_LEN(derived)) ||
					    is_plain_set(name, revision, info, len))) {
		rule_condition(out, RULE_MAY_BY_FLOW);
		return;
	}
	if (is_one_of(name, by_flow, ARRAY_LEN(by_flow)))
		rule_condition(out, RULE_MAY_BY_FLOW);
	else if (strcmp(name, "tcp") == 0 && len >= sizeof(struct xt_tcp))
		tcp_ask(info, p, out);
	else if (strcmp(name, "udp") == 0 && len >= sizeof(struct xt_udp))
		rule_condition(out, udp_fits(info, p));
	else if (strcmp(name, "multiport") == 0 && revision == 1 &&
		 len >= sizeof(struct xt_multiport_v1))
		rule_condition(out, ports_fit(info, p));
	else if (strcmp(name, "conntrack") == 0 && (revision == 2 || revision == 3) &&
		 len >= sizeof(struct xt_conntrack_mtinfo2))
		conntrack_ask(info, p, out);
	else if (strcmp(name, "state") == 0 && len >= sizeof(struct xt_state_info))
		state_ask(info, p, out);
	else if (strcmp(name, "ip") == 0 && len >= sizeof(struct ebt_ip_info) &&
		 !(((const struct ebt_ip_info *)info)->bitmask & EBT_IP_TOS))
		rule_condition(out, RULE_MAY_BY_FLOW);
	else if (strcmp(name, "ip6") == 0 && len >= sizeof(struct ebt_ip6_info) &&
		 !(((const struct ebt_ip6_info *)info)->bitmask & EBT_IP6_TCLASS))
		rule_condition(out, RULE_MAY_BY_FLOW);
	else if (strcmp(name, "ip") == 0 || strcmp(name, "ip6") == 0)
		rule_more(out, "checks the DSCP", "");
	else if (strcmp(name, "limit") == 0)
		rule_more(out, "uses a limit", "");
	else
		rule_more(out, "uses the match ", name);
}

/* The first address of SNAT's range, in the form of that revision; NULL: not there. */
static const uint8_t *snat_to(unsigned revision, const uint8_t *info, size_t len, size_t size)
{
	size_t at = revision ? 4 : 8;

	return info && len >= at + size ? info + at : NULL;
}

void xt_target_ask(const char *name, unsigned revision, const void *info, size_t len,
		   const struct rule_packet *p, struct rule_answer *out)
{
	static const char *const plain[] = { "standard", "log",	  "nflog", "LOG",
					     "NFLOG",	 "AUDIT", "TRACE" };
	static const char *const effect[] = { "MARK", "CONNMARK", "TCPMSS", "SET", "CLASSIFY",
					      "DSCP", "TOS",	  "TTL",    "HL",  "CHECKSUM" };
	size_t size = p->family == NFPROTO_IPV4 ? 4 : 16;

	if (is_one_of(name, plain, ARRAY_LEN(plain)) || out->verdict == RULE_PUZZLES)
		return;
	if (strcmp(name, "REJECT") == 0)
		out->verdict = RULE_DROP;
	else if (strcmp(name, "MASQUERADE") == 0)
		rule_new_source(out, p, NULL, 0);
	else if (strcmp(name, "SNAT") == 0 && p->family != NFPROTO_BRIDGE)
		rule_new_source(out, p, snat_to(revision, info, len, size), size);
	else if (strcmp(name, "CT") == 0 || strcmp(name, "NOTRACK") == 0)
		rule_untracked(out, p, "uses the target ", name);
	else if (is_one_of(name, effect, ARRAY_LEN(effect)))
		rule_effect(out, "uses the target ", name);
	else
		rule_puzzle(out, "uses the target ", name);
}
