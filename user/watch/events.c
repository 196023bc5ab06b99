// SPDX-License-Identifier: GPL-2.0
/* Subscriptions and pins that go; see events.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "kernel/pins.h"
#include "watch/events.h"

#define READ_BYTES 65536

static const char *const folders[] = { "", "links", "programs" };

/* A folder of pins we hear of. */
struct folder {
	int wd;
	char overlay[VX_IF_LEN];
	const char *name;
};

struct events {
	struct mnl_socket *route;
	struct mnl_socket *xfrm; /* NULL: this kernel has no IPsec */
	struct mnl_socket *nft; /* NULL: nor netfilter */
	int inotify;
	struct folder *folders;
	size_t n_folders;
	char buffer[READ_BYTES] __attribute__((aligned(8)));
};

static const unsigned route_groups[] = {
	RTNLGRP_LINK,	     RTNLGRP_TC,	 RTNLGRP_NEXTHOP,    RTNLGRP_IPV4_IFADDR,
	RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
	RTNLGRP_IPV6_RULE,   RTNLGRP_NEIGH,	 RTNLGRP_IPV6_IFINFO
};

/* Neighbours come and go all day, and bridges learn: of all that only entries of VXLAN devices' own get
 * through to us, so that the rest does not even wake us up. */
static void spare_neighbours(struct mnl_socket *sock)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWNEIGH), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELNEIGH), 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_family)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_flags)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NTF_SELF, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog prog = { .len = ARRAY_LEN(code), .filter = code };

	/* Without it the same is found out later, message by message. */
	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int subscribe(int bus, const unsigned *groups, size_t n, struct mnl_socket **out)
{
	struct mnl_socket *sock = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int size = 8 << 20; /* room for what happens while hooks are being made */

	if (!sock)
		return -errno;
	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bus == NETLINK_ROUTE)
		spare_neighbours(sock);
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(sock);
		return -errno;
	}
	/* A group this kernel does not have says nothing about what it does not have either. */
	for (size_t i = 0; i < n; i++)
		mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
				      sizeof(groups[i]));
	*out = sock;
	return 0;
}

int events_open(struct events **out, struct why *why)
{
	static const unsigned policies = XFRMNLGRP_POLICY, rules = NFNLGRP_NFTABLES;
	autoevents struct events *ev = calloc(1, sizeof(*ev));
	int err;

	if (!ev)
		return why_set(why, -ENOMEM, "events: out of memory");
	ev->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (ev->inotify < 0)
		return why_set(why, -errno, "events: inotify: %s", strerror(errno));
	err = subscribe(NETLINK_ROUTE, route_groups, ARRAY_LEN(route_groups), &ev->route);
	if (err)
		return why_set(why, err, "netlink: cannot subscribe to events: %s", strerror(-err));
	subscribe(NETLINK_XFRM, &policies, 1, &ev->xfrm);
	subscribe(NETLINK_NETFILTER, &rules, 1, &ev->nft);
	*out = take_ptr(ev);
	return 0;
}

void events_close(struct events *ev)
{
	if (!ev)
		return;
	if (ev->route)
		mnl_socket_close(ev->route);
	if (ev->xfrm)
		mnl_socket_close(ev->xfrm);
	if (ev->nft)
		mnl_socket_close(ev->nft);
	close_fd(&ev->inotify);
	free(ev->folders);
	free(ev);
}

void events_poll(const struct events *ev, struct pollfd fds[EVENTS_FDS])
{
	fds[0] = (struct pollfd){ .fd = mnl_socket_get_fd(ev->route), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = ev->xfrm ? mnl_socket_get_fd(ev->xfrm) : -1,
				  .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = ev->nft ? mnl_socket_get_fd(ev->nft) : -1,
				  .events = POLLIN };
	fds[3] = (struct pollfd){ .fd = ev->inotify, .events = POLLIN };
}

