// SPDX-License-Identifier: GPL-2.0
/* Devices and addresses, once read: found by name, altname, index; see link.h. Pure. */
#include <net/if.h>
#include <string.h>

#include "kernel/link.h"

static void leave_what_is_told(const struct link *link, struct link *out)
{
	memcpy(out, link, sizeof(*out));
	out->flags &= IFF_UP | IFF_PROMISC;
	out->rx_dropped = 0;
	out->far = FAR_UNKNOWN;
	out->far_told = false;
	out->far_mtu = 0;
	memset(&out->tc, 0, sizeof(out->tc));
}

bool link_same(const struct link *a, const struct link *b)
{
	struct link x, y;

	leave_what_is_told(a, &x);
	leave_what_is_told(b, &y);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): link_parse() clears the gaps. */
	return memcmp(&x, &y, sizeof(x)) == 0;
}

void link_add_altname(struct link *link, const char *name)
{
	size_t len = strlen(link->altnames);

	if (strlen(name) < VX_IF_LEN && len + strlen(name) + 2 < sizeof(link->altnames))
		snprintf(link->altnames + len, sizeof(link->altnames) - len, "%s%s ",
			 len ? "" : " ", name);
}

const struct addr *addrs_find(const struct addrs *addrs, const struct vx_addr *addr)
{
	for (size_t i = 0; i < addrs->n; i++)
		if (ip_equal(&addrs->v[i].prefix.addr, addr))
			return &addrs->v[i];
	return NULL;
}

const struct link *links_by_name(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->n; i++)
		if (strcmp(links->v[i].name, name) == 0)
			return &links->v[i];
	return NULL;
}

const struct link *links_by_altname(const struct links *links, const char *name)
{
	char wanted[VX_IF_LEN + 2];

	snprintf(wanted, sizeof(wanted), " %s ", name);
	for (size_t i = 0; name[0] && i < links->n; i++)
		if (strstr(links->v[i].altnames, wanted))
			return &links->v[i];
	return NULL;
}

const struct link *links_by_index(const struct links *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].ifindex == ifindex)
			return &links->v[i];
	return NULL;
}
