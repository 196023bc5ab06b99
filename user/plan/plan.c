// SPDX-License-Identifier: GPL-2.0
/*
 * The objects that ought to be there; see plan.h. Pure.
 *
 * lines: everything that is wanted reads top to bottom in one file, in the order of kinds.
 */
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "kernel/attach.h"
#include "kernel/tcplace.h"
#include "plan/plan.h"

/* --- objects, in the order of their kinds */

struct planning {
	const struct conf *conf;
	const struct mesh *mesh;
	const struct plan_surroundings *around;
	const struct plan_built *built;
	const struct plan_base *base;
	struct objs *out;
	struct verdicts *verdicts;
};

static void want_pins(const struct planning *p)
{
	struct obj *tree = objs_add(p->out, OBJ_TREE, "%s", p->conf->overlay);

	obj_num(tree, F_LAYOUT, VX_LAYOUT);
	for (const char *const *map = p->built->maps; *map; map++) {
		struct obj *o = objs_add(p->out, OBJ_MAP, "%s", *map);

		if (strcmp(*map, "counters") == 0)
			obj_num(o, F_SLOTS, p->built->slots->size);
	}
	for (const char *const *prog = p->built->progs; *prog; prog++)
		objs_add(p->out, OBJ_PROG, "%s/%s", p->built->build, *prog);
}

static void want_overlay_entry(const struct planning *p)
{
	const struct conf *conf = p->conf;
	const struct conf_host *self = p->mesh->self;
	struct vx_overlay o = { 0 };
	const char *off = fastpath_why_off(conf, p->around->fastpath);
	struct obj *e = objs_add(p->out, OBJ_ENTRY, "overlay/0");

	text_copy(o.name, sizeof(o.name), conf->overlay);
	text_copy(o.bridge, sizeof(o.bridge), conf->bridge);
	text_copy(o.local, sizeof(o.local), self->name);
	ip_format(&self->address, o.address);
	ip_format(&self->address6, o.address6);
	text_copy(o.underlay, sizeof(o.underlay), conf->underlay);
	text_copy(o.config, sizeof(o.config), conf->path);
	text_copy(o.mtu_why, sizeof(o.mtu_why), p->base->mtu_why);
	o.mtu = p->base->cfg.mtu;
	o.port = conf->port;
	o.mark = conf->mark;
	o.secret = p->around->secret.secret;
	o.salt = p->around->secret.salt;
	o.guard = conf->guard;
	o.vni_mode = conf->vni_mode;
	text_copy(o.fastpath, sizeof(o.fastpath), conf_switch_name(conf->fastpath));
	text_copy(o.xdp, sizeof(o.xdp), conf_switch_name(conf->xdp));
	if (off)
		text_copy(o.fastpath_why, sizeof(o.fastpath_why), off);
	obj_blob(e, &o, sizeof(o));
	obj_note(e, "host %s  mtu %u  guard %s", self->name, o.mtu, conf_guard_name(conf->guard));
}

/* With `auto` a port with anything of others on it is left to the kernel. */
static bool has_foreign(const struct planning *p, const struct link *port)
{
	return p->conf->fastpath == CONF_AUTO && p->built->foreigns &&
	       foreigns_on(p->built->foreigns, port->ifindex, FOREIGN_IN | FOREIGN_OUT);
}

static void want_peer_entries(const struct planning *p, size_t i)
{
	const struct mesh_peer *mp = &p->mesh->peers[i];
	const struct plan_slow slow = { p->conf, p->around, p->built, p->base };
	bool ipsec = p->around->ipsec && p->around->ipsec[i];
	struct vx_vni vni = { .vni = mp->vni };
	struct vx_peer peer = { .remote = mp->remote,
				.local = mp->local,
				.ipsec = ipsec,
				.slot = p->built->slots->of[i],
				.owner = slots_owner(mp),
				.slow_tx = !!plan_slow_why(&slow, mp, FOREIGN_OUT),
				.slow_rx = !!plan_slow_why(&slow, mp, FOREIGN_IN) };
	struct vx_counters sum = { .owner = peer.owner };
	struct obj *e;

	text_copy(peer.name, sizeof(peer.name), mp->host->name);
	text_copy(peer.ifname, sizeof(peer.ifname), mp->ifname);
	ip_format(&mp->remote, peer.address);
	ip_format(&mp->local, peer.local_address);
	e = objs_add(p->out, OBJ_ENTRY, "peers/%u", mp->vni);
	obj_blob(e, &peer, sizeof(peer));
	obj_note(e, "%s  %s -> %s%s%s%s", peer.name, peer.local_address, peer.address,
		 ipsec ? "  by IPsec" : "", peer.slow_tx ? "  sent by the kernel" : "",
		 peer.slow_rx ? "  received by the kernel" : "");
	e = objs_add(p->out, OBJ_ENTRY, "sources/%s", peer.address);
	obj_blob(e, &vni, sizeof(vni));
	obj_note(e, "%s", peer.name);
	e = objs_add(p->out, OBJ_ENTRY, "counters/%u", peer.slot);
	text_copy(sum.peer, sizeof(sum.peer), peer.name);
	/* Their owners; the programs write the numbers. */
	obj_blob(e, &sum, offsetof(struct vx_counters, rx_packets));
	obj_note(e, "%s", peer.name);
}

