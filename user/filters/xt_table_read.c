// SPDX-License-Identifier: GPL-2.0
/* Legacy iptables, asked by their own interface; see xt_table.h. Impure edge. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "base/readfile.h"
#include "filters/xt_table.h"

#define SIZE_MAX_READ (4U << 20) /* bytes of rules that are looked at */

/* IPv6's has the same structures and numbers, but for the rules themselves. */
_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "info");

static bool is_used(bool v4)
{
	autofree char *text = NULL;
	struct why why;
	size_t len;

	return readfile(v4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", 4096,
			&text, &len, &why) == 0 &&
	       (strncmp(text, "filter\n", 7) == 0 || strstr(text, "\nfilter\n"));
}

void xt_table_read(uint8_t family, struct rules *rules)
{
	bool v4 = family == NFPROTO_IPV4;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	struct ipt_getinfo info = { .name = "filter" };
	autofree struct ipt_get_entries *get = NULL;
	struct xt_table table;
	socklen_t len = sizeof(info);
	autofd int fd = -1;

	if (!is_used(v4))
		return;
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0 || getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) ||
	    info.size > SIZE_MAX_READ)
		return;
	len = (socklen_t)(sizeof(*get) + info.size);
	get = calloc(1, len);
	if (!get)
		return;
	text_copy(get->name, sizeof(get->name), "filter");
	get->size = info.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, get, &len))
		return; /* changed meanwhile */
	table = (struct xt_table){ .hooks = info.valid_hooks,
				   .size = info.size,
				   .bytes = get->entrytable };
	memcpy(table.entry, info.hook_entry, sizeof(table.entry));
	memcpy(table.policy, info.underflow, sizeof(table.policy));
	xt_table_take(rules, family, &table);
}
