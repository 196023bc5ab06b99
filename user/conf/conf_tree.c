// SPDX-License-Identifier: GPL-2.0
/* YAML text -> nodes with lines, from libyaml's events; see conf_tree.h. Pure. */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "conf/conf_tree.h"

#define MAX_DEPTH 8 /* our own keys need four */
#define PATH_SHOWN 200 /* the end of a longer path says enough */

/* Where the next event goes. */
struct builder {
	struct conf_tree *tree;
	struct conf_node *open; /* innermost map or list not ended yet, NULL at the top */
	struct conf_node *last; /* its last child so far */
	char *key; /* of the value to come; owned */
	unsigned key_line;
	unsigned depth;
	bool ended; /* the one document is complete */
};

static void builder_clean(struct builder *b)
{
	free(b->key);
}

void conf_show(const char *text, char shown[CONF_SHOWN])
{
	size_t n = strnlen(text, CONF_SHOWN - 4);

	for (size_t i = 0; i < n; i++)
		shown[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	memcpy(shown + n, text[n] ? "..." : "", text[n] ? 4 : 1);
}

static void add_key(const struct conf_node *node, char *text, size_t size)
{
	char shown[CONF_SHOWN];

	if (!node->parent)
		return;
	add_key(node->parent, text, size);
	if (!node->key) {
		text_add(text, size, "[%zu]", node->index);
		return;
	}
	conf_show(node->key, shown);
	text_add(text, size, "%s%s", text[0] ? "." : "", shown);
}

/* "<path>" or "<path>:<line>", the path's end if it is long. */
static void add_place(const struct conf_tree *tree, unsigned line, char *text, size_t size)
{
	size_t len = strlen(tree->path);
	bool cut = len > PATH_SHOWN;

	text_add(text, size, "%s%s", cut ? "..." : "", tree->path + (cut ? len - PATH_SHOWN : 0));
	if (line)
		text_add(text, size, ":%u", line);
}

int conf_tree_refuse(const struct conf_tree *tree, const struct conf_node *node, struct why *why,
		     const char *fmt, ...)
{
	char text[sizeof(why->text)] = "", key[160] = "", sentence[sizeof(why->text)];
	va_list args;

	add_place(tree, node ? node->line : 0, text, sizeof(text));
	if (node)
		add_key(node, key, sizeof(key));
	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	text_add(text, sizeof(text), "%s%s: %s", key[0] ? ": " : "", key, sentence);
	return why_bad(why, "%s", text);
}

static int refuse_line(const struct conf_tree *tree, unsigned line, struct why *why,
		       const char *sentence)
{
	char place[sizeof(why->text)] = "";

	add_place(tree, line, place, sizeof(place));
	return why_bad(why, "%s: %s", place, sentence);
}

static unsigned line_at(const char *text, size_t len, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < len && i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static bool wants_key(const struct builder *b)
{
	return b->open && b->open->kind == CONF_MAP && !b->key;
}

/* Names the key the next node belongs to, or the mapping whose next key is wrong. */
static int refuse_here(const struct builder *b, unsigned line, struct why *why,
		       const char *sentence)
{
	struct conf_node here = { .parent = b->open, .key = b->key, .line = line };

	if (b->open)
		here.index = b->open->count;
	if (wants_key(b)) {
		here = *b->open;
		here.line = line;
	}
	return conf_tree_refuse(b->tree, &here, why, "%s", sentence);
}

/* A copy of a scalar's text. */
static int copy_text(const struct builder *b, const yaml_event_t *event, char **out,
		     struct why *why)
{
	const yaml_char_t *value = event->data.scalar.value;
	size_t len = event->data.scalar.length;

	for (size_t i = 0; i < len; i++) {
		if (value[i] < ' ' || value[i] == 0x7f)
			return refuse_here(b, (unsigned)event->start_mark.line + 1, why,
					   "a value in this file contains a control character");
	}
	*out = strndup((const char *)value, len);
	return *out ? 0 : why_set(why, -ENOMEM, "%s: out of memory", b->tree->path);
}

/* Makes the node an event starts, hangs it below the open one. */
static int add_node(struct builder *b, const yaml_event_t *event, enum conf_kind kind,
		    struct why *why)
{
	autofree char *text = NULL;
	struct conf_node *node;
	int err = kind == CONF_SCALAR ? copy_text(b, event, &text, why) : 0;

	if (err)
		return err;
	node = calloc(1, sizeof(*node));
	if (!node)
		return why_set(why, -ENOMEM, "%s: out of memory", b->tree->path);
	node->made = b->tree->made;
	b->tree->made = node;
	node->kind = kind;
	node->parent = b->open;
	node->plain = text && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->line = b->key ? b->key_line : (unsigned)event->start_mark.line + 1;
	node->key = take_ptr(b->key);
	node->text = take_ptr(text);
	if (!b->open)
		b->tree->root = node;
	else if (b->last)
		b->last->next = node;
	else
		b->open->child = node;
	if (b->open)
		node->index = b->open->count++;
	b->last = node;
	if (kind == CONF_SCALAR)
		return 0;
	if (++b->depth > MAX_DEPTH)
		return conf_tree_refuse(b->tree, node, why, "lists and mappings nested too deeply");
	b->open = node;
	b->last = NULL;
	return 0;
}

static int add_key_or_value(struct builder *b, const yaml_event_t *event, struct why *why)
{
	if (!wants_key(b))
		return add_node(b, event, CONF_SCALAR, why);
	b->key_line = (unsigned)event->start_mark.line + 1;
	return copy_text(b, event, &b->key, why);
}

static void end_node(struct builder *b)
{
	b->depth--;
	b->last = b->open;
	b->open = b->open ? b->open->parent : NULL;
}

/* YAML features that no config needs and that would make it hard to read or slow to load. */
static const char *unwanted(const struct builder *b, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "YAML aliases (*name) are not allowed; repeat the value";
	case YAML_DOCUMENT_START_EVENT:
		return b->ended ? "a second YAML document starts here, but only one is allowed"
				: NULL;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	default:
		return NULL;
	}
	if (anchor)
		return "YAML anchors (&name) are not allowed; repeat the value";
	if (tag)
		return "YAML tags (!name) are not allowed";
	if (event->type != YAML_SCALAR_EVENT && wants_key(b))
		return "a key must be a scalar, not a list or mapping";
	return NULL;
}

static int take_event(struct builder *b, const yaml_event_t *event, struct why *why)
{
	const char *sentence = unwanted(b, event);

	if (sentence)
		return refuse_here(b, (unsigned)event->start_mark.line + 1, why, sentence);
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_key_or_value(b, event, why);
	case YAML_MAPPING_START_EVENT:
		return add_node(b, event, CONF_MAP, why);
	case YAML_SEQUENCE_START_EVENT:
		return add_node(b, event, CONF_LIST, why);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		end_node(b);
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		b->ended = true;
		return 0;
	default:
		return 0;
	}
}

