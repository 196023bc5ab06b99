// SPDX-License-Identifier: GPL-2.0
/* Events against what is known; see event_filter.h. Pure. */
#include <net/if.h>
#include <string.h>

#include "kernel/block.h"
#include "watch/event_filter.h"

/* --- devices */

static bool is_underlay(const struct view *view, int ifindex)
{
	for (size_t i = 0; i < view->underlay.n; i++)
		if (view->underlay.ifindex[i] == ifindex)
			return true;
	return false;
}

/* The bridge, an underlay device, a tunnel, or one that has a tunnel's name. */
static bool is_part(const struct view *view, const struct link *link)
{
	const struct conf *conf = view->conf;

	if (!link)
		return false;
	if (is_underlay(view, link->ifindex) || strcmp(link->name, conf->bridge) == 0 ||
	    conf_names_underlay(conf, link->name) ||
	    plan_owns_tunnel(link, conf->overlay, view->mesh.self->name))
		return true;
	for (size_t i = 0; i < view->mesh.n_peers; i++)
		if (strcmp(link->name, view->mesh.peers[i].ifname) == 0 ||
		    strcmp(link->altname, view->mesh.peers[i].ifname) == 0)
			return true;
	return false;
}

static bool same_port(const struct link *a, const struct link *b)
{
	return a->master == b->master && a->isolated == b->isolated &&
	       !((a->port_flags ^ b->port_flags) & 1U << PORT_LEARNS);
}

static bool same_member(const struct link *a, const struct link *b)
{
	return same_port(a, b) && a->port_flags == b->port_flags &&
	       a->mcast_pruned == b->mcast_pruned;
}

static bool on_bridge(const struct view *view, const struct link *link)
{
	const struct link *bridge = view_bridge(view);

	return bridge && link && link->master == bridge->ifindex;
}

/* Isolation of one port decides over that of all tunnels (I2). */
static enum matter port_matters(const struct link *was, const struct link *is)
{
	return (was && was->isolated) || (is && is->isolated) ? MATTER_ALL : MATTER_PORT;
}

static enum matter link_matters(const struct event *e, const struct view *view, bool settled)
{
	const struct link *was = links_by_index(&view->world.links, e->ifindex);
	const struct link *is = e->kind == EVENT_LINK ? &e->link : NULL;

	if (is_part(view, was) || is_part(view, e->kind == EVENT_LINK_GONE ? &e->link : is))
		return settled && ((was && is && link_same(was, is)) || (!was && !is)) ? MATTER_NOT
										       : MATTER_ALL;
	if (!on_bridge(view, was) && !on_bridge(view, is))
		return MATTER_NOT;
	/* By XDP at its other end a veth's features change, and nothing else. */
	if (was && is && !e->features && link_same(was, is))
		return MATTER_NOT;
	return port_matters(was, is);
}

/* A router's announcement counts for the paths by that device. */
static enum matter inet6_matters(const struct event *e, const struct view *view, bool settled)
{
	const struct link *was = links_by_index(&view->world.links, e->ifindex);

	if (!is_underlay(view, e->ifindex))
		return MATTER_NOT;
	return settled && was && was->mtu6 == e->link.mtu6 ? MATTER_NOT : MATTER_ALL;
}

static enum matter bridge_word_matters(const struct event *e, const struct view *view, bool settled)
{
	const struct link *was = links_by_index(&view->world.links, e->ifindex);
	const struct link *is = e->kind == EVENT_PORT ? &e->link : NULL;

	if (!on_bridge(view, was) && !on_bridge(view, is))
		return MATTER_NOT;
	if (is_part(view, was))
		return settled && is && same_member(was, is) ? MATTER_NOT : MATTER_ALL;
	return was && is && same_port(was, is) ? MATTER_NOT : port_matters(was, is);
}

static enum matter tc_matters(const struct event *e, const struct view *view)
{
	const struct link *link = links_by_index(&view->world.links, e->ifindex);
	const char *overlay = view->conf->overlay;
	bool gone = e->kind == EVENT_TC_GONE;
	/* The fast path must not pass by what others put there. */
	bool theirs = view->conf->fastpath == CONF_AUTO &&
		      (e->root || (e->filter && !block_is_filter(overlay, e->filter)));

	/* The ports of other blocks are not known. */
	if (e->block == block_index(overlay, "tun_in") ||
	    e->block == block_index(overlay, "tun_out"))
		return gone || theirs ? MATTER_ALL : MATTER_NOT;
	if (e->block)
		return MATTER_ALL;
	if (is_part(view, link))
		return gone || theirs ? MATTER_ALL : MATTER_NOT;
	return on_bridge(view, link) ? MATTER_PORT : MATTER_NOT;
}

