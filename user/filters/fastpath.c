// SPDX-License-Identifier: GPL-2.0
/* Reasons to keep the fast path off; see fastpath.h. */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter_bridge/ebtables.h>

#include "filters/fastpath.h"
#include "filters/nft_read.h"
#include "filters/rules_walk.h"
#include "filters/xt_table.h"

_Static_assert(FASTPATH_WHY == RULES_WHY, "clauses");

static void read_bridge_rules(char why[FASTPATH_WHY])
{
	autorules struct rules rules = { 0 };
	int err = nft_read_bridge(&rules);

	if (err)
		snprintf(why, FASTPATH_WHY,
			 "nftables rules of the bridge family cannot be read (%.40s)",
			 strerror(-err));
	else
		rules_tell_more(&rules, why);
}

static bool has_legacy_rules(const char *table)
{
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ebt_replace info = { 0 };
	socklen_t len = sizeof(info);

	text_copy(info.name, sizeof(info.name), table);
	return fd >= 0 && getsockopt(fd, IPPROTO_IP, EBT_SO_GET_INFO, &info, &len) == 0 &&
	       info.nentries;
}

/* Only legacy ebtables' own interface shows its rules. Asking for a table loads its module, so only
 * tables already loaded are read. */
static void read_legacy_rules(char why[FASTPATH_WHY])
{
	autofile FILE *modules = fopen("/proc/modules", "re");
	char line[512], table[16];

	while (modules && !why[0] && fgets(line, sizeof(line), modules))
		if (sscanf(line, "ebtable_%15[a-z] ", table) == 1 && has_legacy_rules(table))
			snprintf(why, FASTPATH_WHY,
				 "rules in legacy ebtables table %s may check more than the flow",
				 table);
}

/* Where the kernel takes a tunnel's packets, in and out. */
static const unsigned outer_hooks[FASTPATH_WAYS] = {
	[FASTPATH_IN] = 1U << NF_INET_PRE_ROUTING | 1U << NF_INET_LOCAL_IN,
	[FASTPATH_OUT] = 1U << NF_INET_LOCAL_OUT | 1U << NF_INET_POST_ROUTING,
};

static void read_outer_rules(uint16_t port, struct fastpath_rules *out)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	autorules struct rules rules = { 0 };
	int err = nft_read_ip(outer_hooks[FASTPATH_IN] | outer_hooks[FASTPATH_OUT], false, &rules);

	xt_tables_read(false, &rules);
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		for (unsigned way = 0; way < FASTPATH_WAYS; way++) {
			const struct rule_packet packet = { .family = families[i],
							    .protocol = IPPROTO_UDP,
							    .dport = port };

			if (err)
				snprintf(out->outer[i][way], FASTPATH_WHY,
					 "nftables rules cannot be read (%.40s)", strerror(-err));
			else
				rules_tell_apart(&rules, &packet, outer_hooks[way],
						 out->outer[i][way]);
		}
}

void fastpath_read_rules(uint16_t port, struct fastpath_rules *out)
{
	*out = (struct fastpath_rules){ 0 };
	read_bridge_rules(out->bridge);
	if (!out->bridge[0])
		read_legacy_rules(out->bridge);
	read_outer_rules(port, out);
	out->chains_err = nft_read_devices(&out->chains);
}

void fastpath_rules_free(struct fastpath_rules *rules)
{
	device_chains_free(&rules->chains);
	*rules = (struct fastpath_rules){ 0 };
}

bool fastpath_rules_equal(const struct fastpath_rules *a, const struct fastpath_rules *b)
{
	return strcmp(a->bridge, b->bridge) == 0 && a->chains_err == b->chains_err &&
	       memcmp(a->outer, b->outer, sizeof(a->outer)) == 0 &&
	       device_chains_equal(&a->chains, &b->chains);
}

bool fastpath_bridge_nf(const char *name)
{
	char path[128], text[4] = "";
	autofd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && text[0] != '0';
}

bool fastpath_bridge_nf_any(void)
{
	return fastpath_bridge_nf("iptables") || fastpath_bridge_nf("ip6tables") ||
	       fastpath_bridge_nf("arptables");
}

void fastpath_read(const struct link *bridge, const struct fastpath_rules *rules,
		   struct fastpath_facts *out)
{
	*out = (struct fastpath_facts){ 0 };
	memcpy(out->bridge_rules, rules->bridge, sizeof(out->bridge_rules));
	memcpy(out->outer, rules->outer, sizeof(out->outer));
	out->bridge_nf_call = fastpath_bridge_nf_any();
	out->nf_call = bridge && bridge->nf_call;
	out->hub = bridge && bridge->hub;
	out->promiscuous = bridge && bridge->flags & IFF_PROMISC;
}

const char *fastpath_why_off(const struct conf *conf, const struct fastpath_facts *facts)
{
	if (conf->fastpath == CONF_OFF)
		return "the config sets `fastpath: off`";
	if (conf->vni_mode == VX_VNI_INDEX)
		return "the config sets `vni: index`";
	if (conf->udp_checksum == CONF_ON)
		return "the config sets `udp_checksum: on`";
	if (conf->fastpath == CONF_ON || !facts)
		return NULL;
	if (facts->hub)
		return "the bridge floods every frame (its ageing_time is 0)";
	if (facts->promiscuous)
		return "the bridge is promiscuous, so a sniffer on it sees every frame";
	if (facts->bridge_nf_call)
		return "iptables filters bridged frames (net.bridge.bridge-nf-call-*)";
	if (facts->nf_call)
		return "iptables filters frames of this bridge (its nf_call_* options)";
	return facts->bridge_rules[0] ? facts->bridge_rules : NULL;
}
