// SPDX-License-Identifier: GPL-2.0
/* `top`: the page at any size, plain rows, sparklines and keys. */
#include "looks.h"

/* --- sparklines */

static void assert_spark(struct top_history h, unsigned each, unsigned width, bool utf8,
			 const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	top_sparkline(&h, each, width, utf8, to);
	fclose(to);
	assert_string_equal(text, wanted);
	free(text);
}

static void sparklines(void **state)
{
	struct top_history h = { .v = { 0, 1, 50, 100, -1, 0.001F }, .n = 6 };

	(void)state;
	assert_spark(h, 1, 6, false, "_.=# .");
	assert_spark(h, 1, 6, true, "▁▂▅█ ▂");
	assert_spark(h, 1, 8, false, "  _.=# .");
	assert_spark(h, 1, 2, false, " .");
	assert_spark(h, 2, 3, false, ".#.");
	assert_spark(h, 2, 5, false, "  .#.");
	assert_spark(h, 4, 2, false, ".#");
	assert_spark((struct top_history){ 0 }, 1, 3, true, "   ");
	assert_spark((struct top_history){ .v = { 0 }, .n = 1 }, 1, 3, true, "  ▁");
}

/* --- the page */

static struct top_view screen(unsigned width, unsigned height)
{
	return (struct top_view){
		.width = width, .height = height, .interval = 1, .clock = "12:34:56"
	};
}

static void page_is_exact(void **state)
{
	autotop struct top top = two_looks();
	struct top_view view = screen(80, 16);
	char *text = top_page(&top, &view);

	(void)state;
	assert_string_equal(
		text,
		"vxbpf top  vxbr0 on alpha, 2 peers: 2 up  12:34:56, every 1 s\n"
		"receive 1000 bit/s, 5.0 pkt/s  transmit 1000 bit/s, 5.0 pkt/s  drops 2.0/s\n"
		"\n"
		"peer   state   rx bit/s pkt/s  tx bit/s pkt/s  fast  drop/s          last minute\n"
		"beta   up          1000   5.0      1000   5.0   25%     2.0                    #\n"
		"gamma  up             0     0         0     0     -       0                    _\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"\n"
		"dropped         drop/s   total  last minute\n"
		"loop               2.0       4                               #\n"
		"q quits, h shows the keys; by traffic\n");
	free(text);
}

/* Columns of each line, without colours and with a character of UTF-8 as one. */
static void assert_fits(const char *text, unsigned width, unsigned height)
{
	unsigned lines = 0, column = 0;

	for (const char *at = text; *at; at++) {
		if (*at == '\033') {
			at += strcspn(at, "m");
			continue;
		}
		if (*at == '\n') {
			lines++;
			column = 0;
		} else if (((unsigned char)*at & 0xc0) != 0x80) {
			column++;
		}
		if (column > width)
			print_error("%ux%u: %s\n", width, height, text);
		assert_true(column <= width);
	}
	assert_int_equal(lines, height);
}

/* Many peers with long names in two overlays, drops for every reason, an overlay that is down. */
static void crowd(struct top *top, struct snapshot_peer *many, size_t n)
{
	struct snapshot list[3] = { overlay("vxbr0", SECOND), overlay("a-longer-name_1", SECOND),
				    overlay("down", SECOND) };

	for (size_t i = 0; i < n; i++) {
		snprintf(many[i].name, sizeof(many[i].name), "a-host-with-a-rather-long-na-%03zu",
			 i);
		many[i].state = i % PEER_STATE_MAX;
	}
	for (unsigned round = 0; round < 70; round++) {
		for (size_t i = 0; i < n; i++) {
			many[i].sum.rx_bytes += i * 123456789 * (round % 7);
			many[i].sum.rx_packets += i * 123456 * (round % 7);
			many[i].drops[1 + (i + round) % (VX_REASON_MAX - 1)] += i * 1000;
		}
		for (size_t k = 0; k < 2; k++) {
			list[k].peers = many;
			list[k].n_peers = n;
			list[k].now_ns += SECOND;
		}
		list[2].up = false;
		list[2].n_peers = 0;
		top_update(top, list, 3);
	}
}

