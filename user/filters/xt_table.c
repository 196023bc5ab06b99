// SPDX-License-Identifier: GPL-2.0
/* One packet's way through the filter table of legacy iptables; see xt_table.h. Pure. */
#include <arpa/inet.h>
#include <string.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "filters/xt_match.h"
#include "filters/xt_table.h"

#define STEPS 20000 /* rules looked at; more are not understood */
#define DEPTH 16

/* The parts of a rule that IPv4 and IPv6 share. */
struct rule {
	const char *iif, *oif;
	const uint8_t *iif_mask, *oif_mask;
	bool any_address;
	uint16_t protocol; /* 0 = any */
	uint8_t flipped; /* XT_INV_*, IPT_INV_* */
	bool odd; /* looks at fragments, TOS, ... */
	bool is_goto;
	const uint8_t *matches;
	const struct xt_entry_target *target;
	uint32_t next; /* offset of the next rule */
};

struct walk {
	const struct xt_filter *f;
	const struct nft_packet *packet;
	bool untracked;
	unsigned steps;
	uint32_t dropped_at;
};

/* As in nft_packet.c. */
enum fate { FATE_ON, FATE_DROPPED, FATE_MAY_PASS };

static bool all_zero(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		if (b[i])
			return false;
	return true;
}

static void take_ip4(const struct ipt_ip *ip, struct rule *out)
{
	out->iif = ip->iniface;
	out->oif = ip->outiface;
	out->iif_mask = ip->iniface_mask;
	out->oif_mask = ip->outiface_mask;
	out->any_address = !ip->smsk.s_addr && !ip->dmsk.s_addr;
	out->protocol = ip->proto;
	out->flipped = ip->invflags;
	out->odd = ip->flags & IPT_F_FRAG;
	out->is_goto = ip->flags & IPT_F_GOTO;
}

static void take_ip6(const struct ip6t_ip6 *ip, struct rule *out)
{
	out->iif = ip->iniface;
	out->oif = ip->outiface;
	out->iif_mask = ip->iniface_mask;
	out->oif_mask = ip->outiface_mask;
	out->any_address =
		all_zero(&ip->smsk, sizeof(ip->smsk)) && all_zero(&ip->dmsk, sizeof(ip->dmsk));
	out->protocol = ip->flags & IP6T_F_PROTO ? ip->proto : 0;
	out->flipped = ip->invflags;
	out->odd = ip->flags & IP6T_F_TOS;
	out->is_goto = ip->flags & IP6T_F_GOTO;
}

/* The rule at that offset; false: what is there cannot be one. */
static bool rule_at(const struct xt_filter *f, uint8_t family, uint32_t offset, struct rule *out)
{
	bool v4 = family == NFPROTO_IPV4;
	size_t head = v4 ? sizeof(struct ipt_entry) : sizeof(struct ip6t_entry);
	const uint8_t *at = (const uint8_t *)f->rules + offset;
	uint16_t target, next;

	*out = (struct rule){ 0 };
	/* The kernel keeps all of it at multiples of eight. */
	if (offset % 8 || offset > f->size || f->size - offset < head)
		return false;
	if (v4) {
		take_ip4(&((const struct ipt_entry *)at)->ip, out);
		target = ((const struct ipt_entry *)at)->target_offset;
		next = ((const struct ipt_entry *)at)->next_offset;
	} else {
		take_ip6(&((const struct ip6t_entry *)at)->ipv6, out);
		target = ((const struct ip6t_entry *)at)->target_offset;
		next = ((const struct ip6t_entry *)at)->next_offset;
	}
	if ((target | next) % 8 || target < head || next < target + sizeof(*out->target) ||
	    next > f->size - offset)
		return false;
	out->matches = at + head;
	out->target = (const void *)(at + target);
	if (out->target->u.target_size > next - target)
		return false;
	out->next = offset + next;
	return true;
}

static enum xt_fit device_fits(const char *name, const uint8_t *mask, const char *device, bool flip)
{
	char padded[IFNAMSIZ] = "";
	bool same = true;

	if (all_zero(mask, IFNAMSIZ))
		return XT_FITS;
	if (!device || !device[0])
		return XT_MAY_FIT;
	text_copy(padded, sizeof(padded), device);
	for (size_t i = 0; i < IFNAMSIZ; i++)
		same &= !((name[i] ^ padded[i]) & mask[i]);
	return same != flip ? XT_FITS : XT_FITS_NOT;
}

static enum xt_fit least(enum xt_fit a, enum xt_fit b)
{
	return a < b ? a : b;
}

static enum xt_fit rule_fits(const struct walk *w, const struct rule *r)
{
	const struct nft_packet *p = w->packet;
	const struct xt_packet packet = { .protocol = p->protocol,
					  .dport = p->dport,
					  .untracked = w->untracked };
	const uint8_t *end = (const uint8_t *)r->target;
	enum xt_fit fit = r->any_address && !r->odd ? XT_FITS : XT_MAY_FIT;

