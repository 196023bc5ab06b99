// SPDX-License-Identifier: GPL-2.0
/* The keys of the file; see conf_schema.h. Pure. */
#include <cyaml/cyaml.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "conf/conf_schema.h"

#define MAX_BRIDGE_ADDRESSES 64
#define NUMBERS_FROM(min, max) "a number from " #min " to " #max, min, max
#define TEXT_OF_(number) #number
#define TEXT_OF(number) TEXT_OF_(number)

/* Every list of words of the file, once: for libcyaml, for refusals and for conf_*_name. */
static const cyaml_strval_t guard_words[] = {
	{ "enforce", VX_GUARD_ENFORCE },
	{ "observe", VX_GUARD_OBSERVE },
	{ "off", VX_GUARD_OFF },
};
static const cyaml_strval_t vni_words[] = {
	{ "pair", VX_VNI_PAIR },
	{ "index", VX_VNI_INDEX },
};
static const cyaml_strval_t switch_words[] = {
	{ "auto", CONF_AUTO },
	{ "on", CONF_ON },
	{ "off", CONF_OFF },
};
static const cyaml_strval_t bool_words[] = {
	{ "true", true },
	{ "false", false },
};

#define ITEM "[]" /* of the one list of words there is, bridge_address */

/* The required value of a key, in words, where its words or its type do not say it; and the range of a
 * number. Key names are unique in the whole file. */
static const struct rule {
	const char *key;
	const char *must;
	uint64_t min, max;
} rules[] = {
	{ "port", NUMBERS_FROM(1, 65535) },
	{ "mtu", "auto or " NUMBERS_FROM(576, 65000) },
	{ "vni_salt", NUMBERS_FROM(0, 4294967295) },
	{ "mark", "a number with exactly one of 32 bits set, such as 0x40000000", 1, UINT32_MAX },
	{ "bridge", "a device name: 1 to 15 characters, no white space, '/', ':' or '%'", 0, 0 },
	{ "underlay", "a device name: 1 to 15 characters, no white space, '/', ':' or '%'", 0, 0 },
	{ "local", "the name of a peer in this file", 0, 0 },
	{ "peers", "a list of 1 to " TEXT_OF(VX_MAX_HOSTS) " hosts", 0, 0 },
	{ "name", "1 to 32 of the characters A-Z a-z 0-9 . _ - and not . or ..", 0, 0 },
	{ "address", "an IPv4 or IPv6 address", 0, 0 },
	{ "address6", "an IPv6 address", 0, 0 },
	{ "bridge_address",
	  "a list of at most " TEXT_OF(MAX_BRIDGE_ADDRESSES) " addresses, such as [203.0.113.3/24]",
	  0, 0 },
	{ ITEM, "an address and its prefix length, such as 203.0.113.3/24", 0, 0 },
};

#define REQUIRED CYAML_FLAG_DEFAULT
#define OPTIONAL CYAML_FLAG_OPTIONAL
#define UINT(name) CYAML_FIELD_UINT(#name, OPTIONAL, struct conf_raw, name)
#define WORDS(name, words)                                                                         \
	CYAML_FIELD_ENUM(#name, OPTIONAL | CYAML_FLAG_STRICT, struct conf_raw, name, words,        \
			 ARRAY_LEN(words))
#define TEXT(type, name, flags) CYAML_FIELD_STRING_PTR(#name, flags, type, name, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t prefix_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t host_fields[] = {
	TEXT(struct conf_raw_host, name, REQUIRED),
	TEXT(struct conf_raw_host, address, REQUIRED),
	TEXT(struct conf_raw_host, address6, OPTIONAL),
	CYAML_FIELD_SEQUENCE("bridge_address", OPTIONAL | CYAML_FLAG_POINTER, struct conf_raw_host,
			     bridge_address, &prefix_value, 0, MAX_BRIDGE_ADDRESSES),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t host_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_raw_host, host_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	UINT(port),
	TEXT(struct conf_raw, mtu, OPTIONAL),
	WORDS(vni, vni_words),
	UINT(vni_salt),
	WORDS(guard, guard_words),
	WORDS(fastpath, switch_words),
	WORDS(xdp, switch_words),
	WORDS(clamp_mss, bool_words),
	UINT(mark),
	TEXT(struct conf_raw, bridge, OPTIONAL),
	TEXT(struct conf_raw, underlay, OPTIONAL),
	TEXT(struct conf_raw, local, OPTIONAL),
	CYAML_FIELD_SEQUENCE("peers", REQUIRED | CYAML_FLAG_POINTER, struct conf_raw, peers,
			     &host_value, 1, VX_MAX_HOSTS),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf_raw, file_fields),
};

static const cyaml_config_t cyaml_config = {
	.log_fn = NULL,
	.mem_fn = cyaml_mem,
	.flags = CYAML_CFG_NO_ALIAS,
};

static const char *word_of(const cyaml_strval_t *words, size_t n, int64_t value)
{
	for (size_t i = 0; i < n; i++) {
		if (words[i].val == value)
			return words[i].str;
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

static const struct rule *find_rule(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (strcmp(rules[i].key, key) == 0)
			return &rules[i];
	}
	return NULL;
}

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

bool conf_schema_number(const char *key, const struct conf_node *node, uint64_t *out)
{
	const struct rule *rule = find_rule(key);
	uint64_t n;

	if (!rule || node->kind != CONF_SCALAR || !node->plain || !read_number(node->text, &n) ||
	    n < rule->min || n > rule->max)
		return false;
	*out = n;
	return true;
}

/* The schema of the value of `key`, wherever in the file it stands. */
static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, const char *key)
{
	for (const cyaml_schema_field_t *f = fields; f->key; f++) {
		if (strcmp(f->key, key) == 0)
			return f;
	}
	return NULL;
}

