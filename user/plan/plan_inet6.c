// SPDX-License-Identifier: GPL-2.0
/* Wishes for IPv6 that this host cannot meet; see plan.h. Pure. */
#include "plan/plan.h"

/* Every kernel with IPv6 has it on lo, whatever the sysctls say. */
static bool has_inet6(const struct links *links)
{
	for (size_t i = 0; i < links->n; i++)
		if (!links->v[i].no_inet6)
			return true;
	return !links->n;
}

/* Why the bridge cannot have an IPv6 address, a clause; "" if it can. */
static void judge_bridge(const struct conf *conf, const struct plan_surroundings *around,
			 unsigned mtu, char *text, size_t size)
{
	const struct link *bridge = links_by_name(around->links, conf->bridge);
	const char *of = "the overlay's";

	text[0] = '\0';
	if (bridge && !plan_owns_bridge(bridge, conf->overlay)) {
		mtu = bridge->mtu;
		of = "its";
	}
	if (!has_inet6(around->links))
		snprintf(text, size, "this host has no IPv6 (ipv6.disable=1)");
	else if (mtu < LINK_MTU_INET6)
		snprintf(text, size, "IPv6 needs an MTU of at least %u and %s MTU is %u",
			 LINK_MTU_INET6, of, mtu);
	else if (bridge && !bridge->no_inet6 ? bridge->inet6_off : around->inet6_off)
		snprintf(text, size,
			 "IPv6 is disabled there; run `sysctl -w net.ipv6.conf.%s.disable_ipv6=0`",
			 bridge ? bridge->name : "default");
}

int plan_check_inet6(const struct conf *conf, const struct mesh *mesh,
		     const struct plan_surroundings *around, unsigned mtu, struct why *why)
{
	const struct conf_host *self = mesh->self;
	char fault[160], text[IP_TEXT + 4];

	for (size_t i = 0; i < mesh->n_peers && !has_inet6(around->links); i++) {
		const struct mesh_peer *peer = &mesh->peers[i];

		if (!ip_is_v4(&peer->remote))
			return why_bad(why,
				       "%s:%u: peer %s: is reached by IPv6, but this host has no "
				       "IPv6 (ipv6.disable=1)",
				       conf->path, peer->host->line, peer->host->name);
	}
	for (size_t i = 0; i < self->n_bridge_address; i++) {
		if (ip_is_v4(&self->bridge_address[i].addr))
			continue;
		judge_bridge(conf, around, mtu, fault, sizeof(fault));
		if (!fault[0])
			continue;
		ip_format_prefix(&self->bridge_address[i], text);
		return why_bad(why, "%s:%u: bridge_address: %s cannot be set on %s: %s", conf->path,
			       self->line, text, conf->bridge, fault);
	}
	return 0;
}
