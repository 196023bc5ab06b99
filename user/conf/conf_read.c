// SPDX-License-Identifier: GPL-2.0
/*
 * Text -> tree with lines -> schema -> struct conf: the order of it all, and the settings that are texts.
 * The peers are in conf_hosts.c. Pure.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "conf/conf_hosts.h"

#define auto_conf __attribute__((cleanup(conf_free)))

static size_t good_part(const char *name)
{
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
}

bool conf_is_overlay(const char *name)
{
	size_t len = good_part(name);

	return len && len < VX_IF_LEN && !name[len];
}

static int read_overlay(const struct conf_tree *tree, struct conf *conf, struct why *why)
{
	const char *slash = strrchr(tree->path, '/');
	const char *name = slash ? slash + 1 : tree->path;
	size_t len = good_part(name);

	if (strlen(tree->path) >= sizeof(conf->path))
		return conf_tree_refuse(tree, NULL, why, "the path is too long");
	if (len < 1 || len >= sizeof(conf->overlay) || strcmp(name + len, ".yaml") != 0)
		return conf_tree_refuse(tree, NULL, why,
					"file name: must be OVERLAY.yaml, where OVERLAY is 1 to 15 "
					"of the characters A-Z a-z 0-9 _ -");
	text_copy(conf->path, sizeof(conf->path), tree->path);
	text_copy(conf->overlay, len + 1, name);
	return 0;
}

/* The kernel would fill in a '%', and keeps "all" and "default" for its sysctl folders. */
bool conf_is_device(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len >= VX_IF_LEN || strpbrk(text, "/:%"))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isgraph((unsigned char)text[i]))
			return false;
	}
	return strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && strcmp(text, "all") != 0 &&
	       strcmp(text, "default") != 0;
}

static int read_bridge(const struct conf_tree *tree, const char *missing, char out[VX_IF_LEN],
		       struct why *why)
{
	const struct conf_node *node = conf_tree_get(tree->root, "bridge");
	const char *value = node ? node->text : missing;

	if (!conf_is_device(value) && node)
		return conf_schema_refuse(tree, node, why);
	if (!conf_is_device(value))
		return conf_tree_refuse(tree, NULL, why,
					"file name: the kernel does not accept %s as a bridge "
					"name; set another name with bridge:",
					value);
	text_copy(out, VX_IF_LEN, value);
	return 0;
}

static int add_underlay(const struct conf_tree *tree, const struct conf_node *node,
			struct conf *conf, struct why *why)
{
	if (!conf_is_device(node->text))
		return conf_schema_refuse(tree, node, why);
	if (strcmp(conf->bridge, node->text) == 0)
		return conf_tree_refuse(tree, node, why, "%s is this overlay's own bridge",
					conf->bridge);
	for (size_t i = 0; i < conf->n_underlays; i++)
		if (strcmp(conf->underlays[i], node->text) == 0)
			return conf_tree_refuse(tree, node, why, "%s appears twice", node->text);
	text_copy(conf->underlays[conf->n_underlays++], VX_IF_LEN, node->text);
	return 0;
}

static int read_underlays(const struct conf_tree *tree, struct conf *conf, struct why *why)
{
	const struct conf_node *node = conf_tree_get(tree->root, "underlay");
	int err = 0;

	if (node && node->kind == CONF_SCALAR)
		err = add_underlay(tree, node, conf, why);
	else
		for (node = node ? node->child : NULL; node && !err; node = node->next)
			err = add_underlay(tree, node, conf, why);
	if (!err && conf->n_underlays == 1)
		text_copy(conf->underlay, VX_IF_LEN, conf->underlays[0]);
	return err;
}

static int read_devices(const struct conf_tree *tree, struct conf *conf, struct why *why)
{
	int err = read_bridge(tree, conf->overlay, conf->bridge, why);

	return err ? err : read_underlays(tree, conf, why);
}

static int read_local(const struct conf_tree *tree, struct conf *conf, struct why *why)
{
	const struct conf_node *node = conf_tree_get(tree->root, "local");

	if (!node)
		return 0;
	for (size_t i = 0; i < conf->n_hosts; i++) {
		if (strcmp(conf->hosts[i].name, node->text) == 0) {
			text_copy(conf->local, sizeof(conf->local), node->text);
			conf->local_line = node->line;
			return 0;
		}
	}
	return conf_schema_refuse(tree, node, why);
}

static unsigned line_of(const struct conf_tree *tree, const char *key)
{
	const struct conf_node *node = conf_tree_get(tree->root, key);

	return node ? node->line : 0;
}

static int read_all(const struct conf_tree *tree, struct conf *conf, struct why *why)
{
	int err = read_devices(tree, conf, why);

	conf_schema_store(tree, conf);
	conf->mtu_line = line_of(tree, "mtu");
	conf->underlay_line = line_of(tree, "underlay");
	if (!err)
		err = conf_hosts_read(tree, conf, why);
	return err ? err : read_local(tree, conf, why);
}

int conf_parse(const char *path, const char *text, size_t len, struct conf *out, struct why *why)
{
	auto_conf struct conf conf = { 0 };
	auto_tree struct conf_tree tree = { .path = path };
	int err = read_overlay(&tree, &conf, why);

	if (!err && len > CONF_MAX_SIZE)
		err = conf_tree_refuse(&tree, NULL, why, "larger than 1 MiB");
	if (!err)
		err = conf_tree_parse(path, text, len, &tree, why);
	if (!err)
		err = conf_schema_check(&tree, why);
	if (!err)
		err = read_all(&tree, &conf, why);
	if (err)
		return err;
	*out = conf;
	conf.hosts = NULL;
	conf.n_hosts = 0;
	return 0;
}

int conf_check_beside(const struct conf *conf, const struct conf *other, struct why *why)
{
	if (strcmp(conf->bridge, other->bridge) != 0)
		return 0;
	return why_bad(
		why,
		"%s: bridge: %s is already the bridge of %s; each overlay needs its own bridge",
		conf->path, conf->bridge, other->path);
}

void conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->n_hosts; i++)
		free(conf->hosts[i].bridge_address);
	free(conf->hosts);
	conf->hosts = NULL;
	conf->n_hosts = 0;
}