static void tell(enum event_kind kind, event_fn fn, void *ctx)
{
	const struct event e = { .kind = kind };

	fn(&e, ctx);
}

/* --- netlink */

static void hear_messages(const struct nlmsghdr *msg, int len, bool nft, event_fn fn, void *ctx)
{
	struct event e;

	for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len))
		if (nft ? event_parse_nft(msg, &e) : event_parse(msg, &e))
			fn(&e, ctx);
}

static int read_socket(struct events *ev, struct mnl_socket *sock, event_fn fn, void *ctx)
{
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(sock, ev->buffer, sizeof(ev->buffer));

		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got < 0 && (errno == ENOBUFS || errno == ENOSPC))
			tell(EVENT_LOST, fn, ctx);
		else if (got < 0 && errno != EINTR)
			return -errno;
		else if (got > 0 && sock == ev->xfrm)
			tell(EVENT_WAYS, fn, ctx);
		else if (got > 0)
			hear_messages((const void *)ev->buffer, (int)got, sock == ev->nft, fn, ctx);
	}
}

/* --- pins */

static const struct folder *find_folder(const struct events *ev, int wd)
{
	for (size_t i = 0; i < ev->n_folders; i++)
		if (ev->folders[i].wd == wd)
			return &ev->folders[i];
	return NULL;
}

/* The kernel has dropped it: the folder is gone. */
static void forget_folder(struct events *ev, int wd)
{
	const struct folder *f = find_folder(ev, wd);

	if (f)
		ev->folders[f - ev->folders] = ev->folders[--ev->n_folders];
}

static void hear_pin(struct events *ev, const struct inotify_event *in, event_fn fn, void *ctx)
{
	const struct folder *f = find_folder(ev, in->wd);
	struct event e = { .kind = EVENT_PIN_GONE };

	if (in->mask & IN_Q_OVERFLOW)
		tell(EVENT_LOST, fn, ctx);
	if (in->mask & IN_IGNORED)
		forget_folder(ev, in->wd);
	if (!f || !(in->mask & IN_DELETE))
		return;
	text_copy(e.overlay, sizeof(e.overlay), f->overlay);
	text_copy(e.folder, sizeof(e.folder), f->name);
	text_copy(e.pin, sizeof(e.pin), in->name);
	fn(&e, ctx);
}

static int read_pins(struct events *ev, event_fn fn, void *ctx)
{
	for (;;) {
		ssize_t got = read(ev->inotify, ev->buffer, sizeof(ev->buffer));
		const struct inotify_event *in;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno != EAGAIN ? -errno : 0;
		for (ssize_t at = 0; at < got; at += (ssize_t)(sizeof(*in) + in->len)) {
			in = (const void *)(ev->buffer + at);
			hear_pin(ev, in, fn, ctx);
		}
	}
}

int events_read(struct events *ev, event_fn fn, void *ctx)
{
	int err = read_socket(ev, ev->route, fn, ctx);

	if (!err && ev->xfrm)
		err = read_socket(ev, ev->xfrm, fn, ctx);
	if (!err && ev->nft)
		err = read_socket(ev, ev->nft, fn, ctx);
	return err ? err : read_pins(ev, fn, ctx);
}

void events_watch_pins(struct events *ev, const char *overlay)
{
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct folder *grown;
		char path[PINS_PATH];
		int wd;

		pins_path(path, overlay, "%s", folders[i]);
		/* The same number again for a folder that is watched already. */
		wd = inotify_add_watch(ev->inotify, path, IN_DELETE | IN_ONLYDIR);
		if (wd < 0 || find_folder(ev, wd))
			continue;
		grown = reallocarray(ev->folders, ev->n_folders + 1, sizeof(*grown));
		if (!grown)
			out_of_memory();
		ev->folders = grown;
		ev->folders[ev->n_folders] = (struct folder){ .wd = wd, .name = folders[i] };
		text_copy(ev->folders[ev->n_folders++].overlay, VX_IF_LEN, overlay);
	}
}