static void add_keys(const cyaml_schema_field_t *fields, char *text, size_t size)
{
	for (const cyaml_schema_field_t *f = fields; f->key; f++)
		text_add(text, size, "%s%s", f == fields ? "" : ", ", f->key);
}

/* "auto, on or off" */
static void add_words(const cyaml_schema_value_t *value, char *text, size_t size)
{
	uint32_t n = value->enumeration.count;

	for (uint32_t i = 0; i < n; i++)
		text_add(text, size, "%s%s",
			 i == 0	     ? ""
			 : i + 1 < n ? ", "
				     : " or ",
			 value->enumeration.strings[i].str);
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
			const cyaml_schema_value_t *value, const struct rule *rule, struct why *why)
{
	char must[200] = "", found[100] = "";

	if (value->type == CYAML_ENUM) {
		add_words(value, must, sizeof(must));
	} else if (value->type == CYAML_MAPPING) {
		text_add(must, sizeof(must), "a mapping with the keys ");
		add_keys(value->mapping.fields, must, sizeof(must));
	} else if (rule) {
		text_add(must, sizeof(must), "%s", rule->must);
	}
	add_found(node, found, sizeof(found));
	return conf_tree_refuse(tree, node, why, "must be %s, not %s", must, found);
}

/* Goes by key: conf_hosts.c may ask for any value of the file. */
int conf_schema_refuse(const struct conf_tree *tree, const struct conf_node *node, struct why *why)
{
	const char *key = node->key ? node->key : ITEM;
	const cyaml_schema_field_t *f = find_field(file_fields, key);

	if (!f)
		f = find_field(host_fields, key);
	return refuse_value(tree, node, f ? &f->value : &prefix_value, find_rule(key), why);
}

static bool is_word(const struct conf_node *node, const cyaml_schema_value_t *value)
{
	if (node->kind != CONF_SCALAR || (value->enumeration.strings == bool_words && !node->plain))
		return false;
	for (uint32_t i = 0; i < value->enumeration.count; i++) {
		if (strcmp(node->text, value->enumeration.strings[i].str) == 0)
			return true;
	}
	return false;
}

static int check_value(const struct conf_tree *tree, const struct conf_node *node,
		       const cyaml_schema_value_t *value, struct why *why);

/* Known keys, each once, none missing. Known ones are few, so this is linear in the file. */
static int check_map(const struct conf_tree *tree, const struct conf_node *map,
		     const cyaml_schema_field_t *fields, struct why *why)
{
	char known[160] = "";
	int err = 0;

	for (const struct conf_node *n = map->child; n && !err; n = n->next) {
		const cyaml_schema_field_t *f = find_field(fields, n->key);
		const struct conf_node *first = conf_tree_get(map, n->key);

		if (!f) {
			add_keys(fields, known, sizeof(known));
			return conf_tree_refuse(tree, n, why, "unknown key; known keys are %s",
						known);
		}
		if (first != n)
			return conf_tree_refuse(tree, n, why, "duplicate key, first on line %u",
						first->line);
		err = check_value(tree, n, &f->value, why);
	}
	for (const cyaml_schema_field_t *f = fields; f->key && !err; f++) {
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) && !conf_tree_get(map, f->key))
			err = conf_tree_refuse(tree, map, why, "%s%s is missing", f->key,
					       map->parent ? "" : ":");
	}
	return err;
}

static int check_list(const struct conf_tree *tree, const struct conf_node *list,
		      const cyaml_schema_value_t *value, struct why *why)
{
	int err = 0;

	if (list->count < value->sequence.min || list->count > value->sequence.max)
		return conf_schema_refuse(tree, list, why);
	for (const struct conf_node *n = list->child; n && !err; n = n->next)
		err = check_value(tree, n, value->sequence.entry, why);
	return err;
}

static int check_value(const struct conf_tree *tree, const struct conf_node *node,
		       const cyaml_schema_value_t *value, struct why *why)
{
	const char *key = node->key ? node->key : ITEM;
	bool right;
	uint64_t n;

	switch (value->type) {
	case CYAML_MAPPING:
		if (node->kind == CONF_MAP)
			return check_map(tree, node, value->mapping.fields, why);
		right = false;
		break;
	case CYAML_SEQUENCE:
		if (node->kind == CONF_LIST)
			return check_list(tree, node, value, why);
		right = false;
		break;
	case CYAML_UINT:
		right = conf_schema_number(key, node, &n);
		break;
	case CYAML_ENUM:
		right = is_word(node, value);
		break;
	default:
		right = node->kind == CONF_SCALAR;
		break;
	}
	return right ? 0 : refuse_value(tree, node, value, find_rule(key), why);
}

int conf_schema_check(const struct conf_tree *tree, struct why *why)
{
	if (!tree->root)
		return conf_tree_refuse(tree, NULL, why,
					"peers: is missing because the file is empty");
	return check_value(tree, tree->root, &file_value, why);
}

int conf_schema_load(const char *path, const char *text, size_t len, struct conf_raw **out,
		     struct why *why)
{
	struct conf_raw *raw = NULL;
	cyaml_err_t err = cyaml_load_data((const uint8_t *)text, len, &cyaml_config, &file_value,
					  (cyaml_data_t **)&raw, NULL);

	if (err == CYAML_ERR_OOM)
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	if (err != CYAML_OK)
		return why_bad(why, "%s: %s", path, cyaml_strerror(err));
	*out = raw;
	return 0;
}

void conf_schema_free(struct conf_raw **raw)
{
	if (*raw)
		cyaml_free(&cyaml_config, &file_value, *raw, 0);
	*raw = NULL;
}
