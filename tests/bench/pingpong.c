/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fixed work between two addresses, timed from inside: what `make bench` and `make bench-exact` run.
 *
 *	pingpong serve ADDRESS
 *	pingpong WORK ADDRESS WARM COUNT
 *
 * WORK is done WARM times, then COUNT times under the clock; printed is "WORK COUNT NANOSECONDS".
 *
 *	tcp_rr	one byte there and one back		udp_rr	likewise in datagrams
 *	udp_tx	a datagram of 64 bytes, received	tcp_tx	one KiB of a stream, received
 *	tcp_crr	connect, ask, answer, close		udp_mix	udp_tx, one process, FLOWS ports in turn; IPv4
 *
 * The sender of udp_tx stops after each window until the receiver has counted it, so nothing is
 * lost and the work is the same every time. LATENCY=1 times each round trip, and their median and
 * 99th percentile follow. FLOWS=32 shares the COUNT between as many processes, which begin at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#define WINDOW 64
#define CHUNK (64 << 10)

enum port { PORT_ECHO = 5001, PORT_SINK, PORT_ASK, PORT_MIX };

static const char *host;
#define PORTS 1250 /* of each flow */
static unsigned client_port = 20000;
static char buf[CHUNK];
static unsigned mixed; /* flows of udp_mix */

static void die(const char *what)
{
	fprintf(stderr, "pingpong: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(bool ok, const char *what)
{
	if (!ok)
		die(what);
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static socklen_t address(const char *text, unsigned port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	must(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1, text);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof(*v6);
}

static int server_socket(int type, unsigned port)
{
	struct sockaddr_storage at;
	socklen_t len = address(host, port, &at);
	int one = 1, fd = socket(at.ss_family, type, 0);

	must(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	must(!bind(fd, (void *)&at, len), "bind");
	must(type != SOCK_STREAM || !listen(fd, 512), "listen");
	return fd;
}

/* The client's port is its own choice, so that hashes of the flow are the same every time. */
static int client_socket(int type, unsigned port)
{
	struct sockaddr_storage to, from;
	socklen_t len = address(host, port, &to);
	int one = 1, fd = socket(to.ss_family, type, 0);

	must(fd >= 0, "socket");
	address(to.ss_family == AF_INET ? "0.0.0.0" : "::", client_port, &from);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	must(!bind(fd, (void *)&from, len), "bind");
	must(!connect(fd, (void *)&to, len), "connect");
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void tcp_echo(int fd)
{
	ssize_t n;

	while ((n = read(fd, buf, 1)) > 0)
		must(write(fd, buf, n) == n, "write");
}

/* First the length to come, in bytes; once it has come, one byte back. */
static void tcp_sink(int fd)
{
	unsigned long long left;

	while (recv(fd, &left, sizeof(left), MSG_WAITALL) == sizeof(left)) {
		while (left) {
			ssize_t n = read(fd, buf, left < CHUNK ? left : CHUNK);

			must(n > 0, "read");
			left -= n;
		}
		must(write(fd, "", 1) == 1, "write");
	}
}

static void serve_tcp(unsigned port, void (*talk)(int fd), bool fork_each)
{
	int listener = server_socket(SOCK_STREAM, port), one = 1;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		must(fd >= 0, "accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (!fork_each || !fork()) {
			talk(fd);
			if (fork_each)
				_exit(0);
		}
		close(fd);
	}
}

static void tcp_answer(int fd)
{
	if (read(fd, buf, 1) == 1)
		must(write(fd, buf, 1) == 1, "write");
}

static void serve_udp_echo(void)
{
	int fd = server_socket(SOCK_DGRAM, PORT_ECHO);

	for (;;) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len);

		must(n >= 0 && sendto(fd, buf, n, 0, (void *)&from, len) == n, "echo");
	}
}

/* When a window is full, one byte goes back. A window is one sender's or, at PORT_MIX, everybody's. */
static void serve_udp_sink(unsigned port)
{
	int fd = server_socket(SOCK_DGRAM, port), room = 8 << 20;
	static unsigned char got[1 << 16]; /* by the sender's port */

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	for (;;) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		unsigned char *n;

		must(recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len) > 0, "receive");
		n = &got[port == PORT_MIX ? 0 : ((struct sockaddr_in *)&from)->sin_port];
		if (++*n < WINDOW)
			continue;
		must(sendto(fd, buf, 1, 0, (void *)&from, len) == 1, "acknowledge");
		*n = 0;
	}
}

/* A child that ends with the server. */
static bool child(void)
{
	if (fork())
		return false;
	must(!prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	return true;
}

static void serve(void)
{
	signal(SIGCHLD, SIG_IGN);
	if (child())
		serve_tcp(PORT_ECHO, tcp_echo, true);
	if (child())
		serve_tcp(PORT_SINK, tcp_sink, true);
	if (child())
		serve_tcp(PORT_ASK, tcp_answer, false);
	if (child())
		serve_udp_echo();
	if (child())
		serve_udp_sink(PORT_MIX);
	serve_udp_sink(PORT_SINK);
}

static unsigned *latency;

static void round_trips(int fd, unsigned count)
{
	unsigned long long last = latency ? now() : 0, t;

	for (unsigned i = 0; i < count; i++) {
		must(send(fd, buf, 1, 0) == 1 && recv(fd, buf, 1, 0) == 1, "round trip");
		if (latency) {
			t = now();
			latency[i] = t - last;
			last = t;
		}
	}
}

static void datagrams(int fd, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		must(send(fd, buf, 64, 0) == 64, "send");
		must(i % WINDOW || recv(fd, buf, 1, 0) == 1, "acknowledged");
	}
}

