// SPDX-License-Identifier: GPL-2.0
/* rtnetlink over libmnl; see nl.h. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/nl.h"

#define BATCH_BYTES 65536
#define BATCH_SPARE                                                                                \
	8192 /* the largest single message; the buffer has that much beyond BATCH_BYTES */
#define BATCH_MSGS 128
#define RECV_BYTES 65536 /* to begin with; a device with hundreds of names needs more */
#define DUMP_TRIES 30 /* that a change runs into */

struct nl {
	int bus;
	struct mnl_socket *sock;
	unsigned seq; /* of the last message made */
	unsigned first_seq; /* of the batch's first */
	char *batch;
	size_t used; /* bytes of finished messages */
	struct nlmsghdr *open; /* the message still being built */
	size_t tags[BATCH_MSGS];
	size_t n_msgs;
	bool heard[BATCH_MSGS];
	nl_result_fn on_result;
	nl_answer_fn on_answer;
	void *ctx;
	char *recv;
	size_t recv_bytes;
	char *request;
	char *dump; /* a dump that is not yet known to be whole */
	size_t dump_used, dump_bytes;
};

static int open_socket(struct nl *nl)
{
	int on = 1, size = 8 << 20;

	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = mnl_socket_open2(nl->bus, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* All four are comforts: without them messages are terser or batches need more room. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return 0;
}

int nl_open(struct nl **out, struct why *why)
{
	return nl_open_bus(NETLINK_ROUTE, out, why);
}

int nl_open_bus(int bus, struct nl **out, struct why *why)
{
	autonl struct nl *nl = calloc(1, sizeof(*nl));

	if (!nl)
		return why_set(why, -ENOMEM, "netlink: out of memory");
	nl->batch = malloc(BATCH_BYTES + BATCH_SPARE);
	nl->recv = malloc(RECV_BYTES);
	nl->request = malloc(BATCH_SPARE);
	nl->recv_bytes = RECV_BYTES;
	nl->bus = bus;
	if (!nl->batch || !nl->recv || !nl->request)
		return why_set(why, -ENOMEM, "netlink: out of memory");
	if (open_socket(nl))
		return why_set(why, -errno, "netlink: cannot open a socket: %s", strerror(errno));
	*out = take_ptr(nl);
	return 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl->batch);
	free(nl->recv);
	free(nl->request);
	free(nl->dump);
	free(nl);
}

void nl_on_result(struct nl *nl, nl_result_fn fn, void *ctx)
{
	nl->on_result = fn;
	nl->ctx = ctx;
}

void nl_on_answer(struct nl *nl, nl_answer_fn fn)
{
	nl->on_answer = fn;
}

/* The message being built has its final length only when the next one starts. */
static void finish_open(struct nl *nl)
{
	if (nl->open)
		nl->used += MNL_ALIGN(nl->open->nlmsg_len);
	nl->open = NULL;
}

struct nlmsghdr *nl_put(struct nl *nl, uint16_t type, uint16_t flags, size_t extra, size_t tag)
{
	finish_open(nl);
	if (nl->n_msgs == BATCH_MSGS || nl->used > BATCH_BYTES)
		nl_flush(nl);
	memset(nl->batch + nl->used, 0, BATCH_SPARE);
	nl->open = mnl_nlmsg_put_header(nl->batch + nl->used);
	nl->open->nlmsg_type = type;
	nl->open->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	nl->open->nlmsg_seq = ++nl->seq;
	if (!nl->n_msgs)
		nl->first_seq = nl->seq;
	nl->heard[nl->n_msgs] = false;
	nl->tags[nl->n_msgs++] = tag;
	mnl_nlmsg_put_extra_header(nl->open, extra);
	return nl->open;
}

static int take_text(const struct nlattr *attr, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The extack sentence behind an error message: after the echoed header (NETLINK_CAP_ACK) or the
 * echoed request, as attributes. */
static const char *error_text(const struct nlmsghdr *msg)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(msg);
	size_t skip = sizeof(*e);
	const char *text = "";

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return text;
	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&e->msg);
	mnl_attr_parse(msg, (unsigned)skip, take_text, &text);
	return text;
}

static void report(struct nl *nl, size_t index, int err, const char *text)
{
	nl->heard[index] = true;
	if (nl->on_result)
		nl->on_result(nl->ctx, nl->tags[index], err, text);
}

/* Grows to `bytes` at least. */
static bool grow(char **buffer, size_t *room, size_t bytes)
{
	size_t wanted = *room ? *room : RECV_BYTES;
	char *grown;

	if (bytes <= *room)
		return true;
	while (wanted < bytes)
		wanted *= 2;
	grown = realloc(*buffer, wanted);
	if (!grown)
		return false;
	*buffer = grown;
	*room = wanted;
	return true;
}

