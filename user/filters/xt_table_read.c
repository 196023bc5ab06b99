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

static bool is_used(bool v4, const char *table)
{
	const char *path = v4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names";
	autofree char *text = NULL;
	struct why why;
	size_t len;

	if (readfile(path, 4096, &text, &len, &why))
		return false;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (strcmp(line, table) == 0)
			return true;
	return false;
}

static void read_table(bool v4, const char *name, struct rules *rules)
{
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	struct ipt_getinfo info = { 0 };
	autofree struct ipt_get_entries *get = NULL;
	struct xt_table table;
	socklen_t len = sizeof(info);
	autofd int fd = -1;

	if (!is_used(v4, name))
		return;
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	text_copy(info.name, sizeof(info.name), name);
	if (fd < 0 || getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) ||
	    info.size > SIZE_MAX_READ)
		return;
	len = (socklen_t)(sizeof(*get) + info.size);
	get = calloc(1, len);
	if (!get)
		return;
	text_copy(get->name, sizeof(get->name), name);
	get->size = info.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, get, &len))
		return; /* changed meanwhile */
	table = (struct xt_table){
		.name = name, .hooks = info.valid_hooks, .size = info.size, .bytes = get->entrytable
	};
	memcpy(table.entry, info.hook_entry, sizeof(table.entry));
	memcpy(table.policy, info.underflow, sizeof(table.policy));
	xt_table_take(rules, v4 ? NFPROTO_IPV4 : NFPROTO_IPV6, &table);
}

void xt_tables_read(bool nat, struct rules *rules)
{
	static const char *const tables[] = { "filter", "mangle", "raw", "nat" };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (nat || strcmp(tables[i], "nat") != 0) {
			read_table(true, tables[i], rules);
			read_table(false, tables[i], rules);
		}
}
