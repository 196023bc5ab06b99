/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The keys of the file, their types, words and ranges: libcyaml's schema is the one list, from
 * which the refusals are worded too. Private to conf*.c. Pure.
 */
#ifndef VXBPF_CONF_SCHEMA_H
#define VXBPF_CONF_SCHEMA_H

#include "conf/conf.h"
#include "conf/conf_tree.h"

/* The file as libcyaml loads it: right types and ranges, nothing judged yet. A missing key is 0 or
 * NULL; ask the tree where that is a value too. */
struct conf_raw_host {
	char *name;
	char *address;
	char *address6;
	char **bridge_address;
	uint32_t bridge_address_count;
};

struct conf_raw {
	uint64_t port;
	char *mtu; /* "auto" or a number */
	enum vx_vni_mode vni;
	uint64_t vni_salt;
	enum vx_guard guard;
	enum conf_switch fastpath;
	enum conf_switch xdp;
	int clamp_mss;
	uint64_t mark;
	char *bridge;
	char *underlay;
	char *local;
	struct conf_raw_host *peers;
	uint32_t peers_count;
};

/* Unknown, double and missing keys, wrong types, unknown words, numbers out of range. */
int conf_schema_check(const struct conf_tree *tree, struct why *why);
/* The text of a checked tree through libcyaml. The caller ends *out with conf_schema_free. */
int conf_schema_load(const char *path, const char *text, size_t len, struct conf_raw **out,
		     struct why *why);
void conf_schema_free(struct conf_raw **raw);
#define auto_raw __attribute__((cleanup(conf_schema_free)))

/* True for a plain decimal or 0x number in the range of `key`. */
bool conf_schema_number(const char *key, const struct conf_node *node, uint64_t *out);
/* Refuses a value with what its key allows: "must be ..., not ...". */
int conf_schema_refuse(const struct conf_tree *tree, const struct conf_node *node, struct why *why);

#endif
