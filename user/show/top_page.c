// SPDX-License-Identifier: GPL-2.0
/*
 * The page of a screen: what all peers do, each peer, what was dropped for which reason. Laid out for
 * any width and height; see top.h. Pure: writes to memory.
 */
#include <string.h>

#include "base/human.h"
#include "show/page.h"
#include "show/top.h"

#define NUMBERS 54 /* columns from a peer's state to its drops, with the gap in front */
#define SPARK_LEAST 6
#define SPARK_MOST 30
#define NAME_LEAST 8
#define GONE_MOST 3 /* lines about overlays that are down */

struct layout {
	struct page page;
	const struct top *top;
	struct top_view *view;
	size_t overlay, name, spark; /* columns, 0 = not shown */
	unsigned lines; /* written */
};

static void end_line(struct layout *l)
{
	page_end_line(&l->page);
	l->lines++;
}

static bool is_full(const struct layout *l)
{
	return l->lines >= l->view->height;
}

/* Rounds of the last minute that one character of a sparkline stands for. */
static unsigned rounds_each(const struct layout *l, size_t width)
{
	unsigned rounds = 60 / l->view->interval;

	if (rounds > TOP_HISTORY)
		rounds = TOP_HISTORY;
	return width && rounds > width ? (rounds + (unsigned)width - 1) / (unsigned)width : 1;
}

static void put_spark(struct layout *l, const struct top_history *h, size_t width)
{
	size_t room = l->page.columns > l->page.column ? l->page.columns - l->page.column : 0;

	if (width > room)
		width = room;
	top_sparkline(h, rounds_each(l, width), (unsigned)width, l->view->utf8, l->page.to);
	l->page.column += width;
}

/* --- head */

/* "37 peers: 2 silent, 30 up, 5 idle" */
static void put_states(struct layout *l)
{
	static const enum peer_state order[] = { PEER_SILENT, PEER_UP, PEER_IDLE, PEER_NEVER };
	static const enum paint paints[] = { BAD, GOOD, PLAIN, DIM };
	size_t n[PEER_STATE_MAX] = { 0 }, all = 0;
	const char *between = ": ";

	for (size_t i = 0; i < l->top->n_overlays; i++)
		for (size_t k = 0; k < PEER_STATE_MAX; k++) {
			n[k] += l->top->overlays[i].n_peers[k];
			all += l->top->overlays[i].n_peers[k];
		}
	page_fit(&l->page, PLAIN, "%zu peer%s", all, all == 1 ? "" : "s");
	for (size_t k = 0; k < ARRAY_LEN(order); k++) {
		if (!n[order[k]])
			continue;
		page_fit(&l->page, PLAIN, "%s", between);
		page_fit(&l->page, paints[k], "%zu %s", n[order[k]],
			 order[k] == PEER_NEVER ? "never heard" : peer_state_name(order[k]));
		between = ", ";
	}
}

static void put_title(struct layout *l)
{
	const struct top *top = l->top;

	page_fit(&l->page, STRONG, "vxbpf top");
	if (top->n_overlays == 1)
		page_fit(&l->page, PLAIN, "  %s on %s", top->overlays->name,
			 top->overlays->local[0] ? top->overlays->local : "this host");
	else
		page_fit(&l->page, PLAIN, "  %zu overlays", top->n_overlays);
	page_fit(&l->page, PLAIN, ", ");
	put_states(l);
	page_fit(&l->page, DIM, "  %s, every %u s", l->view->clock, l->view->interval);
	end_line(l);
}

static void put_totals(struct layout *l)
{
	struct top_rate sum = { .rx_bits = TOP_NOT_KNOWN,
				.rx_packets = TOP_NOT_KNOWN,
				.tx_bits = TOP_NOT_KNOWN,
				.tx_packets = TOP_NOT_KNOWN,
				.drops = TOP_NOT_KNOWN };
	char rx[HUMAN_LEN], rxp[HUMAN_LEN], tx[HUMAN_LEN], txp[HUMAN_LEN], drops[HUMAN_LEN];

	for (size_t i = 0; i < l->top->n_rows; i++) {
		const struct top_rate *r = &l->top->rows[i].rate;

		if (r->rx_bits < 0)
			continue;
		if (sum.rx_bits < 0)
			sum = (struct top_rate){ 0 };
		sum.rx_bits += r->rx_bits;
		sum.rx_packets += r->rx_packets;
		sum.tx_bits += r->tx_bits;
		sum.tx_packets += r->tx_packets;
		sum.drops += r->drops;
	}
	human_rate(sum.rx_bits, rx);
	human_rate(sum.rx_packets, rxp);
	human_rate(sum.tx_bits, tx);
	human_rate(sum.tx_packets, txp);
	human_rate(sum.drops, drops);
	page_fit(&l->page, PLAIN, "receive %s bit/s, %s pkt/s  transmit %s bit/s, %s pkt/s  ", rx,
		 rxp, tx, txp);
	page_fit(&l->page, sum.drops > 0 ? WARN : PLAIN, "drops %s/s", drops);
	end_line(l);
}

