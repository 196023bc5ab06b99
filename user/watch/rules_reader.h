/* SPDX-License-Identifier: GPL-2.0 */
/* Reads this host's rules in a thread of its own: where there are many that takes long, and news does not wait. */
#ifndef VXBPF_RULES_READER_H
#define VXBPF_RULES_READER_H

#include <pthread.h>

#include "filters/fastpath.h"

struct rules_reader {
	pthread_t thread;
	bool runs; /* it was started, and its result has not been taken */
	int done; /* readable once there is a result; of use while it runs */
	uint16_t port;
	uint64_t took_ms;
	struct fastpath_rules rules;
};

/* 0, or -errno. One that runs goes on. */
int rules_reader_start(struct rules_reader *r, uint16_t port);
/* The result, which the caller then owns; false: there is none yet. */
bool rules_reader_take(struct rules_reader *r, struct fastpath_rules *out);
/* Waits for its end. */
void rules_reader_end(struct rules_reader *r);

#endif