/* Two ways at once would count and judge a frame twice: what is hooked keeps its way. */
static void want_hook(const struct planning *p, enum obj_kind kind, const struct link *link,
		      const char *ifname, const char *room, bool optional)
{
	struct obj *h = objs_add(p->out, kind, "%s/%s", ifname, room);
	const struct obj *now = objs_find(p->built->now, kind, h->key);

	obj_parent(h, ifname);
	if (strcmp(room, "wire_xdp") == 0)
		obj_text(h, F_MODE, "xdp");
	else
		obj_text(h, F_MODE, now ? obj_get_text(now, F_MODE) : p->around->tc_mode);
	if (strcmp(obj_get_text(h, F_MODE), "clsact") == 0 && attach_room(room)->order != TC_BEHIND)
		obj_num(h, F_FRONT, 1);
	obj_text(h, F_BUILD, p->built->build);
	h->optional = optional;
	h->ifindex = link ? (unsigned)link->ifindex : 0;
}

static bool has_ethernet(const struct link *link)
{
	return link->type == ARPHRD_ETHER || link->type == ARPHRD_LOOPBACK;
}

/* Driver-mode XDP pays on a real NIC's driver only; on a veth it costs two thirds of the speed, and
 * a virtio NIC gives up its offloads for it. */
static bool wants_xdp(const struct conf *conf, const struct link *link)
{
	if (conf->xdp == CONF_OFF || conf->guard != VX_GUARD_ENFORCE || !has_ethernet(link))
		return false;
	return conf->xdp == CONF_ON || (!link->kind[0] && strcmp(link->bus, "pci") == 0);
}

/* With its cable out a device carries no route for a moment; it must not lose its guard for that. */
static void want_wire_of_the_unroutable(const struct planning *p)
{
	bool unroutable = false;

	for (size_t i = 0; i < p->mesh->n_peers; i++)
		unroutable |= p->around->routes[i].err != 0;
	for (size_t i = 0; unroutable && i < p->built->now->n; i++) {
		const struct obj *hook = p->built->now->v[i];
		const struct link *link =
			hook->parent ? links_by_name(p->around->links, hook->parent) : NULL;

		if (hook->kind == OBJ_WIRE && link && !objs_find(p->out, OBJ_WIRE, hook->key))
			want_hook(p, OBJ_WIRE, link, link->name, strchr(hook->key, '/') + 1, true);
	}
}

/* A NIC runs one XDP program: somebody else's, or another overlay's, stays. */
static bool has_others_xdp(const struct planning *p, const struct link *link)
{
	char key[VX_IF_LEN + 16];

	snprintf(key, sizeof(key), "%s/wire_xdp", link->name);
	if (!link->xdp_prog || objs_find(p->built->now, OBJ_WIRE, key))
		return false;
	verdicts_add(p->verdicts, VERDICT_XDP, link->name,
		     "%s: another XDP program is attached and stays, so the guard uses TC there; "
		     "remove it, or set `xdp: off`",
		     link->name);
	return true;
}

static void want_wire(const struct planning *p)
{
	for (size_t i = 0; i < p->base->underlay.n; i++) {
		const struct link *link =
			links_by_index(p->around->links, p->base->underlay.ifindex[i]);
		bool l2 = has_ethernet(link), besides = i >= p->base->underlay.needed;

		want_hook(p, OBJ_WIRE, link, link->name, l2 ? "wire_in" : "wire_in_l3", besides);
		want_hook(p, OBJ_WIRE, link, link->name, l2 ? "wire_out" : "wire_out_l3", besides);
		if (wants_xdp(p->conf, link) && !has_others_xdp(p, link))
			want_hook(p, OBJ_WIRE, link, link->name, "wire_xdp", true);
	}
}