static void put_gone(struct layout *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->top->n_overlays; i++) {
		const struct top_overlay *o = &l->top->overlays[i];

		if (o->up || n++ >= GONE_MOST)
			continue;
		page_fit(&l->page, BAD, "%s %s", o->name,
			 o->other ? "was set up by another version of vxbpf; see `vxbpf status`"
				  : "is down");
		end_line(l);
	}
	if (n > GONE_MOST) {
		page_fit(&l->page, BAD, "and %zu more", n - GONE_MOST);
		end_line(l);
	}
	if (l->top->n_overlays)
		return;
	page_fit(&l->page, PLAIN, "no overlay is up, and /etc/vxbpf has no .yaml file");
	end_line(l);
}

/* --- peers */

/* The sparkline gives way to names, and names to numbers. */
static void measure(struct layout *l)
{
	size_t fixed = NUMBERS, longest = strlen("peer"), room;

	for (size_t i = 0; i < l->top->n_rows; i++) {
		const struct top_row *row = &l->top->rows[i];

		if (strlen(row->peer) > longest)
			longest = strlen(row->peer);
		if (l->top->n_overlays > 1 && strlen(row->overlay) > l->overlay)
			l->overlay = strlen(row->overlay);
	}
	if (l->overlay && l->overlay < strlen("overlay"))
		l->overlay = strlen("overlay");
	if (l->overlay)
		fixed += l->overlay + 2;
	room = l->view->width > fixed ? l->view->width - fixed : 0;
	l->name = longest < room ? longest : room > NAME_LEAST ? room : NAME_LEAST;
	room = room > l->name + 2 ? room - l->name - 2 : 0;
	l->spark = room < SPARK_LEAST ? 0 : room > SPARK_MOST ? SPARK_MOST : room;
}

/* The middle goes: names of one site differ at their ends. */
static void shorten(const char *name, size_t width, char out[VX_NAME_LEN])
{
	size_t len = strlen(name), head = width / 2, tail = width - head - 1;

	if (len <= width)
		snprintf(out, VX_NAME_LEN, "%s", name);
	else
		snprintf(out, VX_NAME_LEN, "%.*s~%s", (int)head, name, name + len - tail);
}

static void put_table_head(struct layout *l)
{
	if (l->overlay)
		page_fit(&l->page, DIM, "%-*s  ", (int)l->overlay, "overlay");
	page_fit(&l->page, DIM, "%-*s  %-6s  %8s %5s  %8s %5s  %4s  %6s", (int)l->name, "peer",
		 "state", "rx bit/s", "pkt/s", "tx bit/s", "pkt/s", "fast", "drop/s");
	if (l->spark)
		page_fit(&l->page, DIM, "  %*.*s", (int)l->spark, (int)l->spark, "last minute");
	end_line(l);
}

static void put_peer(struct layout *l, const struct top_row *row)
{
	static const enum paint paints[] = { GOOD, BAD, PLAIN, DIM };
	char rx[HUMAN_LEN], rxp[HUMAN_LEN], tx[HUMAN_LEN], txp[HUMAN_LEN], drops[HUMAN_LEN];
	char fast[HUMAN_LEN] = "-", name[VX_NAME_LEN];

	human_rate(row->rate.rx_bits, rx);
	human_rate(row->rate.rx_packets, rxp);
	human_rate(row->rate.tx_bits, tx);
	human_rate(row->rate.tx_packets, txp);
	human_rate(row->rate.drops, drops);
	if (row->rate.fast >= 0)
		snprintf(fast, sizeof(fast), "%.0f%%", 100 * row->rate.fast);
	shorten(row->peer, l->name, name);
	if (l->overlay)
		page_fit(&l->page, PLAIN, "%-*s  ", (int)l->overlay, row->overlay);
	page_fit(&l->page, PLAIN, "%-*s  ", (int)l->name, name);
	page_fit(&l->page, paints[row->state], "%s", peer_state_name(row->state));
	page_fit(&l->page, PLAIN, "%*s%8s %5s  %8s %5s  %4s  ",
		 (int)(8 - strlen(peer_state_name(row->state))), "", rx, rxp, tx, txp, fast);
	page_fit(&l->page, row->rate.drops > 0 ? WARN : PLAIN, "%6s", drops);
	if (l->spark) {
		page_fit(&l->page, PLAIN, "  ");
		put_spark(l, &row->traffic, l->spark);
	}
	end_line(l);
}

/* `rows` of them; where there are more, the last line says which these are. */
static void put_peers(struct layout *l, unsigned rows)
{
	struct top_view *view = l->view;
	size_t n;
	autofree const struct top_row **v = top_sorted(l->top, view->sort, view->reverse, &n);

	if (n > rows && rows)
		rows--;
	view->page = rows ? rows : 1;
	if (view->first + view->page > n)
		view->first = n > view->page ? n - view->page : 0;
	for (size_t i = 0; i < rows && view->first + i < n; i++)
		put_peer(l, v[view->first + i]);
	if (n <= rows || is_full(l))
		return;
	page_fit(&l->page, DIM, "%zu to %zu of %zu peers, by %s; arrows and page keys scroll",
		 view->first + 1, view->first + rows, n, top_sort_name(view->sort));
	end_line(l);
}

