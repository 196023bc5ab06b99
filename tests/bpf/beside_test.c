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

/* What tun_out has said of the frame, to the packet that the kernel makes of it. */
static int load_speaker(__u64 word)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_2, .imm = (__s32)word },
		{ .imm = (__s32)(word >> 32) },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_2,
		  .off = offsetof(struct __sk_buff, tstamp) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "speaker", "GPL", insns, LEN(insns), NULL);
}

static void attach_at(const struct bpf_tc_hook *hook, int program, __u32 priority)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = 1, .priority = priority,
		    .flags = BPF_TC_F_REPLACE);

	assert_true(program >= 0);
	assert_int_equal(bpf_tc_attach(hook, &opts), 0);
	close(program);
}

static void attach(int program, __u32 priority)
{
	attach_at(&underlay_hook, program, priority);
}

static void detach(__u32 priority)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = priority);

	assert_int_equal(bpf_tc_detach(&underlay_hook, &opts), 0);
}

/* The frame goes by the tunnel in earnest, from a port. */
static void send_noted(struct vxbpf_bpf *o, const struct pair *p, const struct pkt_buf *frame)
{
	LIBBPF_OPTS(bpf_tc_hook, tunnel, .attach_point = BPF_TC_EGRESS,
		    .ifindex = (int)if_nametoindex(p->out == 4 ? "vx4" : "vx6"));
	struct pkt_buf packet;

	bpf_tc_hook_create(&tunnel);
	attach_at(&tunnel, load_speaker(let_in(o, p, frame, PORT1)), 1);
	kernel_made(p->out, frame, &packet);
}

static void tagged_packets_teach_nothing(void **state)
{
	struct pkt_buf frame;
	struct vxbpf_bpf *o;

	(void)state;
	assert_int_equal(bpf_tc_hook_create(&underlay_hook), 0);
	attach(dup(bpf_program__fd(load("ep")->progs.wire_out)), 2);
	for (size_t i = 0; i < LEN(pairs); i++) {
		make_frame(&pairs[i], false, 30, &frame);
		attach(load_tagger(), 1);
		o = begin(&pairs[i]);
		send_noted(o, &pairs[i], &frame);
		assert_int_equal(flows_known(o), 0);
		detach(1);
		send_noted(o, &pairs[i], &frame);
		assert_int_equal(flows_known(o), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tagged_packets_teach_nothing) };

	return cmocka_run_group_tests(tests, make_world, unload);
}
