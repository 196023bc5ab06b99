// SPDX-License-Identifier: GPL-2.0
/* IPsec policies of this host; see xfrm.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <string.h>

#include "kernel/nl.h"
#include "reconcile/xfrm.h"

struct covering {
	const struct mesh *mesh;
	uint16_t port;
	/* The kernel takes the policy with the lowest priority value among those that cover a peer. */
	uint32_t *best;
	bool *covers;
};

static bool in_prefix(const struct vx_addr *addr, int family, const void *raw, unsigned bits)
{
	const struct ip_prefix prefix = { ip_from_raw(family, raw), bits };

	return ip_family(addr) == family && ip_in_prefix(addr, &prefix);
}

static bool selects(const struct xfrm_selector *sel, const struct mesh_peer *peer, uint16_t port)
{
	return in_prefix(&peer->remote, sel->family, &sel->saddr, sel->prefixlen_s) &&
	       in_prefix(&peer->local, sel->family, &sel->daddr, sel->prefixlen_d) &&
	       (!sel->proto || sel->proto == IPPROTO_UDP) && !sel->sport_mask &&
	       ((htons(port) ^ sel->dport) & sel->dport_mask) == 0;
}

/* Every template has to be met, and at least one is ESP. */
static bool insists_on_esp(const struct nlmsghdr *msg)
{
	const struct nlattr *attr;
	bool esp = false;

	mnl_attr_for_each (attr, msg, sizeof(struct xfrm_userpolicy_info)) {
		const struct xfrm_user_tmpl *tmpl = mnl_attr_get_payload(attr);
		size_t n = mnl_attr_get_payload_len(attr) / sizeof(*tmpl);

		if (mnl_attr_get_type(attr) != XFRMA_TMPL)
			continue;
		for (size_t i = 0; i < n; i++)
			esp |= tmpl[i].id.proto == IPPROTO_ESP && !tmpl[i].optional;
	}
	return esp;
}

static int take_policy(const struct nlmsghdr *msg, void *ctx)
{
	const struct xfrm_userpolicy_info *policy = mnl_nlmsg_get_payload(msg);
	struct covering *c = ctx;
	bool esp = policy->action == XFRM_POLICY_ALLOW && insists_on_esp(msg);

	if (policy->dir != XFRM_POLICY_IN)
		return 0;
	for (size_t i = 0; i < c->mesh->n_peers; i++) {
		if (policy->priority >= c->best[i] ||
		    !selects(&policy->sel, &c->mesh->peers[i], c->port))
			continue;
		c->best[i] = policy->priority;
		c->covers[i] = esp;
	}
	return 0;
}

int xfrm_covers(const struct mesh *mesh, uint16_t port, bool **out, struct why *why)
{
	autofree bool *covers = calloc(mesh->n_peers + 1, sizeof(*covers));
	autofree uint32_t *best = calloc(mesh->n_peers + 1, sizeof(*best));
	struct covering c = { mesh, port, best, covers };
	autonl struct nl *nl = NULL;
	struct why none;
	int err = 0;

	if (!covers || !best)
		return why_set(why, -ENOMEM, "IPsec policies: out of memory");
	for (size_t i = 0; i < mesh->n_peers; i++)
		best[i] = UINT32_MAX;
	if (nl_open_bus(NETLINK_XFRM, &nl, &none) == 0)
		err = nl_dump(nl,
			      nl_request(nl, XFRM_MSG_GETPOLICY, NLM_F_DUMP,
					 sizeof(struct xfrm_userpolicy_id)),
			      take_policy, &c);
	if (err)
		return why_set(why, err, "netlink: cannot list IPsec policies: %s", strerror(-err));
	*out = take_ptr(covers);
	return 0;
}