static void page_fits_every_size(void **state)
{
	static struct snapshot_peer many[200];
	autotop struct top top = { 0 };

	(void)state;
	crowd(&top, many, ARRAY_LEN(many));
	for (unsigned height = 1; height < 60; height += 1 + height / 12)
		for (unsigned width = 1; width < 240; width += 1 + width / 5)
			for (unsigned how = 0; how < 8; how++) {
				struct top_view view = screen(width, height);
				char *text;

				view.colour = how & 1;
				view.utf8 = how & 2;
				view.help = how & 4;
				text = top_page(&top, &view);
				assert_fits(text, width, height);
				free(text);
			}
}

static void no_colour_no_escapes(void **state)
{
	autotop struct top top = two_looks();
	struct top_view view = screen(100, 24);
	char *text;

	peer("beta")->state = PEER_SILENT;
	(void)state;
	text = top_page(&top, &view);
	assert_null(strchr(text, '\033'));
	free(text);
	view.colour = true;
	text = top_page(&top, &view);
	assert_non_null(strchr(text, '\033'));
	free(text);
}

static void page_of_nothing(void **state)
{
	autotop struct top top = { 0 };
	struct top_view view = screen(80, 24);
	char *text = top_page(&top, &view);

	(void)state;
	assert_non_null(strstr(text, "no overlay is up"));
	assert_fits(text, 80, 24);
	free(text);
}

static void down_is_said(void **state)
{
	autotop struct top top = { 0 };
	struct top_view view = screen(80, 24);
	struct snapshot s = { .told = { .name = "vxbr7" } };
	char *text;

	(void)state;
	look(&top, s);
	text = top_page(&top, &view);
	assert_non_null(strstr(text, "\nvxbr7 is down\n"));
	free(text);
	text = top_rows(&top, &view);
	assert_non_null(strstr(text, "12:34:56  vxbr7       -                 down "));
	free(text);
}

static void names_are_shortened_in_the_middle(void **state)
{
	static struct snapshot_peer many[3];
	autotop struct top top = { 0 };
	struct top_view view = screen(80, 40);
	char *text;

	(void)state;
	crowd(&top, many, ARRAY_LEN(many));
	text = top_page(&top, &view);
	assert_non_null(strstr(text, "\nvxbr0            a-ho~-002  "));
	free(text);
	view.width = 120;
	text = top_page(&top, &view);
	assert_non_null(strstr(text, "\nvxbr0            a-host-with-a-rather-long-na-002  "));
	free(text);
}

static void scrolling_stops_at_the_ends(void **state)
{
	static struct snapshot_peer many[100];
	autotop struct top top = { 0 };
	struct top_view view = screen(120, 24);
	struct snapshot s = overlay("vxbr0", SECOND);
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		snprintf(many[i].name, sizeof(many[i].name), "p%zu", i);
	s.peers = many;
	s.n_peers = ARRAY_LEN(many);
	look(&top, s);
	view.sort = TOP_SORT_PEER;
	view.first = SIZE_MAX / 2;
	text = top_page(&top, &view);
	assert_int_equal(view.first + view.page, 100);
	assert_non_null(strstr(text, "\np99 "));
	assert_non_null(strstr(text, "\n83 to 100 of 100 peers, by peer"));
	free(text);
	view.first = 3;
	text = top_page(&top, &view);
	assert_int_equal(view.first, 3);
	assert_null(strstr(text, "\np2 "));
	assert_non_null(strstr(text, "\np3 "));
	free(text);
	/* A larger screen has room for all. */
	view.height = 120;
	text = top_page(&top, &view);
	assert_int_equal(view.first, 0);
	assert_null(strstr(text, " of 100 peers, by"));
	free(text);
}

/* --- plain rows */

static size_t columns(const char *line)
{
	size_t n = 0;

	while (*line && *line != '\n') {
		size_t len = strcspn(line, " \n");

		n += len > 0;
		line += len;
		line += strspn(line, " ");
	}
	return n;
}

static void rows_have_the_same_columns(void **state)
{
	static struct snapshot_peer many[20];
	autotop struct top top = { 0 };
	struct top_view view = screen(80, 24);
	size_t lines = 0;
	char *text;

	(void)state;
	crowd(&top, many, ARRAY_LEN(many));
	text = top_rows(&top, &view);
	assert_int_equal(columns(top_rows_head()), 11);
	for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
		assert_int_equal(columns(at), 11);
		lines++;
	}
	assert_int_equal(lines, 2 * 21 + 1);
	free(text);
}