	fit = least(fit, device_fits(r->iif, r->iif_mask, p->iif, r->flipped & IPT_INV_VIA_IN));
	fit = least(fit, device_fits(r->oif, r->oif_mask, p->oif, r->flipped & IPT_INV_VIA_OUT));
	if (r->protocol && !p->protocol)
		fit = least(fit, XT_MAY_FIT);
	else if (r->protocol && (r->protocol == p->protocol) == !!(r->flipped & XT_INV_PROTO))
		fit = XT_FITS_NOT;
	for (const uint8_t *at = r->matches; at < end && fit != XT_FITS_NOT;) {
		const struct xt_entry_match *m = (const void *)at;

		if (end - at < (ptrdiff_t)sizeof(*m) || m->u.match_size < sizeof(*m) ||
		    m->u.match_size % 8 || m->u.match_size > end - at)
			return XT_MAY_FIT;
		fit = least(fit, xt_match_fits(m->u.user.name, m->u.user.revision, m->data,
					       m->u.match_size - sizeof(*m), &packet));
		at += m->u.match_size;
	}
	return fit;
}

static enum fate walk_from(struct walk *w, uint32_t offset, unsigned depth);

/* returns: what the rule has left goes back to the chain before, or some of it does. */
static enum fate walk_target(struct walk *w, uint32_t offset, const struct rule *r, bool certain,
			     unsigned depth, bool *returns)
{
	const struct xt_standard_target *standard = (const void *)r->target;
	const char *name = r->target->u.user.name;
	bool drops = !name[0] && r->target->u.target_size >= sizeof(*standard) &&
		     standard->verdict == -NF_DROP - 1;
	enum fate fate;

	if (drops || strcmp(name, "REJECT") == 0) {
		w->dropped_at = certain ? offset : w->dropped_at;
		return certain ? FATE_DROPPED : FATE_ON;
	}
	if (name[0])
		return xt_target_goes_on(name) ? FATE_ON : FATE_MAY_PASS;
	if (r->target->u.target_size < sizeof(*standard))
		return FATE_MAY_PASS;
	*returns = standard->verdict == XT_RETURN;
	if (*returns || standard->verdict == (int)r->next)
		return FATE_ON;
	if (standard->verdict < 0)
		return FATE_MAY_PASS;
	fate = walk_from(w, (uint32_t)standard->verdict, depth + 1);
	*returns = r->is_goto && fate == FATE_ON;
	return fate == FATE_DROPPED && !certain ? FATE_ON : fate;
}

static enum fate walk_from(struct walk *w, uint32_t offset, unsigned depth)
{
	bool some_returned = false;
	struct rule r;

	for (; depth <= DEPTH && ++w->steps <= STEPS; offset = r.next) {
		bool returns = false;
		enum xt_fit fit;
		enum fate fate;

		if (!rule_at(w->f, w->packet->family, offset, &r))
			return FATE_MAY_PASS;
		fit = rule_fits(w, &r);
		if (fit == XT_FITS_NOT)
			continue;
		fate = walk_target(w, offset, &r, fit == XT_FITS, depth, &returns);
		if (fate == FATE_MAY_PASS || (fate == FATE_DROPPED && !some_returned))
			return fate;
		if (fate == FATE_DROPPED || (returns && fit == XT_FITS))
			return FATE_ON;
		some_returned |= returns;
	}
	return FATE_MAY_PASS;
}

bool xt_filter_drops(const struct xt_filter *f, uint32_t hook, const struct nft_packet *packet,
		     struct nft_culprit *out)
{
	static const char *const names[NF_INET_NUMHOOKS] = {
		[NF_INET_LOCAL_IN] = "INPUT",
		[NF_INET_FORWARD] = "FORWARD",
		[NF_INET_LOCAL_OUT] = "OUTPUT",
	};
	struct walk w = { .f = f, .packet = packet };

	if (!f->size || hook >= NF_INET_NUMHOOKS || !names[hook] || !(f->hooks & 1U << hook))
		return false;
	for (int untracked = 0; untracked <= 1; untracked++) {
		w.untracked = untracked;
		enum fate fate;

		w.steps = 0;
		fate = walk_from(&w, f->entry[hook], 0);
		/* A packet that returns from the first chain gets its policy. */
		if (fate == FATE_ON)
			fate = walk_from(&w, f->policy[hook], 0);
		if (fate != FATE_DROPPED)
			return false;
	}
	*out = (struct nft_culprit){ .family = packet->family,
				     .table = "filter",
				     .legacy = true,
				     .policy = w.dropped_at == f->policy[hook] };
	text_copy(out->chain, sizeof(out->chain), names[hook]);
	return true;
}

void xt_filter_free(struct xt_filter *f)
{
	free(f->rules);
	*f = (struct xt_filter){ 0 };
}
