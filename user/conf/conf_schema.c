// SPDX-License-Identifier: GPL-2.0
/* The keys of the file; see conf_schema.h. Pure. */
#include <ctype.h>
#include <string.h>

#include "conf/conf_schema.h"

#define MAX_BRIDGE_ADDRESSES 64
#define TEXT_OF_(number) #number
#define TEXT_OF(number) TEXT_OF_(number)

struct word {
	const char *text;
	uint32_t value;
};

/* Every list of words of the file, once: for values, for refusals and for conf_*_name. */
static const struct word guard_words[] = {
	{ "enforce", VX_GUARD_ENFORCE },
	{ "observe", VX_GUARD_OBSERVE },
	{ "off", VX_GUARD_OFF },
};
static const struct word vni_words[] = {
	{ "pair", VX_VNI_PAIR },
	{ "index", VX_VNI_INDEX },
};
static const struct word switch_words[] = {
	{ "auto", CONF_AUTO },
	{ "on", CONF_ON },
	{ "off", CONF_OFF },
};
static const struct word bool_words[] = {
	{ "true", true },
	{ "false", false },
};

enum kind {
	NUMBER, /* without quotes */
	AUTO_NUMBER, /* the word auto is 0 */
	BIT, /* a number with one bit set */
	WORDS,
	TEXT, /* conf_read.c and conf_hosts.c judge it */
	TEXTS, /* one, or a list of them */
	LIST,
	MAP,
};

/* A key: what its value must be, and where in struct conf it goes (of a text nothing does here). */
struct conf_key {
	const char *key; /* NULL ends a list; of what stands in a list: "" */
	enum kind kind;
	bool required;
	uint64_t min, max; /* a number, or how many a list has */
	uint32_t missing; /* the value then */
	size_t at, size;
	const char *must; /* "must be ...", where words do not say it */
	const struct word *words;
	size_t n_words;
	const struct conf_key *inner; /* of a list what stands in it, of a map its keys */
};

#define INTO(member) .at = offsetof(struct conf, member), .size = sizeof(((struct conf *)0)->member)
#define RANGE(from, to) .min = (from), .max = (to)
#define ONE_OF(list) .kind = WORDS, .words = (list), .n_words = ARRAY_LEN(list)
#define DEVICE                                                                                     \
	.kind = TEXT, .must = "a device name: 1 to 15 characters, no white space, '/', ':' or '%'"

static const struct conf_key device_key = { .key = "", DEVICE };

static const struct conf_key prefix_key = {
	.key = "", .kind = TEXT, .must = "an address and its prefix length, such as 203.0.113.3/24"
};

static const struct conf_key host_keys[] = {
	{ "name", TEXT, .required = true,
	  .must = "1 to 32 of the characters A-Z a-z 0-9 . _ - and not . or .." },
	{ "address", TEXT, .required = true, .must = "an IPv4 or IPv6 address" },
	{ "address6", TEXT, .must = "an IPv6 address" },
	{ "bind", TEXT, .must = "an address of the same family as address" },
	{ "bridge_address", LIST, RANGE(0, MAX_BRIDGE_ADDRESSES), .inner = &prefix_key,
	  .must = "a list of at most " TEXT_OF(
		  MAX_BRIDGE_ADDRESSES) " addresses, such as [203.0.113.3/24]" },
	{ .key = NULL },
};

static const struct conf_key host_key = { .key = "", .kind = MAP, .inner = host_keys };

/* In the order in which messages list them. */
static const struct conf_key file_keys[] = {
	{ "port", NUMBER, RANGE(1, 65535), .missing = 4789, INTO(port) },
	{ "mtu", AUTO_NUMBER, RANGE(576, 65000), .missing = 0, INTO(mtu) },
	{ "vni", ONE_OF(vni_words), .missing = VX_VNI_PAIR, INTO(vni_mode) },
	{ "vni_salt", NUMBER, RANGE(0, UINT32_MAX), .missing = 0, INTO(vni_salt) },
	{ "guard", ONE_OF(guard_words), .missing = VX_GUARD_ENFORCE, INTO(guard) },
	{ "fastpath", ONE_OF(switch_words), .missing = CONF_AUTO, INTO(fastpath) },
	{ "xdp", ONE_OF(switch_words), .missing = CONF_AUTO, INTO(xdp) },
	{ "clamp_mss", ONE_OF(bool_words), .missing = true, INTO(clamp_mss) },
	{ "udp_checksum", ONE_OF(switch_words), .missing = CONF_AUTO, INTO(udp_checksum) },
	{ "mark", BIT, RANGE(1, UINT32_MAX), .missing = 0x40000000, INTO(mark),
	  .must = "a number with exactly one of 32 bits set, such as 0x40000000" },
	{ "bridge", DEVICE },
	{ "underlay", TEXTS, RANGE(1, CONF_MAX_UNDERLAYS), .inner = &device_key,
	  .must = "a device name, or a list of 1 to " TEXT_OF(CONF_MAX_UNDERLAYS) " of them" },
	{ "local", TEXT, .must = "the name of a peer in this file" },
	{ "peers", LIST, .required = true, RANGE(1, VX_MAX_HOSTS), .inner = &host_key,
	  .must = "a list of 1 to " TEXT_OF(VX_MAX_HOSTS) " hosts" },
	{ .key = NULL },
};