/* As libyaml sees lines: \r, NEL, LS and PS end them, too, and a byte order mark is none of the first. */
static bool starts_line(const char *text, size_t at)
{
	static const char *const before[] = { "\n", "\r", "\xc2\x85", "\xe2\x80\xa8",
					      "\xe2\x80\xa9" };

	if (at == 0 || (at == 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		size_t len = strlen(before[i]);

		if (at >= len && memcmp(text + at - len, before[i], len) == 0)
			return true;
	}
	return false;
}

/* Checked before libyaml sees the text: a NUL would end words for us alone, and its time for %TAG
 * lines is quadratic. At the start of a line no value of ours can have a '%'. */
static int check_raw(const struct conf_tree *tree, const char *text, size_t len, struct why *why)
{
	unsigned line = 1;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0')
			return refuse_line(tree, line, why,
					   "contains a NUL byte, so it is not a text file");
		if (text[i] == '%' && starts_line(text, i))
			return refuse_line(tree, line, why,
					   "YAML directives (%NAME) are not allowed");
		line += text[i] == '\n';
	}
	return 0;
}

static int refuse_syntax(const struct conf_tree *tree, const yaml_parser_t *parser,
			 const char *text, size_t len, struct why *why)
{
	unsigned line = (unsigned)parser->problem_mark.line + 1;
	char sentence[200];

	if (parser->error == YAML_MEMORY_ERROR)
		return why_set(why, -ENOMEM, "%s: out of memory", tree->path);
	if (parser->error == YAML_READER_ERROR)
		line = line_at(text, len, parser->problem_offset);
	snprintf(sentence, sizeof(sentence), "not YAML: %s",
		 parser->problem ? parser->problem : "unreadable");
	return refuse_line(tree, line, why, sentence);
}

int conf_tree_parse(const char *path, const char *text, size_t len, struct conf_tree *out,
		    struct why *why)
{
	__attribute__((cleanup(yaml_parser_delete))) yaml_parser_t parser;
	__attribute__((cleanup(builder_clean))) struct builder b = { .tree = out };
	bool more = true;
	int err;

	memset(out, 0, sizeof(*out));
	memset(&parser, 0, sizeof(parser));
	out->path = path;
	err = check_raw(out, text, len, why);
	if (err)
		return err;
	if (!yaml_parser_initialize(&parser))
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (more) {
		__attribute__((cleanup(yaml_event_delete))) yaml_event_t event = { 0 };

		if (!yaml_parser_parse(&parser, &event))
			return refuse_syntax(out, &parser, text, len, why);
		err = take_event(&b, &event, why);
		if (err)
			return err;
		more = event.type != YAML_STREAM_END_EVENT;
	}
	return 0;
}

void conf_tree_free(struct conf_tree *tree)
{
	while (tree->made) {
		struct conf_node *node = tree->made;

		tree->made = node->made;
		free(node->key);
		free(node->text);
		free(node);
	}
	tree->root = NULL;
}

const struct conf_node *conf_tree_get(const struct conf_node *map, const char *key)
{
	for (const struct conf_node *n = map->child; n; n = n->next) {
		if (strcmp(n->key, key) == 0)
			return n;
	}
	return NULL;
}
