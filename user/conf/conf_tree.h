/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A YAML text as a tree of nodes that remember their line, which every refusal needs. Also the one place
 * that words a refusal: "<path>:<line>: <key>: <why>". Pure.
 */
#ifndef VXBPF_CONF_TREE_H
#define VXBPF_CONF_TREE_H

#include "base/util.h"

#define CONF_SHOWN 48 /* a word of the file as shown in a message */

enum conf_kind { CONF_SCALAR, CONF_MAP, CONF_LIST };

struct conf_node {
	struct conf_node *parent;
	struct conf_node *child; /* the first one */
	struct conf_node *next; /* sibling */
	struct conf_node *made; /* the node made before this one; only for freeing */
	enum conf_kind kind;
	bool plain; /* a scalar without quotes */
	unsigned line; /* of its key, or where the list item starts */
	size_t index; /* among its siblings */
	size_t count; /* of children */
	char *key; /* NULL in a list */
	char *text; /* NULL unless a scalar */
};

struct conf_tree {
	const char *path; /* for messages; the caller's */
	struct conf_node *root;
	struct conf_node *made; /* the last one */
};

/* Refuses anything but a single YAML document of plain nodes: aliases, anchors, tags, nesting deeper
 * than any of our keys, control characters. The caller ends *out with conf_tree_free, also after a
 * failure. */
int conf_tree_parse(const char *path, const char *text, size_t len, struct conf_tree *out,
		    struct why *why);
void conf_tree_free(struct conf_tree *tree);
#define auto_tree __attribute__((cleanup(conf_tree_free)))

/* The value of `key` in a mapping, NULL if it is not there. */
const struct conf_node *conf_tree_get(const struct conf_node *map, const char *key);

/* "<path>:<line>: <key>: " and the sentence; `node` NULL = about the file as a whole. -EINVAL. */
int conf_tree_refuse(const struct conf_tree *tree, const struct conf_node *node, struct why *why,
		     const char *fmt, ...) PRINTF(4, 5);

/* Printable and of bounded length, for quoting a word of the file. */
void conf_show(const char *text, char shown[CONF_SHOWN]);

#endif
