/* SPDX-License-Identifier: GPL-2.0 */
/* For the tests of `top`: an overlay with a few peers whose counters they move. */
#ifndef TEST_LOOKS_H
#define TEST_LOOKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "show/top.h"

#define SECOND 1000000000ULL

static struct snapshot_peer peers[4];

static inline struct snapshot_peer *peer(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		if (strcmp(peers[i].name, name) == 0)
			return &peers[i];
	fail_msg("no peer %s", name);
	return NULL;
}

/* beta and gamma, as if just counted; then others change the numbers and the time. */
static inline struct snapshot overlay(const char *name, uint64_t now_ns)
{
	struct snapshot s = { .up = true, .layout = VX_LAYOUT, .now_ns = now_ns, .peers = peers };

	text_copy(s.told.name, sizeof(s.told.name), name);
	text_copy(s.told.local, sizeof(s.told.local), "alpha");
	s.n_peers = 2;
	return s;
}

static inline int set_up(void **state)
{
	static const char *const names[] = { "beta", "gamma", "delta-10", "delta-9" };

	(void)state;
	memset(peers, 0, sizeof(peers));
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		text_copy(peers[i].name, sizeof(peers[i].name), names[i]);
	peers[0].sum = (struct vx_counters){ .rx_packets = 1000,
					     .rx_bytes = 100000,
					     .tx_packets = 500,
					     .tx_bytes = 50000,
					     .rx_fast_packets = 900,
					     .tx_fast_packets = 400 };
	return 0;
}

static inline void look(struct top *top, struct snapshot s)
{
	top_update(top, &s, 1);
}

/* Two looks, two seconds apart, with 1000 bits a second to and from beta in between. */
static inline struct top two_looks(void)
{
	struct top top = { 0 };

	look(&top, overlay("vxbr0", 10 * SECOND));
	peer("beta")->sum.rx_bytes += 250;
	peer("beta")->sum.rx_packets += 10;
	peer("beta")->sum.rx_fast_packets += 5;
	peer("beta")->sum.tx_bytes += 250;
	peer("beta")->sum.tx_packets += 10;
	peer("beta")->drops[VX_REASON_LOOP] += 4;
	look(&top, overlay("vxbr0", 12 * SECOND));
	return top;
}

#endif
