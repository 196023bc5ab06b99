// SPDX-License-Identifier: GPL-2.0
/*
 * Senders of too large packets, and the right MTU of each port (I3); see snapshot.h. Warning only; the
 * overlay is not degraded, because it works with a wrong MTU of containers. Pure.
 */
#include "base/human.h"
#include "diagnose/snapshot_say.h"

enum port_fit snapshot_port_fit(const struct snapshot_port *port, uint32_t mtu, bool sent)
{
	uint32_t far = port->far_mtu;

	/* Packets up to the port's own size come in and are judged there. */
	if (far > port->mtu && port->mtu < mtu)
		return PORT_NARROW;
	if (far > mtu && far > port->mtu && port->rx_dropped)
		return PORT_TORN;
	if (sent && port->oversize)
		return far && far <= mtu ? PORT_SENT_BEFORE : PORT_SENT;
	if (far > mtu)
		return PORT_TOO_LARGE;
	return port->veth && !far && port->rx_dropped ? PORT_LOSES : PORT_FITS;
}

/* "the container's MTU" */
static const char *whose(const struct snapshot *s, const struct snapshot_port *p)
{
	if (p == s->ports)
		return "the MTU of traffic this host sends or routes there";
	return p->veth ? "the container's MTU" : "the MTU of the device behind it";
}

static void say_sent(const struct snapshot *s, const struct snapshot_port *p, bool before,
		     struct verdicts *out)
{
	char count[HUMAN_LEN];

	human_count(p->oversize, count);
	verdicts_add(out, VERDICT_OVERSIZE, p->ifname,
		     "%s sent %s %s of up to %u bytes, too large for the overlay; %s%s %s %u%s",
		     p->ifname, count, p->oversize == 1 ? "frame" : "frames", p->largest,
		     before ? "" : "set ", whose(s, p), before ? "is" : "to",
		     before ? p->far_mtu : s->told.mtu, before ? " now" : "");
}

static void say_torn(const struct snapshot *s, const struct snapshot_port *p, struct verdicts *out)
{
	char count[HUMAN_LEN];

	human_count(p->rx_dropped, count);
	verdicts_add(out, VERDICT_PORT_MTU, p->ifname,
		     "%s: the container's end has MTU %u and this end %u, so %s %s dropped between "
		     "them; set the container's MTU to %u",
		     p->ifname, p->far_mtu, p->mtu, count,
		     p->rx_dropped == 1 ? "packet was" : "packets were", s->told.mtu);
}

static void say_loses(const struct snapshot *s, const struct snapshot_port *p, struct verdicts *out)
{
	char count[HUMAN_LEN];

	human_count(p->rx_dropped, count);
	verdicts_add(out, VERDICT_PORT_MTU, p->ifname,
		     "%s: %s %s dropped on receive, probably because the container's end has a "
		     "larger MTU than this end (%u); set the container's MTU to %u",
		     p->ifname, count, p->rx_dropped == 1 ? "packet was" : "packets were", p->mtu,
		     s->told.mtu);
}

static void say_port(const struct snapshot *s, const struct snapshot_port *p, enum port_fit fit,
		     struct verdicts *out)
{
	switch (fit) {
	case PORT_FITS:
		break;
	case PORT_SENT:
	case PORT_SENT_BEFORE:
		say_sent(s, p, fit == PORT_SENT_BEFORE, out);
		break;
	case PORT_TOO_LARGE:
		verdicts_add(out, VERDICT_PORT_MTU, p->ifname,
			     "%s: the container's end has MTU %u and the overlay %u; set the "
			     "container's MTU to %u",
			     p->ifname, p->far_mtu, s->told.mtu, s->told.mtu);
		break;
	case PORT_TORN:
		say_torn(s, p, out);
		break;
	case PORT_NARROW:
		verdicts_add(out, VERDICT_PORT_MTU, p->ifname,
			     "%s: the container's end has MTU %u and this end only %u, so larger "
			     "packets are dropped between them; set both to %u",
			     p->ifname, p->far_mtu, p->mtu,
			     p->far_mtu < s->told.mtu ? p->far_mtu : s->told.mtu);
		break;
	case PORT_LOSES:
		say_loses(s, p, out);
		break;
	}
}

/* Those that lose packets, then those that may. Returns how many there were so far. */
static size_t say_ports(const struct snapshot *s, bool sent, bool warn, size_t said,
			struct verdicts *out)
{
	for (size_t i = 0; i < s->n_ports; i++) {
		enum port_fit fit = snapshot_port_fit(&s->ports[i], s->told.mtu, sent);

		/* Worth a word, but mended. */
		if (s->looked && fit == PORT_SENT_BEFORE)
			continue;
		if (fit != PORT_FITS && (fit == PORT_TOO_LARGE) == warn && said++ < SAY_MAX)
			say_port(s, &s->ports[i], fit, out);
	}
	return said;
}

void snapshot_say_mtu(const struct snapshot *s, const char *count, struct verdicts *out)
{
	size_t said = say_ports(s, count, false, 0, out);
	bool blamed = false;

	said = say_ports(s, count, true, said, out);
	if (said > SAY_MAX)
		verdicts_add(out, VERDICT_PORT_MTU, "",
			     "%zu more %s an MTU larger than the overlay's %u", said - SAY_MAX,
			     said == SAY_MAX + 1 ? "port has" : "ports have", s->told.mtu);
	for (size_t i = 0; i < s->n_ports; i++)
		blamed |= s->ports[i].oversize != 0;
	if (count && !blamed)
		verdicts_add(out, VERDICT_OVERSIZE, "",
			     "packets larger than %u bytes (%s) from a port that no longer exists",
			     s->told.mtu, count);
}
