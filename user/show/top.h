/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `vxbpf top`: rates from one look at the counters to the next. Pure: rates and their order
 * (top_rates.c), the page of a screen (top_page.c), plain rows (top_rows.c), keys (top_keys.c). The clock
 * and the rounds are cmd_top.c's, the terminal is top_screen.c's.
 */
#ifndef VXBPF_TOP_H
#define VXBPF_TOP_H

#include "snapshot/snapshot.h"

#define TOP_HISTORY 60 /* rounds */
#define TOP_NOT_KNOWN (-1.0)

/* Per second; what is not known is negative. */
struct top_rate {
	double rx_bits, rx_packets;
	double tx_bits, tx_packets;
	double fast; /* the share of all packets that took the fast path, 0 to 1 */
	double drops; /* of all reasons */
};

/* The latest rounds, newest last; a round without a rate is negative. */
struct top_history {
	float v[TOP_HISTORY];
	unsigned n;
};

/* A peer; or, without a name, what no peer of the overlay is to blame for. */
struct top_row {
	char overlay[VX_IF_LEN];
	char peer[VX_NAME_LEN];
	enum peer_state state;
	struct vx_counters sum; /* as last read, */
	uint64_t drops[VX_REASON_MAX];
	uint64_t read_ns; /* and when */
	struct top_rate rate;
	double reasons[VX_REASON_MAX]; /* drops by reason */
	struct top_history traffic; /* bits, both directions */
};

struct top_overlay {
	char name[VX_IF_LEN];
	char local[VX_NAME_LEN];
	bool up;
	bool other; /* its pins are of another version, and tell us nothing */
	bool counted; /* its guard lets pass what it counts */
	size_t n_peers[PEER_STATE_MAX];
	uint64_t drops[VX_REASON_MAX]; /* everybody's, so far, */
	double reasons[VX_REASON_MAX]; /* and per second; negative = not known */
	struct top_history history[VX_REASON_MAX];
};

struct top {
	struct top_overlay *overlays; /* by name */
	size_t n_overlays;
	struct top_row *rows; /* by overlay and peer; rows without a peer first */
	size_t n_rows;
};

/* Another look, some time after the one before. Peers that are new, or whose counters have gone back,
 * have no rate this round. */
void top_update(struct top *top, const struct snapshot *list, size_t n);
void top_free(struct top *top);
#define autotop __attribute__((cleanup(top_free)))

enum top_sort {
	TOP_SORT_TRAFFIC,
	TOP_SORT_RECEIVE,
	TOP_SORT_TRANSMIT,
	TOP_SORT_PACKETS,
	TOP_SORT_FAST,
	TOP_SORT_DROPS,
	TOP_SORT_STATE,
	TOP_SORT_PEER,
	TOP_SORT_MAX,
};
const char *top_sort_name(enum top_sort sort);
char top_sort_letter(enum top_sort sort);
/* false: there is no such key. */
bool top_sort_find(const char *name, enum top_sort *out);

/* Peers in that order, the largest or the worst first; rows without a peer are left out. The caller
 * frees the array of *n. */
const struct top_row **top_sorted(const struct top *top, enum top_sort sort, bool reverse,
				  size_t *n);

/* --- what is shown */

struct top_view {
	unsigned width, height; /* of the screen */
	bool colour;
	bool utf8;
	bool help;
	enum top_sort sort;
	bool reverse;
	size_t first; /* the first peer shown; top_page puts it right */
	size_t page; /* how many fit, set by top_page */
	unsigned interval; /* seconds */
	const char *clock; /* "12:34:56" */
};

/* `height` lines of at most `width` columns, each ended by a newline. The caller frees the text. */
char *top_page(const struct top *top, struct top_view *view);

/* A row a peer, and one for drops without a peer; numbers without units. The caller frees the text. */
char *top_rows(const struct top *top, const struct top_view *view);
const char *top_rows_head(void);

/* `width` characters for the latest rounds, `each` of them together, newest last. */
void top_sparkline(const struct top_history *h, unsigned each, unsigned width, bool utf8, FILE *to);

enum top_key { TOP_KEY_NONE, TOP_KEY_QUIT, TOP_KEY_CHANGED };
#define TOP_KEY_LEN 8
/* The bytes received so far of a key that takes several. */
struct top_keys {
	char text[TOP_KEY_LEN];
	unsigned n;
};
/* One more byte from the keyboard, and what it does to the view. */
enum top_key top_press(struct top_keys *keys, char byte, struct top_view *view);

#endif
