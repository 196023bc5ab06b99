/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What BPF_PROG_TEST_RUN cannot show: super-packets that pass whole, tags beside the frame, and where
 * a redirect leads. Real frames, from a port to the underlay and on into a port of the other host.
 *
 *	d14 ─► d15 [port_in] ··► d10 ─► d11 [wire_in] ··► p1 ─► c1 in a namespace of its own,
 *						       ··► p2 ─► c2, or p2 as if received there
 */
#include "flows.h"

#include <fcntl.h>
#include <linux/virtio_net.h>
#include <sys/uio.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

enum { SENDS = PORT1 - 1, WIRE = UNDER + 1, P1 = 30, C1, P2, C2 };

static int sender, wire, at_p1, at_c1, at_c2, at_p2, by_p2;

static void attach(struct bpf_program *program, int ifindex, enum bpf_tc_attach_point where)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = where);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(program));

	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

/* Runs `with` in the namespace `there`, comes back, and says what it said. */
static int inside(int there, int (*with)(void))
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), said;

	if (here < 0 || setns(there, CLONE_NEWNET))
		return -1;
	said = with();
	return setns(here, CLONE_NEWNET) || close(here) ? -1 : said;
}

static int listen_at_c1(void)
{
	if (system("ip link set c1 mtu 1600 addrgenmode none up"))
		return -1;
	return packet_socket("c1", ETH_P_ALL);
}

static int new_namespace(void)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = -1;

	if (here >= 0 && !unshare(CLONE_NEWNET))
		there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return setns(here, CLONE_NEWNET) || close(here) ? -1 : there;
}

static int make_way(void **state)
{
	static const char commands[] =
		"set -e; ip link add p1 index 30 type veth peer name c1 index 31;"
		"ip link add p2 index 32 type veth peer name c2 index 33;"
		"ip link set c1 netns /proc/%d/fd/%d;"
		"for d in d14 d15 p1 p2 c2; do ip link set $d mtu 1600 addrgenmode none up; done";
	char command[sizeof(commands) + 32];
	int one = 1, there;

	if (make_world(state))
		return -1;
	there = new_namespace();
	snprintf(command, sizeof(command), commands, getpid(), there);
	if (there < 0 || system(command))
		return -1;
	at_c1 = inside(there, listen_at_c1);
	at_c2 = packet_socket("c2", ETH_P_ALL);
	at_p1 = packet_socket("p1", ETH_P_ALL);
	at_p2 = packet_socket("p2", ETH_P_ALL);
	setsockopt(at_p2, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	sender = packet_socket("d14", 0);
	wire = packet_socket("d10", 0);
	by_p2 = packet_socket("p2", 0);
	attach(load("ep")->progs.port_in, PORT1, BPF_TC_INGRESS);
	attach(load("ep")->progs.wire_in, WIRE, BPF_TC_INGRESS);
	attach(load("ep")->progs.port_out, C2, BPF_TC_INGRESS); /* as by a tunnel */
	return setsockopt(sender, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one));
}

/* Out of a container: whole, to be cut to segments with `gso_size` bytes each; 0: as it is. */
static void send_frame(const struct pair *p, const struct pkt_buf *b, int gso_size)
{
	int ip_len = p->in == 4 ? 20 : 40;
	struct virtio_net_hdr h = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
	struct iovec parts[] = { { &h, sizeof(h) }, { (void *)b->data, b->len } };

	if (gso_size) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.gso_type = p->l4 == 'u' ? VIRTIO_NET_HDR_GSO_UDP_L4
			     : p->in == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
					  : VIRTIO_NET_HDR_GSO_TCPV6;
		h.hdr_len = (__u16)headers_len(p);
		h.gso_size = (__u16)gso_size;
		h.csum_start = (__u16)(ETH + ip_len);
		h.csum_offset = p->l4 == 'u' ? 6 : 16;
	}
	assert_int_equal(writev(sender, parts, 2), b->len + sizeof(h));
}

enum { PLAIN_TOS = 0x10, TESTED_TOS = 0x20, AS_PACKET = -1 };