static void want_bridge(const struct planning *p)
{
	const struct link *link = links_by_name(p->around->links, p->conf->bridge);
	char alias[LINK_ALIAS], mac[18];
	struct obj *b;

	if (link && !plan_owns_bridge(link, p->conf->overlay))
		return; /* somebody else's: used as it is */
	b = objs_add(p->out, OBJ_BRIDGE, "%s", p->conf->bridge);
	plan_bridge_alias(p->conf->overlay, alias);
	obj_text(b, F_ALIAS, alias);
	plan_mac(p->conf->overlay, p->mesh->self->name, p->conf->bridge, mac);
	obj_text(b, F_MAC, mac);
	/* A snooping bridge prunes by what it hears, and split horizon keeps two peers' reports from each
	 * other: a querier anywhere would cut them off. */
	obj_num(b, F_MCAST_ALL, 1);
	b = objs_add(p->out, OBJ_SETUP, "%s", p->conf->bridge);
	obj_num(b, F_MTU, p->base->cfg.mtu);
	obj_num(b, F_ACCEPT_RA, 0);
	obj_num(b, F_UP, 1);
}

static uint32_t tunnel_mtu(const struct planning *p, const struct mesh_peer *mp)
{
	const struct link *bridge = links_by_name(p->around->links, p->conf->bridge);
	const struct link *lower;

	/* A bridge whose MTU nobody set takes that of its smallest port: somebody else's must not grow. */
	if (bridge && !plan_owns_bridge(bridge, p->conf->overlay))
		return bridge->mtu;
	if (!p->conf->underlay[0])
		return PLAN_TUNNEL_MTU;
	/* Bound to a device, the kernel allows no more than that device's MTU less the overhead. */
	lower = links_by_name(p->around->links, p->conf->underlay);
	return lower->mtu - (ip_is_v4(&mp->remote) ? MESH_OVERHEAD_V4 : MESH_OVERHEAD_V6);
}

/* A tunnel that is there keeps its way until `restart`, as another one would be another device. */
static void want_checksum(const struct planning *p, struct obj *t)
{
	const struct obj *now = objs_find(p->built->now, OBJ_TUNNEL, t->key);
	bool wanted = conf_sends_checksum(p->conf);
	bool has = now ? obj_get_num(now, F_CSUM) : wanted;

	obj_num(t, F_CSUM, has);
	if (has && !wanted)
		verdicts_add(p->verdicts, VERDICT_UDP_CHECKSUM, t->key,
			     "%s: sends outer UDP checksums, so frames to this peer are not "
			     "accelerated; run `vxbpf restart %s`, or set `udp_checksum: on`",
			     t->key, p->conf->overlay);
	else if (wanted && !has && p->conf->udp_checksum == CONF_ON)
		verdicts_add(p->verdicts, VERDICT_UDP_CHECKSUM, t->key,
			     "%s: was made before `udp_checksum: on` and sends none; run `vxbpf "
			     "restart %s`",
			     t->key, p->conf->overlay);
}

static void want_tunnel(const struct planning *p, const struct mesh_peer *mp)
{
	char text[LINK_ALIAS];
	struct obj *t = objs_add(p->out, OBJ_TUNNEL, "%s", mp->ifname);

	obj_num(t, F_VNI, mp->vni);
	obj_num(t, F_PORT, p->conf->port);
	ip_format(&mp->local, text);
	obj_text(t, F_LOCAL, text);
	ip_format(&mp->remote, text);
	obj_text(t, F_REMOTE, text);
	obj_text(t, F_TO, text);
	obj_text(t, F_LOWER, p->conf->underlay);
	obj_num(t, F_LEARNING, p->conf->vni_mode == VX_VNI_INDEX);
	want_checksum(p, t);
	obj_num(t, F_GROUP, plan_group(p->conf->overlay));
	plan_mac(p->conf->overlay, p->mesh->self->name, mp->ifname, text);
	obj_text(t, F_MAC, text);
	plan_tunnel_alias(p->conf->overlay, mp->host->name, text);
	obj_text(t, F_ALIAS, text);
	if (mp->altname[0])
		obj_text(t, F_ALTNAME, mp->altname);
	obj_num(t, F_MTU, tunnel_mtu(p, mp));
	obj_num(t, F_ADDRGEN, 0);
}

static bool takes_tcx(const struct planning *p, const char *ifname)
{
	char hook[VX_IF_LEN + 16];

	snprintf(hook, sizeof(hook), "%s/tun_out", ifname);
	if (objs_find(p->built->now, OBJ_HOOK, hook))
		return true;
	if (objs_find(p->built->now, OBJ_QDISC, ifname))
		return false;
	return strcmp(p->around->tc_mode, "tcx") == 0 && p->mesh->n_peers <= PLAN_TCX_TUNNELS;
}

