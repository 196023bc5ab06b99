/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's objects as values: what a plan wants and what an observation found are the same kind
 * of list, so one diff serves up, down, reload, --dry-run and drift. Pure.
 */
#ifndef VXBPF_MODEL_H
#define VXBPF_MODEL_H

#include "base/util.h"

/* In the order of dependency: created first to last, removed last to first. */
enum obj_kind {
	OBJ_TREE, /* <overlay>: its folder of pins */
	OBJ_MAP, /* <map>: pinned */
	OBJ_PROG, /* <build>/<room>: pinned */
	OBJ_ENTRY, /* <map>/<key>: a map entry that needs no device */
	OBJ_WIRE, /* <ifname>/<room>: a hook on an underlay device */
	OBJ_BRIDGE, /* <ifname> */
	OBJ_TUNNEL, /* <ifname>: a VXLAN device */
	OBJ_INDEX, /* <map>/<ifname>: a map entry whose key is that device's ifindex */
	OBJ_QDISC, /* <ifname>: a tunnel's clsact, which runs the filters of the overlay's blocks */
	OBJ_HOOK, /* <ifname>/<room>: a hook on a tunnel or port */
	OBJ_BLOCK, /* <room>: the filter in the block all those tunnels share */
	OBJ_MEMBER, /* <ifname>: a tunnel's place in the bridge, after its hooks (I2) */
	OBJ_SETUP, /* <bridge>: what must be set after its members changed */
	OBJ_ADDR, /* <prefix>: an address of the bridge */
	OBJ_KIND_MAX,
};

enum obj_type { OBJ_NUMBER, OBJ_SWITCH, OBJ_TEXT };
enum { OBJ_FIXED = 1, OBJ_BORN = 2 };

enum obj_field {
#define OBJ_FIELD(name, word, type, flags) F_##name,
#include "plan/fields.def"
#undef OBJ_FIELD
	F_MAX,
};

struct obj_field_info {
	const char *word;
	enum obj_type type;
	unsigned flags;
};
extern const struct obj_field_info obj_fields[F_MAX];

union obj_value {
	uint64_t num;
	char *text; /* owned */
};

struct obj {
	enum obj_kind kind;
	char *key;
	char *parent; /* the device whose end takes this object along, or NULL */
	char *note; /* a word for people in printed steps, or NULL; never compared */
	bool foreign; /* observed: does not carry our mark, so wanting it is a conflict */
	bool optional; /* wanted: a failure to create it is a warning */
	unsigned ifindex; /* observed: of the device it belongs to; 0 = not known yet */
	uint32_t have; /* which fields say something; the others do not matter */
	union obj_value v[F_MAX];
	void *blob; /* the value of a map entry, or NULL for "present is enough" */
	size_t blob_len;
};

struct objs {
	struct obj **v;
	size_t n;
	size_t room;
	bool sorted;
};

/* Adds an empty object and returns it; NULL if memory ran out (objs_ok is then false for good). */
struct obj *objs_add(struct objs *objs, enum obj_kind kind, const char *fmt, ...) PRINTF(3, 4);
void objs_free(struct objs *objs);
struct obj *objs_find(struct objs *objs, enum obj_kind kind, const char *key);
void objs_sort(struct objs *objs);
/* Lets go of all but what belongs to this device. */
void objs_keep_device(struct objs *objs, unsigned ifindex);
static inline void objs_cleanup(struct objs *objs)
{
	objs_free(objs);
}
#define autoobjs __attribute__((cleanup(objs_cleanup)))

void obj_num(struct obj *o, enum obj_field f, uint64_t num);
void obj_text(struct obj *o, enum obj_field f, const char *text);
void obj_parent(struct obj *o, const char *ifname);
void obj_note(struct obj *o, const char *fmt, ...) PRINTF(2, 3);
void obj_blob(struct obj *o, const void *blob, size_t len);

static inline bool obj_has(const struct obj *o, enum obj_field f)
{
	return o->have & 1U << f;
}
/* The field's number, or 0 / its text, or "". */
uint64_t obj_get_num(const struct obj *o, enum obj_field f);
const char *obj_get_text(const struct obj *o, enum obj_field f);

/* Which of the fields `want` has differ in `now`, as bits; a field `now` does not have differs. */
uint32_t obj_compare(const struct obj *want, const struct obj *now);
const char *obj_kind_name(enum obj_kind kind);
/* The field as people read it: "1450", "on", "192.0.2.1". */
void obj_value_text(const struct obj *o, enum obj_field f, char *text, size_t size);

#endif
