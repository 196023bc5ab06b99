// SPDX-License-Identifier: GPL-2.0
/* Which sizes arrive, and why none does; see ping.h. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/ip.h"
#include "cmd/ping.h"
#include "kernel/route.h"

#define MS 1000000ULL
#define PATIENCE_NS (1000 * MS) /* while the time to that peer is not known, */
#define ROUND_NS (250 * MS) /* and beyond it where it is */

enum {
	FAN = 16, /* sizes at once: fewer than a peer answers, and in three rounds all of 1,500 are told */
	TRIES = 2,
};

/* The largest of these sizes, in ascending order, that arrives; 0 = none. */
static unsigned largest_of(struct ping *p, const unsigned *sizes, size_t n)
{
	struct vx_probe_answer answer;
	struct ping_wait wait;
	unsigned best = 0;

	for (int i = 0; i < TRIES && best < sizes[n - 1] && !ping_interrupted(); i++) {
		uint64_t until;

		for (size_t k = 0; k < n; k++)
			if (sizes[k] > best)
				ping_send(p, sizes[k]);
		until = p->last_sent + (p->max ? ROUND_NS + 2 * p->max : PATIENCE_NS);
		while (best < sizes[n - 1] && p->n_waits && probing_now() < until) {
			while (ping_take(p, &wait, &answer)) {
				uint64_t rtt = answer.answered_ns - answer.sent_ns;

				best = best > wait.size ? best : wait.size;
				p->max = p->max > rtt ? p->max : rtt;
			}
			if (best == sizes[n - 1] || !probing_rest(p->last_sent, until))
				break;
		}
	}
	ping_forget(p);
	return best;
}

bool ping_reaches(struct ping *p, unsigned size)
{
	return largest_of(p, &size, 1) == size;
}

unsigned ping_search(struct ping *p, unsigned fits, unsigned fails)
{
	while (fails - fits > 1 && !ping_interrupted()) {
		unsigned sizes[FAN] = { 0 }, n = fails - fits - 1 < FAN ? fails - fits - 1 : FAN,
			 best;

		for (unsigned i = 0; i < n; i++)
			sizes[i] = fits + (fails - fits) * (i + 1) / (n + 1);
		best = largest_of(p, sizes, n);
		fits = best ? best : fits;
		for (unsigned i = n; i && sizes[i - 1] > fits; i--)
			fails = sizes[i - 1];
	}
	return fits;
}

/* --- why nothing comes back */

static int take_refused(const struct nlmsghdr *msg, void *ctx)
{
	const struct nlattr *attr;
	struct rtnl_link_stats64 stats = { 0 };
	uint64_t *refused = ctx;

	mnl_attr_for_each (attr, msg, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == IFLA_STATS64 &&
		    mnl_attr_get_payload_len(attr) >= sizeof(stats.tx_dropped) * 8)
			memcpy(&stats, mnl_attr_get_payload(attr),
			       mnl_attr_get_payload_len(attr) < sizeof(stats)
				       ? mnl_attr_get_payload_len(attr)
				       : sizeof(stats));
	*refused = stats.tx_errors + stats.tx_dropped;
	return 0;
}

uint64_t ping_refused(unsigned ifindex)
{
	autonl struct nl *nl = NULL;
	struct nlmsghdr *msg;
	struct ifinfomsg *ifi;
	uint64_t refused = 0;
	struct why why;

	if (nl_open(&nl, &why))
		return 0;
	msg = nl_request(nl, RTM_GETLINK, 0, sizeof(*ifi));
	ifi = mnl_nlmsg_get_payload(msg);
	ifi->ifi_index = (int)ifindex;
	return nl_dump(nl, msg, take_refused, &refused) ? 0 : refused;
}

static int find_route(const struct ping *p)
{
	autonl struct nl *nl = NULL;
	struct links links = { 0 };
	const struct link *bound;
	struct route route = { 0 };
	struct why why;
	int err = nl_open(&nl, &why);

	if (!err)
		err = links_read(nl, &links, &why);
	bound = err ? NULL : links_by_name(&links, p->overlay->underlay);
	if (!err)
		route_read(nl, &links, &p->peer->local, &p->peer->remote,
			   (uint16_t)p->overlay->port, bound ? bound->ifindex : 0, &route);
	free(links.v);
	return route.err; /* 0 where that cannot be told, too */
}

void ping_diagnose(const struct ping *p, uint64_t refused, char *text, size_t size)
{
	int no_route = find_route(p);

	if (no_route)
		snprintf(text, size, "this host has no route to %s (%s)", p->peer->address,
			 strerror(-no_route));
	else if (p->err == -ENETDOWN)
		snprintf(text, size, "%s is down on this host; run `vxbpf up %s`", p->peer->ifname,
			 p->overlay->name);
	else if (p->err == -EMSGSIZE)
		snprintf(text, size, "%s does not accept packets of %u bytes", p->peer->ifname,
			 p->size);
	else if (p->err)
		snprintf(text, size, "this host's kernel cannot send the probe: %s",
			 strerror(-p->err));
	else if (ping_refused(p->ifindex) > refused)
		snprintf(text, size,
			 "this host dropped the probe; a firewall rule or an IPsec policy here "
			 "blocks UDP port %u to %s",
			 p->overlay->port, p->peer->address);
	else
		snprintf(text, size,
			 "a firewall on the path probably blocks UDP port %u, or the peer runs no "
			 "vxbpf or an older one",
			 p->overlay->port);
}
