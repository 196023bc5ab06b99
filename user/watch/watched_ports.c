// SPDX-License-Identifier: GPL-2.0
/* Ports of an overlay under watch that are to be looked at; see watched.h. */
#include "watch/watched.h"

#define SPACING_MS 200 /* from one look at a port that changes all the time to the next */
#define LOOKS 5 /* with nothing between them, as a port that is being set up needs them */
#define LATELY_MS 1000

void watched_queue_port(struct watched *w, int ifindex)
{
	struct watched_port *grown;

	for (size_t i = 0; i < w->n_ports; i++)
		if (w->ports[i].ifindex == ifindex) {
			w->ports[i].queued = true;
			return;
		}
	grown = reallocarray(w->ports, w->n_ports + 1, sizeof(*w->ports));
	if (!grown)
		out_of_memory();
	w->ports = grown;
	w->ports[w->n_ports++] = (struct watched_port){ .ifindex = ifindex, .queued = true };
}

/* The one that is due first. */
static struct watched_port *next_port(const struct watched *w)
{
	struct watched_port *next = NULL;

	for (size_t i = 0; i < w->n_ports; i++)
		if (w->ports[i].queued && (!next || w->ports[i].due_ms < next->due_ms))
			next = &w->ports[i];
	return next;
}

int watched_next_port(const struct watched *w)
{
	return next_port(w)->ifindex;
}

uint64_t watched_ports_due(const struct watched *w)
{
	const struct watched_port *next = next_port(w);

	if (!next)
		return WATCHED_NEVER;
	return next->due_ms > w->ports_due_ms ? next->due_ms : w->ports_due_ms;
}

/* This one has been looked at; those looked at longer ago are forgotten. */
void watched_took_port(struct watched *w, int ifindex)
{
	uint64_t now = watched_clock_ms();
	size_t n = 0;

	for (size_t i = 0; i < w->n_ports; i++) {
		struct watched_port *p = &w->ports[i];

		if (p->ifindex == ifindex) {
			p->queued = false;
			p->forget_ms = now + LATELY_MS;
			p->due_ms = ++p->looks < LOOKS ? now : now + SPACING_MS;
		}
		if (p->queued || p->forget_ms > now)
			w->ports[n++] = *p;
	}
	w->n_ports = n;
}
