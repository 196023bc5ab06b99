/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The object as the kernel has it: with BTF, every map's key and value typed, and every shared struct
 * laid out as the host's compiler lays it out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include <vxbpf/abi.h>
#include "vxbpf.skel.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct member {
	const char *name;
	size_t offset, size;
};

struct layout {
	const char *name;
	size_t size;
	struct member members[32];
};

/* clang-format off */
#define M(type, field) { #field, offsetof(struct type, field), sizeof(((struct type *)0)->field) }
#define S(type, ...) { #type, sizeof(struct type), { __VA_ARGS__ } }

static const struct layout layouts[] = {
	S(vx_addr, M(vx_addr, bytes)),
	S(vx_config, M(vx_config, layout), M(vx_config, mtu), M(vx_config, mark),
	  M(vx_config, port), M(vx_config, guard), M(vx_config, vni_mode), M(vx_config, fastpath), M(vx_config, clamp_mss),
	  M(vx_config, local4), M(vx_config, local6), M(vx_config, keys)),
	S(vx_vni, M(vx_vni, vni)),
	S(vx_peer, M(vx_peer, name), M(vx_peer, ifname), M(vx_peer, address),
	  M(vx_peer, local_address), M(vx_peer, remote), M(vx_peer, local), M(vx_peer, ipsec),
	  M(vx_peer, slot), M(vx_peer, owner), M(vx_peer, slow_tx), M(vx_peer, slow_rx)),
	S(vx_ifindex, M(vx_ifindex, ifindex)),
	S(vx_counters, M(vx_counters, peer), M(vx_counters, owner), M(vx_counters, rx_packets), M(vx_counters, rx_bytes),
	  M(vx_counters, rx_fast_packets), M(vx_counters, rx_bum_packets),
	  M(vx_counters, tx_packets), M(vx_counters, tx_bytes), M(vx_counters, tx_fast_packets),
	  M(vx_counters, tx_bum_packets), M(vx_counters, flood_copies), M(vx_counters, last_rx_ns),
	  M(vx_counters, last_unicast_tx_ns), M(vx_counters, last_unknown_tx_ns), M(vx_counters, carried), M(vx_counters, tick),
	  M(vx_counters, tick_ns), M(vx_counters, asked_ns)),
	S(vx_own, M(vx_own, slot), M(vx_own, cpu), M(vx_own, owner)),
	S(vx_carry, M(vx_carry, slot), M(vx_carry, reserved), M(vx_carry, sum)),
	S(vx_drop_key, M(vx_drop_key, peer), M(vx_drop_key, reason)),
	S(vx_drop, M(vx_drop, packets), M(vx_drop, bytes)),
	S(vx_reason_key, M(vx_reason_key, reason)),
	S(vx_witness, M(vx_witness, peer), M(vx_witness, time_ns), M(vx_witness, src_mac),
	  M(vx_witness, dst_mac), M(vx_witness, from_ifindex), M(vx_witness, to_ifindex),
	  M(vx_witness, vni), M(vx_witness, source)),
	S(vx_other_key, M(vx_other_key, peer_vni), M(vx_other_key, vni)),
	S(vx_other, M(vx_other, peer), M(vx_other, time_ns)),
	S(vx_port, M(vx_port, name), M(vx_port, oversize), M(vx_port, largest),
	  M(vx_port, reserved), M(vx_port, told_ns)),
	S(vx_fdb_key, M(vx_fdb_key, mac), M(vx_fdb_key, vlan)),
	S(vx_fdb, M(vx_fdb, place), M(vx_fdb, ifindex), M(vx_fdb, vni), M(vx_fdb, moves),
	  M(vx_fdb, seen_ns), M(vx_fdb, local_ns), M(vx_fdb, contested_ns),
	  M(vx_fdb, moved_ns), M(vx_fdb, lately), M(vx_fdb, was), M(vx_fdb, was_at),
	  M(vx_fdb, reserved)),
	S(vx_probe_key, M(vx_probe_key, nonce), M(vx_probe_key, vni), M(vx_probe_key, sequence)),
	S(vx_probe_answer, M(vx_probe_answer, answered_ns), M(vx_probe_answer, sent_ns),
	  M(vx_probe_answer, received), M(vx_probe_answer, mtu)),
	S(vx_overlay, M(vx_overlay, name), M(vx_overlay, bridge), M(vx_overlay, local),
	  M(vx_overlay, address), M(vx_overlay, address6), M(vx_overlay, underlay),
	  M(vx_overlay, config), M(vx_overlay, mtu_why), M(vx_overlay, salt), M(vx_overlay, mtu), M(vx_overlay, port),
	  M(vx_overlay, guard), M(vx_overlay, vni_mode), M(vx_overlay, fastpath),
	  M(vx_overlay, xdp), M(vx_overlay, fastpath_why), M(vx_overlay, mark), M(vx_overlay, secret)),
	S(vx_door_value, M(vx_door_value, door)),
	S(vx_flow_key, M(vx_flow_key, hash)),
	S(vx_note, M(vx_note, host), M(vx_note, port), M(vx_note, vni), M(vx_note, finished),
	  M(vx_note, flow), M(vx_note, witness), M(vx_note, other), M(vx_note, drop_key),
	  M(vx_note, reserved2)),
	S(vx_echo, M(vx_echo, hash), M(vx_echo, since_ns), M(vx_echo, times)),
	S(vx_flow, M(vx_flow, stamp), M(vx_flow, hash), M(vx_flow, dst_mac), M(vx_flow, src_mac),
	  M(vx_flow, src_port), M(vx_flow, dst_port), M(vx_flow, addrs), M(vx_flow, from),
	  M(vx_flow, protocol), M(vx_flow, six), M(vx_flow, hop), M(vx_flow, reserved),
	  M(vx_flow, source), M(vx_flow, dest), M(vx_flow, learned_ns), M(vx_flow, refresh_ns),
	  M(vx_flow, moves_src), M(vx_flow, moves_dst), M(vx_flow, moved), M(vx_flow, way),
	  M(vx_flow, to), M(vx_flow, slot), M(vx_flow, fits), M(vx_flow, header_len),
	  M(vx_flow, first), M(vx_flow, super),
	  M(vx_flow, header), M(vx_flow, outer_source), M(vx_flow, outer_dest),
	  M(vx_flow, owner), M(vx_flow, stamp_again)),
};

