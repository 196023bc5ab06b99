// SPDX-License-Identifier: GPL-2.0
/* From counters to rates, and their order; see top.h. Pure. */
#include <string.h>

#include "show/top.h"

/* --- rates */

static int by_key(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	int cmp = strverscmp(x->overlay, y->overlay);

	return cmp ? cmp : strverscmp(x->peer, y->peer);
}

static int by_name(const void *a, const void *b)
{
	const struct top_overlay *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static void remember(struct top_history *h, double rate)
{
	if (h->n == TOP_HISTORY)
		memmove(h->v, h->v + 1, --h->n * sizeof(h->v[0]));
	h->v[h->n++] = (float)rate;
}

/* Counters only grow; the same peer's that did not are of another life. */
static bool has_grown(const struct top_row *was, const struct top_row *now)
{
	const struct vx_counters *a = &was->sum, *b = &now->sum;

	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		if (now->drops[r] < was->drops[r])
			return false;
	return now->read_ns > was->read_ns && b->rx_packets >= a->rx_packets &&
	       b->rx_bytes >= a->rx_bytes && b->tx_packets >= a->tx_packets &&
	       b->tx_bytes >= a->tx_bytes && b->rx_fast_packets >= a->rx_fast_packets &&
	       b->tx_fast_packets >= a->tx_fast_packets;
}

static void rate_nothing(struct top_row *row)
{
	row->rate = (struct top_rate){ TOP_NOT_KNOWN, TOP_NOT_KNOWN, TOP_NOT_KNOWN,
				       TOP_NOT_KNOWN, TOP_NOT_KNOWN, TOP_NOT_KNOWN };
	for (enum vx_reason r = 0; r < VX_REASON_MAX; r++)
		row->reasons[r] = TOP_NOT_KNOWN;
}

static double per_second(uint64_t was, uint64_t now, double seconds)
{
	return (double)(now - was) / seconds;
}

static void rate(const struct top_row *was, struct top_row *now)
{
	const struct vx_counters *a = &was->sum, *b = &now->sum;
	double s = (double)(now->read_ns - was->read_ns) / 1e9;
	double packets, fast;

	now->rate.rx_bits = 8 * per_second(a->rx_bytes, b->rx_bytes, s);
	now->rate.tx_bits = 8 * per_second(a->tx_bytes, b->tx_bytes, s);
	now->rate.rx_packets = per_second(a->rx_packets, b->rx_packets, s);
	now->rate.tx_packets = per_second(a->tx_packets, b->tx_packets, s);
	packets = now->rate.rx_packets + now->rate.tx_packets;
	fast = per_second(a->rx_fast_packets, b->rx_fast_packets, s) +
	       per_second(a->tx_fast_packets, b->tx_fast_packets, s);
	/* A frame's packet may be read before its share is. */
	now->rate.fast = packets <= 0 ? TOP_NOT_KNOWN : fast > packets ? 1 : fast / packets;
	now->rate.drops = 0;
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++) {
		now->reasons[r] = per_second(was->drops[r], now->drops[r], s);
		now->rate.drops += now->reasons[r];
	}
}

static const struct top_row *find_row(const struct top *top, const struct top_row *key)
{
	return top->n_rows ? bsearch(key, top->rows, top->n_rows, sizeof(*key), by_key) : NULL;
}

static void rate_row(const struct top *before, struct top_row *row)
{
	const struct top_row *was = find_row(before, row);

	if (was)
		row->traffic = was->traffic;
	if (was && has_grown(was, row))
		rate(was, row);
	else
		rate_nothing(row);
	remember(&row->traffic,
		 row->rate.rx_bits < 0 ? TOP_NOT_KNOWN : row->rate.rx_bits + row->rate.tx_bits);
}

/* --- overlays */

static void add_to_overlay(struct top_overlay *o, const struct top_row *row)
{
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++) {
		o->drops[r] += row->drops[r];
		if (row->reasons[r] >= 0)
			o->reasons[r] = (o->reasons[r] < 0 ? 0 : o->reasons[r]) + row->reasons[r];
	}
	if (row->peer[0])
		o->n_peers[row->state]++;
}

static void rate_overlay(const struct top *before, struct top_overlay *o)
{
	const struct top_overlay *was =
		before->n_overlays
			? bsearch(o, before->overlays, before->n_overlays, sizeof(*o), by_name)
			: NULL;

	if (was && was->up && o->up)
		memcpy(o->history, was->history, sizeof(o->history));
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++)
		remember(&o->history[r], o->reasons[r]);
}

static struct top_row *add_row(struct top *top, const struct snapshot *s)
{
	struct top_row *row = &top->rows[top->n_rows++];

	text_copy(row->overlay, sizeof(row->overlay), s->told.name);
	row->read_ns = s->now_ns;
	return row;
}

static void add_rows(struct top *top, const struct snapshot *s)
{
	memcpy(add_row(top, s)->drops, s->drops, sizeof(s->drops));
	for (size_t i = 0; i < s->n_peers; i++) {
		const struct snapshot_peer *p = &s->peers[i];
		struct top_row *row = add_row(top, s);

		text_copy(row->peer, sizeof(row->peer), p->name);
		row->state = p->state;
		row->sum = p->sum;
		memcpy(row->drops, p->drops, sizeof(row->drops));
	}
}

