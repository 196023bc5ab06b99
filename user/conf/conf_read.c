// SPDX-License-Identifier: GPL-2.0
/*
 * Text -> tree with lines -> schema -> libcyaml -> struct conf: the order of it all, and the
 * settings. The peers are in conf_hosts.c. Pure.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "conf/conf_hosts.h"

#define DEFAULT_PORT 4789
#define DEFAULT_MARK 0x40000000U

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

static int read_device(const struct conf_tree *tree, const char *key, const char *value,
		       char out[VX_IF_LEN], struct why *why)
{
	const struct conf_node *node = conf_tree_get(tree->root, key);

	if (!value)
		return 0;
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

static int read_devices(const struct conf_tree *tree, const struct conf_raw *raw, struct conf *conf,
			struct why *why)
{
	int err = read_device(tree, "bridge", raw->bridge ? raw->bridge : conf->overlay,
			      conf->bridge, why);

	if (!err)
		err = read_device(tree, "underlay", raw->underlay, conf->underlay, why);
	if (!err && raw->underlay)
		conf->underlay_line = conf_tree_get(tree->root, "underlay")->line;
	if (!err && strcmp(conf->bridge, conf->underlay) == 0)
		err = conf_tree_refuse(tree, conf_tree_get(tree->root, "underlay"), why,
				       "%s is this overlay's own bridge", conf->bridge);
	return err;
}

static int read_mtu(const struct conf_tree *tree, const struct conf_raw *raw, struct conf *conf,
		    struct why *why)
{
	const struct conf_node *node = conf_tree_get(tree->root, "mtu");
	uint64_t mtu = 0;

	if (!node)
		return 0;
	if (strcmp(raw->mtu, "auto") != 0 && !conf_schema_number("mtu", node, &mtu))
		return conf_schema_refuse(tree, node, why);
	conf->mtu = (uint32_t)mtu;
	conf->mtu_line = node->line;
	return 0;
}

static int read_mark(const struct conf_tree *tree, const struct conf_raw *raw, struct conf *conf,
		     struct why *why)
{
	const struct conf_node *node = conf_tree_get(tree->root, "mark");

	if (node && (raw->mark & (raw->mark - 1)))
		return conf_schema_refuse(tree, node, why);
	conf->mark = node ? (uint32_t)raw->mark : DEFAULT_MARK;
	return 0;
}

static int read_local(const struct conf_tree *tree, const struct conf_raw *raw, struct conf *conf,
		      struct why *why)
{
	const struct conf_node *node = conf_tree_get(tree->root, "local");

	if (!node)
		return 0;
	for (size_t i = 0; i < conf->n_hosts; i++) {
		if (strcmp(conf->hosts[i].name, raw->local) == 0) {
			text_copy(conf->local, sizeof(conf->local), raw->local);
			conf->local_line = node->line;
			return 0;
		}
	}
	return conf_schema_refuse(tree, node, why);
}

static int read_all(const struct conf_tree *tree, const struct conf_raw *raw, struct conf *conf,
		    struct why *why)
{
	int err = read_devices(tree, raw, conf, why);

	if (!err)
		err = read_mtu(tree, raw, conf, why);
	if (!err)
		err = read_mark(tree, raw, conf, why);
	if (!err)
		err = conf_hosts_read(tree, raw, conf, why);
	if (!err)
		err = read_local(tree, raw, conf, why);
	if (err)
		return err;
	conf->port = conf_tree_get(tree->root, "port") ? (uint16_t)raw->port : DEFAULT_PORT;
	conf->clamp_mss = conf_tree_get(tree->root, "clamp_mss") ? raw->clamp_mss : true;
	conf->vni_mode = raw->vni;
	conf->vni_salt = (uint32_t)raw->vni_salt;
	conf->guard = raw->guard;
	conf->fastpath = raw->fastpath;
	conf->xdp = raw->xdp;
	return 0;
}

int conf_parse(const char *path, const char *text, size_t len, struct conf *out, struct why *why)
{
	auto_conf struct conf conf = { 0 };
	auto_tree struct conf_tree tree = { .path = path };
	auto_raw struct conf_raw *raw = NULL;
	int err = read_overlay(&tree, &conf, why);

	if (!err && len > CONF_MAX_SIZE)
		err = conf_tree_refuse(&tree, NULL, why, "larger than 1 MiB");
	if (!err)
		err = conf_tree_parse(path, text, len, &tree, why);
	if (!err)
		err = conf_schema_check(&tree, why);
	if (!err)
		err = conf_schema_load(path, text, len, &raw, why);
	if (!err)
		err = read_all(&tree, raw, &conf, why);
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
