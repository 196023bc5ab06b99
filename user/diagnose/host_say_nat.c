// SPDX-License-Identifier: GPL-2.0
/* Rules that give an overlay's packets or frames another source address, in sentences; see host.h. Pure. */
#include <netinet/in.h>
#include <string.h>

#include "diagnose/host.h"
#include "filters/rules_walk.h"

struct ip_family {
	unsigned bit;
	uint8_t nfproto;
	const char *tables, *name;
	size_t skip; /* of a struct vx_addr, to the bytes of the address */
};
static const struct ip_family families[] = {
	{ HOST_NF_IP4, NFPROTO_IPV4, "iptables", "IPv4", 12 },
	{ HOST_NF_IP6, NFPROTO_IPV6, "ip6tables", "IPv6", 0 },
};

/* --- packets to peers */

/*
 * Is this the address that a masquerade by that device gives? The kernel takes the first IPv4 address in the subnet
 * of the next hop, or else the first. Doubt means yes.
 */
static bool is_masquerade(const struct host_facts *f, int ifindex, const struct vx_addr *source,
			  const struct vx_addr *remote)
{
	const struct addr *first = NULL, *near = NULL;
	bool there = false;
	size_t n = 0;

	for (size_t i = 0; i < f->addrs.n; i++) {
		const struct addr *a = &f->addrs.v[i];

		if (a->ifindex != ifindex || ip_is_v4(&a->prefix.addr) != ip_is_v4(source) ||
		    ip_is_link_local(&a->prefix.addr))
			continue;
		n++;
		there |= ip_equal(&a->prefix.addr, source);
		first = first ?: a;
		if (!near && ip_in_prefix(remote, &a->prefix))
			near = a;
	}
	if (!n || (there && (!ip_is_v4(source) || (!near && n > 1))))
		return true;
	return ip_equal(&(near ?: first)->prefix.addr, source);
}

static int ifindex_of(const struct snapshot *s, const char *ifname)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (strcmp(s->devices[i].ifname, ifname) == 0)
			return s->devices[i].ifindex;
	return 0;
}

static bool is_translated(const struct host_facts *f, const struct snapshot *s,
			  const struct snapshot_peer *p, const struct ip_family *family,
			  struct rules_culprit *by)
{
	int ifindex = ifindex_of(s, p->route.device);
	struct vx_addr source, dest;
	struct rule_packet packet = { .family = family->nfproto,
				      .protocol = IPPROTO_UDP,
				      .dport = (uint16_t)s->told.port,
				      .oif = p->route.device,
				      .oif_index = ifindex };

	if (!ifindex || !ip_parse(p->local, &source) || !ip_parse(p->address, &dest) ||
	    ip_is_v4(&dest) != (family->nfproto == NFPROTO_IPV4))
		return false;
	packet.source = source.bytes + family->skip;
	packet.dest = dest.bytes + family->skip;
	packet.masquerades = !is_masquerade(f, ifindex, &source, &dest);
	return rules_translate(&f->rules, NF_INET_LOCAL_OUT, &packet, by);
}

static void say_tunnels(const struct host_facts *f, const struct snapshot *s,
			const struct ip_family *family, struct verdicts *out)
{
	const struct snapshot_peer *first = NULL;
	char iptables[32], nft[32], more[32] = "", let[HOST_LET];
	struct rules_culprit by = { 0 }, one;
	size_t n = 0;

	for (size_t i = 0; i < s->n_peers; i++) {
		if (!is_translated(f, s, &s->peers[i], family, first ? &one : &by))
			continue;
		first = first ?: &s->peers[i];
		n++;
	}
	if (!first)
		return;
	snprintf(iptables, sizeof(iptables), "-p udp --dport %u", s->told.port);
	snprintf(nft, sizeof(nft), "udp dport %u", s->told.port);
	host_let_through(&f->rules, &by, iptables, nft, let);
	if (n > 1)
		snprintf(more, sizeof(more), " and %zu more", n - 1);
	verdicts_add(out, VERDICT_NAT, family->name,
		     "chain %s of table %s %s rewrites the source address %s of packets to %s%s "
		     "(NAT), so that they arrive there as if from a stranger and are dropped; "
		     "exclude them with `%s`, then end the translation of what is under way with "
		     "`conntrack -D -p udp --orig-port-dst %u`",
		     by.chain->name, host_family_name(by.chain->family), by.chain->table,
		     first->local, first->name, more, let, s->told.port);
}