/* One datagram, whatever its size: the kernel makes one as large as its largest message needs. Bytes, or -errno. */
static ssize_t receive(struct nl *nl)
{
	int fd = mnl_socket_get_fd(nl->sock);
	ssize_t size, got;

	do {
		size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	if (!grow(&nl->recv, &nl->recv_bytes, (size_t)size))
		return -ENOMEM;
	do {
		got = mnl_socket_recvfrom(nl->sock, nl->recv, nl->recv_bytes);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* Reads acknowledgements until `left` messages have one. */
static int read_acks(struct nl *nl, size_t left)
{
	while (left) {
		ssize_t got = receive(nl);
		const struct nlmsghdr *msg = (const void *)nl->recv;
		int rest = (int)got;

		if (got < 0)
			return (int)got;
		for (; left && mnl_nlmsg_ok(msg, rest); msg = mnl_nlmsg_next(msg, &rest)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(msg);
			unsigned index = msg->nlmsg_seq - nl->first_seq;

			if (index >= nl->n_msgs)
				continue;
			if (msg->nlmsg_type != NLMSG_ERROR) {
				if (nl->on_answer)
					nl->on_answer(nl->ctx, nl->tags[index], msg);
				continue;
			}
			report(nl, index, e->error, error_text(msg));
			left--;
		}
	}
	return 0;
}

/* After a failure nobody knows which answers are still under way: not over this socket any more. */
static int give_up(struct nl *nl, int err)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
	return err;
}

int nl_flush(struct nl *nl)
{
	bool sent;
	int err = 0;

	finish_open(nl);
	if (!nl->n_msgs)
		return 0;
	if (!nl->sock)
		err = open_socket(nl);
	sent = !err && mnl_socket_sendto(nl->sock, nl->batch, nl->used) >= 0;
	if (!err)
		err = sent ? read_acks(nl, nl->n_msgs) : -errno;
	for (size_t i = 0; err && i < nl->n_msgs; i++)
		if (!nl->heard[i])
			report(nl, i, err, sent ? NULL : "");
	nl->n_msgs = 0;
	nl->used = 0;
	return err ? give_up(nl, err) : 0;
}

struct nlmsghdr *nl_request(struct nl *nl, uint16_t type, uint16_t flags, size_t extra)
{
	struct nlmsghdr *msg;

	memset(nl->request, 0, BATCH_SPARE);
	msg = mnl_nlmsg_put_header(nl->request);
	msg->nlmsg_type = type;
	msg->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	msg->nlmsg_seq = ++nl->seq;
	mnl_nlmsg_put_extra_header(msg, extra);
	return msg;
}

/* A dump ends with the error that cut it short, if one did. */
static int done(const struct nlmsghdr *msg)
{
	int err = 0;

	if (mnl_nlmsg_get_payload_len(msg) >= sizeof(err))
		memcpy(&err, mnl_nlmsg_get_payload(msg), sizeof(err));
	return err < 0 ? err : 0;
}

int nl_dump_once(struct nl *nl, struct nlmsghdr *request, nl_dump_fn fn, void *ctx, bool *torn)
{
	bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int result = 0;

	if (!nl->sock && open_socket(nl))
		return -errno;
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return give_up(nl, -errno);
	for (;;) {
		ssize_t got = receive(nl);
		const struct nlmsghdr *msg = (const void *)nl->recv;
		int rest = (int)got;

		if (got < 0)
			return give_up(nl, (int)got);
		for (; mnl_nlmsg_ok(msg, rest); msg = mnl_nlmsg_next(msg, &rest)) {
			if (msg->nlmsg_seq != request->nlmsg_seq)
				continue;
			*torn |= msg->nlmsg_flags & NLM_F_DUMP_INTR;
			if (msg->nlmsg_type == NLMSG_DONE)
				return result ? result : done(msg);
			if (msg->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(msg))->error;
			if (!result)
				result = fn(msg, ctx);
			if (!dump)
				return result;
		}
	}
}

static int keep(const struct nlmsghdr *msg, void *ctx)
{
	struct nl *nl = ctx;
	size_t bytes = MNL_ALIGN(msg->nlmsg_len);

	if (!grow(&nl->dump, &nl->dump_bytes, nl->dump_used + bytes))
		return -ENOMEM;
	memcpy(nl->dump + nl->dump_used, msg, msg->nlmsg_len);
	nl->dump_used += bytes;
	return 0;
}

int nl_dump(struct nl *nl, struct nlmsghdr *request, nl_dump_fn fn, void *ctx)
{
	bool torn = true;
	int err = 0;

	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return nl_dump_once(nl, request, fn, ctx, &torn);
	for (unsigned n = 0; !err && torn && n < DUMP_TRIES; n++) {
		torn = false;
		nl->dump_used = 0;
		request->nlmsg_seq = ++nl->seq;
		err = nl_dump_once(nl, request, keep, nl, &torn);
	}
	for (size_t at = 0; !err && !torn && at < nl->dump_used;) {
		const struct nlmsghdr *msg = (const void *)(nl->dump + at);

		err = fn(msg, ctx);
		at += MNL_ALIGN(msg->nlmsg_len);
	}
	return err ? err : torn ? -EINTR : 0;
}
