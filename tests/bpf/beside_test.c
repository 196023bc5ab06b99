/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own VXLAN, on its way out by a VLAN: the tag is beside the packet when wire_out sees it,
 * and the fast path could not put it there again. BPF_PROG_TEST_RUN cannot make such a packet.
 */
#include "flows.h"

static struct bpf_tc_hook underlay_hook = { .sz = sizeof(underlay_hook),
					    .ifindex = UNDER,
					    .attach_point = BPF_TC_EGRESS };

/* Puts a tag beside every packet, and leaves it to the next program. */
static int load_tagger(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = htons(0x8100) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 5 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = TC_ACT_UNSPEC },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagger", "GPL", insns, LEN(insns), NULL);
}

static void attach(int program, __u32 priority)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = 1, .priority = priority);

	assert_true(program >= 0);
	assert_int_equal(bpf_tc_attach(&underlay_hook, &opts), 0);
}

static void detach(__u32 priority)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = priority);

	assert_int_equal(bpf_tc_detach(&underlay_hook, &opts), 0);
}

static void tagged_packets_teach_nothing(void **state)
{
	struct pkt_buf frame, packet;
	struct vxbpf_bpf *o;

	(void)state;
	assert_int_equal(bpf_tc_hook_create(&underlay_hook), 0);
	attach(bpf_program__fd(load("ep")->progs.wire_out), 2);
	for (size_t i = 0; i < LEN(pairs); i++) {
		make_frame(&pairs[i], false, 30, &frame);
		attach(load_tagger(), 1);
		o = begin(&pairs[i]);
		kernel_made(pairs[i].out, &frame, &packet);
		assert_int_equal(flows_known(o), 0);
		detach(1);
		kernel_made(pairs[i].out, &frame, &packet);
		assert_int_equal(flows_known(o), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tagged_packets_teach_nothing) };

	return cmocka_run_group_tests(tests, make_world, unload);
}