/* --- frames on the bridge */

/* Two machines of the bridge's subnet, other than this host; false: it is not known, or too small. */
static bool find_machines(const struct host_facts *f, int bridge, bool v4, struct ip_prefix *subnet,
			  struct vx_addr out[2])
{
	for (size_t i = 0; i < f->addrs.n; i++) {
		const struct addr *a = &f->addrs.v[i];

		if (a->ifindex != bridge || ip_is_v4(&a->prefix.addr) != v4 ||
		    ip_is_link_local(&a->prefix.addr) || a->prefix.bits > (v4 ? 30 : 126))
			continue;
		*subnet = a->prefix;
		out[0] = out[1] = a->prefix.addr;
		out[0].bytes[15] ^= 1;
		out[1].bytes[15] ^= 2;
		return true;
	}
	return false;
}

static void say_bridge(const struct host_facts *f, const struct snapshot *s,
		       const struct ip_family *family, struct verdicts *out)
{
	const char *bridge = s->told.bridge;
	bool own = f->bridge.nf_call & family->bit, known, v4 = family->nfproto == NFPROTO_IPV4;
	int ifindex = s->n_ports ? s->ports[0].ifindex : 0;
	struct rule_packet packet = { .family = family->nfproto,
				      .protocol = IPPROTO_TCP,
				      .oif = bridge,
				      .oif_index = ifindex,
				      .masquerades = true };
	char nft[160] = "", prefix[IP_TEXT + 4], let[HOST_LET], off[96];
	struct ip_prefix subnet;
	struct vx_addr machines[2];
	struct rules_culprit by;

	if (!((f->bridge_nf | f->bridge.nf_call) & family->bit))
		return;
	known = find_machines(f, ifindex, v4, &subnet, machines);
	packet.source = known ? machines[0].bytes + family->skip : NULL;
	packet.dest = known ? machines[1].bytes + family->skip : NULL;
	if (!rules_translate(&f->rules, NF_INET_PRE_ROUTING, &packet, &by))
		return;
	if (own)
		snprintf(off, sizeof(off), "ip link set %s type bridge nf_call_%s 0", bridge,
			 family->tables);
	else
		snprintf(off, sizeof(off), "sysctl -w net.bridge.bridge-nf-call-%s=0",
			 family->tables);
	if (known) {
		ip_format_prefix(&subnet, prefix);
		snprintf(nft, sizeof(nft), "%s saddr %s %s daddr %s", v4 ? "ip" : "ip6", prefix,
			 v4 ? "ip" : "ip6", prefix);
	} else {
		snprintf(nft, sizeof(nft), "oifname %s", bridge);
	}
	host_let_through(&f->rules, &by, "-m physdev --physdev-is-bridged", nft, let);
	verdicts_add(out, VERDICT_NAT, bridge,
		     "this host's firewall sees %s frames between containers and peers (%s), and "
		     "chain %s of table %s %s rewrites their source address (NAT); exclude them "
		     "with `%s`, or disable the firewall on %s with `%s`",
		     family->name, own ? "the bridge's nf_call is on" : "bridge-nf-call is on",
		     by.chain->name, host_family_name(by.chain->family), by.chain->table, let,
		     own ? "this bridge" : "bridges", off);
}

void host_say_nat(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	for (size_t i = 0; s->up && i < ARRAY_LEN(families); i++) {
		say_bridge(f, s, &families[i], out);
		say_tunnels(f, s, &families[i], out);
	}
}
