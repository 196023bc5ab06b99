// SPDX-License-Identifier: GPL-2.0
/* Dumps of nf_tables; see nft_read.h. */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "filters/nft_read.h"
#include "filters/nft_take.h"
#include "kernel/nl.h"

#define TRIES 5 /* dumps that a change runs into */

struct dump {
	void (*take)(void *out, const struct nlmsghdr *msg);
	void *out;
	bool torn; /* rules were changed meanwhile */
};

static int take(const struct nlmsghdr *msg, void *ctx)
{
	struct dump *d = ctx;

	d->take(d->out, msg);
	return 0;
}

static struct nlmsghdr *request(struct nl *nl, uint16_t what, uint8_t family)
{
	struct nlmsghdr *msg = nl_request(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what),
					  NLM_F_DUMP, sizeof(struct nfgenmsg));
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(msg);

	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return msg;
}

static int dump(struct nl *nl, uint16_t what, uint8_t family, struct dump *d)
{
	return nl_dump_once(nl, request(nl, what, family), take, d, &d->torn);
}

/* No netfilter, no nf_tables, not this family: then there are no rules. */
static int none_is_fine(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP || err == -EAFNOSUPPORT ||
			       err == -EPROTONOSUPPORT || err == -ENOENT
		       ? 0
		       : err;
}

static void take_into_chains(void *out, const struct nlmsghdr *msg)
{
	device_chains_take(out, msg);
}

int nft_read_devices(struct device_chains *out)
{
	static const uint8_t families[] = { NFPROTO_NETDEV, NFPROTO_INET };
	autonl struct nl *nl = NULL;
	struct dump d = { .take = take_into_chains, .out = out, .torn = true };
	struct why why;
	int err = nl_open_bus(NETLINK_NETFILTER, &nl, &why);

	for (unsigned n = 0; !err && d.torn && n < TRIES; n++) {
		d.torn = false;
		device_chains_free(out);
		for (size_t i = 0; !err && i < ARRAY_LEN(families); i++)
			err = dump(nl, NFT_MSG_GETCHAIN, families[i], &d);
	}
	return none_is_fine(err);
}

/* --- rules */

/* A table or set that has gone meanwhile is a change, too. */
static int dump_part(struct nl *nl, struct nlmsghdr *msg, struct dump *d)
{
	int err = nl_dump_once(nl, msg, take, d, &d->torn);

	if (err != -ENOENT)
		return err;
	d->torn = true;
	return 0;
}

static int dump_rules(struct nl *nl, const struct rules_table *table, struct dump *d)
{
	struct nlmsghdr *msg = request(nl, NFT_MSG_GETRULE, table->family);

	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, table->name);
	return dump_part(nl, msg, d);
}

static int dump_elements(struct nl *nl, const struct rules_set *set, struct dump *d)
{
	struct nlmsghdr *msg = request(nl, NFT_MSG_GETSETELEM, set->family);

	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_TABLE, set->table);
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_SET, set->name);
	return dump_part(nl, msg, d);
}

static void take_into_rules(void *out, const struct nlmsghdr *msg)
{
	nft_take(out, msg);
}

/* Do packets come to that table? */
static bool is_met(const struct rules *r, size_t table, unsigned hooks, bool nat)
{
	const struct rules_table *t = &r->tables[table];

	return !t->dormant && (t->hooks & hooks || (nat && t->nat_hooks & hooks));
}

/* Which rules and elements there are to read is known before the first of them adds to the chains. */
static int read_rules(struct nl *nl, const uint8_t *families, size_t n, unsigned hooks, bool nat,
		      struct rules *r, struct dump *d)
{
	static const uint16_t kinds[] = { NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETSET };
	int err = 0;

	for (size_t i = 0; !err && i < n * ARRAY_LEN(kinds); i++)
		err = none_is_fine(
			dump(nl, kinds[i % ARRAY_LEN(kinds)], families[i / ARRAY_LEN(kinds)], d));
	for (size_t i = 0, n_tables = r->n_tables; !err && i < n_tables; i++)
		if (is_met(r, i, hooks, nat))
			err = dump_rules(nl, &r->tables[i], d);
	for (size_t i = 0; !err && i < r->n_sets; i++) {
		const struct rules_set *set = &r->sets[i];

		if (set->small &&
		    is_met(r, rules_table(r, set->family, false, set->table), hooks, nat))
			err = dump_elements(nl, set, d);
	}
	return err;
}

static int read_whole(const uint8_t *families, size_t n, unsigned hooks, bool nat,
		      struct rules *out)
{
	autonl struct nl *nl = NULL;
	struct dump d = { .take = take_into_rules, .out = out, .torn = true };
	struct why why;
	int err = nl_open_bus(NETLINK_NETFILTER, &nl, &why);

	if (err)
		return none_is_fine(err);
	for (unsigned tries = 0; !err && d.torn && tries < TRIES; tries++) {
		d.torn = false;
		rules_free(out);
		err = read_rules(nl, families, n, hooks, nat, out, &d);
	}
	if (!err && d.torn)
		err = -EAGAIN;
	if (err)
		rules_free(out);
	return err;
}

int nft_read_bridge(struct rules *out)
{
	static const uint8_t families[] = { NFPROTO_BRIDGE };

	return read_whole(families, ARRAY_LEN(families), UINT32_MAX, false, out);
}

int nft_read_ip(unsigned hooks, bool nat, struct rules *out)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET };

	return read_whole(families, ARRAY_LEN(families), hooks, nat, out);
}