static bool has_tos(const struct pair *p, const struct pkt_buf *b, int outer, int tos)
{
	struct pkt_buf want;

	make_frame(p, false, 0, &want);
	set_tos(&want, p->in, tos);
	return b->len > (size_t)outer + 20 && memcmp(b->data + outer + 12, want.data + 12, 4) == 0;
}

/* Up to the plain frame, which is the last one; the tested one, if it came, goes to *seen. */
static void watch(int fd, const struct pair *p, struct pkt_buf *seen)
{
	int outer = fd == underlay ? outer_len(p->out) : 0;
	struct pollfd ready = { fd, POLLIN, 0 };
	struct pkt_buf b;

	seen->len = 0;
	do {
		assert_int_equal(poll(&ready, 1, 10000), 1);
		b.len = (size_t)recv(fd, b.data, sizeof(b.data), 0);
		if (has_tos(p, &b, outer, TESTED_TOS))
			*seen = b;
	} while (!has_tos(p, &b, outer, PLAIN_TOS));
}

static void drain(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT) >= 0)
		continue;
}

/*
 * Sends `b`, a frame or a packet on the underlay, then a small plain frame, and watches at `fd`, which
 * that one reaches by the fast path alone. Says what `b` was counted as. In time, even on a busy machine.
 */
static struct tally send_two(struct vxbpf_bpf *o, const struct pair *p, const struct pkt_buf *b,
			     int gso_size, int fd, struct pkt_buf *seen)
{

	bool in = fd != underlay;
	struct pkt_buf plain;
	struct tally was, t;
	__u64 begun;

	make_frame(p, false, 1, &plain);
	set_tos(&plain, p->in, PLAIN_TOS);
	do {
		drain(fd), drain(at_p1), drain(at_c1), drain(at_c2), drain(at_p2);
		begun = coarse_now();
		refresh(o);
		was = tally_of(o, vni_of(p->out));
		if (gso_size == AS_PACKET)
			assert_int_equal(send(wire, b->data, b->len, 0), b->len);
		else
			send_frame(p, b, gso_size);
		send_frame(p, &plain, 0);
		watch(fd, p, seen);
	} while (coarse_now() - begun > 300 * MS);
	t = tally_of(o, vni_of(p->out));
	return (struct tally){ .rx = t.rx - was.rx - in,
			       .rx_bytes = t.rx_bytes - was.rx_bytes - in * plain.len,
			       .rx_fast = t.rx_fast - was.rx_fast - in,
			       .tx = t.tx - was.tx - 1,
			       .tx_bytes = t.tx_bytes - was.tx_bytes - plain.len,
			       .tx_fast = t.tx_fast - was.tx_fast - 1 };
}

/* Learned at wire_out, as at first. */
static void teach_port(struct vxbpf_bpf *o, const struct pair *p)
{
	struct pkt_buf frame;

	put_mac(o, 'a', VX_AT_PORT, PORT1, 20);
	put_mac(o, 'b', VX_AT_PEER, vni_of(p->out), 20);
	make_frame(p, false, MTU + ETH - headers_len(p), &frame);
	teach_tx(o, p, &frame);
}

/*
 * The flow is known at port_in and, unless `to` is 0, at the other host's wire_in: which is this one's
 * with both addresses changed over.
 */
static struct vxbpf_bpf *know_way(const struct pair *p, __u32 to, enum vx_way way, bool super)
{
	struct vxbpf_bpf *o = begin(p);
	struct pkt_buf frame;

	if (to) {
		struct shot s = { "port_out", to, tunnel_of(p->out) };
		struct vx_addr source;
		struct vx_flow f;

		put_door(o, to, VX_DOOR_PEER);
		put_mac(o, 'a', VX_AT_PEER, vni_of(p->out), 20);
		put_mac(o, 'b', VX_AT_PORT, to, 20);
		make_frame(p, false, 3, &frame);
		shoot(o, &s, &frame);
		f = only_flow(o);
		source = f.outer_source;
		f.outer_source = f.outer_dest;
		f.outer_dest = source;
		f.way = way;
		f.super = super;
		put_flow(o, &f);
	}
	teach_port(o, p);
	assert_int_equal(flows_known(o), to ? 2 : 1);
	return o;
}

