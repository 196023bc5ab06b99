/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A real packet whose headers are not where they can be read: sent by sendfile(), everything behind
 * its UDP header sits in a page of its own when wire_in sees it. BPF_PROG_TEST_RUN cannot make one.
 */
#include "run.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "rows_wire.h"

enum { SENDS = UNDER, RECEIVES = UNDER + 1 };

static int connect_veth(void **state)
{
	if (make_devices(state))
		return -1;
	return system("ip link set d10 up && ip link set d11 address 02:00:00:00:00:11 up &&"
		      "ip addr add " BETA4 "/24 dev d10 &&"
		      "ip neigh add " PKT_LOCAL4 " lladdr 02:00:00:00:00:11 dev d10");
}

/* What follows the UDP header of `pkt`, as one page, to the device wire_in is on. */
static void send_page(const struct pkt *pkt)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PKT_PORT) };
	char path[] = "/tmp/vxbpf-pull-XXXXXX";
	int file = mkstemp(path), sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pkt_buf b;
	ssize_t len;

	assert_true(file >= 0 && sock >= 0);
	unlink(path);
	pkt_build(pkt, &b);
	len = (ssize_t)(b.len - b.frame_off) + 8;
	assert_int_equal(pwrite(file, b.data + b.frame_off - 8, (size_t)len, 0), len);
	inet_pton(AF_INET, PKT_LOCAL4, &to.sin_addr);
	assert_int_equal(connect(sock, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(sendfile(sock, file, &(off_t){ 0 }, (size_t)len), len);
	close(sock);
	close(file);
	usleep(50000); /* a busy host may hand it to ksoftirqd */
}

static void attach(struct vxbpf_bpf *o)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = RECEIVES, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(o->progs.wire_in));

	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

static void headers_in_pages_are_found(void **state)
{
	static const struct row none = { "nothing" };
	static const struct row mine = { "a peer's", .rx = { BETA, 1, 156, 1 } };
	static const struct row wrong = { "a wrong VNI", .reason = VX_REASON_WRONG_VNI,
					  .blame = "beta", .packets = 1, .bytes = 156 };
	struct vxbpf_bpf *o = load("e");
	__u64 now;

	(void)state;
	attach(o);
	reset(o, &none, coarse_now());
	now = coarse_now();
	send_page(&(struct pkt){ W4(BETA4, BETA), T4(98, .tag = 7) });
	check_counters(o, &mine, now);
	check_drops(o, &mine);
	reset(o, &none, coarse_now());
	now = coarse_now();
	send_page(&(struct pkt){ W4(BETA4, DELTA), T4(98, .tag = 7) });
	check_counters(o, &none, now);
	check_drops(o, &wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(headers_in_pages_are_found) };

	return cmocka_run_group_tests(tests, connect_veth, unload);
}
