// SPDX-License-Identifier: GPL-2.0
/* The peers of the file; see conf_hosts.h. Pure. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "conf/conf_hosts.h"

/* A name or an address that only one host may have, and where it stands. */
struct claim {
	char text[VX_TEXT_LEN];
	const struct conf_node *node;
	const struct conf_host *host;
	size_t order; /* in the file */
};

struct claims {
	struct claim *list;
	size_t n;
};

static void claims_clean(struct claims *c)
{
	free(c->list);
}

static void claim_text(struct claims *c, const char *text, const struct conf_node *node,
		       const struct conf_host *host)
{
	struct claim *claim = &c->list[c->n];

	text_copy(claim->text, sizeof(claim->text), text);
	claim->node = node;
	claim->host = host;
	claim->order = c->n++;
}

static void claim_addr(struct claims *c, const struct vx_addr *addr, const struct conf_node *node,
		       const struct conf_host *host)
{
	char text[IP_TEXT];

	ip_format(addr, text);
	claim_text(c, text, node, host);
}

static int by_text_then_order(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int diff = strcmp(x->text, y->text);

	return diff ? diff : (x->order > y->order) - (x->order < y->order);
}

/* Refuses the duplicate claim whose second occurrence comes first in the file. */
static int refuse_twins(const struct conf_tree *tree, struct claims *c, struct why *why)
{
	const struct claim *first = NULL, *second = NULL;

	qsort(c->list, c->n, sizeof(*c->list), by_text_then_order);
	for (size_t i = 1; i < c->n; i++) {
		const struct claim *a = &c->list[i - 1], *b = &c->list[i];

		if (strcmp(a->text, b->text) == 0 && (!second || b->order < second->order)) {
			first = a;
			second = b;
		}
	}
	if (!second)
		return 0;
	if (first->host == second->host)
		return conf_tree_refuse(tree, second->node, why, "%s appears twice for %s",
					second->text, second->host->name);
	if (strcmp(second->text, second->host->name) == 0)
		return conf_tree_refuse(tree, second->node, why,
					"%s is already the name of the host on line %u",
					second->text, first->node->line);
	return conf_tree_refuse(tree, second->node, why, "%s is already on line %u, for %s",
				second->text, first->node->line, first->host->name);
}

static bool is_name(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > 32 || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
	       len;
}

/* The reason no host can have this address on its bridge; NULL if it can. */
static const char *any_fault(const struct vx_addr *addr)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	const uint8_t *b = ip_raw(addr);

	if (!ip_is_v4(addr)) {
		if (!ip_is_set(addr))
			return "the unspecified address";
		if (memcmp(b, loopback, sizeof(loopback)) == 0)
			return "the loopback address";
		return b[0] == 0xff ? "a multicast address" : NULL;
	}
	if (b[0] == 0)
		return "an unspecified address";
	if (b[0] == 127)
		return "a loopback address";
	if (b[0] >= 224 && b[0] <= 239)
		return "a multicast address";
	return memcmp(b, "\xff\xff\xff\xff", 4) == 0 ? "the broadcast address" : NULL;
}

const char *conf_address_fault(const struct vx_addr *addr)
{
	if (ip_is_link_local(addr))
		return "a link-local address, which is not unique across links";
	return any_fault(addr);
}

/* Valid IPv6, so that "must be an IPv6 address" would confuse; ip_parse takes none of these. */
static bool is_mapped(const char *text)
{
	struct vx_addr addr;
	uint8_t raw[16];

	return inet_pton(AF_INET6, text, raw) == 1 && !ip_parse(text, &addr);
}

static int read_address(const struct conf_tree *tree, const struct conf_node *node,
			struct vx_addr *out, struct why *why)
{
	const char *wrong;

	if (is_mapped(node->text))
		return conf_tree_refuse(tree, node, why,
					"%s is an IPv4-mapped IPv6 address; write the IPv4 address",
					node->text);
	if (!ip_parse(node->text, out))
		return conf_schema_refuse(tree, node, why);
	wrong = conf_address_fault(out);
	if (wrong)
		return conf_tree_refuse(tree, node, why, "%s is %s", node->text, wrong);
	return 0;
}

