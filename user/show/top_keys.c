// SPDX-License-Identifier: GPL-2.0
/* Actions of keys; see top.h. Pure. */
#include <string.h>

#include "show/top.h"

#define ESCAPE '\033'

static void scroll(struct top_view *view, bool down, size_t by)
{
	if (down)
		view->first += by; /* top_page stops at the end */
	else
		view->first -= by < view->first ? by : view->first;
}

/* Sequences that terminals send for keys without a letter. */
static enum top_key press_named(const char *text, struct top_view *view)
{
	static const struct {
		const char *text;
		enum { UP, DOWN, PAGE_UP, PAGE_DOWN, HOME, END } does;
	} keys[] = {
		{ "[A", UP },	      { "OA", UP },   { "[B", DOWN }, { "OB", DOWN },
		{ "[5~", PAGE_UP },   { "[H", HOME }, { "OH", HOME }, { "[1~", HOME },
		{ "[6~", PAGE_DOWN }, { "[F", END },  { "OF", END },  { "[4~", END },
		{ "[7~", HOME },      { "[8~", END },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(text, keys[i].text) != 0)
			continue;
		if (keys[i].does == HOME)
			view->first = 0;
		else if (keys[i].does == END)
			view->first = SIZE_MAX / 2;
		else
			scroll(view, keys[i].does == DOWN || keys[i].does == PAGE_DOWN,
			       keys[i].does >= PAGE_UP ? view->page : 1);
		return TOP_KEY_CHANGED;
	}
	return TOP_KEY_NONE;
}

static enum top_key press_letter(char letter, struct top_view *view)
{
	if (letter == 'q' || letter == 'Q' || letter == 3)
		return TOP_KEY_QUIT;
	if (letter == 'h' || letter == '?') {
		view->help = !view->help;
		return TOP_KEY_CHANGED;
	}
	if (letter == ' ') {
		scroll(view, true, view->page);
		return TOP_KEY_CHANGED;
	}
	for (enum top_sort i = 0; i < TOP_SORT_MAX; i++) {
		if (letter != top_sort_letter(i))
			continue;
		view->reverse = view->sort == i && !view->reverse; /* twice: the other way round */
		view->sort = i;
		view->first = 0;
		return TOP_KEY_CHANGED;
	}
	return TOP_KEY_NONE;
}

/* ESC, '[' or 'O', then anything up to a letter or '~'. */
enum top_key top_press(struct top_keys *keys, char byte, struct top_view *view)
{
	if (byte == ESCAPE) {
		keys->n = 0;
		keys->text[keys->n++] = byte;
		return TOP_KEY_NONE;
	}
	if (!keys->n)
		return press_letter(byte, view);
	if (keys->n == 1 && byte != '[' && byte != 'O') { /* ESC by itself, then a key */
		keys->n = 0;
		return press_letter(byte, view);
	}
	if (keys->n < TOP_KEY_LEN - 1)
		keys->text[keys->n++] = byte;
	if (keys->n < 3 || (byte < '@' || byte > '~'))
		return TOP_KEY_NONE;
	keys->text[keys->n] = '\0';
	keys->n = 0;
	return press_named(keys->text + 1, view);
}
