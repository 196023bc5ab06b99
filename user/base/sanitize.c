// SPDX-License-Identifier: GPL-2.0
/* Text of others, made fit to be shown; see sanitize.h. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sanitize.h"

#define WORST 4 /* bytes that one byte may become: "\xff" */

/* Bytes of the UTF-8 character `text` begins with, and which it is; 0: it begins with none. */
static size_t decode(const char *text, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *b = (const uint8_t *)text;
	size_t len = b[0] < 0x80 ? 1 : b[0] < 0xc0 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
	uint32_t c = len == 1 ? b[0] : b[0] & (0x7fU >> len);

	if (b[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3f);
	}
	if (!len || c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return len;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

char *sanitize_text(const char *text)
{
	char *all = malloc(strlen(text) * WORST + 1), *to = all;
	uint32_t c;

	while (all && *text) {
		size_t len = decode(text, &c);
		bool good = len && !is_control(c);

		if (!len)
			len = 1;
		if (good)
			memcpy(to, text, len);
		for (size_t i = 0; !good && i < len; i++)
			snprintf(to + i * WORST, WORST + 1, "\\x%02x", (uint8_t)text[i]);
		to += good ? len : len * WORST;
		text += len;
	}
	if (all)
		*to = '\0';
	return all;
}

char *sanitize_format(const char *fmt, va_list args)
{
	char *text, *shown;

	if (vasprintf(&text, fmt, args) < 0)
		return NULL;
	shown = sanitize_text(text);
	free(text);
	return shown;
}

char *sanitize_utf8(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *all = malloc(strlen(text) * WORST + 1), *to = all;
	uint32_t c;

	while (all && *text) {
		size_t len = decode(text, &c);

		if (len)
			to = mempcpy(to, text, len);
		else
			to = mempcpy(to, replacement, strlen(replacement));
		text += len ? len : 1;
	}
	if (all)
		*to = '\0';
	return all;
}