static int read_bind(const struct conf_tree *tree, const struct conf_node *node,
		     struct conf_host *host, struct why *why)
{
	const struct conf_node *bind = conf_tree_get(node, "bind");
	int err = bind ? read_address(tree, bind, &host->bind, why) : 0;

	if (!err && bind && ip_is_v4(&host->bind) != ip_is_v4(&host->address))
		err = conf_schema_refuse(tree, bind, why);
	return err;
}

static int read_addresses(const struct conf_tree *tree, const struct conf_node *node,
			  struct conf_host *host, struct why *why)
{
	const struct conf_node *six = conf_tree_get(node, "address6");
	int err = read_address(tree, conf_tree_get(node, "address"), &host->address, why);

	if (!err)
		err = read_bind(tree, node, host, why);
	if (err || !six)
		return err;
	err = read_address(tree, six, &host->address6, why);
	if (err)
		return err;
	if (ip_is_v4(&host->address6))
		return conf_schema_refuse(tree, six, why);
	if (!ip_is_v4(&host->address))
		return conf_tree_refuse(tree, six, why, "requires address to be IPv4, but it is %s",
					conf_tree_get(node, "address")->text);
	return 0;
}

static int read_prefix(const struct conf_tree *tree, const struct conf_node *node,
		       struct ip_prefix *out, struct why *why)
{
	const char *wrong;

	if (!ip_parse_prefix(node->text, out) || out->bits == 0)
		return conf_schema_refuse(tree, node, why);
	wrong = any_fault(&out->addr);
	if (wrong)
		return conf_tree_refuse(tree, node, why, "%s is %s", node->text, wrong);
	return 0;
}

static int read_prefixes(const struct conf_tree *tree, const struct conf_node *node,
			 struct conf_host *host, struct why *why)
{
	const struct conf_node *list = conf_tree_get(node, "bridge_address");
	int err = 0;

	if (!list || !list->count)
		return 0;
	host->bridge_address = calloc(list->count, sizeof(*host->bridge_address));
	if (!host->bridge_address)
		return why_set(why, -ENOMEM, "%s: out of memory", tree->path);
	for (const struct conf_node *n = list->child; n && !err; n = n->next)
		err = read_prefix(tree, n, &host->bridge_address[host->n_bridge_address++], why);
	return err;
}

static int read_host(const struct conf_tree *tree, const struct conf_node *node,
		     struct conf_host *host, struct why *why)
{
	const struct conf_node *name = conf_tree_get(node, "name");
	int err;

	host->line = node->child->line;
	if (!is_name(name->text))
		return conf_schema_refuse(tree, name, why);
	text_copy(host->name, sizeof(host->name), name->text);
	err = read_addresses(tree, node, host, why);
	return err ? err : read_prefixes(tree, node, host, why);
}

static int check_names(const struct conf_tree *tree, const struct conf_node *list,
		       const struct conf *conf, struct why *why)
{
	__attribute__((cleanup(claims_clean))) struct claims c = { 0 };
	const struct conf_node *node = list->child;

	c.list = calloc(conf->n_hosts, sizeof(*c.list));
	if (!c.list)
		return why_set(why, -ENOMEM, "%s: out of memory", tree->path);
	for (size_t i = 0; i < conf->n_hosts; i++, node = node->next)
		claim_text(&c, conf->hosts[i].name, conf_tree_get(node, "name"), &conf->hosts[i]);
	return refuse_twins(tree, &c, why);
}

/* An address belongs to one host, and is on its underlay or on its bridge, not both. */
static int check_addresses(const struct conf_tree *tree, const struct conf_node *list,
			   const struct conf *conf, struct why *why)
{
	__attribute__((cleanup(claims_clean))) struct claims c = { 0 };
	const struct conf_node *node = list->child;
	size_t n = 0;

	for (size_t i = 0; i < conf->n_hosts; i++)
		n += 2 + conf->hosts[i].n_bridge_address;
	c.list = calloc(n, sizeof(*c.list));
	if (!c.list)
		return why_set(why, -ENOMEM, "%s: out of memory", tree->path);
	for (size_t i = 0; i < conf->n_hosts; i++, node = node->next) {
		const struct conf_node *bridge = conf_tree_get(node, "bridge_address");
		const struct conf_host *host = &conf->hosts[i];

		claim_addr(&c, &host->address, conf_tree_get(node, "address"), host);
		if (ip_is_set(&host->address6))
			claim_addr(&c, &host->address6, conf_tree_get(node, "address6"), host);
		bridge = bridge ? bridge->child : NULL;
		for (size_t k = 0; bridge && k < host->n_bridge_address; k++, bridge = bridge->next)
			claim_addr(&c, &host->bridge_address[k].addr, bridge, host);
	}
	return refuse_twins(tree, &c, why);
}

