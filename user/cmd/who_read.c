// SPDX-License-Identifier: GPL-2.0
/* Where a MAC or an IP address has been seen, from the kernel; see who.h. Impure edge. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "cmd/who.h"
#include "kernel/link.h"
#include "kernel/mapdump.h"

#define TICKS_MS 10 /* the kernel's USER_HZ is 100 */

static void name_of(uint32_t ifindex, char name[VX_IF_LEN])
{
	if (!ifindex || !if_indextoname(ifindex, name))
		name[0] = '\0';
}

static struct who *add(struct whos *list, const struct running *live, const uint8_t mac[6],
		       uint16_t vlan)
{
	struct who *grown = reallocarray(list->v, list->n + 1, sizeof(*list->v));
	struct who *w;

	if (!grown)
		out_of_memory();
	list->v = grown;
	w = &grown[list->n++];
	*w = (struct who){ .live = live, .vlan = vlan };
	memcpy(w->mac, mac, sizeof(w->mac));
	return w;
}

static int read_map(const struct running *live, const uint8_t mac[6], struct whos *out,
		    struct why *why)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(live->told.name, "fdb", sizeof(struct vx_fdb_key),
			       sizeof(struct vx_fdb), &dump);

	if (err)
		return why_set(why, err, "%s: cannot read the pinned fdb: %s", live->told.name,
			       strerror(-err));
	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_fdb_key *key = mapdump_key(&dump, i);
		struct who *w;

		if (memcmp(key->mac, mac, sizeof(key->mac)) != 0)
			continue;
		w = add(out, live, mac, key->vlan);
		w->known = true;
		w->at = *(const struct vx_fdb *)mapdump_value(&dump, i, 0);
		name_of(w->at.ifindex, w->port);
		if (w->at.was == VX_AT_PORT)
			name_of(w->at.was_at, w->was_port);
	}
	return 0;
}

/* --- the bridge's table */

struct bridge_reading {
	const struct running *live;
	const uint8_t *mac;
	uint32_t bridge;
	struct whos *out;
	size_t first; /* of this overlay's in `out` */
};

/* A bridge that does not filter by VLAN has one entry for all. */
static void take_opinion(const struct bridge_reading *r, const struct who_bridge *b)
{
	bool found = false;

	for (size_t i = r->first; i < r->out->n; i++) {
		struct who *w = &r->out->v[i];

		if (b->vlan != w->vlan && (b->vlan || w->bridged))
			continue;
		w->bridged = true;
		w->bridge = *b;
		name_of((uint32_t)b->ifindex, w->bridge_port);
		found = true;
	}
	/* One of a VLAN for frames that carry no tag on their port. */
	for (size_t i = r->first; !found && i < r->out->n; i++)
		found = !r->out->v[i].vlan;
	if (!found) {
		struct who *w = add(r->out, r->live, r->mac, b->vlan);

		w->bridged = true;
		w->bridge = *b;
		name_of((uint32_t)b->ifindex, w->bridge_port);
	}
}

static int take_entry(const struct nlmsghdr *msg, void *ctx)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);
	struct bridge_reading *r = ctx;
	struct who_bridge b = { .ifindex = ndm->ndm_ifindex };
	const struct nda_cacheinfo *info;
	const struct nlattr *attr;
	uint32_t master = 0;
	bool same = false;

	mnl_attr_for_each (attr, msg, sizeof(*ndm)) {
		size_t len = mnl_attr_get_payload_len(attr);

		switch (mnl_attr_get_type(attr)) {
		case NDA_LLADDR:
			same = len == 6 && memcmp(mnl_attr_get_payload(attr), r->mac, 6) == 0;
			break;
		case NDA_MASTER:
			master = mnl_attr_get_u32(attr);
			break;
		case NDA_VLAN:
			b.vlan = mnl_attr_get_u16(attr);
			break;
		case NDA_CACHEINFO:
			info = mnl_attr_get_payload(attr);
			if (len >= sizeof(*info))
				b.age_ms = (uint64_t)info->ndm_updated * TICKS_MS;
			break;
		}
	}
	b.own = ndm->ndm_state & NUD_PERMANENT;
	if (b.own)
		b.age_ms = 0;
	if (ndm->ndm_family == AF_BRIDGE && same && master == r->bridge)
		take_opinion(r, &b);
	return 0;
}