/* Returns whether it needs the filters of the blocks. */
static bool want_tunnel_hooks(const struct planning *p, const char *ifname)
{
	if (takes_tcx(p, ifname)) {
		want_hook(p, OBJ_HOOK, NULL, ifname, "tun_in", false);
		want_hook(p, OBJ_HOOK, NULL, ifname, "tun_out", false);
		return false;
	}
	obj_parent(objs_add(p->out, OBJ_QDISC, "%s", ifname), ifname);
	return true;
}

static void want_blocks(const struct planning *p)
{
	static const char *const rooms[] = { "tun_in", "tun_out" };

	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		struct obj *b = objs_add(p->out, OBJ_BLOCK, "%s", rooms[i]);

		obj_text(b, F_BUILD, p->built->build);
		obj_num(b, F_FRONT, 1);
	}
}

/* Whether a port forwards is ours to say unless spanning tree decides, or it cannot: its bridge is
 * down, or it is still to be set up or to join, and then the kernel makes it forward. */
static bool may_forward(const struct planning *p, const char *ifname)
{
	const struct link *bridge = links_by_name(p->around->links, p->conf->bridge);
	const struct obj *now = objs_find(p->built->now, OBJ_MEMBER, ifname);

	if (bridge && (bridge->stp || !(bridge->flags & IFF_UP)))
		return false;
	return !now || (obj_get_num(now, F_UP) &&
			strcmp(obj_get_text(now, F_MASTER), p->conf->bridge) == 0);
}

static void want_member(const struct planning *p, const struct mesh_peer *mp, bool isolated)
{
	const struct link *bridge = links_by_name(p->around->links, p->conf->bridge);
	struct vx_vni vni = { .vni = mp->vni };
	struct obj *o = objs_add(p->out, OBJ_INDEX, "tunnels/%s", mp->ifname);

	obj_parent(o, mp->ifname);
	obj_blob(o, &vni, sizeof(vni));
	obj_note(o, "vni %u", mp->vni);
	o = objs_add(p->out, OBJ_MEMBER, "%s", mp->ifname);
	obj_parent(o, mp->ifname);
	obj_text(o, F_MASTER, p->conf->bridge);
	obj_num(o, F_ISOLATED, isolated);
#define PORT_FLAG(name, attr, usual) obj_num(o, F_##name, usual);
#include "kernel/portflags.def"
#undef PORT_FLAG
	/* On a bridge of others, where snooping is theirs, each peer is as a multicast router. */
	if (bridge && !plan_owns_bridge(bridge, p->conf->overlay))
		obj_num(o, F_MCAST_ALL, 1);
	if (!may_forward(p, mp->ifname))
		o->have &= ~(1U << F_FORWARDING);
	obj_num(o, F_UP, 1);
}

static void add_door(const struct planning *p, const char *ifname, enum vx_door how,
		     const struct link *link)
{
	const struct vx_door_value door = { .door = how };
	struct obj *o = objs_add(p->out, OBJ_INDEX, "doors/%s", ifname);

	obj_parent(o, ifname);
	o->optional = true;
	o->ifindex = link ? (unsigned)link->ifindex : 0;
	obj_blob(o, &door, sizeof(door));
}

/* Is there room for this program on a port? */
static bool has_place(const struct link *port, const char *room, char why[TCPLACE_WHY])
{
	return !tcplace_blocked(&port->tc, attach_room(room)->where == ATTACH_INGRESS, why);
}

/* Without it a port works all the same, by the slow path. */
static void want_port_hook(const struct planning *p, const struct link *port, const char *ifname,
			   const char *room)
{
	char why[TCPLACE_WHY];

	if (!port || has_place(port, room, why))
		want_hook(p, OBJ_HOOK, port, ifname, room, true);
	else
		verdicts_add(p->verdicts, VERDICT_UNHOOKED, ifname,
			     "%s: has no vxbpf program, because %s, and Linux before 6.6 has no "
			     "other place; only the kernel handles its frames",
			     ifname, why);
}

/* The host's own way in and out is the bridge device. */
static void want_host_door(const struct planning *p, const struct link *bridge)
{
	char why[TCPLACE_WHY];

	if (!p->base->cfg.fastpath ||
	    (bridge && (has_foreign(p, bridge) || !has_place(bridge, "host_out", why))))
		return;
	add_door(p, p->conf->bridge, VX_DOOR_HOST, bridge);
	want_hook(p, OBJ_HOOK, bridge, p->conf->bridge, "host_out", true);
}

