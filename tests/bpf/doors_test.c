/* SPDX-License-Identifier: GPL-2.0 */
/* What doors and the lease on them let the programs learn; which way each leads is in learn_test.c. */
#include "flows.h"

/* Into a veth only while somebody watches, and not at all where no way is right. */
static void doors_of_veths_are_leased(void **state)
{
	const struct pair *p = *state;
	struct pkt_buf frame;

	for (enum vx_door door = VX_DOOR_PEER; door <= VX_DOOR_OUT; door++) {
		struct vxbpf_bpf *o = begin(p);
		bool veth = door == VX_DOOR_PEER || door == VX_DOOR_NEAR;

		put_door(o, PORT1, door);
		lease_until(o, 0);
		make_frame(p, true, 3, &frame);
		teach_rx(o, p, &frame);
		assert_int_equal(flows_known(o), !veth && door != VX_DOOR_OUT);
		forget_flows(o);
		lease_until(o, coarse_now() - 1000 * MS);
		teach_rx(o, p, &frame);
		assert_int_equal(flows_known(o), !veth && door != VX_DOOR_OUT);
		forget_flows(o);
		lease_until(o, coarse_now() + 10000 * MS);
		teach_rx(o, p, &frame);
		assert_int_equal(flows_known(o), door != VX_DOOR_OUT);
		/* What it sends needs no lease. */
		forget_flows(o);
		lease_until(o, 0);
		put_mac(o, 'a', VX_AT_PORT, PORT1, 20);
		make_frame(p, false, 3, &frame);
		teach_tx(o, p, &frame);
		assert_int_equal(only_flow(o).hop, VX_HOP_PORT);
	}
}

int main(void)
{
	static struct CMUnitTest tests[LEN(pairs)];

	for (size_t i = 0; i < LEN(pairs); i++)
		tests[i] =
			(struct CMUnitTest){ "doors_of_veths_are_leased", doors_of_veths_are_leased,
					     .initial_state = (void *)&pairs[i] };
	return _cmocka_run_group_tests("doors", tests, LEN(pairs), make_world, unload);
}
