/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames of one flow, the packets a real VXLAN device of the kernel makes of them, and one shot into
 * one program. For the tests of the fast path, on top of run.h.
 */
#ifndef VXBPF_TESTS_WORLD_H
#define VXBPF_TESTS_WORLD_H

#include "run.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

/* What is inside of what, 4 or 6 each, and TCP or UDP. */
struct pair {
	int in, out;
	char l4;
};

enum { ETH = 14, OUTER4 = 50, OUTER6 = 70 };

static inline int outer_len(int out)
{
	return out == 4 ? OUTER4 : OUTER6;
}

static inline __u32 vni_of(int out)
{
	return out == 4 ? BETA : GAMMA;
}

static inline __u32 tunnel_of(int out)
{
	return out == 4 ? TUN_BETA : TUN_GAMMA;
}

/* Of the inner headers, from the frame's first byte. */
static inline int headers_len(const struct pair *p)
{
	return ETH + (p->in == 4 ? 20 : 40) + (p->l4 == 't' ? 20 : 8);
}

static inline unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static inline void set_tos(struct pkt_buf *b, int ip, int tos)
{
	if (ip == 4) {
		b->data[ETH + 1] = (uint8_t)tos;
	} else {
		b->data[ETH] = (uint8_t)(0x60 | tos >> 4);
		b->data[ETH + 1] = (uint8_t)(tos << 4);
	}
}

static inline void set_ttl(struct pkt_buf *b, int ip, int ttl)
{
	b->data[ETH + (ip == 4 ? 8 : 7)] = (uint8_t)ttl;
}

/* From a, which is here, to b, which is at a peer; `back` is the answer. */
static inline void make_frame(const struct pair *p, bool back, int payload, struct pkt_buf *b)
{
	static const char *const ends[][2] = { { "203.0.113.1", "203.0.113.2" },
					       { "2001:db8:7::1", "2001:db8:7::2" } };
	struct pkt pkt = { .i = { .ip = p->in, .l4 = p->l4, .payload = payload } };
	int six = p->in == 6, len = six ? 16 : 4;
	uint8_t *at;

	pkt.i.src = back ? 'b' : 'a';
	pkt.i.dst = back ? 'a' : 'b';
	pkt_build(&pkt, b);
	at = b->data + ETH + (six ? 8 : 12);
	inet_pton(six ? AF_INET6 : AF_INET, ends[six][back], at);
	inet_pton(six ? AF_INET6 : AF_INET, ends[six][!back], at + len);
	at += 2 * len;
	pkt_put16(at, back ? 5001 : 40001);
	pkt_put16(at + 2, back ? 40001 : 5001);
	if (p->l4 == 't')
		at[13] = 0x10; /* ACK */
	else
		pkt_put16(at + 4, (unsigned)payload + 8);
}

/* A tag inside, behind both MACs. */
static inline void put_tag(struct pkt_buf *b)
{
	static const uint8_t tag[] = { 0x81, 0x00, 0x00, 0x05 };

	pkt_put(b, 4, 0);
	memmove(b->data + 16, b->data + 12, b->len - 16);
	memcpy(b->data + 12, tag, 4);
}

/* `frame` as its peer sends it. */
static inline void wrap(int out, const struct pkt_buf *frame, struct pkt_buf *b)
{
	struct pkt pkt = { .o = { .ip = out, .from = out == 4 ? BETA4 : GAMMA6 } };
	uint8_t *vxlan;

	pkt.o.raw = RAW((int)frame->len + 8);
	pkt_build(&pkt, b);
	vxlan = b->data + outer_len(out) - 8;
	memset(vxlan, 0, 8);
	vxlan[0] = 0x08;
	pkt_put16(vxlan + 5, vni_of(out));
	memcpy(vxlan + 8, frame->data, frame->len);
}

static inline int packet_socket(const char *device, int protocol)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((uint16_t)protocol),
				  .sll_ifindex = (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && at.sll_ifindex > 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static inline bool is_vxlan(const struct pkt_buf *b)
{
	bool six = b->data[12] == 0x86;

	return b->len > OUTER6 && b->data[six ? 20 : 23] == IPPROTO_UDP &&
	       get16(b->data + (six ? 56 : 36)) == PKT_PORT;
}

/* Kept open: to close one takes the kernel long. */
static int vx4, vx6, underlay;

/* What the kernel's own VXLAN device of that peer makes of `frame`, to the last byte. */
static inline void kernel_made(int out, const struct pkt_buf *frame, struct pkt_buf *b)
{
	struct pollfd ready = { underlay, POLLIN, 0 };

	while (recv(underlay, b->data, sizeof(b->data), MSG_DONTWAIT) > 0)
		continue;
	assert_int_equal(send(out == 4 ? vx4 : vx6, frame->data, frame->len, 0), frame->len);
	do {
		assert_int_equal(poll(&ready, 1, 10000), 1);
		b->len = (size_t)recv(underlay, b->data, sizeof(b->data), 0);
		assert_true((ssize_t)b->len > 0);
	} while (!is_vxlan(b));
}

/* The underlay d10, with d11 as its other end, and a tunnel of the kernel to each of two peers. */
static inline int make_world(void **state)
{
	static const char commands[] =
		"set -e; for d in d10 d11; do ip link set $d mtu 1600 addrgenmode none up; done;"
		"ip link set d11 address 02:00:00:00:00:22;"
		"ip addr add " PKT_LOCAL4 "/24 dev d10;"
		"ip addr add " PKT_LOCAL6 "/64 dev d10 nodad;"
		"ip neigh add " BETA4 " lladdr 02:00:00:00:00:22 dev d10;"
		"ip neigh add " GAMMA6 " lladdr 02:00:00:00:00:22 dev d10;"
		"v() { ip link add $1 mtu 1450 type vxlan id $2 local $3 remote $4 \
			dstport 4789 nolearning $5; ip link set $1 addrgenmode none up; };"
		"v vx4 5001 " PKT_LOCAL4 " " BETA4 " noudpcsum;"
		"v vx6 5002 " PKT_LOCAL6 " " GAMMA6 " 'udp6zerocsumtx udp6zerocsumrx'";

	if (make_devices(state) || system(commands))
		return -1;
	vx4 = packet_socket("vx4", 0);
	vx6 = packet_socket("vx6", 0);
	underlay = packet_socket("d11", ETH_P_ALL);
	return 0;
}

/* One frame into one program, and what became of it. */
struct shot {
	const char *program;
	__u32 ifindex, ingress, gso_size;
	bool marked;
	__u64 word; /* what an earlier room has said in skb->tstamp */

	int verdict;
	struct pkt_buf out;
	struct __sk_buff left;
};

static inline void shoot(struct vxbpf_bpf *o, struct shot *s, const struct pkt_buf *b)
{
	struct __sk_buff skb = { .mark = OTHER_BITS | (s->marked ? BIT : 0),
				 .ifindex = s->ifindex,
				 .ingress_ifindex = s->ingress,
				 .gso_size = s->gso_size,
				 .tstamp = s->word };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = b->data, .data_size_in = (__u32)b->len,
		    .data_out = s->out.data, .data_size_out = PKT_MAX, .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb), .ctx_out = &s->left,
		    .ctx_size_out = sizeof(s->left), .repeat = 1);
	struct bpf_program *program = bpf_object__find_program_by_name(o->obj, s->program);

	assert_non_null(program);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	s->verdict = (int)opts.retval;
	s->out.len = opts.data_size_out;
}

#endif
