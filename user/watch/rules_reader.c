// SPDX-License-Identifier: GPL-2.0
/* Rules, read beside everything else; see rules_reader.h. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "watch/rules_reader.h"

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void *run(void *ctx)
{
	struct rules_reader *r = ctx;
	uint64_t began = clock_ms();

	fastpath_read_rules(r->port, &r->rules);
	r->took_ms = clock_ms() - began;
	eventfd_write(r->done, 1);
	return NULL;
}

int rules_reader_start(struct rules_reader *r, uint16_t port)
{
	int err;

	if (r->runs)
		return 0;
	r->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->done < 0)
		return -errno;
	r->port = port;
	err = pthread_create(&r->thread, NULL, run, r);
	if (err)
		close_fd(&r->done);
	r->runs = !err;
	return -err;
}

static void finish(struct rules_reader *r)
{
	pthread_join(r->thread, NULL);
	close_fd(&r->done);
	r->runs = false;
}

bool rules_reader_take(struct rules_reader *r, struct fastpath_rules *out)
{
	eventfd_t n;

	if (!r->runs || eventfd_read(r->done, &n))
		return false;
	finish(r);
	*out = r->rules;
	r->rules = (struct fastpath_rules){ 0 };
	return true;
}

void rules_reader_end(struct rules_reader *r)
{
	if (!r->runs)
		return;
	finish(r);
	fastpath_rules_free(&r->rules);
}
