// SPDX-License-Identifier: GPL-2.0
/* Plain rows for pipes and dumb terminals, and sparklines; see top.h. Pure: writes to memory. */
#include <string.h>

#include "base/sanitize.h"
#include "show/top.h"

/* --- sparklines */

/* The highest of the rounds one character stands for: a short burst or gap is not smoothed away. */
static double highest(const struct top_history *h, unsigned end, unsigned each)
{
	double most = TOP_NOT_KNOWN;

	for (unsigned i = end > each ? end - each : 0; i < end; i++)
		if (h->v[i] > most)
			most = h->v[i];
	return most;
}

/* Nothing is a line at the bottom; anything at all is more; the highest of this history is full. */
void top_sparkline(const struct top_history *h, unsigned each, unsigned width, bool utf8, FILE *to)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const letters[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	double top = highest(h, h->n, h->n);

	for (unsigned i = width; i-- > 0;) {
		unsigned before = i * each; /* rounds after the last one of this character */
		double v = before < h->n ? highest(h, h->n - before, each) : TOP_NOT_KNOWN;
		unsigned level = v <= 0 ? 0 : 1 + (unsigned)(v / top * 6.999);

		if (v < 0)
			fputc(' ', to);
		else
			fputs(utf8 ? blocks[level] : letters[level], to);
	}
}

/* --- rows */

#define ROW "%-8s  %-10s  %-16s  %-6s  %12s  %9s  %12s  %9s  %5s  %8s  %s\n"

const char *top_rows_head(void)
{
	static char text[160];

	snprintf(text, sizeof(text), ROW, "time", "overlay", "peer", "state", "rx_bit/s",
		 "rx_pkt/s", "tx_bit/s", "tx_pkt/s", "fast%", "drop/s", "drops");
	return text;
}

static void number(char text[32], double rate, const char *format)
{
	if (rate < 0)
		snprintf(text, 32, "-");
	else
		snprintf(text, 32, format, rate);
}

/* "loop=1.0,oversize=23.0" */
static void list_reasons(const struct top_row *row, char *text, size_t size)
{
	char rate[32];

	text[0] = '\0';
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++) {
		if (row->reasons[r] <= 0)
			continue;
		number(rate, row->reasons[r], "%.1f");
		text_add(text, size, "%s%s=%s", text[0] ? "," : "", reason_label(r), rate);
	}
	if (!text[0])
		text_add(text, size, "-");
}

static void put_row(FILE *to, const char *clock, const struct top_row *row)
{
	const struct top_rate *r = &row->rate;
	char rx[32], rxp[32], tx[32], txp[32], fast[32], drops[32], reasons[VX_REASON_MAX * 32];
	autofree char *peer = sanitize_text(row->peer[0] ? row->peer : "-");

	number(rx, row->peer[0] ? r->rx_bits : TOP_NOT_KNOWN, "%.0f");
	number(rxp, row->peer[0] ? r->rx_packets : TOP_NOT_KNOWN, "%.1f");
	number(tx, row->peer[0] ? r->tx_bits : TOP_NOT_KNOWN, "%.0f");
	number(txp, row->peer[0] ? r->tx_packets : TOP_NOT_KNOWN, "%.1f");
	number(fast, r->fast < 0 ? r->fast : 100 * r->fast, "%.0f");
	number(drops, r->drops, "%.1f");
	list_reasons(row, reasons, sizeof(reasons));
	fprintf(to, ROW, clock, row->overlay, peer ? peer : "?",
		row->peer[0] ? peer_state_name(row->state) : "-", rx, rxp, tx, txp, fast, drops,
		reasons);
}

char *top_rows(const struct top *top, const struct top_view *view)
{
	char *text = NULL;
	size_t size, n;
	FILE *to = open_memstream(&text, &size);
	autofree const struct top_row **v = top_sorted(top, view->sort, view->reverse, &n);

	if (!to)
		return NULL;
	for (size_t i = 0; i < n; i++)
		put_row(to, view->clock, v[i]);
	for (size_t i = 0; i < top->n_rows; i++)
		if (!top->rows[i].peer[0])
			put_row(to, view->clock, &top->rows[i]);
	for (size_t i = 0; i < top->n_overlays; i++)
		if (!top->overlays[i].up)
			fprintf(to, ROW, view->clock, top->overlays[i].name, "-", "down", "-", "-",
				"-", "-", "-", "-", "-");
	fclose(to);
	return text;
}