/* Each datagram is of another flow than the one before. The last of a window is sent, and its answer
 * received, by a socket; the others have their headers from here: so many sockets few may open. */
static void mixed_datagrams(int fd, unsigned count)
{
	static unsigned next;
	struct sockaddr_storage to;
	socklen_t len = address(host, 0, &to);
	int raw = socket(to.ss_family, SOCK_RAW, IPPROTO_UDP);
	uint16_t head[4] = { 0, htons(PORT_MIX), htons(sizeof(head) + 64), 0 };

	must(to.ss_family == AF_INET && !connect(raw, (void *)&to, len), "raw socket");
	memcpy(buf, head, sizeof(head));
	for (unsigned i = 1; i <= count; i++, next = (next + 1) % mixed) {
		uint16_t port = htons(10000 + next);

		if (i % WINDOW == 0) {
			must(send(fd, buf, 64, 0) == 64, "send");
			must(recv(fd, buf + CHUNK - 1, 1, 0) == 1, "acknowledged");
			continue;
		}
		memcpy(buf, &port, sizeof(port));
		must(send(raw, buf, sizeof(head) + 64, 0) == sizeof(head) + 64, "send");
	}
	close(raw);
}

static void stream(int fd, unsigned count)
{
	unsigned long long left = count * 1024ULL;

	must(send(fd, &left, sizeof(left), 0) == sizeof(left), "send");
	while (left) {
		ssize_t n = send(fd, buf, left < CHUNK ? left : CHUNK, 0);

		must(n > 0, "send");
		left -= n;
	}
	must(recv(fd, buf, 1, 0) == 1, "acknowledged");
}

static void connections(int unused, unsigned count)
{
	unsigned long long last = latency ? now() : 0, t;
	struct linger hard = { 1, 0 };
	unsigned first = client_port;

	(void)unused;
	for (unsigned i = 0; i < count; i++) {
		int fd = client_socket(SOCK_STREAM, PORT_ASK);

		must(send(fd, buf, 1, 0) == 1 && recv(fd, buf, 1, 0) == 1, "request");
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
		client_port = first + (i + 1) % PORTS;
		if (latency) {
			t = now();
			latency[i] = t - last;
			last = t;
		}
	}
}

static const struct work {
	const char *name;
	int type;
	unsigned port;
	void (*run)(int fd, unsigned count);
} works[] = {
	{ "tcp_rr", SOCK_STREAM, PORT_ECHO, round_trips },
	{ "udp_rr", SOCK_DGRAM, PORT_ECHO, round_trips },
	{ "udp_tx", SOCK_DGRAM, PORT_SINK, datagrams },
	{ "tcp_tx", SOCK_STREAM, PORT_SINK, stream },
	{ "tcp_crr", 0, PORT_ASK, connections },
	{ "udp_mix", SOCK_DGRAM, PORT_MIX, mixed_datagrams },
};

static int by_size(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

/* Warmed up, each flow says so and waits for the start; both are a pipe's doing. */
struct start {
	int ready[2], go[2];
};

static void flow(const struct work *w, unsigned warm, unsigned count, const struct start *start)
{
	int fd = w->type ? client_socket(w->type, w->port) : -1;

	w->run(fd, warm);
	close(start->go[1]);
	must(write(start->ready[1], "", 1) == 1, "ready");
	must(read(start->go[0], buf, 1) == 0, "start");
	w->run(fd, count);
	exit(0);
}

static void measure(const struct work *w, unsigned warm, unsigned count, unsigned flows)
{
	unsigned long long begin, end;
	struct start start;
	unsigned *all = NULL;
	int status;

	if (w->port == PORT_MIX) {
		mixed = flows;
		flows = 1;
	}
	warm = warm / flows / WINDOW * WINDOW;
	count = count / flows / WINDOW * WINDOW;
	must(count > 0, "more work than that");
	if (getenv("LATENCY"))
		all = mmap(NULL, (count + warm) * flows * sizeof(*all), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(all != MAP_FAILED && !pipe(start.ready) && !pipe(start.go), "memory");
	for (unsigned i = 0; i < flows; i++, client_port += PORTS) {
		latency = all ? all + i * count : NULL;
		if (child())
			flow(w, warm, count, &start);
	}
	close(start.ready[1]);
	for (unsigned i = 0; i < flows; i++)
		must(read(start.ready[0], buf, 1) == 1, "ready");
	begin = now();
	close(start.go[1]);
	for (unsigned i = 0; i < flows; i++)
		must(wait(&status) > 0 && !status, w->name);
	end = now();
	printf("%s %u %llu", w->name, count * flows, end - begin);
	if (all) {
		qsort(all, count * flows, sizeof(*all), by_size);
		printf(" %u %u", all[count * flows / 2], all[(unsigned)(count * flows * 0.99)]);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	host = argc > 2 ? argv[2] : "";
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve();
	for (size_t i = 0; argc == 5 && i < ARRAY_SIZE(works); i++) {
		if (!strcmp(argv[1], works[i].name)) {
			alarm(600);
			measure(&works[i], atoi(argv[3]), atoi(argv[4]),
				getenv("FLOWS") ? atoi(getenv("FLOWS")) : 1);
			return 0;
		}
	}
	fprintf(stderr, "usage: pingpong serve ADDRESS | WORK ADDRESS WARM COUNT\n");
	return 2;
}
