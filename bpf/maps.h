/* SPDX-License-Identifier: GPL-2.0 */
/* Load-time constants and all maps, see maps.def. */
#ifndef VXBPF_MAPS_H
#define VXBPF_MAPS_H

#include <vxbpf/abi.h>

/* Not `static`: with clang 14 a static const beside rodata costs the whole object its BTF. */
const volatile struct vx_config cfg = {};

_Static_assert(VX_REASON_MAX <= VX_REASONS_MAX, "witness is too small");

#define VX_MAP(name, kind, entries, flags, key_type, value_type)                                   \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##kind);                                                 \
		__uint(max_entries, entries);                                                      \
		__uint(map_flags, flags);                                                          \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps");
#include <vxbpf/maps.def>
#undef VX_MAP

#endif
