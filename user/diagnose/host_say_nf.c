// SPDX-License-Identifier: GPL-2.0
/* Effects of firewalls and network managers on an overlay, in sentences; see host.h. Pure. */
#include <netinet/in.h>
#include <string.h>

#include "base/human.h"
#include "diagnose/host.h"
#include "filters/rules_walk.h"

static bool is_dropped(const struct host_facts *f, const uint32_t *hooks, size_t n,
		       const struct rule_packet *packet, struct rules_culprit *out)
{
	for (size_t i = 0; i < n; i++)
		if (rules_drop(&f->rules, hooks[i], packet, out))
			return true;
	return false;
}

/* Is that a chain of iptables? Then nft had better not change it. */
static const char *iptables_of(const struct rules *rules, const struct rules_culprit *by)
{
	static const char *const chains[] = { "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };
	static const char *const tables[] = { "filter", "nat", "mangle", "raw" };
	bool may = false;

	if (by->chain->legacy)
		return by->chain->family == NFPROTO_IPV4 ? "iptables-legacy" : "ip6tables-legacy";
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		may |= strcmp(by->chain->table, tables[i]) == 0;
	for (size_t i = 0; may && by->chain->family != NFPROTO_INET && i < ARRAY_LEN(chains); i++)
		if (rules_chain_named(rules, by->chain->family, by->chain->table, chains[i]))
			return by->chain->family == NFPROTO_IPV4 ? "iptables" : "ip6tables";
	return NULL;
}

const char *host_family_name(uint8_t family)
{
	return family == NFPROTO_INET ? "inet" : family == NFPROTO_IPV4 ? "ip" : "ip6";
}

/* The command that lets it through, in the words of either tool. */
void host_let_through(const struct rules *rules, const struct rules_culprit *by,
		      const char *iptables, const char *nft, char text[HOST_LET])
{
	const char *tool = iptables_of(rules, by);

	if (tool)
		snprintf(text, HOST_LET, "%s%s%.16s -I %.40s %s -j ACCEPT", tool,
			 strcmp(by->chain->table, "filter") == 0 ? "" : " -t ",
			 strcmp(by->chain->table, "filter") == 0 ? "" : by->chain->table,
			 by->chain->name, iptables);
	else
		snprintf(text, HOST_LET, "nft insert rule %s %.40s %.40s %s accept",
			 host_family_name(by->chain->family), by->chain->table, by->chain->name,
			 nft);
}

static const char *how(const struct rules_culprit *by)
{
	return by->policy ? " by its policy" : "";
}

static void say_bridge(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	static const struct {
		unsigned bit;
		uint8_t family;
		const char *tables, *ip;
	} ways[] = {
		{ HOST_NF_IP4, NFPROTO_IPV4, "iptables", "IPv4" },
		{ HOST_NF_IP6, NFPROTO_IPV6, "ip6tables", "IPv6" },
	};
	static const uint32_t hooks[] = { NF_INET_FORWARD };
	const char *bridge = s->told.bridge;

	for (size_t i = 0; s->up && i < ARRAY_LEN(ways); i++) {
		const struct rule_packet packet = { .family = ways[i].family,
						    .protocol = IPPROTO_TCP,
						    .iif = bridge,
						    .oif = bridge };
		bool own = f->bridge.nf_call & ways[i].bit;
		char iptables[64], nft[64], let[HOST_LET], off[96];
		struct rules_culprit by;

		if (!((f->bridge_nf | f->bridge.nf_call) & ways[i].bit) ||
		    !is_dropped(f, hooks, ARRAY_LEN(hooks), &packet, &by))
			continue;
		snprintf(iptables, sizeof(iptables), "-i %s -o %s", bridge, bridge);
		snprintf(nft, sizeof(nft), "iifname %s oifname %s", bridge, bridge);
		host_let_through(&f->rules, &by, iptables, nft, let);
		if (own)
			snprintf(off, sizeof(off), "ip link set %s type bridge nf_call_%s 0",
				 bridge, ways[i].tables);
		else
			snprintf(off, sizeof(off), "sysctl -w net.bridge.bridge-nf-call-%s=0",
				 ways[i].tables);
		verdicts_add(out, VERDICT_BRIDGE_FILTERED, ways[i].ip,
			     "this host's firewall filters %s frames between containers and peers "
			     "(%s), and chain %s of table %s %s drops them%s; allow them with "
			     "`%s`, or disable the firewall on %s with `%s`",
			     ways[i].ip,
			     own ? "the bridge's nf_call is on" : "bridge-nf-call is on",
			     by.chain->name, host_family_name(by.chain->family), by.chain->table,
			     how(&by), let, own ? "this bridge" : "bridges", off);
	}
}

static void say_port(const struct host_facts *f, const struct snapshot *s, uint8_t family,
		     struct verdicts *out)
{
	static const uint32_t in[] = { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN };
	static const uint32_t on_way_out[] = { NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING };
	/* With several devices the one is not known. */
	const char *device =
		s->n_devices == 1 && !f->underlay_has_master ? s->devices[0].ifname : NULL;
	int ifindex = device ? s->devices[0].ifindex : 0;
	struct rule_packet packet = { .family = family,
				      .protocol = IPPROTO_UDP,
				      .dport = (uint16_t)s->told.port,
				      .iif = device,
				      .iif_index = ifindex };
	char iptables[32], nft[32], let[HOST_LET];
	struct rules_culprit by;

	snprintf(iptables, sizeof(iptables), "-p udp --dport %u", s->told.port);
	snprintf(nft, sizeof(nft), "udp dport %u", s->told.port);
	if (is_dropped(f, in, ARRAY_LEN(in), &packet, &by)) {
		host_let_through(&f->rules, &by, iptables, nft, let);
		verdicts_add(out, VERDICT_PORT_FILTERED, "in",
			     "chain %s of table %s %s drops packets from peers to UDP port %u%s; "
			     "accept them with `%s` (the guard still drops packets from non-peers)",
			     by.chain->name, host_family_name(by.chain->family), by.chain->table,
			     s->told.port, how(&by), let);
	}
	packet.iif = NULL;
	packet.iif_index = 0;
	packet.oif = device;
	packet.oif_index = ifindex;
	if (is_dropped(f, on_way_out, ARRAY_LEN(on_way_out), &packet, &by)) {
		host_let_through(&f->rules, &by, iptables, nft, let);
		verdicts_add(out, VERDICT_PORT_FILTERED, "out",
			     "chain %s of table %s %s drops packets to UDP port %u of peers%s; "
			     "accept them with `%s`",
			     by.chain->name, host_family_name(by.chain->family), by.chain->table,
			     s->told.port, how(&by), let);
	}
}

bool host_uses(const struct snapshot *s, bool v4)
{
	struct vx_addr addr;

	for (size_t i = 0; i < s->n_peers; i++)
		if (ip_parse(s->peers[i].address, &addr) && ip_is_v4(&addr) == v4)
			return true;
	return false;
}

static void say_conntrack(const struct host_facts *f, const struct snapshot *s,
			  struct verdicts *out)
{
	const struct host_conntrack *ct = &f->conntrack;
	bool ours = ct->vxlan * 4 >= ct->count;
	unsigned port = s->told.port;
	char count[HUMAN_LEN], max[HUMAN_LEN], vxlan[HUMAN_LEN];

	if (!ct->max || ct->count * 2 < ct->max || (ct->count * 4 < ct->max * 3 && !ours))
		return;
	human_count(ct->count, count);
	human_count(ct->max, max);
	human_count(ct->vxlan, vxlan);
	if (ours)
		verdicts_add(out, VERDICT_CONNTRACK, "vxlan",
			     "the conntrack table is %u%% full (%s of %s) and %s entries are "
			     "VXLAN, which needs no tracking; exclude VXLAN with `nft 'table inet "
			     "untrack { chain in { type filter hook prerouting priority raw; udp "
			     "dport %u notrack; }; chain out { type filter hook output priority "
			     "raw; udp dport %u notrack; }; }'`",
			     (unsigned)(ct->count * 100 / ct->max), count, max, vxlan, port, port);
	else
		verdicts_add(out, VERDICT_CONNTRACK, "",
			     "the conntrack table is %u%% full (%s of %s); a full table drops new "
			     "connections; raise the limit with `sysctl -w "
			     "net.netfilter.nf_conntrack_max=%llu`",
			     (unsigned)(ct->count * 100 / ct->max), count, max,
			     (unsigned long long)ct->max * 2);
}

static void say_managers(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	const char *bridge = s->told.bridge;

	if (f->managed[HOST_NETWORKD][0])
		verdicts_add(out, VERDICT_MANAGED, f->managed[HOST_NETWORKD],
			     "systemd-networkd manages %s and may remove its address, MTU or "
			     "programs; exclude it with `printf '[Match]\\nName=%s "
			     "vx-*\\n[Link]\\nUnmanaged=yes\\n' "
			     ">/etc/systemd/network/00-vxbpf-%s.network && networkctl reload`",
			     f->managed[HOST_NETWORKD], bridge, s->told.name);
	if (f->managed[HOST_NETWORKMANAGER][0])
		verdicts_add(
			out, VERDICT_MANAGED, f->managed[HOST_NETWORKMANAGER],
			"NetworkManager manages %s and may remove its address, MTU or master; "
			"exclude it with `printf "
			"'[keyfile]\\nunmanaged-devices+=interface-name:%s;interface-name:vx-*\\n' "
			">/etc/NetworkManager/conf.d/vxbpf-%s.conf && nmcli general reload`",
			f->managed[HOST_NETWORKMANAGER], bridge, s->told.name);
}

/* Programs that mark packets: their bits by default, and how their chains are named. */
static void say_marks(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	static const struct {
		const char *chain, *name;
		uint32_t mask;
		const char *advice;
	} known[] = {
		{ "cali-", "Calico", 0xffff0000,
		  " (or take it out of Felix's IptablesMarkMask, and NftablesMarkMask)" },
		{ "KUBE-", "kube-proxy", 0x0000c000, "" },
		{ "ts-", "Tailscale", 0x00ff0000, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		for (size_t k = 0; known[i].mask & s->told.mark && k < f->rules.n_chains; k++) {
			/* In nftables mode Calico's are "filter-cali-...". */
			const char *at = strstr(f->rules.chains[k].name, known[i].chain);

			if (!at || (at != f->rules.chains[k].name && at[-1] != '-'))
				continue;
			verdicts_add(out, VERDICT_MARK_SHARED, known[i].name,
				     "%s runs on this host (chain %s) and marks packets with bits "
				     "of 0x%08x, which include the overlay's mark 0x%08x, so each "
				     "may take the other's packets for its own; set `mark: "
				     "0x00001000` in the config%s",
				     known[i].name, f->rules.chains[k].name, known[i].mask,
				     s->told.mark, known[i].advice);
			break;
		}
}

void host_say_nf(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	say_bridge(f, s, out);
	if (s->told.port && host_uses(s, true))
		say_port(f, s, NFPROTO_IPV4, out);
	if (s->told.port && host_uses(s, false))
		say_port(f, s, NFPROTO_IPV6, out);
	host_say_nat(f, s, out);
	say_marks(f, s, out);
	say_conntrack(f, s, out);
	say_managers(f, s, out);
}
