// SPDX-License-Identifier: GPL-2.0
/* Verdicts as lines for people and programs; see check.h. Pure: writes to memory. */
#include <json-c/json.h>
#include <string.h>

#include "base/sanitize.h"
#include "show/check.h"

#define INDENT 4
#define FORMAT (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80; /* one per character of UTF-8 */
	return n;
}

static void paint(FILE *to, bool colour, const char *code, const char *text)
{
	fprintf(to, colour ? "\033[%sm%s\033[0m" : "%.0s%s", code, text);
}

/* Words from `column` on; a line that is full goes on below, indented. */
static void put_words(FILE *to, size_t column, size_t columns, const char *text)
{
	bool fresh = false;

	while (*(text += strspn(text, " "))) {
		size_t len = strcspn(text, " ");
		autofree char *word = strndup(text, len);

		if (!word)
			return;
		if (columns && !fresh && column + 1 + width(word) > columns) {
			fprintf(to, "\n%*s", INDENT, "");
			column = INDENT;
			fresh = true;
		}
		fprintf(to, "%s%s", fresh ? "" : " ", word);
		column += width(word) + !fresh;
		fresh = false;
		text += len;
	}
}

static void put_verdict(FILE *to, const char *overlay, const struct verdict *v, const char *code,
			size_t columns, bool colour)
{
	const char *id = verdict_name(v->id);
	autofree char *text = sanitize_text(v->text);

	if (!text)
		return;
	fprintf(to, "%s: ", overlay);
	paint(to, colour, code, id);
	fputc(':', to);
	put_words(to, width(overlay) + 2 + width(id) + 1, columns, text);
	fputc('\n', to);
}

char *check_text(const struct checked *c, size_t columns, bool colour)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (size_t i = 0; i < c->verdicts.n; i++)
		put_verdict(to, c->overlay, &c->verdicts.v[i], "1;31", columns, colour);
	if (!c->verdicts.n) {
		fprintf(to, "%s: ", c->overlay);
		paint(to, colour, "32", "nothing is wrong");
		fputc('\n', to);
	}
	for (size_t i = 0; i < c->information.n; i++)
		put_verdict(to, c->overlay, &c->information.v[i], "1", columns, colour);
	fclose(to);
	return text;
}

char *check_json(const struct checked *list, size_t n)
{
	struct json_object *all = json_object_new_array();
	char *text;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "overlay", json_object_new_string(list[i].overlay));
		json_object_object_add(o, "verdicts", verdicts_json(&list[i].verdicts));
		json_object_object_add(o, "information", verdicts_json(&list[i].information));
		json_object_array_add(all, o);
	}
	text = strdup(json_object_to_json_string_ext(all, FORMAT));
	json_object_put(all);
	return text;
}
