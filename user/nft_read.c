// SPDX-License-Identifier: GPL-2.0
/* Dumps of nf_tables; see nft_read.h. */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nft_read.h"
#include "nl.h"

#define TRIES 5 /* dumps that a change runs into */

struct dump {
	void (*take)(void *out, const struct nlmsghdr *msg);
	void *out;
	bool torn; /* rules were changed meanwhile */
};

static int take(const struct nlmsghdr *msg, void *ctx)
{
	struct dump *d = ctx;

	d->torn |= msg->nlmsg_flags & NLM_F_DUMP_INTR;
	d->take(d->out, msg);
	return 0;
}

static int dump(struct nl *nl, uint16_t what, uint8_t family, struct dump *d)
{
	struct nlmsghdr *msg = nl_request(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what),
					  NLM_F_DUMP, sizeof(struct nfgenmsg));
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(msg);

	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nl_dump(nl, msg, take, d);
}

/* No netfilter, no nf_tables, not this family: then there are no rules. */
static int none_is_fine(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP || err == -EAFNOSUPPORT ||
			       err == -EPROTONOSUPPORT || err == -ENOENT
		       ? 0
		       : err;
}

static void take_into_ruleset(void *out, const struct nlmsghdr *msg)
{
	nft_ruleset_take(out, msg);
}

static void take_into_chains(void *out, const struct nlmsghdr *msg)
{
	nft_device_chains_take(out, msg);
}

int nft_read_bridge(struct nft_ruleset *out)
{
	static const uint16_t kinds[] = { NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETRULE,
					  NFT_MSG_GETSET };
	autonl struct nl *nl = NULL;
	struct dump d = { .take = take_into_ruleset, .out = out, .torn = true };
	struct why why;
	int err = nl_open_bus(NETLINK_NETFILTER, &nl, &why);

	for (unsigned n = 0; !err && d.torn && n < TRIES; n++) {
		d.torn = false;
		nft_ruleset_free(out);
		for (size_t i = 0; !err && i < ARRAY_LEN(kinds); i++)
			err = dump(nl, kinds[i], NFPROTO_BRIDGE, &d);
	}
	return none_is_fine(err);
}

int nft_read_devices(struct nft_device_chains *out)
{
	static const uint8_t families[] = { NFPROTO_NETDEV, NFPROTO_INET };
	autonl struct nl *nl = NULL;
	struct dump d = { .take = take_into_chains, .out = out, .torn = true };
	struct why why;
	int err = nl_open_bus(NETLINK_NETFILTER, &nl, &why);

	for (unsigned n = 0; !err && d.torn && n < TRIES; n++) {
		d.torn = false;
		nft_device_chains_free(out);
		for (size_t i = 0; !err && i < ARRAY_LEN(families); i++)
			err = dump(nl, NFT_MSG_GETCHAIN, families[i], &d);
	}
	return none_is_fine(err);
}