static void add_overlay(struct top *top, const struct snapshot *s)
{
	struct top_overlay *o = &top->overlays[top->n_overlays++];

	text_copy(o->name, sizeof(o->name), s->told.name);
	text_copy(o->local, sizeof(o->local), s->told.local);
	o->up = s->up;
	o->other = s->layout && s->layout != VX_LAYOUT;
	o->counted = s->told.guard != VX_GUARD_ENFORCE;
	for (enum vx_reason r = 0; r < VX_REASON_MAX; r++)
		o->reasons[r] = TOP_NOT_KNOWN;
	if (s->up)
		add_rows(top, s);
}

static struct top_overlay *overlay_of(struct top *top, const struct top_row *row)
{
	struct top_overlay key = { 0 };

	text_copy(key.name, sizeof(key.name), row->overlay);
	return bsearch(&key, top->overlays, top->n_overlays, sizeof(key), by_name);
}

void top_update(struct top *top, const struct snapshot *list, size_t n)
{
	struct top now = { 0 };
	size_t rows = 0;

	for (size_t i = 0; i < n; i++)
		rows += list[i].n_peers + 1;
	now.overlays = calloc(n + 1, sizeof(*now.overlays));
	now.rows = calloc(rows + 1, sizeof(*now.rows));
	if (!now.overlays || !now.rows)
		out_of_memory();
	for (size_t i = 0; i < n; i++)
		add_overlay(&now, &list[i]);
	qsort(now.overlays, now.n_overlays, sizeof(*now.overlays), by_name);
	qsort(now.rows, now.n_rows, sizeof(*now.rows), by_key);
	for (size_t i = 0; i < now.n_rows; i++) {
		rate_row(top, &now.rows[i]);
		add_to_overlay(overlay_of(&now, &now.rows[i]), &now.rows[i]);
	}
	for (size_t i = 0; i < now.n_overlays; i++)
		rate_overlay(top, &now.overlays[i]);
	top_free(top);
	*top = now;
}

void top_free(struct top *top)
{
	free(top->overlays);
	free(top->rows);
	*top = (struct top){ 0 };
}

/* --- order */

static double traffic(const struct top_row *row)
{
	return row->rate.rx_bits + row->rate.tx_bits;
}

static double receive(const struct top_row *row)
{
	return row->rate.rx_bits;
}

static double transmit(const struct top_row *row)
{
	return row->rate.tx_bits;
}

static double packets(const struct top_row *row)
{
	return row->rate.rx_packets + row->rate.tx_packets;
}

static double fast(const struct top_row *row)
{
	return row->rate.fast;
}

static double drops(const struct top_row *row)
{
	return row->rate.drops;
}

static double state(const struct top_row *row)
{
	static const double badness[] = {
		[PEER_SILENT] = 3, [PEER_NEVER] = 2, [PEER_IDLE] = 1, [PEER_UP] = 0
	};

	return badness[row->state];
}

static const struct {
	const char *name;
	char letter;
	double (*value)(const struct top_row *row);
} sorts[] = {
	[TOP_SORT_TRAFFIC] = { "traffic", 'a', traffic },
	[TOP_SORT_RECEIVE] = { "receive", 'r', receive },
	[TOP_SORT_TRANSMIT] = { "transmit", 't', transmit },
	[TOP_SORT_PACKETS] = { "packets", 'k', packets },
	[TOP_SORT_FAST] = { "fast", 'f', fast },
	[TOP_SORT_DROPS] = { "drops", 'd', drops },
	[TOP_SORT_STATE] = { "state", 's', state },
	[TOP_SORT_PEER] = { "peer", 'p', NULL },
};
_Static_assert(ARRAY_LEN(sorts) == TOP_SORT_MAX, "every order has a name");

const char *top_sort_name(enum top_sort sort)
{
	return sorts[sort].name;
}

char top_sort_letter(enum top_sort sort)
{
	return sorts[sort].letter;
}

bool top_sort_find(const char *name, enum top_sort *out)
{
	for (enum top_sort i = 0; i < TOP_SORT_MAX; i++) {
		if (strcmp(name, sorts[i].name) != 0)
			continue;
		*out = i;
		return true;
	}
	return false;
}

struct order {
	enum top_sort sort;
	bool reverse;
};

static int compare(const void *a, const void *b, void *ctx)
{
	const struct top_row *x = *(const struct top_row *const *)a;
	const struct top_row *y = *(const struct top_row *const *)b;
	const struct order *order = ctx;
	double (*value)(const struct top_row *row) = sorts[order->sort].value;
	double left = value ? value(x) : 0, right = value ? value(y) : 0;
	int cmp = left > right ? -1 : left < right ? 1 : 0;

	/* Equals stand still by name, whichever way the others are turned. */
	if (!cmp && value)
		return by_key(x, y);
	if (!cmp)
		cmp = by_key(x, y);
	return order->reverse ? -cmp : cmp;
}

const struct top_row **top_sorted(const struct top *top, enum top_sort sort, bool reverse,
				  size_t *n)
{
	const struct top_row **v = calloc(top->n_rows + 1, sizeof(*v));
	struct order order = { sort, reverse };

	if (!v)
		out_of_memory();
	*n = 0;
	for (size_t i = 0; i < top->n_rows; i++)
		if (top->rows[i].peer[0])
			v[(*n)++] = &top->rows[i];
	qsort_r(v, *n, sizeof(const struct top_row *), compare, &order);
	return v;
}