static int read_bridge(struct nl *nl, struct bridge_reading *r, struct why *why)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);
	int err;

	ndm->ndm_family = AF_BRIDGE;
	err = nl_dump(nl, msg, take_entry, r);
	return err ? why_set(why, err, "netlink: cannot list the bridge's entries: %s",
			     strerror(-err))
		   : 0;
}

int who_find_mac(struct nl *nl, const struct running *live, const uint8_t mac[6], struct whos *out,
		 struct why *why)
{
	struct bridge_reading r = { .live = live,
				    .mac = mac,
				    .bridge = if_nametoindex(live->told.bridge),
				    .out = out,
				    .first = out->n };
	int err = read_map(live, mac, out, why);

	return err || !r.bridge ? err : read_bridge(nl, &r, why);
}

/* --- whose IP address */

struct owner_reading {
	const struct running *live;
	const struct vx_addr *ip;
	uint32_t bridge;
	struct who_owners *out;
	size_t first; /* of this overlay's in `out` */
};

/* There may be several entries for one MAC, until merge_owners(). */
static struct who_owner *owner(const struct owner_reading *r, const uint8_t mac[6])
{
	struct who_owner *grown, *o;

	/* Grows by doubling: the room is the power of two that holds n. */
	if (!(r->out->n & (r->out->n - 1))) {
		grown = reallocarray(r->out->v, r->out->n ? r->out->n * 2 : 1, sizeof(*grown));
		if (!grown)
			out_of_memory();
		r->out->v = grown;
	}
	o = &r->out->v[r->out->n++];
	*o = (struct who_owner){ .live = r->live };
	memcpy(o->mac, mac, sizeof(o->mac));
	return o;
}

static int by_mac(const void *a, const void *b)
{
	return memcmp(((const struct who_owner *)a)->mac, ((const struct who_owner *)b)->mac, 6);
}

/* This host's own, its neighbours, and then the one seen last. */
static int by_weight(const void *a, const void *b)
{
	const struct who_owner *x = a, *y = b;

	if (x->own != y->own)
		return x->own ? -1 : 1;
	if (x->neighbour != y->neighbour)
		return x->neighbour ? -1 : 1;
	if (x->seen_ns != y->seen_ns)
		return x->seen_ns > y->seen_ns ? -1 : 1;
	return by_mac(a, b);
}

/* Those of one overlay, from `first` on: each MAC once, WHO_OWNERS at most. */
static void merge_owners(struct who_owners *owners, size_t first)
{
	struct who_owner *v = owners->v + first;
	size_t n = owners->n - first, kept = 0;

	if (!n)
		return;
	qsort(v, n, sizeof(*v), by_mac);
	for (size_t i = 1; i < n; i++) {
		if (by_mac(&v[kept], &v[i]) != 0) {
			v[++kept] = v[i];
			continue;
		}
		v[kept].own |= v[i].own;
		v[kept].neighbour |= v[i].neighbour;
		if (v[kept].seen_ns < v[i].seen_ns)
			v[kept].seen_ns = v[i].seen_ns;
	}
	n = kept + 1;
	qsort(v, n, sizeof(*v), by_weight);
	if (n > WHO_OWNERS) {
		owners->more += n - WHO_OWNERS;
		n = WHO_OWNERS;
	}
	owners->n = first + n;
}

