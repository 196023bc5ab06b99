// SPDX-License-Identifier: GPL-2.0
/* Numbers and abilities of the kernel under an overlay; see host.h. Impure edge. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "base/readfile.h"
#include "diagnose/host.h"
#include "kernel/nl.h"

/* The kernel's own headers keep these to themselves: which parts of a tuple a dump is narrowed by. */
#define ORIG_PROTO_NUM (1U << 3) /* CTA_FILTER_F_CTA_PROTO_NUM */
#define ORIG_DST_PORT (1U << 5) /* CTA_FILTER_F_CTA_PROTO_DST_PORT */

/* To look through a table of tracked connections takes the kernel some 0.3 us an entry. */
#define COUNT_MAX 400000

static char *read_text(const char *path, size_t max)
{
	struct why why;
	char *text;
	size_t len;

	return readfile(path, max, &text, &len, &why) ? NULL : text;
}

static uint64_t read_number(const char *path)
{
	autofree char *text = read_text(path, 64);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* --- checksums */

void host_read_sums(struct host_facts *out)
{
	autofree char *v4 = read_text("/proc/net/snmp", 65536);
	autofree char *v6 = read_text("/proc/net/snmp6", 65536);
	autofree char *more = read_text("/proc/net/netstat", 65536);
	struct host_sums *sums = out->sums;
	char value[32];

	if (more && !host_parse_snmp(more, "TcpExt", "IPReversePathFilter", &out->rp_dropped))
		out->rp_dropped = 0;

	if (v4 && !(host_parse_snmp(v4, "Udp", "InDatagrams", &sums[HOST_UDP4].good) &&
		    host_parse_snmp(v4, "Udp", "InCsumErrors", &sums[HOST_UDP4].bad)))
		sums[HOST_UDP4] = (struct host_sums){ 0 };
	if (v4 && !(host_parse_snmp(v4, "Tcp", "InSegs", &sums[HOST_TCP].good) &&
		    host_parse_snmp(v4, "Tcp", "InCsumErrors", &sums[HOST_TCP].bad)))
		sums[HOST_TCP] = (struct host_sums){ 0 };
	if (v6 && host_parse_line(v6, "Udp6InDatagrams", value, sizeof(value)))
		sums[HOST_UDP6].good = strtoull(value, NULL, 10);
	if (v6 && host_parse_line(v6, "Udp6InCsumErrors", value, sizeof(value)))
		sums[HOST_UDP6].bad = strtoull(value, NULL, 10);
}

/* --- connection tracking */

static int count_one(const struct nlmsghdr *msg, void *ctx)
{
	(void)msg;
	++*(uint64_t *)ctx;
	return 0;
}

/* The kernel looks through its table and tells of those for our port only. */
static void count_vxlan(unsigned port, uint8_t family, uint64_t *count)
{
	autonl struct nl *nl = NULL;
	struct nlattr *outer, *inner;
	struct nlmsghdr *msg;
	struct why why;
	bool torn = false; /* it is a count at one moment anyway */
	uint64_t n = 0;

	if (nl_open_bus(NETLINK_NETFILTER, &nl, &why))
		return;
	msg = nl_request(nl, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET), NLM_F_DUMP,
			 sizeof(struct nfgenmsg));
	((struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family = family;
	outer = mnl_attr_nest_start(msg, CTA_TUPLE_ORIG);
	inner = mnl_attr_nest_start(msg, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(msg, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(msg, CTA_PROTO_DST_PORT, htons((uint16_t)port));
	mnl_attr_nest_end(msg, inner);
	mnl_attr_nest_end(msg, outer);
	outer = mnl_attr_nest_start(msg, CTA_FILTER);
	mnl_attr_put_u32(msg, CTA_FILTER_ORIG_FLAGS, ORIG_PROTO_NUM | ORIG_DST_PORT);
	mnl_attr_nest_end(msg, outer);
	if (nl_dump_once(nl, msg, count_one, &n, &torn) == 0)
		*count += n;
}

void host_read_conntrack(const struct snapshot *s, struct host_facts *out)
{
	struct host_conntrack *ct = &out->conntrack;

	ct->count = read_number("/proc/sys/net/netfilter/nf_conntrack_count");
	ct->max = read_number("/proc/sys/net/netfilter/nf_conntrack_max");
	if (!s->told.port || ct->count * 2 < ct->max || !ct->max || ct->count > COUNT_MAX)
		return;
	if (host_uses(s, true))
		count_vxlan(s->told.port, AF_INET, &ct->vxlan);
	if (host_uses(s, false))
		count_vxlan(s->told.port, AF_INET6, &ct->vxlan);
}

/* --- NICs */

/* The larger of both settings holds. */
static bool has_strict_filter(const char *ifname)
{
	uint64_t all = read_number("/proc/sys/net/ipv4/conf/all/rp_filter"), own;
	char path[80];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", ifname);
	own = read_number(path);
	return (own > all ? own : all) == 1;
}

void host_read_devices(const struct snapshot *s, struct host_facts *out)
{
	autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	out->devices = calloc(s->n_devices + 1, sizeof(*out->devices));
	if (!out->devices)
		out_of_memory();
	for (size_t i = 0; fd >= 0 && i < s->n_devices; i++) {
		struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
		struct ifreq req = { .ifr_data = (char *)&info };
		struct host_device *d = &out->devices[out->n_devices];

		text_copy(req.ifr_name, sizeof(req.ifr_name), s->devices[i].ifname);
		text_copy(d->ifname, sizeof(d->ifname), s->devices[i].ifname);
		d->strict = has_strict_filter(d->ifname);
		if (ioctl(fd, SIOCETHTOOL, &req) == 0)
			text_copy(d->driver, sizeof(d->driver), info.driver);
		out->n_devices++;
	}
}

/* --- the kernel itself */

/* Built in, loaded, or there to be loaded. Asking the kernel for a device would load it. */
static enum host_has has_module(const char *release, const char *module)
{
	static const char *const lists[] = { "modules.dep", "modules.builtin" };
	enum host_has has = HOST_UNKNOWN;
	char path[160];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (access(path, F_OK) == 0)
		return HOST_HAS;
	for (size_t i = 0; i < ARRAY_LEN(lists) && has != HOST_HAS; i++) {
		autofree char *text = NULL;

		snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, lists[i]);
		text = read_text(path, 8 << 20);
		if (text)
			has = host_parse_modules(text, module) ? HOST_HAS : HOST_LACKS;
	}
	return has;
}

void host_read_kernel(struct host_facts *out)
{
	struct host_kernel *k = &out->kernel;
	struct utsname name;

	if (uname(&name))
		return;
	text_copy(k->release, sizeof(k->release), name.release);
	k->vxlan = has_module(k->release, "vxlan");
	k->bridge = has_module(k->release, "bridge");
	if (access("/sys/kernel", F_OK) == 0)
		k->btf = access("/sys/kernel/btf/vmlinux", F_OK) == 0 ? HOST_HAS : HOST_LACKS;
}
