// SPDX-License-Identifier: GPL-2.0
/* Effects of devices, tables and the kernel on an overlay, in sentences; see host.h. Pure. */
#include <linux/if_bridge.h>
#include <string.h>

#include "base/human.h"
#include "diagnose/host.h"

#define PORTS_MAX 1023 /* of a bridge */
#define PORTS_SPARE 16
#define DELAY_FINE 200 /* hundredths of a second: the least spanning tree takes */
#define SUMS_FEW 100 /* wrong checksums too few to report */

/* --- the port */

static void say_port(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	unsigned port = s->told.port;

	for (size_t i = 0; i < f->n_vxlans; i++) {
		const struct host_vxlan *v = &f->vxlans[i];

		if (v->other_kind && v->up)
			verdicts_add(out, VERDICT_PORT_SHARED, v->ifname,
				     "VXLAN device %s has another mode (external, GBP, "
				     "udp6zerocsumrx, ...) and "
				     "occupies UDP port %u, so no tunnel can come up; set another "
				     "`port:` in the config of every host and run `vxbpf up`",
				     v->ifname, port);
		else if (v->other_kind)
			verdicts_add(out, VERDICT_PORT_SHARED, v->ifname,
				     "VXLAN device %s has another mode (external, GBP, "
				     "udp6zerocsumrx, ...) and "
				     "also uses UDP port %u, so it cannot be up together with the "
				     "overlay; set another `port:` in the config of every host, or "
				     "another port for %s",
				     v->ifname, port, v->ifname);
		else
			verdicts_add(out, VERDICT_PORT_SHARED, v->ifname,
				     "%s (VNI %u) also uses UDP port %u; this works only while all "
				     "VNIs differ and firewall rules for that port suit both; set "
				     "another `port:` in the config of every host to be safe",
				     v->ifname, v->vni, port);
	}
	for (size_t i = 0; i < f->n_sockets; i++)
		verdicts_add(
			out, VERDICT_PORT_SHARED, f->sockets[i].process,
			"%s uses UDP port %u (address %s), so tunnels cannot come up; stop it, or "
			"set another `port:` in the config of every host, and run `vxbpf up`",
			f->sockets[i].process, port,
			f->sockets[i].address[0] ? f->sockets[i].address : "any");
}

/* --- a second way */

static const struct snapshot_peer *peer_at(const struct snapshot *s, const struct vx_addr *addr)
{
	struct vx_addr at;

	for (size_t i = 0; ip_is_set(addr) && i < s->n_peers; i++)
		if (ip_parse(s->peers[i].address, &at) && ip_equal(&at, addr))
			return &s->peers[i];
	return NULL;
}

/* Did a frame of this port come back from a peer lately? A container's port does not lead to a network. */
static bool has_looped(const struct snapshot *s, const struct host_member *m)
{
	const struct snapshot_witness *w = &s->witness[VX_REASON_LOOP];

	return w->last.time_ns && s->now_ns - w->last.time_ns < SNAPSHOT_RECENT_NS &&
	       !w->to_tunnel && strcmp(w->to, m->ifname) == 0 && strcmp(m->kind, "veth") != 0 &&
	       strcmp(m->kind, "tun") != 0;
}

static void say_second_path(const struct host_facts *f, const struct snapshot *s,
			    struct verdicts *out)
{
	const struct snapshot_witness *w = &s->witness[VX_REASON_LOOP];

	for (size_t i = 0; i < f->n_members; i++) {
		const struct host_member *m = &f->members[i];
		const struct snapshot_peer *peer = m->ours ? NULL : peer_at(s, &m->remote);

		if (m->ours)
			continue;
		if (peer)
			verdicts_add(out, VERDICT_SECOND_PATH, m->ifname,
				     "%s, a tunnel on %s that vxbpf did not make, also leads to "
				     "%s, so frames loop; remove it from the bridge with `ip link "
				     "set %s nomaster`",
				     m->ifname, s->told.bridge, peer->name, m->ifname);
		else if (snapshot_is_underlay(s, m->ifname))
			verdicts_add(out, VERDICT_SECOND_PATH, m->ifname,
				     "%s carries the tunnels and is also a port of %s, so hosts on "
				     "one network are connected twice; remove it from the bridge "
				     "with `ip link set %s nomaster`",
				     m->ifname, s->told.bridge, m->ifname);
		else if (has_looped(s, m))
			verdicts_add(out, VERDICT_SECOND_PATH, m->ifname,
				     "frames received on %s return from %s, so the bridges of both "
				     "hosts are on that network; remove it from one bridge with "
				     "`ip link set %s nomaster`",
				     m->ifname, w->last.peer[0] ? w->last.peer : "a peer",
				     m->ifname);
	}
}

