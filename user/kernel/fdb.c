// SPDX-License-Identifier: GPL-2.0
/* Where VXLAN devices send what; see fdb.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/fdb.h"

static const uint8_t everything[6];

bool fdb_parse(const struct nlmsghdr *msg, struct fdb_entry *out)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attr;

	if (ndm->ndm_family != AF_BRIDGE || !(ndm->ndm_flags & NTF_SELF))
		return false;
	*out = (struct fdb_entry){ .ifindex = ndm->ndm_ifindex,
				   .lasting = ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP) };
	mnl_attr_for_each (attr, msg, sizeof(*ndm)) {
		size_t len = mnl_attr_get_payload_len(attr);
		const void *payload = mnl_attr_get_payload(attr);

		switch (mnl_attr_get_type(attr)) {
		case NDA_LLADDR:
			if (len == sizeof(out->mac))
				memcpy(out->mac, payload, len);
			break;
		case NDA_DST:
			if (len == 4 || len == 16)
				out->to = ip_from_raw(len == 4 ? AF_INET : AF_INET6, payload);
			break;
		case NDA_PORT:
			out->port = ntohs(mnl_attr_get_u16(attr));
			break;
		case NDA_VNI:
			out->vni = mnl_attr_get_u32(attr);
			break;
		case NDA_IFINDEX:
			out->lower = (int)mnl_attr_get_u32(attr);
			break;
		}
	}
	return ip_is_set(&out->to);
}

bool fdb_is_plain(const struct fdb_entry *e, const struct link_vxlan *device)
{
	return memcmp(e->mac, everything, sizeof(everything)) == 0 && !e->port && !e->vni &&
	       e->lower == device->lower;
}

struct reading {
	struct fdb fdb;
	int ifindex;
};

static int take_entry(const struct nlmsghdr *msg, void *ctx)
{
	struct reading *r = ctx;
	struct fdb *fdb = &r->fdb;
	struct fdb_entry e, *grown;

	if (!fdb_parse(msg, &e) || (r->ifindex && e.ifindex != r->ifindex))
		return 0;
	/* Grows by doubling: the room is the power of two that holds n. */
	if (!(fdb->n & (fdb->n - 1))) {
		grown = reallocarray(fdb->v, fdb->n ? fdb->n * 2 : 1, sizeof(*fdb->v));
		if (!grown)
			return -ENOMEM;
		fdb->v = grown;
	}
	fdb->v[fdb->n++] = e;
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct fdb_entry *x = a, *y = b;
	int mac = memcmp(x->mac, y->mac, sizeof(x->mac));

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return mac ? mac : ip_compare(&x->to, &y->to);
}

int fdb_read(struct nl *nl, int ifindex, struct fdb *out, struct why *why)
{
	struct nlmsghdr *msg = nl_request(nl, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	struct ndmsg *ndm = mnl_nlmsg_get_payload(msg);
	struct reading r = { .ifindex = ifindex };
	int err;

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = ifindex;
	err = nl_dump(nl, msg, take_entry, &r);
	if (err) {
		free(r.fdb.v);
		return why_set(why, err, "netlink: cannot list forwarding entries: %s",
			       strerror(-err));
	}
	if (r.fdb.n)
		qsort(r.fdb.v, r.fdb.n, sizeof(*r.fdb.v), by_ifindex);
	*out = r.fdb;
	return 0;
}

static size_t first_of(const struct fdb *fdb, int ifindex)
{
	size_t low = 0, high = fdb->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (fdb->v[mid].ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_entry(const struct fdb_entry *e, const struct link *device, char *text, size_t size)
{
	char to[IP_TEXT], mac[18];

	ip_format(&e->to, to);
	mac_format(e->mac, mac);
	text_add(text, size, "%s%s", text[0] ? " and " : "", to);
	if (e->port)
		text_add(text, size, " port %u", e->port);
	if (e->vni)
		text_add(text, size, " vni %u", e->vni);
	if (e->lower != device->vxlan.lower)
		text_add(text, size, " device %d", e->lower);
	if (memcmp(e->mac, everything, sizeof(everything)) != 0)
		text_add(text, size, " for %s", mac);
}

void fdb_text(const struct fdb *fdb, const struct link *device, char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = first_of(fdb, device->ifindex);
	     i < fdb->n && fdb->v[i].ifindex == device->ifindex; i++)
		if (fdb->v[i].lasting)
			add_entry(&fdb->v[i], device, text, size);
}
