/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Problems in the surroundings of an overlay: other users of its port, firewalls, managers of devices,
 * full tables, a second way between its hosts. Facts are read once and changed never; what cannot be
 * read is left out. Judging them is pure.
 */
#ifndef VXBPF_HOST_H
#define VXBPF_HOST_H

#include "base/verdict.h"
#include "filters/rules.h"
#include "kernel/link.h"
#include "snapshot/snapshot.h"

#define HOST_PROCESS 56 /* "name (pid 12345)" */

/* A VXLAN device that is not ours, on our port. */
struct host_vxlan {
	char ifname[VX_IF_LEN];
	uint32_t vni;
	bool up;
	bool other_kind; /* external, GBP, ...: takes a socket of its own */
};

/* A program's UDP socket on our port. */
struct host_socket {
	char address[IP_TEXT];
	char process[HOST_PROCESS];
};

/* The ports of the bridge. */
struct host_member {
	char ifname[VX_IF_LEN];
	char kind[VX_IF_LEN];
	uint8_t state; /* BR_STATE_* */
	bool ours; /* a tunnel of this overlay */
	bool up;
	struct vx_addr remote; /* of a tunnel of others */
};

enum { HOST_NF_IP4 = 1, HOST_NF_IP6 = 2 };

struct host_bridge {
	bool stp;
	uint32_t forward_delay; /* hundredths of a second */
	uint32_t fdb_learned;
	uint32_t fdb_max; /* 0 = no limit */
	unsigned nf_call; /* HOST_NF_*: its frames pass these rules, whatever the sysctls say */
};

/* A table of neighbours: one for all namespaces of the machine. */
struct host_neighbours {
	uint32_t entries; /* that count, as far as is known */
	uint32_t max; /* gc_thresh3, 0 = not known */
};

/* Packets received since boot. */
struct host_sums {
	uint64_t good;
	uint64_t bad; /* wrong checksum */
};

enum { HOST_UDP4, HOST_UDP6, HOST_TCP, HOST_SUMS };

struct host_conntrack {
	uint64_t count;
	uint64_t max; /* 0 = not known */
	uint64_t vxlan; /* entries for our port; counted only where it matters */
};

enum host_manager { HOST_NETWORKD, HOST_NETWORKMANAGER, HOST_MANAGERS };

/* Whether the kernel can do something. */
enum host_has { HOST_UNKNOWN, HOST_HAS, HOST_LACKS };

struct host_kernel {
	char release[65];
	enum host_has vxlan, bridge; /* there, or a module to load */
	enum host_has btf;
};

struct host_device {
	char ifname[VX_IF_LEN];
	char driver[32];
	bool strict; /* drops what comes by it although the route back is by another one (rp_filter 1) */
};

/* A port of a container or VM on a bridge that carries the tunnels. */
struct host_guest {
	char port[VX_IF_LEN];
	char device[VX_IF_LEN]; /* the underlay device that is that bridge, or stands on it */
};

struct host_facts {
	struct host_vxlan *vxlans;
	size_t n_vxlans;
	struct host_socket *sockets;
	size_t n_sockets;
	struct host_member *members;
	size_t n_members;
	struct host_bridge bridge;
	struct host_neighbours neigh4, neigh6;
	struct host_sums sums[HOST_SUMS];
	struct host_conntrack conntrack;
	char managed[HOST_MANAGERS][VX_IF_LEN]; /* the first device of ours that it manages */
	bool underlay_has_master;
	unsigned bridge_nf; /* HOST_NF_*: by the sysctls frames on all bridges pass these rules */
	struct rules rules; /* that filter IP packets, or translate their addresses */
	struct addrs addrs;
	uint64_t rp_dropped; /* packets dropped for that since boot, by any device */
	struct host_device *devices; /* of the underlay */
	size_t n_devices;
	struct host_guest *guests; /* of the same device one after the other */
	size_t n_guests;
	struct host_kernel kernel; /* while the overlay is not up */
};

/* Is a table of that size nearly full? */
static inline bool host_is_nearly(uint64_t n, uint64_t max)
{
	return max && n * 10 >= max * 8;
}

struct nl;

/* End *out with host_free, after a failure too. */
int host_read(struct nl *nl, const struct snapshot *s, struct host_facts *out, struct why *why);
void host_judge(const struct host_facts *facts, const struct snapshot *s, struct verdicts *out);
/* Facts about this overlay that need no action. */
void host_inform(const struct host_facts *facts, const struct snapshot *s, struct verdicts *out);
void host_free(struct host_facts *facts);
#define autohost __attribute__((cleanup(host_free)))

/* --- the parts of those, by file. They leave unreadable values as they were. */

/* host_links.c, host_guests.c, host_proc.c, host_files.c */
int host_read_links(struct nl *nl, const struct snapshot *s, struct host_facts *out);
void host_read_guests(struct nl *nl, const struct snapshot *s, struct host_facts *out);
void host_read_neighbours(struct nl *nl, struct host_facts *out);
void host_read_sockets(const struct snapshot *s, struct host_facts *out);
void host_read_managers(const struct links *ours, struct host_facts *out);
void host_read_conntrack(const struct snapshot *s, struct host_facts *out);
void host_read_sums(struct host_facts *out);
void host_read_devices(const struct snapshot *s, struct host_facts *out);
void host_read_kernel(struct host_facts *out);

/* host_say_net.c, host_say_nf.c, host_say_nat.c */
void host_say_net(const struct host_facts *facts, const struct snapshot *s, struct verdicts *out);
void host_say_nf(const struct host_facts *facts, const struct snapshot *s, struct verdicts *out);
void host_say_nat(const struct host_facts *facts, const struct snapshot *s, struct verdicts *out);

/* The command that lets such packets through the chain, in the words of either tool. */
#define HOST_LET 200
struct rules_culprit;
void host_let_through(const struct rules *rules, const struct rules_culprit *by,
		      const char *iptables, const char *nft, char text[HOST_LET]);
const char *host_family_name(uint8_t family); /* "inet" */

/* Do tunnels of this host go by that IP? */
bool host_uses(const struct snapshot *s, bool v4);

/* The sockets bound to `port` in the text of /proc/net/udp or udp6, by inode. */
struct host_bound {
	struct vx_addr address; /* unset = any */
	unsigned long inode;
};
size_t host_parse_udp(const char *text, bool v6, uint16_t port, struct host_bound *out, size_t max);
/* One number of one protocol in /proc/net/snmp; false: not there. */
bool host_parse_snmp(const char *text, const char *protocol, const char *name, uint64_t *out);
/* One of a text with a "name value" a line (snmp6), or "name=value" (state files). */
bool host_parse_line(const char *text, const char *name, char *value, size_t size);
/* Is that module in the text of modules.dep or modules.builtin? */
bool host_parse_modules(const char *text, const char *module);

#endif