/* --- the bridge */

static void say_spanning_tree(const struct host_facts *f, const struct snapshot *s,
			      struct verdicts *out)
{
	const char *bridge = s->told.bridge;
	char held[96] = "";
	size_t n = 0;

	if (!f->bridge.stp)
		return;
	for (size_t i = 0; i < f->n_members; i++) {
		const struct host_member *m = &f->members[i];

		if (!m->ours || !m->up || m->state == BR_STATE_FORWARDING ||
		    m->state == BR_STATE_DISABLED)
			continue;
		if (!n++)
			text_copy(held, sizeof(held), m->ifname);
	}
	if (n > 1)
		text_add(held, sizeof(held), " and %zu more", n - 1);
	if (n)
		verdicts_add(out, VERDICT_SPANNING_TREE, bridge,
			     "spanning tree on %s blocks %s, and no other tunnel carries frames of "
			     "those peers; disable it (tunnels do not loop without it) with `ip "
			     "link set %s type bridge stp_state 0`; they forward within 20 s",
			     bridge, held, bridge);
	if (f->bridge.forward_delay > DELAY_FINE)
		verdicts_add(out, VERDICT_SPANNING_TREE, bridge,
			     "spanning tree on %s blocks each new port for %u s; disable it with "
			     "`ip link set %s type bridge stp_state 0`, or shorten it with `ip "
			     "link set %s type bridge forward_delay %u`",
			     bridge, f->bridge.forward_delay * 2 / 100, bridge, bridge, DELAY_FINE);
}

static void say_bridge(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	const char *bridge = s->told.bridge;

	if (f->n_members + PORTS_SPARE > PORTS_MAX)
		verdicts_add(out, VERDICT_BRIDGE_FULL, bridge,
			     "%s has %zu ports and the kernel allows %u; run further containers on "
			     "another host",
			     bridge, f->n_members, PORTS_MAX);
	if (host_is_nearly(f->bridge.fdb_learned, f->bridge.fdb_max))
		verdicts_add(out, VERDICT_BRIDGE_FULL, bridge,
			     "%s has learned %u MACs of at most %u, and frames for further MACs "
			     "are flooded to every peer; raise the limit with `ip link set %s type "
			     "bridge fdb_max_learned %u`",
			     bridge, f->bridge.fdb_learned, f->bridge.fdb_max, bridge,
			     f->bridge.fdb_max * 4);
}

/* --- tables, counters */

static void say_neighbours(const struct host_neighbours *t, const char *family,
			   struct verdicts *out)
{
	if (host_is_nearly(t->entries, t->max))
		verdicts_add(
			out, VERDICT_NEIGHBOURS, family,
			"the kernel's neighbour table for %s has %u entries of at most %u (all "
			"containers share it), and packets without an entry cannot be sent; raise "
			"the limit with `sysctl -w net.%s.neigh.default.gc_thresh3=%u`",
			strcmp(family, "ipv4") == 0 ? "IPv4" : "IPv6", t->entries, t->max, family,
			t->max * 4);
}

static void say_sums(const struct host_facts *f, struct verdicts *out)
{
	static const char *const names[HOST_SUMS] = {
		[HOST_UDP4] = "UDP over IPv4",
		[HOST_UDP6] = "UDP over IPv6",
		[HOST_TCP] = "TCP",
	};

	for (size_t i = 0; i < HOST_SUMS; i++) {
		const struct host_sums *t = &f->sums[i];
		char bad[HUMAN_LEN], all[HUMAN_LEN];

		if (t->bad <= SUMS_FEW || t->bad * 100 < t->good + t->bad)
			continue;
		human_count(t->bad, bad);
		human_count(t->good + t->bad, all);
		verdicts_add(out, VERDICT_CHECKSUMS, names[i],
			     "this host received %s packets of %s since it started, and %s had a "
			     "wrong checksum, usually because of the sender's NIC; on the sending "
			     "hosts, try `ethtool -K DEVICE tx off`",
			     all, names[i], bad);
	}
}

/* --- two uplinks */

/* A peer that is not heard, whose packets may come by a device that is not on the way back. */
static bool is_filtered_at(const struct host_device *d, const struct snapshot_peer *p)
{
	struct vx_addr address;

	return d->strict && ip_parse(p->address, &address) && ip_is_v4(&address) &&
	       p->probe.result == PROBE_UNANSWERED && p->route.device[0] &&
	       strcmp(p->route.device, d->ifname) != 0;
}

static void say_rp_filter(const struct host_facts *f, const struct snapshot *s,
			  struct verdicts *out)
{
	char dropped[HUMAN_LEN];