static const struct {
	const char *map, *key, *value;
	__u32 type, max, flags;
} maps[] = {
	{ "peers", "vx_vni", "vx_peer", BPF_MAP_TYPE_HASH, 2048, BPF_F_NO_PREALLOC },
	{ "sources", "vx_addr", "vx_vni", BPF_MAP_TYPE_HASH, 2048, BPF_F_NO_PREALLOC },
	{ "tunnels", "vx_ifindex", "vx_vni", BPF_MAP_TYPE_HASH, 2048, BPF_F_NO_PREALLOC },
	{ "counters", "__u32", "vx_counters", BPF_MAP_TYPE_PERCPU_ARRAY, 16, 0 },
	{ "drops", "vx_drop_key", "vx_drop", BPF_MAP_TYPE_PERCPU_HASH, 16384, BPF_F_NO_PREALLOC },
	{ "witness", "vx_reason_key", "vx_witness", BPF_MAP_TYPE_HASH, 32, BPF_F_NO_PREALLOC },
	{ "other_vnis", "vx_other_key", "vx_other", BPF_MAP_TYPE_LRU_HASH, 2048, 0 },
	{ "ports", "vx_ifindex", "vx_port", BPF_MAP_TYPE_HASH, 4096, BPF_F_NO_PREALLOC },
	{ "fdb", "vx_fdb_key", "vx_fdb", BPF_MAP_TYPE_LRU_HASH, 65536, 0 },
	{ "doors", "vx_ifindex", "vx_door_value", BPF_MAP_TYPE_HASH, 4096, BPF_F_NO_PREALLOC },
	{ "lease", "__u32", "vx_lease", BPF_MAP_TYPE_ARRAY, 1, 0 },
	{ "moves", "__u32", "__u32", BPF_MAP_TYPE_ARRAY, 1024, 0 },
	{ "flows", "vx_flow_key", "vx_flow", BPF_MAP_TYPE_LRU_HASH, 65536, 0 },
	{ "hot", "__u32", "vx_flow", BPF_MAP_TYPE_ARRAY, 8192, 0 },
	{ "notes", "__u32", "vx_note", BPF_MAP_TYPE_PERCPU_ARRAY, 1, 0 },
	{ "idents", "__u32", "__u32", BPF_MAP_TYPE_ARRAY, 2048, 0 },
	{ "echoes", "__u32", "vx_echo", BPF_MAP_TYPE_ARRAY, 1024, 0 },
	{ "probes", "vx_probe_key", "vx_probe_answer", BPF_MAP_TYPE_HASH, 16384,
	  BPF_F_NO_PREALLOC },
	{ "overlay", "__u32", "vx_overlay", BPF_MAP_TYPE_ARRAY, 1, 0 },
};
/* clang-format on */