/* --- reasons */

struct cause {
	const struct top_overlay *overlay;
	enum vx_reason reason;
};

static int by_rate(const void *a, const void *b)
{
	const struct cause *x = a, *y = b;
	double left = x->overlay->reasons[x->reason], right = y->overlay->reasons[y->reason];
	uint64_t more = x->overlay->drops[x->reason], less = y->overlay->drops[y->reason];

	if (left != right)
		return left > right ? -1 : 1;
	return more > less ? -1 : more < less;
}

/* Those that have ever been, the most active first. */
static struct cause *find_causes(const struct top *top, size_t *n)
{
	struct cause *v = calloc(top->n_overlays * VX_REASON_MAX + 1, sizeof(*v));

	if (!v)
		out_of_memory();
	*n = 0;
	for (size_t i = 0; i < top->n_overlays; i++)
		for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
			if (top->overlays[i].drops[r])
				v[(*n)++] = (struct cause){ &top->overlays[i], r };
	qsort(v, *n, sizeof(*v), by_rate);
	return v;
}

static const char *counted_word(const struct top *top)
{
	for (size_t i = 0; i < top->n_overlays; i++)
		if (top->overlays[i].counted)
			return "counted";
	return "dropped";
}

static void put_cause(struct layout *l, const struct cause *c)
{
	double rate = c->overlay->reasons[c->reason];
	char now[HUMAN_LEN], total[HUMAN_LEN];

	human_rate(rate, now);
	human_count(c->overlay->drops[c->reason], total);
	if (l->overlay)
		page_fit(&l->page, PLAIN, "%-*s  ", (int)l->overlay, c->overlay->name);
	page_fit(&l->page, PLAIN, "%-14s  ", reason_label(c->reason));
	page_fit(&l->page, rate > 0 ? WARN : PLAIN, "%6s", now);
	page_fit(&l->page, PLAIN, "  %6s  ", total);
	put_spark(l, &c->overlay->history[c->reason], SPARK_MOST);
	end_line(l);
}

static void put_causes(struct layout *l, const struct cause *v, size_t n)
{
	if (!n)
		return;
	if (l->overlay)
		page_fit(&l->page, DIM, "%-*s  ", (int)l->overlay, "overlay");
	page_fit(&l->page, DIM, "%-14s  %6s  %6s  %s", counted_word(l->top), "drop/s", "total",
		 "last minute");
	end_line(l);
	for (size_t i = 0; i < n && !is_full(l); i++)
		put_cause(l, &v[i]);
}

/* --- the whole */

static void put_help(struct layout *l)
{
	if (!l->view->help) {
		page_fit(&l->page, DIM, "q quits, h shows the keys; by %s%s",
			 top_sort_name(l->view->sort), l->view->reverse ? ", reversed" : "");
		end_line(l);
		return;
	}
	page_fit(&l->page, DIM,
		 "q quit  h less help  arrows, page keys, home, end: scroll  sort by:");
	end_line(l);
	for (enum top_sort i = 0; i < TOP_SORT_MAX && !is_full(l); i++)
		page_fit(&l->page, i == l->view->sort ? STRONG : DIM, "%s%c %s", i ? "  " : "",
			 top_sort_letter(i), top_sort_name(i));
	if (!is_full(l))
		end_line(l);
}

static void fill_to(struct layout *l, unsigned lines)
{
	while (l->lines < lines)
		end_line(l);
}

static void put_all(struct layout *l)
{
	unsigned height = l->view->height, help = l->view->help ? 2 : 1, below;
	size_t n;
	autofree struct cause *causes = find_causes(l->top, &n);

	/* Reasons get a third of the screen, with their head and a line above. */
	if (n > height / 3)
		n = height / 3;
	if (n && height < 12)
		n = 0;
	below = help + (n ? (unsigned)n + 2 : 0);
	put_title(l);
	put_totals(l);
	put_gone(l);
	if (height > 12)
		end_line(l);
	put_table_head(l);
	if (l->lines + below < height)
		put_peers(l, height - below - l->lines);
	if (below < height)
		fill_to(l, height - below + (n ? 1 : 0));
	put_causes(l, causes, n);
	put_help(l);
}

char *top_page(const struct top *top, struct top_view *view)
{
	char *text = NULL;
	size_t size;
	struct layout l = { .page = { .colour = view->colour, .columns = view->width },
			    .top = top,
			    .view = view };
	char *end;

	l.page.to = open_memstream(&text, &size);
	if (!l.page.to)
		return NULL;
	measure(&l);
	put_all(&l);
	fclose(l.page.to);
	/* A screen too small for everything keeps the first lines. */
	end = text;
	for (unsigned i = 0; end && i < view->height; i++) {
		end = strchr(end, '\n');
		end += end != NULL;
	}
	if (end)
		*end = '\0';
	return text;
}