static const struct conf_key file_key = { .key = "", .kind = MAP, .inner = file_keys };

static const char *word_of(const struct word *words, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++) {
		if (words[i].value == value)
			return words[i].text;
	}
	return "?";
}

const char *conf_guard_name(enum vx_guard guard)
{
	return word_of(guard_words, ARRAY_LEN(guard_words), guard);
}

const char *conf_vni_mode_name(enum vx_vni_mode mode)
{
	return word_of(vni_words, ARRAY_LEN(vni_words), mode);
}

const char *conf_switch_name(enum conf_switch s)
{
	return word_of(switch_words, ARRAY_LEN(switch_words), s);
}

static const struct conf_key *find_key(const struct conf_key *keys, const char *key)
{
	for (; keys->key; keys++) {
		if (strcmp(keys->key, key) == 0)
			return keys;
	}
	return NULL;
}

/* --- values */

/* No strtoull: it takes signs, white space and octal. */
static bool read_number(const char *text, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	uint64_t n = 0;

	if (!digits[0] || (!hex && digits[0] == '0' && digits[1]))
		return false;
	for (const char *d = digits; *d; d++) {
		bool digit = isdigit((unsigned char)*d);

		if (!digit && !(hex && isxdigit((unsigned char)*d)))
			return false;
		if (n > UINT64_MAX / 32)
			return false;
		n = n * (hex ? 16 : 10) +
		    (uint64_t)(digit ? *d - '0' : tolower((unsigned char)*d) - 'a' + 10);
	}
	*out = n;
	return true;
}

static bool is_number(const struct conf_key *key, const struct conf_node *node, uint64_t *out)
{
	return node->kind == CONF_SCALAR && node->plain && read_number(node->text, out) &&
	       *out >= key->min && *out <= key->max;
}

/* Quotes make a text of true and false, as in other YAML files. */
static bool is_word(const struct conf_key *key, const struct conf_node *node, uint64_t *out)
{
	if (node->kind != CONF_SCALAR || (key->words == bool_words && !node->plain))
		return false;
	for (size_t i = 0; i < key->n_words; i++) {
		if (strcmp(node->text, key->words[i].text) == 0) {
			*out = key->words[i].value;
			return true;
		}
	}
	return false;
}

/* Is the value of the right kind? *out: as a number, where it is one or a word. */
static bool is_value(const struct conf_key *key, const struct conf_node *node, uint64_t *out)
{
	*out = 0;
	if (key->kind == TEXTS && node->kind == CONF_SCALAR)
		return true;
	switch (key->kind) {
	case NUMBER:
		return is_number(key, node, out);
	case AUTO_NUMBER:
		return (node->kind == CONF_SCALAR && strcmp(node->text, "auto") == 0) ||
		       is_number(key, node, out);
	case BIT:
		return is_number(key, node, out) && !(*out & (*out - 1));
	case WORDS:
		return is_word(key, node, out);
	case TEXT:
		return node->kind == CONF_SCALAR;
	case TEXTS:
	case LIST:
		return node->kind == CONF_LIST && node->count >= key->min &&
		       node->count <= key->max;
	case MAP:
		return node->kind == CONF_MAP;
	}
	return false;
}

/* --- refusals */

static void add_keys(const struct conf_key *keys, char *text, size_t size)
{
	for (const struct conf_key *k = keys; k->key; k++)
		text_add(text, size, "%s%s", k == keys ? "" : ", ", k->key);
}

/* "auto, on or off" */
static void add_words(const struct conf_key *key, char *text, size_t size)
{
	for (size_t i = 0; i < key->n_words; i++)
		text_add(text, size, "%s%s",
			 i == 0			? ""
			 : i + 1 < key->n_words ? ", "
						: " or ",
			 key->words[i].text);
}