bool plan_door(const struct link *port, enum vx_door *out)
{
	*out = VX_DOOR_PORT;
	if (strcmp(port->kind, "veth") != 0)
		return strcmp(port->kind, "tun") == 0;
	/* XDP in driver mode meets what leaves by this end, generic XDP what goes straight to the other. */
	if (port->far == FAR_UNKNOWN)
		*out = VX_DOOR_OUT;
	else if (port->far == FAR_NATIVE)
		*out = VX_DOOR_NEAR;
	else if (port->peer_elsewhere && port->far_told && !port->far_passes_on &&
		 strcmp(port->qdisc, "noqueue") == 0)
		*out = VX_DOOR_PEER;
	else
		*out = port->far == FAR_GENERIC ? VX_DOOR_OUT : VX_DOOR_NEAR;
	return true;
}

static void want_door(const struct planning *p, const struct link *port)
{
	char why[TCPLACE_WHY];
	enum vx_door how;

	if (!p->base->cfg.fastpath || has_foreign(p, port) || !plan_door(port, &how) ||
	    !has_place(port, "port_in", why) || !has_place(port, "port_out", why))
		return;
	add_door(p, port->name, how, port);
	want_hook(p, OBJ_HOOK, port, port->name, "port_out", true);
}

/* The other ports of the bridge, hooked as they are found; they work without, too. Returns whether
 * one of them is isolated: isolated tunnels would be out of its reach (I2). */
static bool want_ports(const struct planning *p)
{
	const struct links *links = p->around->links;
	const struct link *bridge = links_by_name(links, p->conf->bridge);
	bool any_isolated = false;
	struct obj *o = objs_add(p->out, OBJ_ENTRY, "ports/0");

	obj_note(o, "%s", p->conf->bridge);
	want_port_hook(p, bridge, p->conf->bridge, "host_in");
	want_host_door(p, bridge);
	for (size_t i = 0; bridge && i < links->n; i++) {
		const struct link *port = &links->v[i];

		if (port->master != bridge->ifindex ||
		    plan_owns_tunnel(port, p->conf->overlay, p->mesh->self->name))
			continue;
		any_isolated |= port->isolated;
		o = objs_add(p->out, OBJ_INDEX, "ports/%s", port->name);
		obj_parent(o, port->name);
		o->optional = true; /* it may be gone again by now */
		o->ifindex = (unsigned)port->ifindex;
		want_port_hook(p, port, port->name, "port_in");
		want_door(p, port);
	}
	return any_isolated;
}

static void want_addresses(const struct planning *p)
{
	const struct conf_host *self = p->mesh->self;
	const struct link *bridge = links_by_name(p->around->links, p->conf->bridge);
	char text[IP_TEXT + 4];

	for (size_t i = 0; i < self->n_bridge_address; i++) {
		const struct ip_prefix *want = &self->bridge_address[i];
		bool theirs = false;

		for (size_t k = 0; bridge && k < p->around->addrs->n; k++) {
			const struct addr *a = &p->around->addrs->v[k];

			theirs |= a->ifindex == bridge->ifindex && a->proto != PLAN_ADDR_PROTO &&
				  ip_equal(&a->prefix.addr, &want->addr);
		}
		if (theirs)
			continue; /* somebody set it: right already, and not ours to take away */
		ip_format_prefix(want, text);
		obj_parent(objs_add(p->out, OBJ_ADDR, "%s", text), p->conf->bridge);
	}
}

void plan_objects(const struct conf *conf, const struct mesh *mesh,
		  const struct plan_surroundings *around, const struct plan_built *built,
		  const struct plan_base *base, struct objs *out, struct verdicts *verdicts)
{
	const struct planning p = { conf, mesh, around, built, base, out, verdicts };
	const struct plan_slow slow = { conf, around, built, base };
	bool isolate, blocks = false;

	want_pins(&p);
	want_overlay_entry(&p);
	want_wire(&p);
	want_wire_of_the_unroutable(&p);
	want_bridge(&p);
	isolate = !want_ports(&p);
	for (size_t i = 0; i < mesh->n_peers; i++) {
		want_peer_entries(&p, i);
		want_tunnel(&p, &mesh->peers[i]);
		blocks |= want_tunnel_hooks(&p, mesh->peers[i].ifname);
		want_member(&p, &mesh->peers[i], isolate);
	}
	if (blocks)
		want_blocks(&p);
	want_addresses(&p);
	plan_slow_say(&slow, mesh, verdicts);
	plan_used_bridges(conf->overlay, conf->bridge, around->links, around->addrs, out, verdicts);
}
