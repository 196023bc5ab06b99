// SPDX-License-Identifier: GPL-2.0
/* How the fast path gets into ports, and why not; see snapshot_read.h. Impure edge. */
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/bpfobj.h"
#include "snapshot/snapshot_read.h"

const struct fastpath_rules *reading_rules(struct reading *r, uint16_t port)
{
	if (!r->has_rules)
		fastpath_read_rules(port, &r->rules);
	r->has_rules = true;
	return &r->rules;
}

/* Did `up` find a way for the fast path into this port? 0: none. */
enum vx_door reading_door(const struct reading *r, int ifindex)
{
	autofd int fd = bpfobj_get_map(r->overlay, "doors");
	struct vx_ifindex key = { (uint32_t)ifindex };
	struct vx_door_value value = { 0 };

	return fd >= 0 && bpf_map_lookup_elem(fd, &key, &value) == 0 ? value.door : 0;
}

/* Does a running `watch` keep an eye on the doors? */
bool reading_leased(const struct reading *r)
{
	autofd int fd = bpfobj_get_map(r->overlay, "lease");
	struct vx_lease value;
	__u32 key = 0;

	return fd >= 0 && bpf_map_lookup_elem(fd, &key, &value) == 0 &&
	       value.until_ns > reading_clock_ns();
}

/* Fast, but not both ways, or not straight to the other end of the veth. "" = it is. */
const char *reading_why_near(const struct reading *r, const struct link *link, enum vx_door door)
{
	if (door == VX_DOOR_OUT)
		return link->far == FAR_GENERIC
			       ? "only packets it sends, because generic XDP is at the other end"
			       : "only packets it sends, because the other end cannot be read";
	if (door != VX_DOOR_PEER && door != VX_DOOR_NEAR)
		return "";
	if (!r->leased)
		return "only packets it sends, because `vxbpf watch` is not running";
	if (door == VX_DOOR_NEAR && link->far == FAR_NATIVE)
		return "only to the host's end of the veth, because XDP is at the other end";
	if (door == VX_DOOR_NEAR && link->far_passes_on)
		return "only to the host's end of the veth, because the other end has a bridge, "
		       "macvlan or sniffer";
	if (door == VX_DOOR_NEAR && !link->far_told)
		return "only to the host's end of the veth, because its TSO is off";
	return "";
}

const char *reading_why_slow(const struct reading *r, const struct link *link,
			     const struct snapshot_port *p, const struct foreigns *foreigns)
{
	const char *foreign = foreigns_on(foreigns, link->ifindex, FOREIGN_IN | FOREIGN_OUT);

	if (r->s->told.fastpath_why[0])
		return r->s->told.fastpath_why;
	if (strcmp(link->name, r->s->told.bridge) == 0)
		return "this host's own traffic is never accelerated";
	if (strcmp(link->kind, "veth") != 0 && strcmp(link->kind, "tun") != 0)
		return "not a veth or tap";
	if (foreign)
		return foreign;
	return p->hooked ? "not set up yet" : "not hooked";
}