static const struct conf_host *find_in(const struct conf *conf, const struct ip_prefix *subnet,
				       struct vx_addr *out)
{
	for (size_t i = 0; i < conf->n_hosts; i++) {
		const struct conf_host *host = &conf->hosts[i];

		*out = ip_in_prefix(&host->address, subnet) ? host->address : host->address6;
		if (ip_is_set(out) && ip_in_prefix(out, subnet))
			return host;
	}
	return NULL;
}

/* Mostly the hosts' bridges are in the same few subnets. */
static bool same_subnet(const struct conf_host *a, const struct conf_host *b, size_t k)
{
	return k < a->n_bridge_address && a->bridge_address[k].bits == b->bridge_address[k].bits &&
	       ip_in_prefix(&a->bridge_address[k].addr, &b->bridge_address[k]);
}

/* The bridge would become the way to that peer, over which its own tunnel has to go. */
static int check_subnets(const struct conf_tree *tree, const struct conf_node *list,
			 const struct conf *conf, struct why *why)
{
	const struct conf_node *node = list->child;

	for (size_t i = 0; i < conf->n_hosts; i++, node = node->next) {
		const struct conf_node *n = conf_tree_get(node, "bridge_address");
		const struct conf_host *host = &conf->hosts[i], *peer;
		struct vx_addr addr;
		char text[IP_TEXT];

		n = n ? n->child : NULL;
		for (size_t k = 0; n && k < host->n_bridge_address; k++, n = n->next) {
			if (i && !ip_is_set(&host->bind) &&
			    same_subnet(&conf->hosts[i - 1], host, k))
				continue;
			peer = find_in(conf, &host->bridge_address[k], &addr);
			if (!peer && ip_is_set(&host->bind) &&
			    ip_in_prefix(&host->bind, &host->bridge_address[k])) {
				peer = host;
				addr = host->bind;
			}
			if (!peer)
				continue;
			ip_format(&addr, text);
			return conf_tree_refuse(tree, n, why,
						"the subnet of %s holds %s, the address of %s, "
						"which would then be looked for on the bridge; use "
						"a subnet that no host of the mesh is in",
						n->text, text, peer->name);
		}
	}
	return 0;
}

/* Some pair has no common family just when one host has only IPv4 and another only IPv6. */
static int check_families(const struct conf_tree *tree, const struct conf_node *list,
			  const struct conf *conf, struct why *why)
{
	const struct conf_host *only4 = NULL, *only6 = NULL;
	const struct conf_node *node = list->child;

	for (size_t i = 0; i < conf->n_hosts; i++, node = node->next) {
		const struct conf_host *host = &conf->hosts[i];

		if (!ip_is_v4(&host->address))
			only6 = only6 ? only6 : host;
		else if (!ip_is_set(&host->address6))
			only4 = only4 ? only4 : host;
		if (only4 && only6)
			return conf_tree_refuse(tree, conf_tree_get(node, "address"), why,
						"%s has only IPv4 and %s has only IPv6, so they "
						"cannot reach each other",
						only4->name, only6->name);
	}
	return 0;
}

int conf_hosts_read(const struct conf_tree *tree, struct conf *conf, struct why *why)
{
	const struct conf_node *list = conf_tree_get(tree->root, "peers");
	const struct conf_node *node = list->child;
	int err = 0;

	conf->hosts = calloc(list->count, sizeof(*conf->hosts));
	if (!conf->hosts)
		return why_set(why, -ENOMEM, "%s: out of memory", tree->path);
	for (size_t i = 0; i < list->count && !err; i++, node = node->next)
		err = read_host(tree, node, &conf->hosts[conf->n_hosts++], why);
	if (!err)
		err = check_names(tree, list, conf, why);
	if (!err)
		err = check_addresses(tree, list, conf, why);
	if (!err)
		err = check_subnets(tree, list, conf, why);
	return err ? err : check_families(tree, list, conf, why);
}
