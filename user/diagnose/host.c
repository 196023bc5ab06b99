// SPDX-License-Identifier: GPL-2.0
/* An overlay's surroundings: read, judged, let go of; see host.h. */
#include <string.h>

#include "diagnose/host.h"
#include "filters/fastpath.h"
#include "filters/nft_read.h"
#include "filters/xt_table.h"

static void read_filters(struct host_facts *out)
{
	const unsigned hooks = 1U << NF_INET_PRE_ROUTING | 1U << NF_INET_LOCAL_IN |
			       1U << NF_INET_FORWARD | 1U << NF_INET_LOCAL_OUT |
			       1U << NF_INET_POST_ROUTING;

	if (fastpath_bridge_nf("iptables"))
		out->bridge_nf |= HOST_NF_IP4;
	if (fastpath_bridge_nf("ip6tables"))
		out->bridge_nf |= HOST_NF_IP6;
	nft_read_ip(hooks, true, &out->rules);
	xt_tables_read(true, &out->rules);
}

int host_read(struct nl *nl, const struct snapshot *s, struct host_facts *out, struct why *why)
{
	int err = host_read_links(nl, s, out);

	if (err)
		return why_set(why, err, "netlink: cannot list devices: %s", strerror(-err));
	err = addrs_read(nl, &out->addrs, why);
	if (err)
		return err;
	host_read_guests(nl, s, out);
	host_read_neighbours(nl, out);
	host_read_sockets(s, out);
	host_read_devices(s, out);
	host_read_sums(out);
	host_read_conntrack(s, out);
	read_filters(out);
	if (!s->up)
		host_read_kernel(out);
	return 0;
}

void host_judge(const struct host_facts *facts, const struct snapshot *s, struct verdicts *out)
{
	host_say_net(facts, s, out);
	host_say_nf(facts, s, out);
}

void host_free(struct host_facts *facts)
{
	free(facts->vxlans);
	free(facts->sockets);
	free(facts->members);
	free(facts->devices);
	free(facts->guests);
	rules_free(&facts->rules);
	free(facts->addrs.v);
	*facts = (struct host_facts){ 0 };
}
