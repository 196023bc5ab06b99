/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rtnetlink over libmnl: batches whose every message is acknowledged by itself, dumps, and the
 * kernel's own sentence (extack) for what failed. Impure edge; callers build no sockets.
 */
#ifndef VXBPF_NL_H
#define VXBPF_NL_H

#include <libmnl/libmnl.h>

#include "base/util.h"

#define NL_REPLY_TEXT 200

struct nl;

/* Result of one message of a batch: err is 0 or -errno, text the kernel's sentence or "". text NULL:
 * the answer was lost, so the kernel may have done it all the same. */
typedef void (*nl_result_fn)(void *ctx, size_t tag, int err, const char *text);
/* The answer to a message of a batch, before its result. */
typedef void (*nl_answer_fn)(void *ctx, size_t tag, const struct nlmsghdr *msg);
/* One message of a dump; non-zero ends it. */
typedef int (*nl_dump_fn)(const struct nlmsghdr *msg, void *ctx);

/* bus: NETLINK_ROUTE, NETLINK_XFRM, ... */
int nl_open_bus(int bus, struct nl **out, struct why *why);
int nl_open(struct nl **out, struct why *why);
void nl_close(struct nl *nl);
static inline void nl_cleanup(struct nl **nl)
{
	nl_close(*nl);
}
#define autonl __attribute__((cleanup(nl_cleanup)))

/* Starts a message of a batch: `extra` bytes of zeroed payload header (struct ifinfomsg, ...) follow
 * the returned header; append attributes with mnl_attr_put*. `tag` comes back in the result. The
 * batch is sent by itself when full; on_result may run inside this call. */
struct nlmsghdr *nl_put(struct nl *nl, uint16_t type, uint16_t flags, size_t extra, size_t tag);
/* The receiver of the results of messages put from now on. */
void nl_on_result(struct nl *nl, nl_result_fn fn, void *ctx);
/* And who their answers, with the same ctx; NULL: there are none. */
void nl_on_answer(struct nl *nl, nl_answer_fn fn);
/* Sends what is pending and waits for every acknowledgement. -errno only if the socket failed; what
 * comes next then goes over a new one. */
int nl_flush(struct nl *nl);

/* One request that is answered by messages (dump or single). fn sees a dump only once it is whole and nothing was changed
 * meanwhile; otherwise -errno: what cut it short, or -EINTR if each of many tries ran into a change. */
int nl_dump(struct nl *nl, struct nlmsghdr *request, nl_dump_fn fn, void *ctx);
/* The same at the first try, each message as it comes; *torn is set if something was changed meanwhile. */
int nl_dump_once(struct nl *nl, struct nlmsghdr *request, nl_dump_fn fn, void *ctx, bool *torn);
/* A zeroed buffer to build such a request in; valid until the next call. */
struct nlmsghdr *nl_request(struct nl *nl, uint16_t type, uint16_t flags, size_t extra);

#endif