static void rows_are_exact(void **state)
{
	autotop struct top top = two_looks();
	struct top_view view = screen(80, 24);
	char *text = top_rows(&top, &view);

	(void)state;
	assert_string_equal(
		text, "12:34:56  vxbr0       beta              up              1000        5.0"
		      "          1000        5.0     25       2.0  loop=2.0\n"
		      "12:34:56  vxbr0       gamma             up                 0        0.0"
		      "             0        0.0      -       0.0  -\n"
		      "12:34:56  vxbr0       -                 -                  -          -"
		      "             -          -      -       0.0  -\n");
	free(text);
}

/* --- keys */

static enum top_key press(struct top_view *view, const char *bytes)
{
	struct top_keys keys = { 0 };
	enum top_key last = TOP_KEY_NONE;

	while (*bytes)
		last = top_press(&keys, *bytes++, view);
	return last;
}

static void keys_quit_sort_and_help(void **state)
{
	struct top_view view = screen(80, 24);

	(void)state;
	assert_int_equal(press(&view, "q"), TOP_KEY_QUIT);
	assert_int_equal(press(&view, "x"), TOP_KEY_NONE);
	for (enum top_sort i = 0; i < TOP_SORT_MAX; i++) {
		char key[] = { top_sort_letter(i), '\0' };

		view.sort = (i + 1) % TOP_SORT_MAX;
		assert_int_equal(press(&view, key), TOP_KEY_CHANGED);
		assert_int_equal(view.sort, i);
		assert_false(view.reverse);
		press(&view, key);
		assert_true(view.reverse);
		press(&view, key);
		assert_false(view.reverse);
	}
	press(&view, "h");
	assert_true(view.help);
	press(&view, "?");
	assert_false(view.help);
}

static void keys_scroll(void **state)
{
	struct top_view view = screen(80, 24);

	(void)state;
	view.page = 10;
	assert_int_equal(press(&view, "\033[B"), TOP_KEY_CHANGED);
	press(&view, "\033OB");
	assert_int_equal(view.first, 2);
	press(&view, "\033[6~");
	assert_int_equal(view.first, 12);
	press(&view, "\033[A");
	assert_int_equal(view.first, 11);
	press(&view, "\033[5~\033[5~");
	assert_int_equal(view.first, 0);
	press(&view, "\033[F");
	assert_true(view.first > 1000000);
	press(&view, "\033[H");
	assert_int_equal(view.first, 0);
}

/* A sequence we do not know eats nothing behind it, and its letters do nothing. */
static void unknown_keys_do_nothing(void **state)
{
	struct top_view view = screen(80, 24);

	(void)state;
	view.sort = TOP_SORT_PEER;
	assert_int_equal(press(&view, "\033[1;5D"), TOP_KEY_NONE);
	assert_int_equal(press(&view, "\033[200000000000~"), TOP_KEY_NONE);
	assert_int_equal(press(&view, "\033[15~d"), TOP_KEY_CHANGED);
	assert_int_equal(view.sort, TOP_SORT_DROPS);
	assert_int_equal(press(&view, "\033q"), TOP_KEY_QUIT);
	assert_int_equal(press(&view, "\033\033[B"), TOP_KEY_CHANGED);
	assert_int_equal(view.first, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sparklines, set_up),
		cmocka_unit_test_setup(page_is_exact, set_up),
		cmocka_unit_test_setup(page_fits_every_size, set_up),
		cmocka_unit_test_setup(no_colour_no_escapes, set_up),
		cmocka_unit_test_setup(page_of_nothing, set_up),
		cmocka_unit_test_setup(down_is_said, set_up),
		cmocka_unit_test_setup(names_are_shortened_in_the_middle, set_up),
		cmocka_unit_test_setup(scrolling_stops_at_the_ends, set_up),
		cmocka_unit_test_setup(rows_have_the_same_columns, set_up),
		cmocka_unit_test_setup(rows_are_exact, set_up),
		cmocka_unit_test_setup(keys_quit_sort_and_help, set_up),
		cmocka_unit_test_setup(keys_scroll, set_up),
		cmocka_unit_test_setup(unknown_keys_do_nothing, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