static void add_must(const struct conf_key *key, char *text, size_t size)
{
	if (key->must) {
		text_add(text, size, "%s", key->must);
	} else if (key->kind == WORDS) {
		add_words(key, text, size);
	} else if (key->kind == MAP) {
		text_add(text, size, "a mapping with the keys ");
		add_keys(key->inner, text, size);
	} else {
		text_add(text, size, "%sa number from %llu to %llu",
			 key->kind == AUTO_NUMBER ? "auto or " : "", (unsigned long long)key->min,
			 (unsigned long long)key->max);
	}
}

/* The value found instead, so that the operator recognises it. */
static void add_found(const struct conf_node *node, char *text, size_t size)
{
	char shown[CONF_SHOWN];

	if (node->kind != CONF_SCALAR) {
		const char *what = node->kind == CONF_MAP ? "mapping" : "list";

		if (node->count)
			text_add(text, size, "a %s of %zu", what, node->count);
		else
			text_add(text, size, "an empty %s", what);
		return;
	}
	conf_show(node->text, shown);
	if (node->plain)
		text_add(text, size, "%s", shown[0] ? shown : "empty");
	else
		text_add(text, size, "\"%s\"", shown);
}

static int refuse_value(const struct conf_tree *tree, const struct conf_node *node,
			const struct conf_key *key, struct why *why)
{
	char must[280] = "", found[100] = "";

	add_must(key, must, sizeof(must));
	add_found(node, found, sizeof(found));
	return conf_tree_refuse(tree, node, why, "must be %s, not %s", must, found);
}

int conf_schema_refuse(const struct conf_tree *tree, const struct conf_node *node, struct why *why)
{
	const struct conf_key *key = NULL;
	/* Names of keys are unique in the whole file; what has none is in a list. */
	const struct conf_node *devices = conf_tree_get(tree->root, "underlay");

	if (devices && (node == devices || node->parent == devices))
		return refuse_value(tree, node, &device_key, why);
	if (node->key) {
		key = find_key(file_keys, node->key);
		key = key ? key : find_key(host_keys, node->key);
	}
	return refuse_value(tree, node, key ? key : &prefix_key, why);
}

/* --- the file */

static int check(const struct conf_tree *tree, const struct conf_node *node,
		 const struct conf_key *key, struct why *why);

/* Known keys, each once, none missing. Known ones are few, so this is linear in the file. */
static int check_map(const struct conf_tree *tree, const struct conf_node *map,
		     const struct conf_key *keys, struct why *why)
{
	char known[240] = "";
	int err = 0;

	for (const struct conf_node *n = map->child; n && !err; n = n->next) {
		const struct conf_key *key = find_key(keys, n->key);
		const struct conf_node *first = conf_tree_get(map, n->key);

		if (!key) {
			add_keys(keys, known, sizeof(known));
			return conf_tree_refuse(tree, n, why, "unknown key; known keys are %s",
						known);
		}
		if (first != n)
			return conf_tree_refuse(tree, n, why, "duplicate key, first on line %u",
						first->line);
		err = check(tree, n, key, why);
	}
	for (const struct conf_key *key = keys; key->key && !err; key++) {
		if (key->required && !conf_tree_get(map, key->key))
			err = conf_tree_refuse(tree, map, why, "%s%s is missing", key->key,
					       map->parent ? "" : ":");
	}
	return err;
}

static int check(const struct conf_tree *tree, const struct conf_node *node,
		 const struct conf_key *key, struct why *why)
{
	uint64_t value;
	int err = 0;

	if (!is_value(key, node, &value))
		return refuse_value(tree, node, key, why);
	if (key->kind == MAP)
		return check_map(tree, node, key->inner, why);
	if (node->kind == CONF_LIST)
		for (const struct conf_node *n = node->child; n && !err; n = n->next)
			err = check(tree, n, key->inner, why);
	return err;
}

int conf_schema_check(const struct conf_tree *tree, struct why *why)
{
	if (!tree->root)
		return conf_tree_refuse(tree, NULL, why,
					"peers: is missing because the file is empty");
	return check(tree, tree->root, &file_key, why);
}

void conf_schema_store(const struct conf_tree *tree, struct conf *conf)
{
	for (const struct conf_key *key = file_keys; key->key; key++) {
		const struct conf_node *node = conf_tree_get(tree->root, key->key);
		uint64_t value = key->missing;

		if (node)
			is_value(key, node, &value);
		/* Members are little numbers of several sizes, on a little-endian machine. */
		memcpy((char *)conf + key->at, &value, key->size);
	}
}
