// SPDX-License-Identifier: GPL-2.0
/* Names and marks that ownership rests on (design 1.5); see plan.h. Pure. */
#include <string.h>

#include "plan/plan.h"

void plan_bridge_alias(const char *overlay, char text[LINK_ALIAS])
{
	snprintf(text, LINK_ALIAS, "vxbpf:%s", overlay);
}

void plan_tunnel_alias(const char *overlay, const char *peer, char text[LINK_ALIAS])
{
	snprintf(text, LINK_ALIAS, "vxbpf:%.15s:%.39s", overlay, peer);
}

uint32_t plan_group(const char *overlay)
{
	return fnv32(FNV32_INIT, overlay, strlen(overlay)) | 0x80000000U;
}

/* fe:..: locally administered, and higher than any other, so that a bridge that takes its MAC from
 * its lowest port never takes this one. */
void plan_mac(const char *overlay, const char *host, const char *ifname, char text[18])
{
	uint64_t h = FNV64_INIT;

	h = fnv64(h, overlay, strlen(overlay) + 1);
	h = fnv64(h, host, strlen(host) + 1);
	h = fnv64(h, ifname, strlen(ifname));
	snprintf(text, 18, "fe:%02x:%02x:%02x:%02x:%02x", (uint8_t)(h >> 32), (uint8_t)(h >> 24),
		 (uint8_t)(h >> 16), (uint8_t)(h >> 8), (uint8_t)h);
}

bool plan_owns_tunnel(const struct link *link, const char *overlay, const char *host)
{
	char text[LINK_ALIAS + 1], mac[18], want[18];

	if (strcmp(link->kind, "vxlan") != 0)
		return false;
	snprintf(text, sizeof(text), "vxbpf:%s:", overlay);
	if (strncmp(link->alias, text, strlen(text)) == 0)
		return true;
	mac_format(link->mac, mac);
	plan_mac(overlay, host, link->name, want);
	return !link->alias[0] && link->group == plan_group(overlay) && strcmp(mac, want) == 0;
}

bool plan_owns_bridge(const struct link *link, const char *overlay)
{
	char alias[LINK_ALIAS];

	plan_bridge_alias(overlay, alias);
	return strcmp(link->kind, "bridge") == 0 && strcmp(link->alias, alias) == 0;
}