static void make_tested(const struct pair *p, int payload, struct pkt_buf *b)
{
	make_frame(p, false, payload, b);
	set_tos(b, p->in, TESTED_TOS);
}

static void supers_leave_whole(void **state)
{
	const struct pair *p = *state;
	struct vxbpf_bpf *o = know_way(p, 0, 0, false);
	int headers = headers_len(p), most = MTU + ETH - headers;
	struct tally three = { .tx = 3, .tx_fast = 3 };
	struct pkt_buf frame, seen;

	make_tested(p, 2900, &frame);
	three.tx_bytes = frame.len + 2 * (size_t)headers;
	assert_tally("three", send_two(o, p, &frame, 1000, underlay, &seen), three);
	assert_int_equal(seen.len, (int)frame.len + outer_len(p->out));
	assert_tally("largest", send_two(o, p, &frame, most, underlay, &seen), three);
	assert_int_equal(seen.len, (int)frame.len + outer_len(p->out));
	assert_tally("too large", send_two(o, p, &frame, most + 1, underlay, &seen),
		     (struct tally){});
	assert_int_equal(seen.len, 0);
	if (p->l4 != 't')
		return;
	/* With options, which each segment has as well. */
	frame.data[headers - 8] = 0x80;
	three.tx_bytes += 2 * 12;
	assert_tally("options", send_two(o, p, &frame, 1000, underlay, &seen), three);
	assert_tally("too large with options", send_two(o, p, &frame, most - 11, underlay, &seen),
		     (struct tally){});
}

static void tags_beside_are_left(void **state)
{
	const struct pair *p = *state;
	struct pkt_buf frame, packet, seen;
	struct vxbpf_bpf *o = begin(p);

	make_tested(p, 100, &frame);
	kernel_made(p->out, &frame, &packet);
	o = know_way(p, P2, VX_WAY_PORT, false);
	send_two(o, p, &packet, AS_PACKET, at_c2, &seen);
	assert_int_equal(seen.len, frame.len);
	put_tag(&packet);
	send_two(o, p, &packet, AS_PACKET, at_c2, &seen);
	assert_int_equal(seen.len, 0);
	o = know_way(p, 0, 0, false);
	assert_tally("plain", send_two(o, p, &frame, 0, underlay, &seen),
		     (struct tally){ .tx = 1, .tx_bytes = frame.len, .tx_fast = 1 });
	put_tag(&frame);
	/* The first one's MAC is new with this tag, and voids what is known of it without. */
	send_frame(p, &frame, 0);
	teach_port(o, p);
	assert_tally("tagged", send_two(o, p, &frame, 0, underlay, &seen), (struct tally){});
}

static void put_tunnel(struct vxbpf_bpf *o, __u32 ifindex, __u32 vni)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(o->maps.tunnels), &ifindex, &vni, 0), 0);
}

static void tags_beside_teach_nothing(void **state)
{
	const struct pair *p = *state;
	struct pkt_buf tagged, other;
	struct vx_flow learned;
	uint8_t *port;
	struct vxbpf_bpf *o;
	int tries = 0;

	make_frame(p, true, 9, &tagged);
	other = tagged;
	port = other.data + headers_len(p) - (p->l4 == 't' ? 20 : 8);
	port[0] ^= 1; /* another flow */
	put_tag(&tagged);
	do {
		o = begin(p);
		put_door(o, C2, VX_DOOR_PEER);
		put_tunnel(o, C2, vni_of(p->out)); /* what is received there is a peer's */
		put_mac(o, 'a', VX_AT_PORT, C2, 0);
		put_mac(o, 'b', VX_AT_PEER, vni_of(p->out), 0);
		assert_int_equal(send(by_p2, tagged.data, tagged.len, 0), tagged.len);
		assert_int_equal(send(by_p2, other.data, other.len, 0), other.len);
		for (int ms = 0; ms < 1000 && !flows_known(o); ms++)
			usleep(1000);
	} while (!flows_known(o) && ++tries < 10);
	assert_int_equal(flows_known(o), 1);
	learned = only_flow(o);
	assert_memory_equal(&learned.src_port, port, 2);
}