/* --- where tunnels send */

static enum matter fdb_matters(const struct event *e, const struct view *view, bool settled)
{
	const struct link *link = links_by_index(&view->world.links, e->ifindex);
	bool right;

	if (!link || !plan_owns_tunnel(link, view->conf->overlay, view->mesh.self->name))
		return MATTER_NOT;
	right = fdb_is_plain(&e->fdb, &link->vxlan) && ip_equal(&e->fdb.to, &link->vxlan.remote);
	return settled && right && e->kind == EVENT_FDB ? MATTER_NOT : MATTER_ALL;
}

/* --- addresses and routes */

static bool is_known_addr(const struct view *view, const struct event *e)
{
	for (size_t i = 0; i < view->world.addrs.n; i++) {
		const struct addr *a = &view->world.addrs.v[i];

		if (a->ifindex == e->ifindex && a->prefix.bits == e->prefix.bits &&
		    ip_equal(&a->prefix.addr, &e->prefix.addr))
			return true;
	}
	return false;
}

static enum matter addr_matters(const struct event *e, const struct view *view, bool settled)
{
	const struct link *bridge = view_bridge(view);
	bool concerns = is_underlay(view, e->ifindex) || (bridge && bridge->ifindex == e->ifindex);

	for (size_t i = 0; !concerns && i < view->conf->n_hosts; i++)
		concerns = ip_equal(&e->prefix.addr, conf_host_own(&view->conf->hosts[i])) ||
			   ip_equal(&e->prefix.addr, &view->conf->hosts[i].address6);
	if (!concerns)
		return MATTER_NOT;
	return settled && is_known_addr(view, e) == (e->kind == EVENT_ADDR) ? MATTER_NOT
									    : MATTER_ALL;
}

static enum matter route_matters(const struct event *e, const struct view *view)
{
	for (size_t i = 0; i < view->mesh.n_peers; i++)
		if (ip_in_prefix(&view->mesh.peers[i].remote, &e->prefix))
			return MATTER_ALL;
	return MATTER_NOT;
}

/* --- pins: "<room>-<ifindex>" in "links", a build in "programs", maps in the tree itself */

static enum matter pin_matters(const struct event *e, const struct view *view)
{
	const char *dash = strrchr(e->pin, '-');
	const struct link *link;

	if (strcmp(e->overlay, view->conf->overlay) != 0)
		return MATTER_NOT;
	if (strcmp(e->folder, "programs") == 0)
		return strcmp(e->pin, view->build) == 0 ? MATTER_ALL : MATTER_NOT;
	if (strcmp(e->folder, "links") != 0 || !dash)
		return MATTER_ALL;
	link = links_by_index(&view->world.links, (int)strtoul(dash + 1, NULL, 10));
	if (is_part(view, link))
		return MATTER_ALL;
	return on_bridge(view, link) ? MATTER_PORT : MATTER_NOT;
}

enum matter event_matters(const struct event *e, const struct view *view, bool settled)
{
	if (!view->conf)
		return MATTER_ALL; /* nothing is known yet */
	switch (e->kind) {
	case EVENT_LINK:
	case EVENT_LINK_GONE:
		return link_matters(e, view, settled);
	case EVENT_PORT:
	case EVENT_PORT_GONE:
		return bridge_word_matters(e, view, settled);
	case EVENT_INET6:
		return inet6_matters(e, view, settled);
	case EVENT_ADDR:
	case EVENT_ADDR_GONE:
		return addr_matters(e, view, settled);
	case EVENT_FDB:
	case EVENT_FDB_GONE:
		return fdb_matters(e, view, settled);
	case EVENT_ROUTE:
		return route_matters(e, view);
	case EVENT_TC:
	case EVENT_TC_GONE:
		return tc_matters(e, view);
	case EVENT_FRAME_RULES:
	case EVENT_DEVICE_RULES:
	case EVENT_IP_RULES:
		return view->conf->fastpath == CONF_AUTO ? MATTER_RULES : MATTER_NOT;
	case EVENT_PIN_GONE:
		return pin_matters(e, view);
	case EVENT_WAYS:
	case EVENT_LOST:
		return MATTER_ALL;
	}
	return MATTER_ALL;
}

int event_ifindex(const struct event *e)
{
	if (e->kind == EVENT_PIN_GONE)
		return (int)strtoul(strrchr(e->pin, '-') + 1, NULL, 10);
	return e->ifindex;
}
