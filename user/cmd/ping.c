// SPDX-License-Identifier: GPL-2.0
/* One peer asked again and again; see ping.h. */
#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/ping.h"

#define MS 1000000ULL
#define INTERVAL_NS (200 * MS)
#define LINGER_NS (1000 * MS) /* for the last answers */

/* The question asked first. */
static void give_up_oldest(struct ping *p)
{
	size_t oldest = 0;

	for (size_t i = 1; i < p->n_waits; i++)
		if (p->waits[i].sequence < p->waits[oldest].sequence)
			oldest = i;
	probing_forget(&p->probing, p->vni, p->waits[oldest].sequence);
	p->waits[oldest] = p->waits[--p->n_waits];
}

int ping_send(struct ping *p, unsigned size)
{
	if (p->n_waits == ARRAY_LEN(p->waits))
		give_up_oldest(p);
	p->err = probing_send(&p->probing, p->ifindex, p->vni, ++p->next, size);
	p->last_sent = probing_now();
	if (!p->err)
		p->waits[p->n_waits++] = (struct ping_wait){ .sequence = p->next, .size = size };
	return p->err;
}

bool ping_take(struct ping *p, struct ping_wait *out, struct vx_probe_answer *answer)
{
	for (size_t i = 0; i < p->n_waits; i++) {
		if (!probing_look(&p->probing, p->vni, p->waits[i].sequence, answer))
			continue;
		*out = p->waits[i];
		probing_forget(&p->probing, p->vni, out->sequence);
		p->waits[i] = p->waits[--p->n_waits];
		return true;
	}
	return false;
}

void ping_forget(struct ping *p)
{
	while (p->n_waits)
		probing_forget(&p->probing, p->vni, p->waits[--p->n_waits].sequence);
}

static void show_answers(struct ping *p)
{
	struct vx_probe_answer answer;
	struct ping_wait wait;

	while (ping_take(p, &wait, &answer)) {
		uint64_t rtt = answer.answered_ns - answer.sent_ns;

		printf("%u bytes from %s (%s): seq=%u time=%.3f ms\n", answer.received,
		       p->peer->name, p->peer->address, wait.sequence, (double)rtt / (double)MS);
		fflush(stdout);
		p->min = p->answered && p->min < rtt ? p->min : rtt;
		p->max = p->max > rtt ? p->max : rtt;
		p->sum += rtt;
		p->mtu = answer.mtu;
		p->answered++;
	}
}

/* Until that time, or all have been answered. */
static void wait_for_answers(struct ping *p, uint64_t until, bool to_the_end)
{
	show_answers(p);
	while (!ping_interrupted() && probing_now() < until && (to_the_end || p->n_waits)) {
		probing_rest(p->last_sent, until);
		show_answers(p);
	}
}

static void ask(struct ping *p)
{
	uint64_t next = probing_now();

	for (unsigned i = 0; i < p->count && !ping_interrupted(); i++) {
		p->sent++;
		if (ping_send(p, p->size) && p->err != -ENOBUFS)
			return; /* and would be refused again */
		next += INTERVAL_NS;
		if (i + 1 < p->count)
			wait_for_answers(p, next, true);
	}
	wait_for_answers(p, p->last_sent + LINGER_NS, false);
}

static void show_summary(const struct ping *p)
{
	printf("%u sent, %u answered, %u%% lost\n", p->sent, p->answered,
	       p->sent ? (p->sent - p->answered) * 100 / p->sent : 0);
	if (p->answered)
		printf("rtt min/avg/max %.3f/%.3f/%.3f ms\n", (double)p->min / (double)MS,
		       (double)p->sum / p->answered / (double)MS, (double)p->max / (double)MS);
	if (p->mtu && p->mtu != p->overlay->mtu)
		printf("%s uses overlay MTU %u and this host uses %u; set the same `mtu:` in the "
		       "config of all hosts\n",
		       p->peer->name, p->mtu, p->overlay->mtu);
}

static void show_path(const struct ping *p, unsigned fits)
{
	unsigned mtu = p->overlay->mtu;

	printf("path MTU to %s: %u on the wire, so %u for overlay packets (%u bytes of overhead); ",
	       p->peer->name, fits + p->overhead, fits, p->overhead);
	if (fits >= mtu)
		printf("the overlay's MTU of %u fits\n", mtu);
	else
		printf("the overlay's MTU is %u; set `mtu: %u` on all hosts, or raise the MTU "
		       "along the path\n",
		       mtu, fits);
}

/* The size asked for never arrived. Do small ones, and then, which does? */
static bool find_path(struct ping *p)
{
	unsigned fits;

	ping_forget(p);
	if (!ping_reaches(p, PROBE_SIZE))
		return false;
	fits = p->size > PROBE_SIZE ? ping_search(p, PROBE_SIZE, p->size) : 0;
	if (fits && !ping_interrupted())
		show_path(p, fits);
	return true;
}

int ping_run(struct ping *p, struct why *why)
{
	uint64_t refused = ping_refused(p->ifindex);
	char text[300];

	ask(p);
	show_summary(p);
	if (p->sized && p->answered && p->size > PROBE_SIZE)
		printf("packets of %u bytes (%u on the wire) arrive unfragmented; the overlay's "
		       "MTU is %u\n",
		       p->size, p->size + p->overhead, p->overlay->mtu);
	if (p->answered || ping_interrupted() || (p->sized && find_path(p))) {
		ping_forget(p);
		return 0;
	}
	ping_forget(p);
	fflush(stdout);
	ping_diagnose(p, refused, text, sizeof(text));
	return why_set(why, -ETIMEDOUT, "%s: ping: no answer: %s", p->peer->name, text);
}