	human_count(f->rp_dropped, dropped);
	for (size_t i = 0; i < f->n_devices && f->rp_dropped; i++)
		for (size_t k = 0; k < s->n_peers; k++) {
			const struct host_device *d = &f->devices[i];
			const struct snapshot_peer *p = &s->peers[k];

			if (!is_filtered_at(d, p))
				continue;
			verdicts_add(out, VERDICT_RP_FILTER, d->ifname,
				     "%s has rp_filter 1, so the kernel drops what %s sends by it, "
				     "as the route to %s uses %s (%s packets dropped since this "
				     "host started); run `sysctl -w net.ipv4.conf.%s.rp_filter=2`",
				     d->ifname, p->name, p->address, p->route.device, dropped,
				     d->ifname);
			break; /* the sysctl serves all peers */
		}
}

/* --- guests on the underlay's bridge */

#define GUESTS_NAMED 3 /* the rest only as a number */

static void say_guests(const struct host_facts *f, size_t first, size_t n, unsigned port,
		       struct verdicts *out)
{
	const char *device = f->guests[first].device;
	char ports[96] = "";

	for (size_t i = 0; i < n && i < GUESTS_NAMED; i++)
		text_add(ports, sizeof(ports), "%s%s", i ? ", " : "", f->guests[first + i].port);
	if (n > GUESTS_NAMED)
		text_add(ports, sizeof(ports), " and %zu more", n - GUESTS_NAMED);
	verdicts_add(
		out, VERDICT_UNDERLAY_GUESTS, device,
		"%s carries the tunnels, and guests share its bridge (%s); vxbpf does not see "
		"what they send there, so a guest can send VXLAN with the address of a host; if "
		"guests are not trusted, drop UDP port %u with such a source address on these "
		"ports, or move them to another bridge or VLAN",
		device, ports, port);
}

void host_inform(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	for (size_t i = 0, n; s->told.guard != VX_GUARD_OFF && i < f->n_guests; i += n) {
		for (n = 1; i + n < f->n_guests &&
			    strcmp(f->guests[i].device, f->guests[i + n].device) == 0;)
			n++;
		say_guests(f, i, n, s->told.port, out);
	}
}

/* --- hypervisor and kernel */

static void say_hypervisor(const struct host_facts *f, const struct snapshot *s,
			   struct verdicts *out)
{
	unsigned port = s->told.port;
	size_t silent = 0, heard = 0;

	for (size_t i = 0; i < s->n_peers; i++) {
		silent += s->peers[i].state == PEER_SILENT;
		heard += s->peers[i].last_seen_ms >= 0;
	}
	if (!silent || heard || (port != 4789 && port != 8472))
		return;
	for (size_t i = 0; i < f->n_devices; i++)
		if (strcmp(f->devices[i].driver, "vmxnet3") == 0)
			verdicts_add(out, VERDICT_HYPERVISOR, f->devices[i].ifname,
				     "%s is a VMware NIC and no peer is heard; some VMware "
				     "switches reserve UDP port %u, so set another `port:` in the "
				     "config of every host",
				     f->devices[i].ifname, port);
}

static void say_module(const char *release, const char *name, enum host_has has,
		       struct verdicts *out)
{
	if (has == HOST_LACKS)
		verdicts_add(out, VERDICT_KERNEL, name,
			     "this kernel (%s) has no module %s, and none is installed for it; "
			     "install the package with it (linux-modules-extra-%s on Ubuntu, else "
			     "the full kernel instead of a minimal one), or boot the kernel whose "
			     "modules are installed",
			     release, name, release);
}

static void say_kernel(const struct host_kernel *k, struct verdicts *out)
{
	say_module(k->release, "vxlan", k->vxlan, out);
	say_module(k->release, "bridge", k->bridge, out);
	if (k->btf == HOST_LACKS)
		verdicts_add(
			out, VERDICT_KERNEL, "btf",
			"this kernel (%s) has no /sys/kernel/btf/vmlinux, which vxbpf needs; use a "
			"kernel built with CONFIG_DEBUG_INFO_BTF, as distribution kernels are",
			k->release);
}

void host_say_net(const struct host_facts *f, const struct snapshot *s, struct verdicts *out)
{
	say_port(f, s, out);
	say_second_path(f, s, out);
	say_spanning_tree(f, s, out);
	say_bridge(f, s, out);
	say_neighbours(&f->neigh4, "ipv4", out);
	say_neighbours(&f->neigh6, "ipv6", out);
	say_sums(f, out);
	say_rp_filter(f, s, out);
	say_hypervisor(f, s, out);
	if (!s->up)
		say_kernel(&f->kernel, out);
}
