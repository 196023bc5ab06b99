/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network devices and addresses of this namespace, read back from rtnetlink. Facts come by netlink
 * and never from sysfs, which may show another namespace.
 */
#ifndef VXBPF_LINK_H
#define VXBPF_LINK_H

#include "base/ip.h"
#include "kernel/nl.h"

#define LINK_ALIAS 64 /* longer ones are cut: ours are shorter */
#define LINK_ALTNAME 64 /* likewise */
#define LINK_MTU_INET6 1280U /* with less a device has no IPv6 */
#define LINK_ALTNAMES 144 /* eight, or more short ones */

enum link_port_flag {
#define PORT_FLAG(name, attr, usual) PORT_##name,
#include "kernel/portflags.def"
#undef PORT_FLAG
	PORT_FLAG_MAX,
};

/* As the kernel makes a port, and what is taken for granted where it does not say. */
#define PORT_FLAG(name, attr, usual) (usual) << PORT_##name |
enum {
	LINK_PORT_USUAL =
#include "kernel/portflags.def"
		0
};
#undef PORT_FLAG

/* XDP at the other end of a veth. */
enum link_far {
	FAR_UNKNOWN, /* not asked, or it cannot be */
	FAR_CLEAR, /* none */
	FAR_GENERIC, /* not of the driver, but behind it */
	FAR_NATIVE,
};

/* Settings for which the kernel gives VXLAN devices of one port sockets of their own, which cannot be open together:
 * bits. */
enum {
	VXLAN_RCV_EXTERNAL = 1,
	VXLAN_RCV_GBP = 2,
	VXLAN_RCV_GPE = 4,
	VXLAN_RCV_REMCSUM = 8,
	VXLAN_RCV_ZERO_CSUM6 = 16,
};

struct link_vxlan {
	uint32_t vni;
	uint16_t port; /* host byte order */
	struct vx_addr local;
	struct vx_addr remote;
	int lower; /* ifindex of the device it is bound to, 0 = none */
	bool learning;
	bool csum; /* sends outer UDP checksums over IPv4 */
	bool csum6; /* and over IPv6 */
	bool external;
	bool v6;
	uint8_t rcv; /* VXLAN_RCV_* */
};

/* Things of others at its tc hooks that leave no room for filters of one device; see tcplace.h. */
struct link_tc {
	bool ingress_only; /* an `ingress` qdisc, not clsact */
	uint32_t block_in, block_out; /* shared blocks, 0 = none */
};

struct link {
	int ifindex;
	char name[VX_IF_LEN];
	char kind[VX_IF_LEN]; /* "vxlan", "bridge", "veth", ...; "" for a plain NIC */
	char bus[VX_IF_LEN]; /* bus of the parent device, "pci", "virtio", or "" */
	uint16_t type; /* ARPHRD_* */
	unsigned flags; /* IFF_* */
	uint32_t mtu;
	uint32_t
		mtu6; /* of IPv6 on it, which a router or a sysctl may have made smaller; 0 = none */
	uint32_t group;
	int master; /* ifindex, 0 = none */
	uint8_t mac[6];
	char alias[LINK_ALIAS];
	char altname[LINK_ALTNAME]; /* the first that begins with "vx-", else "" */
	char altnames[LINK_ALTNAMES]; /* all that are no longer than a device's own name: " a b " */
	bool addrgen_none; /* the kernel makes no IPv6 link-local address */
	bool no_inet6; /* it has no IPv6: the kernel has none, or the MTU is below 1280 */
	bool inet6_off; /* IPv6 is disabled on it */
	bool is_port; /* its master is a bridge */
	bool isolated;
	unsigned port_flags; /* bits by enum link_port_flag */
	bool stp; /* kind "bridge": it has spanning tree on, its own or somebody else's */
	bool mcast_pruned; /* kind "bridge": it snoops; its port: gets only the groups asked for there */
	bool nf_call; /* kind "bridge": iptables see its frames, whatever the sysctls say */
	bool hub; /* kind "bridge": it remembers no MAC, and so floods every frame */
	char qdisc[VX_IF_LEN]; /* its root qdisc's kind */
	bool peer_elsewhere; /* a veth whose other end is in another namespace */
	int peer; /* ifindex of that other end, there; 0 = none */
	int peer_netns; /* our number for that namespace, < 0 = it has none */
	enum link_far far; /* of links_ask_far only, as are */
	bool far_told; /* the kernel would tell if XDP in driver mode came there */
	bool far_passes_on; /* that other end has a master or is promiscuous: it may pass on frames for others, as
			     * a port of a bridge does, or the device below a macvtap */
	uint32_t
		far_mtu; /* the MTU of that other end, wherever it is; 0 = the kernel does not tell */
	uint64_t rx_dropped;
	uint32_t xdp_prog; /* id of an XDP program on it, 0 = none */
	uint8_t xdp; /* in which mode, XDP_ATTACHED_* */
	struct link_tc tc; /* of links_ask_tc only */
	struct link_vxlan vxlan; /* kind "vxlan" only */
};

struct links {
	struct link *v;
	size_t n;
};

struct addr {
	int ifindex;
	struct ip_prefix prefix;
	uint8_t proto; /* IFA_PROTO, 0 on kernels without */
	bool duplicate; /* IPv6: another machine has it, so the kernel does not use it */
};

struct addrs {
	struct addr *v;
	size_t n;
};

/* Each fills *out; the caller frees out->v. Without the kernel's statistics, and so without rx_dropped,
 * devices cost half as much. */
int links_list(struct nl *nl, bool stats, struct links *out, struct why *why);
int addrs_read(struct nl *nl, struct addrs *out, struct why *why);
static inline int links_read(struct nl *nl, struct links *out, struct why *why)
{
	return links_list(nl, true, out, why);
}
/* One device as it is now; -ENODEV: there is none. */
int link_read(struct nl *nl, int ifindex, struct link *out);
/* Asks the other ends of all veths on this bridge, in as few requests as possible. */
void links_ask_far(struct nl *nl, struct links *links, int bridge);
/* From the messages of rtnetlink: RTM_*LINK, and RTM_*ADDR (false: not of IP). */
void link_parse(const struct nlmsghdr *msg, struct link *out);
/* Do two messages about a device say the same? Any field of struct link counts but those that flicker (counters, flags
 * other than up and promiscuous) and those that only links_ask_*() fill. */
bool link_same(const struct link *a, const struct link *b);
/* The attributes of a bridge's port. */
void link_parse_port(const struct nlattr *port, struct link *out);
/* IPv6 settings of a device. */
void link_parse_inet6(const struct nlattr *af, struct link *out);
/* Could a tunnel of that family not be up together with this VXLAN device, if they had one port? */
bool link_splits_socket(const struct link_vxlan *vx, bool v6);
bool addr_parse(const struct nlmsghdr *msg, struct addr *out);
const struct addr *addrs_find(const struct addrs *addrs, const struct vx_addr *addr);
static inline bool addrs_have(const struct addrs *addrs, const struct vx_addr *addr)
{
	return addrs_find(addrs, addr) != NULL;
}
const struct link *links_by_name(const struct links *links, const char *name);
/* The one that has it as another name; the kernel takes it for the device's own, in any request. */
const struct link *links_by_altname(const struct links *links, const char *name);
void link_add_altname(struct link *link, const char *name);
const struct link *links_by_index(const struct links *links, int ifindex);

#endif