static int take_neighbour(const struct nlmsghdr *msg, void *ctx)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);
	const struct owner_reading *r = ctx;
	struct vx_addr addr = { 0 };
	const uint8_t *mac = NULL;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, msg, sizeof(*ndm)) {
		size_t len = mnl_attr_get_payload_len(attr);
		const void *payload = mnl_attr_get_payload(attr);

		if (mnl_attr_get_type(attr) == NDA_DST && (len == 4 || len == 16))
			addr = ip_from_raw(len == 4 ? AF_INET : AF_INET6, payload);
		if (mnl_attr_get_type(attr) == NDA_LLADDR && len == 6)
			mac = payload;
	}
	if ((uint32_t)ndm->ndm_ifindex == r->bridge && mac && ip_equal(&addr, r->ip) &&
	    !(ndm->ndm_state & (NUD_FAILED | NUD_INCOMPLETE | NUD_NOARP)))
		owner(r, mac)->neighbour = true;
	return 0;
}

/* Both ends of a flow, as its frames show them. */
static void ends_of(const struct vx_flow *f, struct vx_addr *source, struct vx_addr *dest)
{
	uint32_t both[2];

	*source = f->source;
	*dest = f->dest;
	if (f->six)
		return;
	memcpy(both, &f->addrs, sizeof(both));
	*source = ip_from_raw(AF_INET, &both[0]);
	*dest = ip_from_raw(AF_INET, &both[1]);
}

static void take_end(const struct owner_reading *r, const uint8_t mac[6],
		     const struct vx_addr *addr, uint64_t seen_ns)
{
	if (!ip_equal(addr, r->ip))
		return;
	owner(r, mac)->seen_ns = seen_ns;
}

/* Second look: do these MACs stand for other addresses of that family, too? Then they are routers, or
 * have several. */
static void take_other(const struct owner_reading *r, const uint8_t mac[6],
		       const struct vx_addr *addr)
{
	if (ip_family(addr) != ip_family(r->ip) || ip_equal(addr, r->ip))
		return;
	for (size_t i = r->first; i < r->out->n; i++)
		if (memcmp(r->out->v[i].mac, mac, 6) == 0)
			r->out->v[i].others = true;
}

static int read_flows(const struct owner_reading *r, struct why *why)
{
	automapdump struct mapdump dump = { 0 };
	struct vx_addr source, dest;
	int err = mapdump_read(r->live->told.name, "flows", sizeof(struct vx_flow_key),
			       sizeof(struct vx_flow), &dump);

	if (err)
		return why_set(why, err, "%s: cannot read the pinned flows: %s", r->live->told.name,
			       strerror(-err));
	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_flow *f = mapdump_value(&dump, i, 0);

		ends_of(f, &source, &dest);
		take_end(r, f->src_mac, &source, f->learned_ns);
		take_end(r, f->dst_mac, &dest, f->learned_ns);
	}
	merge_owners(r->out, r->first);
	for (size_t i = 0; i < dump.n; i++) {
		const struct vx_flow *f = mapdump_value(&dump, i, 0);

		ends_of(f, &source, &dest);
		take_other(r, f->src_mac, &source);
		take_other(r, f->dst_mac, &dest);
	}
	return 0;
}

static int read_own(struct nl *nl, const struct owner_reading *r, struct why *why)
{
	struct addrs addrs = { 0 };
	struct link link;
	int err = addrs_read(nl, &addrs, why);

	if (!err && addrs_have(&addrs, r->ip))
		for (size_t i = 0; i < addrs.n; i++)
			if ((uint32_t)addrs.v[i].ifindex == r->bridge &&
			    ip_equal(&addrs.v[i].prefix.addr, r->ip) &&
			    link_read(nl, (int)r->bridge, &link) == 0)
				owner(r, link.mac)->own = true;
	free(addrs.v);
	return err;
}

int who_find_ip(struct nl *nl, const struct running *live, const struct vx_addr *ip,
		struct who_owners *out, struct why *why)
{
	const struct owner_reading r = { live, ip, if_nametoindex(live->told.bridge), out, out->n };
	struct nlmsghdr *msg;
	int err = r.bridge ? read_own(nl, &r, why) : 0;

	if (!err && r.bridge) {
		msg = nl_request(nl, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
		err = nl_dump(nl, msg, take_neighbour, (void *)&r);
		if (err)
			return why_set(why, err, "netlink: cannot list neighbours: %s",
				       strerror(-err));
	}
	return err ? err : read_flows(&r, why);
}
