/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The keys of the file, their types, words, ranges and defaults: one table, from which refusals are worded,
 * too. A new key is a row there and a member of struct conf. Private to conf*.c. Pure.
 */
#ifndef VXBPF_CONF_SCHEMA_H
#define VXBPF_CONF_SCHEMA_H

#include "conf/conf.h"
#include "conf/conf_tree.h"

/* Unknown, duplicate and missing keys, wrong types, unknown words, numbers out of range. */
int conf_schema_check(const struct conf_tree *tree, struct why *why);
/* Numbers and words of a checked tree, and the defaults of those that are missing. */
void conf_schema_store(const struct conf_tree *tree, struct conf *conf);

/* Refuses a value with what its key allows: "must be ..., not ...". */
int conf_schema_refuse(const struct conf_tree *tree, const struct conf_node *node, struct why *why);

#endif