static struct vxbpf_bpf *object;

static int load(void **state)
{
	(void)state;
	object = vxbpf_bpf__open_and_load();
	return object ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	vxbpf_bpf__destroy(object);
	return 0;
}

static const char *type_name(const struct btf *btf, __u32 id)
{
	return btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off);
}

static void check_layout(const struct btf *btf, const struct layout *l)
{
	int id = btf__find_by_name_kind(btf, l->name, BTF_KIND_STRUCT);
	const struct btf_type *type;
	size_t n = 0;

	if (id <= 0)
		fail_msg("%s is not in the object's BTF", l->name);
	type = btf__type_by_id(btf, (__u32)id);
	assert_int_equal(type->size, l->size);
	while (n < LEN(l->members) && l->members[n].name)
		n++;
	if (btf_vlen(type) != n)
		fail_msg("%s has %u members, the test knows %zu", l->name, btf_vlen(type), n);
	for (size_t i = 0; i < n; i++) {
		const struct btf_member *m = &btf_members(type)[i];

		assert_string_equal(btf__name_by_offset(btf, m->name_off), l->members[i].name);
		assert_int_equal(btf_member_bit_offset(type, (__u32)i), l->members[i].offset * 8);
		assert_int_equal(btf__resolve_size(btf, m->type), l->members[i].size);
	}
}

static void structs_are_laid_out_as_here(void **state)
{
	const struct btf *btf = bpf_object__btf(object->obj);

	(void)state;
	assert_non_null(btf);
	for (size_t i = 0; i < LEN(layouts); i++)
		check_layout(btf, &layouts[i]);
}

/* Asked of the kernel: libbpf goes on without BTF if the kernel refuses it. */
static void maps_are_typed(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(maps); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object->obj, maps[i].map);
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);
		struct btf *btf;

		assert_non_null(map);
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &len), 0);
		assert_int_equal(info.type, maps[i].type);
		assert_int_equal(info.max_entries, maps[i].max);
		assert_int_equal(info.map_flags, maps[i].flags);
		if (!info.btf_id)
			fail_msg("the kernel has no BTF of %s", maps[i].map);
		btf = btf__load_from_kernel_by_id(info.btf_id);
		assert_non_null(btf);
		assert_string_equal(type_name(btf, info.btf_key_type_id), maps[i].key);
		assert_string_equal(type_name(btf, info.btf_value_type_id), maps[i].value);
		btf__free(btf);
	}
}

static const char *enum_name(const struct btf *btf, const struct btf_type *type, int value)
{
	for (int i = 0; i < btf_vlen(type); i++)
		if (btf_enum(type)[i].val == value)
			return btf__name_by_offset(btf, btf_enum(type)[i].name_off);
	return "";
}

static void reasons_and_places_have_names(void **state)
{
	const struct btf *btf = bpf_object__btf(object->obj);
	int reason = btf__find_by_name_kind(btf, "vx_reason", BTF_KIND_ENUM);
	int place = btf__find_by_name_kind(btf, "vx_place", BTF_KIND_ENUM);

	(void)state;
	assert_true(reason > 0 && place > 0);
#define VX_REASON(name, label, sentence)                                                           \
	assert_string_equal(enum_name(btf, btf__type_by_id(btf, (__u32)reason), VX_REASON_##name), \
			    "VX_REASON_" #name);
#include <vxbpf/reasons.def>
#undef VX_REASON
	assert_string_equal(enum_name(btf, btf__type_by_id(btf, (__u32)place), VX_AT_PEER),
			    "VX_AT_PEER");
}

/* The bound leaves room for the fast path and for kernels that prune less. */
static void programs_are_cheap_to_verify(void **state)
{
	struct bpf_program *program;

	(void)state;
	bpf_object__for_each_program (program, object->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len), 0);
		print_message("%-12s %5zu instructions, %6u verified\n", bpf_program__name(program),
			      bpf_program__insn_cnt(program), info.verified_insns);
		assert_in_range(info.verified_insns, 1, 50000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structs_are_laid_out_as_here),
		cmocka_unit_test(maps_are_typed),
		cmocka_unit_test(reasons_and_places_have_names),
		cmocka_unit_test(programs_are_cheap_to_verify),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
