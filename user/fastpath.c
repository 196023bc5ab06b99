// SPDX-License-Identifier: GPL-2.0
/* What keeps the fast path off; see fastpath.h. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "fastpath.h"
#include "nl.h"

static int take_chain(const struct nlmsghdr *msg, void *ctx)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_CHAIN_HOOK)
			*(bool *)ctx = true;
	return 0;
}

/* ebtables of today are nftables too. */
static bool has_bridge_rules(void)
{
	autonl struct nl *nl = NULL;
	struct nlmsghdr *msg;
	struct nfgenmsg *nfg;
	struct why why;
	bool found = false;

	if (nl_open_bus(NETLINK_NETFILTER, &nl, &why))
		return false;
	msg = nl_request(nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_DUMP,
			 sizeof(*nfg));
	nfg = mnl_nlmsg_get_payload(msg);
	nfg->nfgen_family = NFPROTO_BRIDGE;
	nfg->version = NFNETLINK_V0;
	nl_dump(nl, msg, take_chain, &found);
	return found;
}

static bool sysctl_is_on(const char *name)
{
	char path[128], text[4] = "";
	autofd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/bridge/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && text[0] != '0';
}

void fastpath_read(struct fastpath_facts *out)
{
	out->bridge_rules = has_bridge_rules();
	out->bridge_nf_call = sysctl_is_on("bridge-nf-call-iptables") ||
			      sysctl_is_on("bridge-nf-call-ip6tables") ||
			      sysctl_is_on("bridge-nf-call-arptables");
}

const char *fastpath_why_off(const struct conf *conf, const struct fastpath_facts *facts)
{
	if (conf->fastpath == CONF_OFF)
		return "`fastpath: off` in the file";
	if (conf->vni_mode == VX_VNI_INDEX)
		return "`vni: index` in the file";
	if (conf->fastpath == CONF_ON || !facts)
		return NULL;
	if (facts->bridge_nf_call)
		return "iptables look at bridged frames (net.bridge.bridge-nf-call-*)";
	if (facts->bridge_rules)
		return "firewall rules of the bridge family may look at more than the flow";
	return NULL;
}
