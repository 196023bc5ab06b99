// SPDX-License-Identifier: GPL-2.0
/* Chains on devices; see device_chains.h. Pure. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "filters/device_chains.h"

/* Newer than Debian 12's headers: a device's name up to where a `*` stood. */
#define DEVICE_PREFIX 2
#define HOOK_EGRESS 1 /* of the family netdev, NF_NETDEV_EGRESS */

void device_chains_free(struct device_chains *chains)
{
	for (size_t i = 0; i < chains->n; i++)
		free(chains->v[i].devices);
	free(chains->v);
	*chains = (struct device_chains){ 0 };
}

static void add_device(struct device_chain *chain, const struct nlattr *name, bool prefix)
{
	char *device = array_add(&chain->devices, &chain->n_devices, sizeof(*chain->devices));

	nft_text(name, device, sizeof(*chain->devices));
	if (prefix)
		text_add(device, sizeof(*chain->devices), "*");
}

void device_chains_take(struct device_chains *chains, const struct nlmsghdr *msg)
{
	const struct nlattr *hook = nft_attr(msg, NFTA_CHAIN_HOOK);
	const struct nlattr *one = nft_nested(hook, NFTA_HOOK_DEV);
	const struct nlattr *list = nft_nested(hook, NFTA_HOOK_DEVS), *attr;
	struct device_chain *chain;

	if (!one && !list)
		return;
	chain = array_add(&chains->v, &chains->n, sizeof(*chain));
	nft_text(nft_attr(msg, NFTA_CHAIN_TABLE), chain->table, sizeof(chain->table));
	nft_text(nft_attr(msg, NFTA_CHAIN_NAME), chain->name, sizeof(chain->name));
	chain->egress = nft_family(msg) == NFPROTO_NETDEV &&
			nft_number(nft_nested(hook, NFTA_HOOK_HOOKNUM), 0) == HOOK_EGRESS;
	if (one)
		add_device(chain, one, false);
	if (list)
		mnl_attr_for_each_nested (attr, list)
			add_device(chain, attr, mnl_attr_get_type(attr) == DEVICE_PREFIX);
}

static bool same_chain(const struct device_chain *a, const struct device_chain *b)
{
	return a->egress == b->egress && a->n_devices == b->n_devices &&
	       strcmp(a->table, b->table) == 0 && strcmp(a->name, b->name) == 0 &&
	       (!a->n_devices ||
		memcmp(a->devices, b->devices, a->n_devices * sizeof(*a->devices)) == 0);
}

bool device_chains_equal(const struct device_chains *a, const struct device_chains *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = same_chain(&a->v[i], &b->v[i]);
	return same;
}

static bool is_device(const char *device, const char *ifname)
{
	size_t len = strlen(device);

	if (len && device[len - 1] == '*')
		return strncmp(device, ifname, len - 1) == 0;
	return strcmp(device, ifname) == 0;
}

const struct device_chain *device_chains_on(const struct device_chains *chains, const char *ifname,
					    bool egress)
{
	for (size_t i = 0; i < chains->n; i++)
		for (size_t k = 0; k < chains->v[i].n_devices; k++)
			if (chains->v[i].egress == egress &&
			    is_device(chains->v[i].devices[k], ifname))
				return &chains->v[i];
	return NULL;
}
