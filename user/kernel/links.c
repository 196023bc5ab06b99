// SPDX-License-Identifier: GPL-2.0
/* Devices and addresses, once read: found by name, altname, index; see link.h. Pure. */
#include <string.h>

#include "kernel/link.h"

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