/* The others saw none: what goes by VX_WAY_PEER does not even leave by p1. */
static void assert_only_at(int fd, const struct pair *p)
{
	const int others[] = { at_p1, at_c1, at_c2, at_p2 };
	struct pkt_buf b;
	ssize_t len;

	for (size_t i = 0; i < LEN(others); i++) {
		if (others[i] == fd)
			continue;
		while ((len = recv(others[i], b.data, sizeof(b.data), MSG_DONTWAIT)) > 0) {
			b.len = (size_t)len;
			assert_false(has_tos(p, &b, 0, TESTED_TOS));
		}
	}
}

/* A frame, and what may be opened of super-packets, to where and how the entry says. */
static void opened_where_the_entry_says(void **state)
{
	static const struct {
		__u32 to;
		enum vx_way way;
		const int *fd;
	} ways[] = { { P1, VX_WAY_PEER, &at_c1 },
		     { P2, VX_WAY_PORT, &at_c2 },
		     { P2, VX_WAY_HOST, &at_p2 } };
	const struct pair *p = *state;
	int headers = headers_len(p);
	struct pkt_buf frame, seen;
	struct tally t;

	for (size_t i = 0; i < LEN(ways); i++) {
		struct vxbpf_bpf *o = know_way(p, ways[i].to, ways[i].way, true);

		make_tested(p, 333, &frame);
		t = (struct tally){ 1, frame.len, 1, 1, frame.len, 1 };
		assert_tally("small", send_two(o, p, &frame, 0, *ways[i].fd, &seen), t);
		assert_int_equal(seen.len, frame.len);
		assert_memory_equal(seen.data, frame.data, frame.len);
		assert_only_at(*ways[i].fd, p);
		if (p->l4 != 't' || ways[i].way == VX_WAY_PORT)
			continue;
		make_tested(p, 2900, &frame);
		t.rx_bytes = t.tx_bytes = frame.len + 2 * (size_t)headers;
		t.rx = t.rx_fast = t.tx = t.tx_fast = 3;
		assert_tally("super", send_two(o, p, &frame, 1000, *ways[i].fd, &seen), t);
		assert_int_equal(seen.len, frame.len);
	}
	/* Super-packets that do not end there are the kernel's to open: all but TCP's are. */
	for (size_t i = 0; i < LEN(ways); i++) {
		struct vxbpf_bpf *o = know_way(p, ways[i].to, ways[i].way, false);

		make_tested(p, 2900, &frame);
		t = (struct tally){ .tx = 3, .tx_fast = 3 };
		t.tx_bytes = frame.len + 2 * (size_t)headers;
		assert_tally("not super", send_two(o, p, &frame, 1000, *ways[i].fd, &seen), t);
		assert_int_equal(seen.len, 0);
	}
}

int main(void)
{
	static struct CMUnitTest tests[4 * LEN(pairs)];
	size_t n = 0;

	for (size_t i = 0; i < LEN(pairs); i++) {
		tests[n++] = (struct CMUnitTest){ "supers_leave_whole", supers_leave_whole,
						  .initial_state = (void *)&pairs[i] };
		tests[n++] = (struct CMUnitTest){ "tags_beside_are_left", tags_beside_are_left,
						  .initial_state = (void *)&pairs[i] };
		tests[n++] =
			(struct CMUnitTest){ "tags_beside_teach_nothing", tags_beside_teach_nothing,
					     .initial_state = (void *)&pairs[i] };
		tests[n++] = (struct CMUnitTest){ "opened_where_the_entry_says",
						  opened_where_the_entry_says,
						  .initial_state = (void *)&pairs[i] };
	}
	return _cmocka_run_group_tests("super", tests, n, make_way, unload);
}
